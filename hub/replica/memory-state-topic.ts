/** @module replica/memory-state-topic — the state topic's twin in memory, with the faults that a test needs. */
import { ErrorCode } from '../wire/index.ts'
import type { StatePartition, StateRecord, StateTopic } from './state-topic.ts'

/** {@link StateTopic} in memory. It keeps no verification guards: every transaction may be written to. */
export interface MemoryStateTopic extends StateTopic {
  /** The synced records of a partition, in order, without markers. */
  records(index: number): readonly Extract<StateRecord, { readonly kind: 'record' }>[]
  /** The synced records and markers of a partition, in order. */
  entries(index: number): readonly StateRecord[]
  /** Appends wait, as on a slow disk, until {@link releaseAppends}. */
  holdAppends(): void
  /** What waits is synced, in order, and its promises resolve. */
  releaseAppends(): void
  /** From now on appends write nothing and answer this code; 0 ends that. */
  failAppends(errorCode: number): void
  /** The topic as another process would find it after a crash: what was synced. */
  reopened(): MemoryStateTopic
  /** Appends so far, waiting ones and markers too. */
  readonly appendCount: number
}

type NewRecord = StateRecord extends infer Each ? (Each extends StateRecord ? Omit<Each, 'offset' | 'timestampMs'> : never) : never

interface Waiting {
  readonly index: number
  readonly records: readonly NewRecord[]
  readonly resolve: (errorCode: number) => void
}

/** Records handed out by one step of `load`. */
const LOAD_CHUNK_RECORDS = 100

/** A topic of `partitionCount` partitions that exists at once, unless `exists` is false: then `ensure` makes it. `nowMs` stamps the records. */
export function memoryStateTopic(options: {
  readonly partitionCount: number
  readonly nowMs?: () => number
  readonly exists?: boolean
}): MemoryStateTopic {
  return makeTopic(
    Array.from({ length: options.partitionCount }, () => []),
    options.nowMs ?? (() => 0),
    options.exists ?? true,
  )
}

function makeTopic(logs: StateRecord[][], nowMs: () => number, existsAtFirst: boolean): MemoryStateTopic {
  let exists = existsAtFirst
  let held = false
  let failure: number = ErrorCode.NONE
  let appendCount = 0
  let waiting: Waiting[] = []
  const logOf = (index: number): StateRecord[] => logs[index] ?? []
  const sync = ({ index, records, resolve }: Waiting): void => {
    const log = logOf(index)
    if (failure === ErrorCode.NONE) for (const record of records) log.push(stored(record, log.length, nowMs()))
    resolve(failure)
  }
  const append = (index: number, records: readonly NewRecord[]): Promise<number> =>
    new Promise((resolve) => {
      appendCount++
      const next = { index, records, resolve }
      if (held) waiting.push(next)
      else sync(next)
    })
  const partition = (index: number): StatePartition => ({
    append: (records, { producerId, producerEpoch } = { producerId: -1, producerEpoch: -1 }) =>
      append(
        index,
        records.map((record) => ({ kind: 'record', ...record, producerId, producerEpoch })),
      ),
    beginVerification: () => undefined,
    appendMarker: ({ producerId, producerEpoch, isCommit }) => append(index, [{ kind: 'marker', producerId, producerEpoch, isCommit }]),
    load: () => chunks(logOf(index).slice()),
  })
  const partitions = logs.map((_, index) => partition(index))
  return {
    partitionCount: logs.length,
    partition: (index) => (exists ? (partitions[index] ?? ErrorCode.NOT_COORDINATOR) : ErrorCode.COORDINATOR_NOT_AVAILABLE),
    ensure: () => {
      exists = true
      return Promise.resolve(ErrorCode.NONE)
    },
    records: (index) => logOf(index).filter((entry) => entry.kind === 'record'),
    entries: logOf,
    holdAppends: () => {
      held = true
    },
    releaseAppends: () => {
      held = false
      const released = waiting
      waiting = []
      for (const each of released) sync(each)
    },
    failAppends: (errorCode) => {
      failure = errorCode
    },
    reopened: () =>
      makeTopic(
        logs.map((log) => log.slice()),
        nowMs,
        exists,
      ),
    get appendCount() {
      return appendCount
    },
  }
}

/** A copy, as the log's bytes are one. */
function stored(record: NewRecord, offset: number, timestampMs: number): StateRecord {
  if (record.kind === 'marker') return { ...record, offset }
  const copyOf = (field: Buffer | null): Buffer | null => (field === null ? null : Buffer.from(field))
  return { ...record, key: copyOf(record.key), value: copyOf(record.value), offset, timestampMs }
}

async function* chunks(records: readonly StateRecord[]): AsyncGenerator<readonly StateRecord[]> {
  for (let at = 0; at < records.length; at += LOAD_CHUNK_RECORDS) yield records.slice(at, at + LOAD_CHUNK_RECORDS)
}
