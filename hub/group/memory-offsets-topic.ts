/**
 * @module group/memory-offsets-topic — the offsets topic's twin in memory, with the faults that a test needs.
 */
import { ErrorCode } from '../wire/index.ts'
import type { OffsetsPartition, OffsetsTopic } from './types.ts'

/** A record as it stands in the log. */
interface MemoryRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly offset: number
  readonly timestampMs: number
}

/** {@link OffsetsTopic} in memory. */
export interface MemoryOffsetsTopic extends OffsetsTopic {
  /** The synced records of a partition, in order. */
  records(index: number): readonly MemoryRecord[]
  /** Appends wait, as on a slow disk, until {@link releaseAppends}. */
  holdAppends(): void
  /** What waits is synced, in order, and its promises resolve. */
  releaseAppends(): void
  /** From now on appends write nothing and answer this code; 0 ends that. */
  failAppends(errorCode: number): void
  /** The topic as another process would find it after a crash: synced records only. */
  reopened(): MemoryOffsetsTopic
  /** Appends so far, waiting ones too. */
  readonly appendCount: number
}

interface Waiting {
  readonly index: number
  readonly records: readonly { readonly key: Buffer; readonly value: Buffer | null }[]
  readonly resolve: (errorCode: number) => void
}

/** Records handed out by one step of `load`. */
const LOAD_CHUNK_RECORDS = 100

/** An offsets topic of `partitionCount` partitions that exists at once, unless `exists` is false: then `ensure` makes it. `nowMs` stamps the records. */
export function memoryOffsetsTopic(options: {
  readonly partitionCount: number
  readonly nowMs?: () => number
  readonly exists?: boolean
}): MemoryOffsetsTopic {
  return makeTopic(
    Array.from({ length: options.partitionCount }, () => []),
    options.nowMs ?? (() => 0),
    options.exists ?? true,
  )
}

function makeTopic(logs: MemoryRecord[][], nowMs: () => number, existsAtFirst: boolean): MemoryOffsetsTopic {
  let exists = existsAtFirst
  let held = false
  let failure: number = ErrorCode.NONE
  let appendCount = 0
  let waiting: Waiting[] = []
  const logOf = (index: number): MemoryRecord[] => logs[index] ?? []
  const sync = ({ index, records, resolve }: Waiting): void => {
    if (failure !== ErrorCode.NONE) {
      resolve(failure)
      return
    }
    const log = logOf(index)
    for (const { key, value } of records) {
      log.push({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value), offset: log.length, timestampMs: nowMs() })
    }
    resolve(ErrorCode.NONE)
  }
  const partition = (index: number): OffsetsPartition => ({
    append: (records) =>
      new Promise((resolve) => {
        appendCount++
        const next = { index, records, resolve }
        if (held) waiting.push(next)
        else sync(next)
      }),
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
    records: logOf,
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

async function* chunks(records: readonly MemoryRecord[]): AsyncGenerator<readonly MemoryRecord[]> {
  for (let at = 0; at < records.length; at += LOAD_CHUNK_RECORDS) yield records.slice(at, at + LOAD_CHUNK_RECORDS)
}
