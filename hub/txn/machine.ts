/**
 * @module txn/machine — the state machine of one transactional id: what happens to it, and what is to be done then. Pure and total: each state
 * has an entry for each event.
 *
 * A change is in force when its record is synced; until then it is pending, and whoever asks for another one waits, as while the markers of
 * a prepared transaction are written. One change does not wait: once every marker is written the completion is in force, since nothing that follows can take it back. A crash before its record
 * is synced finds the transaction prepared and writes the markers again, which is harmless; and whatever is appended behind that record is
 * synced only with it. So the record of the next transaction shares its round of the log.
 */
import { ErrorCode } from '../wire/index.ts'
import { addToIdle, addToOngoing } from './add-partitions.ts'
import { completed, endComplete, endEmpty, endOngoing, endUnderWay, timeOutOngoing } from './end-transaction.ts'
import { initIdle, initNew, initOngoing } from './init-producer-id.ts'
import { NO_PARTITIONS } from './partitions.ts'
import { appending, code, refused, unchanged, waiting } from './steps.ts'
import {
  type Circumstances,
  EPOCH_BUMP_VERSION,
  type Effect,
  type Step,
  type Transaction,
  type TransactionEvent,
  type TransactionFields,
  type TransactionState,
} from './transaction.ts'

type EventType = TransactionEvent['type']
type Event<T extends EventType> = Extract<TransactionEvent, { readonly type: T }>
type Rule<T extends EventType> = (transaction: Transaction, event: Event<T>, circumstances: Circumstances) => Step
/** An entry for each event. */
type Row = { readonly [T in EventType]: Rule<T> }

const MOVED: Effect = { type: 'moved' }

const nothing = (transaction: Transaction): Step => unchanged(transaction)

/** Outcomes of records: the same in every state. */
const outcomes = {
  synced: (transaction, _event, circumstances) => onSynced(transaction, circumstances),
  refused: (transaction, { errorCode }) => onRefused(transaction, errorCode),
  completionSynced: (transaction) => unchanged({ ...transaction, isLogged: true }),
} satisfies Partial<Row>

const idle = {
  ...outcomes,
  initProducerId: initIdle,
  addPartitions: addToIdle,
  timeOut: nothing,
  expire: expireIdle,
  loaded: nothing,
  markersWritten: nothing,
  completeAgain: nothing,
} satisfies Partial<Row>

/** What changes the id waits while a record, or markers, are on their way; what only looks at it looks again later. */
const underWay: Row = {
  ...outcomes,
  initProducerId: waiting,
  addPartitions: waiting,
  endTransaction: endUnderWay,
  timeOut: nothing,
  expire: nothing,
  loaded: nothing,
  markersWritten: nothing,
  completeAgain: nothing,
}

const prepared: Row = {
  ...underWay,
  loaded: (transaction, _event, circumstances) => finish(transaction, circumstances),
  markersWritten: (transaction, _event, { nowMs }) => complete(transaction, nowMs),
}

const complete_: Row = {
  ...idle,
  endTransaction: endComplete,
  completeAgain: (transaction) => (transaction.isLogged ? nothing(transaction) : logCompletion(transaction)),
}

/** The states that an id can rest in. */
type RestingState = Exclude<TransactionState, 'Dead' | 'PrepareEpochFence'>

const table: { readonly [S in RestingState]: Row } = {
  Empty: { ...idle, endTransaction: endEmpty },
  Ongoing: {
    ...outcomes,
    initProducerId: initOngoing,
    addPartitions: addToOngoing,
    endTransaction: endOngoing,
    timeOut: (transaction, _event, circumstances) => timeOutOngoing(transaction, circumstances),
    expire: nothing,
    loaded: nothing,
    markersWritten: nothing,
    completeAgain: nothing,
  },
  PrepareCommit: prepared,
  PrepareAbort: prepared,
  CompleteCommit: complete_,
  CompleteAbort: complete_,
}

