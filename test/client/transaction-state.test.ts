/** Where a transactional producer can stand: the whole table, and laws over random lives. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  nextState,
  TRANSACTION_TABLE,
  type TransactionEvent,
  type TransactionState,
  type TransactionStatus,
  UNINITIALIZED,
} from '../../hub/client/producing/transaction-state.ts'

const statuses = Object.keys(TRANSACTION_TABLE) as TransactionStatus[]
const events = Object.keys(TRANSACTION_TABLE.ready) as TransactionEvent[]
const outcomes: ReadonlySet<TransactionEvent> = new Set(['abortable', 'fatal'])

/** What is allowed besides the two kinds of failure, which every status has an answer to. */
const ALLOWED: Readonly<Record<TransactionStatus, Partial<Record<TransactionEvent, TransactionStatus>>>> = {
  uninitialized: { init: 'initializing' },
  initializing: { initialized: 'ready' },
  ready: { begin: 'in-transaction' },
  'in-transaction': { commit: 'committing', abort: 'aborting' },
  committing: { ended: 'ready' },
  aborting: { ended: 'ready' },
  'abortable-error': { abort: 'aborting' },
  'fatal-error': {},
}

describe('the states of a transactional producer', () => {
  it('have an answer to every event', () => {
    for (const status of statuses) {
      for (const event of events) {
        if (outcomes.has(event)) continue
        expect([status, event, TRANSACTION_TABLE[status][event]]).toEqual([status, event, ALLOWED[status][event] ?? null])
      }
      expect(TRANSACTION_TABLE[status].fatal).toBe('fatal-error')
      const isOpen = status === 'in-transaction' || status === 'committing' || status === 'abortable-error'
      if (isOpen) expect(TRANSACTION_TABLE[status].abortable).toBe('abortable-error')
    }
    expect(TRANSACTION_TABLE.aborting.abortable).toBe('aborting')
    expect(TRANSACTION_TABLE.initializing.abortable).toBe('fatal-error')
  })

  it('keep the first failure until it is over, never commit after one, and never leave a fatal one', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (life) => {
        let state: TransactionState = UNINITIALIZED
        let hasFailed = false
        let count = 0
        for (const event of life) {
          const failure = `failure ${count++}`
          const next = nextState(state, event, failure)
          if (next === null) continue
          if (state.status === 'fatal-error') expect(next).toBe(state)
          if (event === 'begin') hasFailed = false
          if (event === 'ended' && state.status === 'committing') expect(hasFailed).toBe(false)
          if (next.status === 'abortable-error') hasFailed = true
          const isError = next.status === 'abortable-error' || next.status === 'fatal-error'
          expect(next.failure !== null).toBe(isError)
          if (isError && next.status === state.status) expect(next.failure).toBe(state.failure)
          state = next
        }
      }),
    )
  })
})
