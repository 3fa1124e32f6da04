/**
 * @module client/producing/transaction-state — where a transactional producer stands. Pure.
 *
 * ```
 *                 init                 initialized          begin                     commit
 *  uninitialized ──────▶ initializing ────────────▶ ready ─────────▶ in-transaction ─────────▶ committing
 *                                                    ▲ ▲                   │    │                │    │
 *                                                    │ └─────── ended ─────│────│────────────────┘    │ abortable
 *                                                    │                     │    └──── abortable ────┐ │
 *                                                    │                     ▼ abort                  ▼ ▼
 *                                                    └───── ended ───── aborting ◀──── abort ─── abortable-error
 *
 *  fatal: from everywhere to fatal-error, which nothing leaves.
 * ```
 * A refused event is a call at the wrong time (init, begin, commit, abort) or a fault of this program (initialized, ended).
 */

/** Where the producer stands. */
export type TransactionStatus =
  | 'uninitialized'
  | 'initializing'
  | 'ready'
  | 'in-transaction'
  | 'committing'
  | 'aborting'
  | 'abortable-error'
  | 'fatal-error'

/** What happens to it: four calls, two outcomes, two kinds of failure. */
export type TransactionEvent = 'init' | 'initialized' | 'begin' | 'commit' | 'abort' | 'ended' | 'abortable' | 'fatal'

/** Status and event to the next status; null: refused. */
export const TRANSACTION_TABLE: Readonly<Record<TransactionStatus, Readonly<Record<TransactionEvent, TransactionStatus | null>>>> = {
  uninitialized: {
    init: 'initializing',
    initialized: null,
    begin: null,
    commit: null,
    abort: null,
    ended: null,
    abortable: 'uninitialized',
    fatal: 'fatal-error',
  },
  initializing: {
    init: null,
    initialized: 'ready',
    begin: null,
    commit: null,
    abort: null,
    ended: null,
    // There is no transaction that could be aborted.
    abortable: 'fatal-error',
    fatal: 'fatal-error',
  },
  ready: {
    init: null,
    initialized: null,
    begin: 'in-transaction',
    commit: null,
    abort: null,
    ended: null,
    abortable: 'ready',
    fatal: 'fatal-error',
  },
  'in-transaction': {
    init: null,
    initialized: null,
    begin: null,
    commit: 'committing',
    abort: 'aborting',
    ended: null,
    abortable: 'abortable-error',
    fatal: 'fatal-error',
  },
  committing: {
    init: null,
    initialized: null,
    begin: null,
    commit: null,
    // What was decided may have been carried out already.
    abort: null,
    ended: 'ready',
    abortable: 'abortable-error',
    fatal: 'fatal-error',
  },
  aborting: {
    init: null,
    initialized: null,
    begin: null,
    commit: null,
    abort: null,
    ended: 'ready',
    abortable: 'aborting',
    fatal: 'fatal-error',
  },
  'abortable-error': {
    init: null,
    initialized: null,
    begin: null,
    commit: null,
    abort: 'aborting',
    ended: null,
    abortable: 'abortable-error',
    fatal: 'fatal-error',
  },
  'fatal-error': {
    init: null,
    initialized: null,
    begin: null,
    commit: null,
    abort: null,
    ended: null,
    abortable: 'fatal-error',
    fatal: 'fatal-error',
  },
}

/** Status and, in the two error states, the first failure that led there. */
export interface TransactionState {
  readonly status: TransactionStatus
  readonly failure: unknown
}

/** Before anything happened. */
export const UNINITIALIZED: TransactionState = { status: 'uninitialized', failure: null }

/** The state after an event; null: refused. `failure` goes with `abortable` and `fatal`. */
export function nextState(state: TransactionState, event: TransactionEvent, failure: unknown = null): TransactionState | null {
  const status = TRANSACTION_TABLE[state.status][event]
  if (status === null) return null
  if (status === state.status) return state
  return { status, failure: status === 'abortable-error' || status === 'fatal-error' ? failure : null }
}