/** There is no such id: `Dead`. */
const dead: { readonly [T in EventType]: (event: Event<T>, circumstances: Circumstances) => Step } = {
  initProducerId: initNew,
  addPartitions: () => refused(null, ErrorCode.INVALID_PRODUCER_ID_MAPPING),
  endTransaction: () => refused(null, ErrorCode.INVALID_PRODUCER_ID_MAPPING),
  timeOut: () => unchanged(null),
  expire: () => unchanged(null),
  loaded: () => unchanged(null),
  synced: () => unchanged(null),
  refused: () => unchanged(null),
  markersWritten: () => unchanged(null),
  completionSynced: () => unchanged(null),
  completeAgain: () => unchanged(null),
}

/** What the event makes of the id; null stands for an id that does not exist. */
export function step(transaction: Transaction | null, event: TransactionEvent, circumstances: Circumstances): Step {
  if (transaction === null)
    return (dead[event.type] as (event: TransactionEvent, circumstances: Circumstances) => Step)(event, circumstances)
  const row = transaction.pending === null ? table[resting(transaction.fields.state)] : underWay
  return (row[event.type] as Rule<EventType>)(transaction, event, circumstances)
}

/** An id as its record says it is. */
export function loadedTransaction(fields: TransactionFields): Transaction {
  return { fields, pending: null, isLogged: true, hasFailedEpochFence: false }
}

function resting(state: TransactionState): RestingState {
  if (state === 'Dead' || state === 'PrepareEpochFence') throw new Error(`no transactional id rests in ${state}`)
  return state
}

/** Not used for too long: a tombstone. */
function expireIdle(transaction: Transaction, _event: Event<'expire'>, { nowMs, idExpirationMs }: Circumstances): Step {
  const { fields, isLogged } = transaction
  if (!isLogged || fields.lastUpdateMs > nowMs - idExpirationMs) return unchanged(transaction)
  return appending(transaction, { ...fields, state: 'Dead', partitions: NO_PARTITIONS }, null)
}

function onSynced(transaction: Transaction, circumstances: Circumstances): Step {
  const { pending } = transaction
  if (pending === null) return unchanged(transaction)
  const answer: Effect[] = pending.answer === null ? [] : [{ type: 'answer', answer: pending.answer }]
  if (pending.next.state === 'Dead') return unchanged(null, MOVED)
  const moved: Transaction = { ...transaction, fields: pending.next, pending: null, isLogged: true }
  const finished = finish(moved, circumstances)
  return {
    transaction: finished.transaction,
    effects: [...answer, ...finished.effects, ...(finished.effects.includes(MOVED) ? [] : [MOVED])],
  }
}

function onRefused(transaction: Transaction, errorCode: number): Step {
  const { pending, fields, isLogged } = transaction
  if (pending === null) return unchanged(transaction)
  const { next, answer, isEpochFence } = pending
  const effects: Effect[] = []
  if (answer !== null) effects.push({ type: 'answer', answer: code(errorCode) })
  if (!isLogged) effects.push({ type: 'appendCompletion', fields })
  effects.push(MOVED)
  // With TV2 the fence is tried again from where it began. Before, the raised epoch counts at once, though nobody is given it.
  const hasFailedEpochFence = isEpochFence && next.clientTransactionVersion < EPOCH_BUMP_VERSION
  if (!hasFailedEpochFence) return { transaction: { ...transaction, pending: null }, effects }
  const { producerEpoch, lastProducerEpoch } = next
  return {
    transaction: { ...transaction, pending: null, fields: { ...fields, producerEpoch, lastProducerEpoch }, hasFailedEpochFence },
    effects,
  }
}

/** Goes on with what is decided: the markers, or where there are none the completion. Nothing in states that decide nothing. */
function finish(transaction: Transaction, { nowMs }: Circumstances): Step {
  const { fields } = transaction
  if (fields.state !== 'PrepareCommit' && fields.state !== 'PrepareAbort') return unchanged(transaction)
  const decided = { ...transaction, hasFailedEpochFence: false }
  return fields.partitions.size === 0 ? complete(decided, nowMs) : unchanged(decided, { type: 'writeMarkers', fields })
}

function complete(transaction: Transaction, nowMs: number): Step {
  const done = { ...transaction, fields: completed(transaction.fields, nowMs), isLogged: false }
  return unchanged(done, { type: 'appendCompletion', fields: done.fields }, MOVED)
}

function logCompletion(transaction: Transaction): Step {
  return unchanged(transaction, { type: 'appendCompletion', fields: transaction.fields })
}
