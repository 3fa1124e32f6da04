/** @module test/sim/facts — what a history says about values, transactions and offsets, before anything is judged. Pure. */
import {
  type Action,
  type History,
  type HistoryEvent,
  type Isolation,
  type PartitionName,
  POWER_CUT,
  type SeenRecord,
  type Source,
} from './history.ts'

/** Later than every event. */
export const NEVER = Number.POSITIVE_INFINITY

export type Outcome = 'ok' | 'fail' | 'info'

/** A record that somebody tried to write. */
export interface Sent {
  readonly process: string
  readonly partition: PartitionName
  readonly value: string
  readonly key: string | undefined
  /** Its producer promises neither that it stands there once nor that it stands in order. */
  readonly isWeak: boolean
  readonly transaction: Transaction | undefined
  readonly source: Source | undefined
  /** Index of the invoke. */
  readonly begin: number
  outcome: Outcome
  /** Index of the end; NEVER while the outcome is not known. */
  end: number
  /** As acknowledged; −1: not told. */
  ackedOffset: number
}

/** A transaction, from what its process asked for. */
export interface Transaction {
  readonly name: string
  /** `committed`: acknowledged; `aborted`: nobody ever asked for its commit, or it certainly failed; `unknown`: may be either. */
  status: 'committed' | 'aborted' | 'unknown'
  /** Index of the first request to commit it. */
  commitBegin: number
  /** Index of the acknowledgement. */
  commitEnd: number
  /** Requests to commit it of which it is not known that they failed. */
  openCommitCount: number
  readonly sends: Sent[]
}

/** A group's offset that somebody tried to set. */
export interface OffsetCommit {
  readonly offset: number
  readonly transaction: Transaction | undefined
  readonly begin: number
  outcome: Outcome
  end: number
}

/** A group's offset that somebody saw between two events. */
export interface OffsetSeen {
  readonly group: string
  readonly partition: PartitionName
  readonly offset: number
  readonly begin: number
  readonly end: number
  readonly isLast: boolean
}

/** A sighting of a record: where it was read or acknowledged first. */
export interface Sighting extends SeenRecord {
  /** Index of the event. */
  readonly event: number
}

/** Everything that was read of a partition to its end. */
export interface WholeRead {
  readonly isolation: Isolation
  readonly partition: PartitionName
  readonly event: number
  readonly values: ReadonlySet<string>
}

/** See the module. */
export class Facts {
  readonly sends = new Map<string, Sent>()
  readonly transactions = new Map<string, Transaction>()
  /** By `group partition`. */
  readonly offsetCommits = new Map<string, OffsetCommit[]>()
  readonly offsetsSeen: OffsetSeen[] = []
  readonly wholeReads: WholeRead[] = []
  /** Every different value that was seen at an offset of a partition. */
  readonly log = new Map<PartitionName, Map<number, Sighting[]>>()
  /** First read of each value (acknowledgements don't count) by isolation. */
  readonly reads: Record<Isolation, Map<string, Sighting>> = { read_committed: new Map(), read_uncommitted: new Map() }
  readonly #begun = new Map<number, Sent | OffsetCommit>()
  readonly #places = new Map<string, Sighting[]>()

  readonly #hasPowerCut: boolean
  /** By partition and key: the highest offset at which a record stood for certain. */
  readonly #newest = new Map<string, number>()

  constructor(history: History) {
    this.#hasPowerCut = history.some(({ action }) => action.f === 'fault' && action.what === POWER_CUT)
    for (const event of history) this.#take(event)
    for (const sent of this.sends.values()) this.#noteNewest(sent)
  }

  /** The places of a value in the log, as far as anybody saw them. */
  placesOf(value: string): readonly Sighting[] {
    return this.#places.get(value) ?? []
  }

  /** Whether compaction may have removed the record from where it stood; an offset that nobody knows may be any. */
  mayBeCleaned({ partition, key, transaction }: Sent, offset: number | undefined): boolean {
    if (key === undefined) return false
    if (offset === undefined || (transaction !== undefined && transaction.status !== 'committed')) return true
    return (this.#newest.get(`${partition} ${key}`) ?? -1) > offset
  }

  #noteNewest(sent: Sent): void {
    const { partition, key, value, transaction } = sent
    if (key === undefined) return
    if (transaction !== undefined && !mustShow(sent) && !this.reads.read_committed.has(value)) return
    const name = `${partition} ${key}`
    this.#newest.set(name, Math.max(this.#newest.get(name) ?? -1, ...this.placesOf(value).map(({ offset }) => offset)))
  }

  commitsOf(group: string, partition: PartitionName): readonly OffsetCommit[] {
    return this.offsetCommits.get(`${group} ${partition}`) ?? []
  }

