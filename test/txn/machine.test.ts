/** Each state and event of the machine: what KIP-98, KIP-360 and KIP-890 say, as Kafka 4.3.1 does it. */
import { describe, expect, it } from 'vitest'
import { loadedTransaction, step } from '../../hub/txn/machine.ts'
import type {
  Circumstances,
  Effect,
  Transaction,
  TransactionEvent,
  TransactionFields,
  TransactionState,
} from '../../hub/txn/transaction.ts'
import { ErrorCode } from '../../hub/wire/index.ts'

const NOW_MS = 1_000_000
const T0 = { topic: 't', partition: 0 }
const T1 = { topic: 't', partition: 1 }
const CIRCUMSTANCES: Circumstances = { nowMs: NOW_MS, transactionVersion: 2, newProducerId: null, idExpirationMs: 1000 }

const FIELDS: TransactionFields = {
  state: 'Empty',
  producerId: 10,
  previousProducerId: 10,
  nextProducerId: -1,
  producerEpoch: 5,
  lastProducerEpoch: -1,
  timeoutMs: 60_000,
  partitions: new Map(),
  startMs: -1,
  lastUpdateMs: NOW_MS - 500,
  clientTransactionVersion: 2,
}

const T0_ONLY = new Map([['t', new Set([0])]])

function of(state: TransactionState, changes: Partial<TransactionFields> = {}): Transaction {
  const isOpen = state === 'Ongoing' || state === 'PrepareCommit' || state === 'PrepareAbort'
  return loadedTransaction({ ...FIELDS, state, ...(isOpen ? { partitions: T0_ONLY, startMs: NOW_MS - 100 } : {}), ...changes })
}

/** What a client hears at once, or `wait`, or what is appended. */
function outcome(effects: readonly Effect[]): unknown {
  const [effect] = effects
  if (effect?.type === 'answer') return effect.answer.errorCode
  if (effect?.type === 'append') return effect.fields.state
  return effect?.type
}

function ask(transaction: Transaction | null, event: TransactionEvent, changes: Partial<Circumstances> = {}) {
  return step(transaction, event, { ...CIRCUMSTANCES, ...changes })
}

/** The step, then its record synced. */
function synced(transaction: Transaction | null, event: TransactionEvent, changes: Partial<Circumstances> = {}) {
  return ask(ask(transaction, event, changes).transaction, { type: 'synced' }, changes)
}

const endOf = (isCommit: boolean, producerEpoch = 5, version: 0 | 2 = 2, producerId = 10): TransactionEvent => ({
  type: 'endTransaction',
  producerId,
  producerEpoch,
  isCommit,
  clientTransactionVersion: version,
})
const addOf = (producerEpoch = 5, ...partitions: (typeof T0)[]): TransactionEvent => ({
  type: 'addPartitions',
  producerId: 10,
  producerEpoch,
  partitions: partitions.length === 0 ? [T0] : partitions,
  clientTransactionVersion: 2,
})
const initOf = (expected: { producerId: number; producerEpoch: number } | null = null): TransactionEvent => ({
  type: 'initProducerId',
  timeoutMs: 30_000,
  expected,
})

