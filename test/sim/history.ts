/**
 * @module test/sim/history — what clients did and saw, as a list of events in the order of real time: the input of the checker.
 *
 * An operation is begun by an `invoke` and ended by at most one event of its process: `ok` (it happened), `fail` (it certainly did not) or `info`
 * (nobody knows). An operation that is never ended is as one that ended in `info`. The words are Jepsen's.
 */

/** A partition as text: `topic-3`. */
export type PartitionName = string

export type Isolation = 'read_uncommitted' | 'read_committed'

/** A record as a consumer got it. */
export interface SeenRecord {
  readonly partition: PartitionName
  readonly offset: number
  readonly value: string
}

/** The record that an output was made of, by a group that reads and writes in one transaction. */
export interface Source {
  readonly group: string
  readonly partition: PartitionName
  readonly offset: number
}

/** The fault in which what was acknowledged with `acks: 1` may be lost. */
export const POWER_CUT = 'cut the power'

/** What was asked or seen. Offsets that are committed are those of the next record to read. */
export type Action =
  /** A record to a partition. Values are unlike one another over the whole history. `offset` with `ok`; −1 when the broker did not tell. */
  | {
      readonly f: 'send'
      readonly partition: PartitionName
      readonly value: string
      /** The topic is compacted: a record may go when a later one of its key is there, or its transaction was aborted. */
      readonly key?: string
      /** Of a producer without idempotence that waits for the leader's write only: may be repeated, out of order, and lost in a power cut. */
      readonly acks?: 1
      readonly transaction?: string
      readonly source?: Source
      readonly offset?: number
    }
  /** The end of a transaction, which is known by its name; what was done in its name counts when it was committed. */
  | { readonly f: 'commit' | 'abort'; readonly transaction: string }
  /** From here on the process reads the partition from `position`; undefined: from what `group` has committed, or from 0. Always `ok`. */
  | { readonly f: 'assign'; readonly partition: PartitionName; readonly position?: number; readonly group?: string }
  /** Records in the order in which they were handed out. Always `ok`, at the time of the handing out. */
  | { readonly f: 'poll'; readonly isolation: Isolation; readonly records: readonly SeenRecord[] }
  /** All of a partition from 0 to its end, after everything else. Always `ok`. */
  | { readonly f: 'read all'; readonly isolation: Isolation; readonly partition: PartitionName; readonly records: readonly SeenRecord[] }
  /** A group's offset is to be this one; with `transaction` when that is committed. */
  | {
      readonly f: 'commit offset'
      readonly group: string
      readonly partition: PartitionName
      readonly offset: number
      readonly transaction?: string
    }
  /** What a group has committed; `offset` with `ok`, −1: nothing. `isLast`: after everything else. */
  | {
      readonly f: 'see offset'
      readonly group: string
      readonly partition: PartitionName
      readonly offset?: number
      readonly isLast?: boolean
    }
  /** Something was done to the world; for whoever reads the history. */
  | { readonly f: 'fault'; readonly what: string }

export type EventType = 'invoke' | 'ok' | 'fail' | 'info'

/** One event. */
export interface HistoryEvent {
  /** Place in the history: an event with a lower index happened before. */
  readonly index: number
  readonly timeMs: number
  /** Who: one client from its making to its end. */
  readonly process: string
  readonly type: EventType
  /** Index of the `invoke` that this event ends, or its own. */
  readonly operation: number
  readonly action: Action
  /** Why, of `fail` and `info`. */
  readonly error?: string
}

export type History = readonly HistoryEvent[]

/** An operation that was begun. */
export interface Begun {
  readonly operation: number
  readonly process: string
  readonly action: Action
}

/** Writes a history. */
export class Recorder {
  readonly events: HistoryEvent[] = []
  readonly #nowMs: () => number
  readonly #onEvent: (event: HistoryEvent) => void

  /** `onEvent` hears of each event as it is written. */
  constructor(nowMs: () => number, onEvent: (event: HistoryEvent) => void = () => {}) {
    this.#nowMs = nowMs
    this.#onEvent = onEvent
  }

  invoke(process: string, action: Action): Begun {
    const operation = this.events.length
    this.#write({ process, type: 'invoke', operation, action })
    return { operation, process, action }
  }

  /** `offset`: what a send was told, or what a look saw. */
  ok({ operation, process, action }: Begun, offset?: number): void {
    this.#write({ process, type: 'ok', operation, action: offset === undefined ? action : ({ ...action, offset } as Action) })
  }

  /** `info`, or `fail` when it certainly did not happen. */
  failed({ operation, process, action }: Begun, error: unknown, type: 'fail' | 'info' = 'info'): void {
    this.#write({ process, type, operation, action, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
  }

  /** Something that has no beginning of its own. */
  note(process: string, action: Action): void {
    this.#write({ process, type: action.f === 'fault' ? 'info' : 'ok', operation: this.events.length, action })
  }

  #write(event: Omit<HistoryEvent, 'index' | 'timeMs'>): void {
    const written = { index: this.events.length, timeMs: this.#nowMs(), ...event }
    this.events.push(written)
    this.#onEvent(written)
  }
}

/** One event as a line. */
export function lineOf({ index, timeMs, process, type, operation, action, error }: HistoryEvent): string {
  const { f, ...rest } = action
  const of = operation === index ? '' : ` of ${operation}`
  const facts = 'records' in rest ? `${rest.isolation} ${rest.records.map(recordText).join(' ')}` : factsText(rest)
  return `${index}  ${timeMs.toFixed(2)} ms  ${process}  ${type}${of}  ${f}  ${facts}${error === undefined ? '' : `  (${error})`}`
}

function recordText({ partition, offset, value }: SeenRecord): string {
  return `${partition}@${offset}=${value}`
}

function factsText(facts: object): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? Object.values(value as object).join('/') : String(value)}`)
    .join(' ')
}