  #take(event: HistoryEvent): void {
    const { action, type, index } = event
    switch (action.f) {
      case 'send':
        this.#takeSend(event, action)
        return
      case 'commit':
        takeEnd(this.#transaction(action.transaction), type, index)
        return
      case 'abort':
        this.#transaction(action.transaction)
        return
      case 'commit offset':
        this.#takeOffsetCommit(event, action)
        return
      case 'see offset':
        if (type !== 'ok') return
        this.offsetsSeen.push({
          group: action.group,
          partition: action.partition,
          offset: action.offset ?? -1,
          begin: event.operation,
          end: index,
          isLast: action.isLast === true,
        })
        return
      case 'read all': {
        const { isolation, partition } = action
        this.wholeReads.push({ isolation, partition, event: index, values: new Set(action.records.map(({ value }) => value)) })
        for (const record of action.records) this.#sight(record, index, isolation)
        return
      }
      case 'poll':
        for (const record of action.records) this.#sight(record, index, action.isolation)
    }
  }

  #takeSend({ type, index, operation, process }: HistoryEvent, action: Extract<Action, { f: 'send' }>): void {
    const { partition, value, key, source, acks } = action
    const isWeak = acks === 1
    if (type === 'invoke') {
      const transaction = action.transaction === undefined ? undefined : this.#transaction(action.transaction)
      const sent: Sent = {
        process,
        partition,
        value,
        key,
        isWeak,
        transaction,
        source,
        begin: index,
        outcome: 'info',
        end: NEVER,
        ackedOffset: -1,
      }
      this.sends.set(value, sent)
      transaction?.sends.push(sent)
      this.#begun.set(index, sent)
      return
    }
    const sent = this.#begun.get(operation) as Sent
    if (sent.isWeak && type === 'ok' && this.#hasPowerCut) return
    sent.outcome = type
    if (type !== 'info') sent.end = index
    if (type !== 'ok') return
    sent.ackedOffset = action.offset ?? -1
    if (sent.ackedOffset >= 0) this.#place({ partition, offset: sent.ackedOffset, value }, index)
  }

  #takeOffsetCommit({ type, index, operation }: HistoryEvent, action: Extract<Action, { f: 'commit offset' }>): void {
    if (type === 'invoke') {
      const transaction = action.transaction === undefined ? undefined : this.#transaction(action.transaction)
      const commit: OffsetCommit = { offset: action.offset, transaction, begin: index, outcome: 'info', end: NEVER }
      const key = `${action.group} ${action.partition}`
      const list = this.offsetCommits.get(key)
      if (list === undefined) this.offsetCommits.set(key, [commit])
      else list.push(commit)
      this.#begun.set(index, commit)
      return
    }
    const commit = this.#begun.get(operation) as OffsetCommit
    commit.outcome = type
    if (type !== 'info') commit.end = index
  }

  #transaction(name: string): Transaction {
    const known = this.transactions.get(name)
    if (known !== undefined) return known
    const made: Transaction = { name, status: 'aborted', commitBegin: NEVER, commitEnd: NEVER, openCommitCount: 0, sends: [] }
    this.transactions.set(name, made)
    return made
  }

  #sight(record: SeenRecord, event: number, isolation: Isolation): void {
    this.#place(record, event)
    const reads = this.reads[isolation]
    if (!reads.has(record.value)) reads.set(record.value, { ...record, event })
  }

  #place(record: SeenRecord, event: number): void {
    const { partition, offset, value } = record
    let offsets = this.log.get(partition)
    if (offsets === undefined) this.log.set(partition, (offsets = new Map()))
    const here = offsets.get(offset)
    if (here?.some((other) => other.value === value)) return
    const sighting = { partition, offset, value, event }
    if (here === undefined) offsets.set(offset, [sighting])
    else here.push(sighting)
    const places = this.#places.get(value)
    if (places === undefined) this.#places.set(value, [sighting])
    else places.push(sighting)
  }
}

/** Brings a transaction's status to what its process was told of its end. */
function takeEnd(transaction: Transaction, type: HistoryEvent['type'], index: number): void {
  if (type === 'invoke') {
    transaction.commitBegin = Math.min(transaction.commitBegin, index)
    transaction.openCommitCount++
    if (transaction.status === 'aborted') transaction.status = 'unknown'
  } else if (type === 'ok') {
    transaction.status = 'committed'
    transaction.commitEnd = Math.min(transaction.commitEnd, index)
  } else if (type === 'fail') {
    transaction.openCommitCount--
    if (transaction.status === 'unknown' && transaction.openCommitCount === 0) transaction.status = 'aborted'
  }
}

/** Whether a reader of committed records must see the value, once its offset is decided. */
export function mustShow({ outcome, transaction }: Sent): boolean {
  return outcome === 'ok' && (transaction === undefined || transaction.status === 'committed')
}

/** Whether a reader of the isolation may see the value at all. */
export function mayShow({ outcome, transaction }: Sent, isolation: Isolation): boolean {
  if (outcome === 'fail') return false
  return isolation === 'read_uncommitted' || transaction === undefined || transaction.status !== 'aborted'
}