describe('InitProducerId', () => {
  it('gives a new id epoch 0, once it has a producer id', () => {
    expect(outcome(ask(null, initOf()).effects)).toBe('needProducerId')
    const { transaction, effects } = synced(null, initOf(), { newProducerId: 77 })
    expect(effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 77, producerEpoch: 0 } })
    expect(transaction?.fields).toMatchObject({ state: 'Empty', producerId: 77, producerEpoch: 0, timeoutMs: 30_000, startMs: -1 })
  })

  it.each(['Empty', 'CompleteCommit', 'CompleteAbort'] as const)('raises the epoch in %s', (state) => {
    const { transaction, effects } = synced(of(state), initOf())
    expect(effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 10, producerEpoch: 6 } })
    expect(transaction?.fields).toMatchObject({ state: 'Empty', producerEpoch: 6, lastProducerEpoch: -1 })
  })

  it('gives a producer that names its epoch the next one, and a retry the same again', () => {
    const { transaction } = synced(of('Empty'), initOf({ producerId: 10, producerEpoch: 5 }))
    expect(transaction?.fields).toMatchObject({ producerEpoch: 6, lastProducerEpoch: 5 })
    const retry = synced(transaction, initOf({ producerId: 10, producerEpoch: 5 }))
    expect(retry.effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 10, producerEpoch: 6 } })
  })

  it('fences a producer that names an epoch from before somebody else came', () => {
    const { transaction } = synced(of('Empty'), initOf())
    expect(outcome(ask(transaction, initOf({ producerId: 10, producerEpoch: 5 })).effects)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(outcome(ask(of('Empty'), initOf({ producerId: 11, producerEpoch: 5 })).effects)).toBe(ErrorCode.PRODUCER_FENCED)
  })

  it('changes the producer id when the epochs are at their end, and knows the retry by the id before', () => {
    const last = of('CompleteCommit', { producerEpoch: 32_766 })
    expect(outcome(ask(last, initOf()).effects)).toBe('needProducerId')
    const { transaction, effects } = synced(last, initOf({ producerId: 10, producerEpoch: 32_766 }), { newProducerId: 77 })
    expect(effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 77, producerEpoch: 0 } })
    const retry = synced(transaction, initOf({ producerId: 10, producerEpoch: 32_766 }))
    expect(retry.effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 77, producerEpoch: 0 } })
  })

  it('aborts what is open in an epoch that nobody is given, and sends the client away until then', () => {
    const { transaction, effects } = ask(of('Ongoing'), initOf())
    expect(effects).toMatchObject([{ type: 'append', fields: { state: 'PrepareAbort', producerEpoch: 6, lastProducerEpoch: 5 } }])
    const decided = ask(transaction, { type: 'synced' })
    expect(decided.effects.map(({ type }) => type)).toEqual(['answer', 'writeMarkers', 'moved'])
    expect(outcome(decided.effects)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    const done = ask(decided.transaction, { type: 'markersWritten' })
    expect(done.transaction?.fields).toMatchObject({ state: 'CompleteAbort', producerEpoch: 6 })
    expect(synced(done.transaction, initOf()).transaction?.fields).toMatchObject({ state: 'Empty', producerEpoch: 7 })
  })

  it('waits while a transaction is being ended, and is judged when that is done', () => {
    expect(outcome(ask(of('PrepareCommit'), initOf()).effects)).toBe('wait')
    expect(outcome(ask(of('PrepareCommit'), initOf({ producerId: 3, producerEpoch: 1 })).effects)).toBe('wait')
    expect(outcome(ask(of('CompleteCommit'), initOf({ producerId: 3, producerEpoch: 1 })).effects)).toBe(ErrorCode.PRODUCER_FENCED)
  })
})

describe('AddPartitionsToTxn', () => {
  it.each(['Empty', 'CompleteCommit', 'CompleteAbort'] as const)('begins a transaction in %s', (state) => {
    const { transaction } = synced(of(state), addOf(5, T0, T1))
    expect(transaction?.fields).toMatchObject({ state: 'Ongoing', startMs: NOW_MS, lastUpdateMs: NOW_MS })
    expect(transaction?.fields.partitions).toEqual(new Map([['t', new Set([0, 1])]]))
  })

  it('adds to what is open, without a record where nothing is new', () => {
    expect(ask(of('Ongoing'), addOf()).effects).toMatchObject([{ type: 'answer', answer: { errorCode: 0 } }])
    expect(synced(of('Ongoing'), addOf(5, T1)).transaction?.fields).toMatchObject({ startMs: NOW_MS - 100 })
  })

  it('knows only the producer of the present epoch', () => {
    expect(outcome(ask(of('Ongoing'), addOf(4)).effects)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(outcome(ask(of('Ongoing', { producerId: 11 }), addOf()).effects)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    expect(outcome(ask(null, addOf()).effects)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  })

  it('waits for the end of the transaction before', () => {
    expect(outcome(ask(of('PrepareAbort'), addOf()).effects)).toBe('wait')
  })
})

type Expected = number | 'wait' | 'PrepareCommit' | 'PrepareAbort'
const { NONE, INVALID_TXN_STATE: STATE, PRODUCER_FENCED: FENCED } = ErrorCode

describe('EndTxn', () => {
  /** State, epoch of the request (5 is the present one), commit, abort. */
  const TV1: readonly (readonly [TransactionState, number, Expected, Expected])[] = [
    ['Empty', 5, STATE, STATE],
    ['Ongoing', 5, 'PrepareCommit', 'PrepareAbort'],
    ['Ongoing', 4, FENCED, FENCED],
    ['PrepareCommit', 5, 'wait', 'wait'],
    ['PrepareCommit', 4, FENCED, FENCED],
    ['PrepareAbort', 5, 'wait', 'wait'],
    ['CompleteCommit', 5, NONE, STATE],
    ['CompleteAbort', 5, STATE, NONE],
    ['CompleteCommit', 4, FENCED, FENCED],
  ]
  it.each(TV1)('TV1 in %s with epoch %i: commit %s, abort %s', (state, epoch, commit, abort) => {
    const transaction = of(state, { clientTransactionVersion: 0 })
    expect([outcome(ask(transaction, endOf(true, epoch, 0)).effects), outcome(ask(transaction, endOf(false, epoch, 0)).effects)]).toEqual([
      commit,
      abort,
    ])
  })

  const TV2: readonly (readonly [TransactionState, number, Expected, Expected])[] = [
    ['Empty', 5, STATE, 'PrepareAbort'],
    ['Empty', 4, FENCED, FENCED],
    ['Ongoing', 5, 'PrepareCommit', 'PrepareAbort'],
    ['Ongoing', 4, FENCED, FENCED],
    ['Ongoing', 6, FENCED, FENCED],
    ['PrepareCommit', 4, 'wait', 'wait'],
    ['PrepareCommit', 5, 'wait', 'wait'],
    ['PrepareAbort', 4, 'wait', 'wait'],
    ['CompleteCommit', 4, NONE, STATE],
    ['CompleteCommit', 5, STATE, 'PrepareAbort'],
    ['CompleteAbort', 4, STATE, NONE],
    ['CompleteAbort', 5, STATE, 'PrepareAbort'],
    ['CompleteAbort', 3, FENCED, FENCED],
  ]
  it.each(TV2)('TV2 in %s with epoch %i: commit %s, abort %s', (state, epoch, commit, abort) => {
    expect([outcome(ask(of(state), endOf(true, epoch)).effects), outcome(ask(of(state), endOf(false, epoch)).effects)]).toEqual([
      commit,
      abort,
    ])
  })

  it('is no retry where the end before was of TV1, whose epoch it would have raised', () => {
    const byTv1 = of('CompleteAbort', { clientTransactionVersion: 0 })
    expect(outcome(ask(byTv1, endOf(false, 4)).effects)).toBe(FENCED)
  })

  it('TV1 keeps the epoch, TV2 raises it and tells it, again for a retry', () => {
    const tv1 = synced(of('Ongoing'), endOf(true, 5, 0))
    expect(tv1.transaction?.fields).toMatchObject({ producerEpoch: 5, clientTransactionVersion: 0 })
    const tv2 = synced(of('Ongoing'), endOf(true))
    expect(tv2.effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 10, producerEpoch: 6 } })
    const { transaction } = ask(tv2.transaction, { type: 'markersWritten' })
    expect(ask(transaction, endOf(true)).effects).toEqual([{ type: 'answer', answer: { errorCode: 0, producerId: 10, producerEpoch: 6 } }])
  })

  it('TV2 goes on with a new producer id when the epochs are at their end; the old one goes with the markers', () => {
    const last = of('Ongoing', { producerEpoch: 32_766 })
    expect(outcome(ask(last, endOf(true, 32_766)).effects)).toBe('needProducerId')
    const decided = synced(last, endOf(true, 32_766), { newProducerId: 77 })
    expect(decided.effects[0]).toEqual({ type: 'answer', answer: { errorCode: 0, producerId: 77, producerEpoch: 0 } })
    expect(decided.transaction?.fields).toMatchObject({ producerId: 10, producerEpoch: 32_767, nextProducerId: 77 })
    const { transaction } = ask(decided.transaction, { type: 'markersWritten' })
    expect(transaction?.fields).toMatchObject({ producerId: 77, previousProducerId: 10, nextProducerId: -1, producerEpoch: 0 })
    expect(ask(transaction, endOf(true, 32_766)).effects).toEqual([
      { type: 'answer', answer: { errorCode: 0, producerId: 77, producerEpoch: 0 } },
    ])
  })

  it('is not for a producer id that the id does not have', () => {
    expect(outcome(ask(of('Ongoing'), endOf(true, 5, 2, 11)).effects)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    expect(outcome(ask(null, endOf(true)).effects)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  })
})

describe('time', () => {
  it('aborts what is open for longer than its timeout, as TV2 in a raised epoch', () => {
    const open = of('Ongoing', { timeoutMs: 100 })
    expect(ask(open, { type: 'timeOut' }).effects).toEqual([])
    const late = ask(open, { type: 'timeOut' }, { nowMs: NOW_MS + 1 })
    expect(late.effects).toMatchObject([{ type: 'append', fields: { state: 'PrepareAbort', producerEpoch: 6 } }])
  })

  it('never aborts what two-phase commit holds', () => {
    expect(ask(of('Ongoing', { timeoutMs: 0x7fffffff, startMs: 0 }), { type: 'timeOut' }, { nowMs: 2 ** 40 }).effects).toEqual([])
  })

  it.each(['Empty', 'CompleteCommit', 'CompleteAbort'] as const)('lets an unused id go in %s', (state) => {
    expect(ask(of(state), { type: 'expire' }).effects).toEqual([])
    const gone = ask(of(state), { type: 'expire' }, { nowMs: NOW_MS + 500 })
    expect(gone.effects).toMatchObject([{ type: 'append', fields: { state: 'Dead' } }])
    expect(ask(gone.transaction, { type: 'synced' }).transaction).toBeNull()
    expect(ask(gone.transaction, { type: 'refused', errorCode: 15 }).transaction?.fields.state).toBe(state)
  })

  it.each(['Ongoing', 'PrepareCommit', 'PrepareAbort'] as const)('keeps an id in %s, however old', (state) => {
    expect(ask(of(state), { type: 'expire' }, { nowMs: 2 ** 40 }).effects).toEqual([])
  })
})

describe('records', () => {
  it('goes on with a decision that was read from the log', () => {
    expect(ask(of('PrepareCommit'), { type: 'loaded' }).effects).toMatchObject([{ type: 'writeMarkers' }])
    expect(ask(of('PrepareCommit', { partitions: new Map() }), { type: 'loaded' }).effects).toMatchObject([
      { type: 'appendCompletion' },
      { type: 'moved' },
    ])
    for (const state of ['Empty', 'Ongoing', 'CompleteCommit', 'CompleteAbort'] as const)
      expect(ask(of(state), { type: 'loaded' }).effects).toEqual([])
  })

  it('takes a change back whose record was refused', () => {
    const { transaction } = ask(of('Ongoing'), endOf(true))
    const refused = ask(transaction, { type: 'refused', errorCode: 15 })
    expect(refused.effects[0]).toEqual({ type: 'answer', answer: { errorCode: 15, producerId: -1, producerEpoch: -1 } })
    expect(refused.transaction?.fields).toEqual(of('Ongoing').fields)
  })

  it('counts a fence of TV1 whose record was refused once, however often it is tried', () => {
    const tv1 = { transactionVersion: 0 } as const
    const first = ask(ask(of('Ongoing'), initOf(), tv1).transaction, { type: 'refused', errorCode: 15 }, tv1)
    expect(first.transaction?.fields).toMatchObject({ state: 'Ongoing', producerEpoch: 6 })
    const second = ask(first.transaction, initOf(), tv1)
    expect(second.effects).toMatchObject([{ type: 'append', fields: { state: 'PrepareAbort', producerEpoch: 6 } }])
  })

  it('makes everybody wait while a record is on its way', () => {
    const { transaction } = ask(of('Empty'), addOf())
    for (const event of [initOf(), addOf(5, T1), endOf(true)]) expect(outcome(ask(transaction, event).effects)).toBe('wait')
    expect(outcome(ask(transaction, endOf(true, 4, 0)).effects)).toBe(FENCED)
    expect(ask(transaction, { type: 'timeOut' }, { nowMs: 2 ** 40 }).effects).toEqual([])
  })

  it('appends a completion again that was refused, until it is synced', () => {
    const { transaction } = ask(of('PrepareCommit'), { type: 'markersWritten' })
    expect(ask(transaction, { type: 'completeAgain' }).effects).toMatchObject([
      { type: 'appendCompletion', fields: { state: 'CompleteCommit' } },
    ])
    const logged = ask(transaction, { type: 'completionSynced' })
    expect(ask(logged.transaction, { type: 'completeAgain' }).effects).toEqual([])
    // Its record is behind that of the completion, so that is in the log as well.
    const next = synced(transaction, addOf())
    expect(ask(next.transaction, { type: 'completeAgain' }).effects).toEqual([])
  })
})
