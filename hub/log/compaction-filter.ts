/**
 * @module log/compaction-filter — what compaction keeps of a batch. Pure. Sources: KIP-58, KIP-98, KIP-280, KIP-534;
 * org.apache.kafka.storage.internals.log.Cleaner, CleanedTransactionMetadata; MemoryRecords.filterTo.
 *
 * ```
 * record of a key       newest of its key, or behind what was mapped   kept
 *                       older                                          goes
 * tombstone             newest; first seen                             kept, the batch gets its delete horizon: now + delete.retention.ms
 *                       newest; the horizon has passed                 goes
 * aborted data          goes
 * marker                of a transaction with data in this pass        kept
 *                       of one without                                 as a tombstone
 * last batch of a producer, and of a cleaned segment                   kept, empty at least: sequences and the end of the segment stand in it
 * ```
 * Offsets, timestamps and sequences never move.
 */
import { batchHeader, decodeRecords, encodeBatch, forEachRecord } from '../wire/index.ts'
import type { LatestOffsets } from './latest-offsets.ts'
import type { AbortedEntry } from './transactions.ts'

/** The transactions that a walk over a log from its start is in; batches must be given in order. */
export class CleanedTransactions {
  /** Of those whose marker the walk came to, and which still had data: what the new index says. */
  readonly kept: AbortedEntry[] = []
  readonly #upcoming: AbortedEntry[]
  readonly #aborted = new Map<number, { readonly entry: AbortedEntry; hasData: boolean }>()
  readonly #committed = new Set<number>()

  /** `aborted`: all that may overlap the walk. */
  constructor(aborted: readonly AbortedEntry[]) {
    this.#upcoming = aborted.toSorted((one, other) => one.firstOffset - other.firstOffset)
  }

  /** Takes a batch; true when, as far as transactions go, nothing of it is needed: data of an aborted one, or a marker of one without data. */
  isDispensable(buffer: Buffer, at: number): boolean {
    this.#meet(batchHeader.lastOffset(buffer, at))
    const producerId = batchHeader.producerId(buffer, at)
    if (batchHeader.isControl(buffer, at)) return this.#end(producerId, isAbort(buffer, at))
    if (!batchHeader.isTransactional(buffer, at)) return false
    const aborted = this.#aborted.get(producerId)
    if (aborted !== undefined && batchHeader.lastOffset(buffer, at) >= aborted.entry.firstOffset) {
      aborted.hasData = true
      return true
    }
    this.#committed.add(producerId)
    return false
  }

  #meet(offset: number): void {
    for (let next = this.#upcoming[0]; next !== undefined && next.firstOffset <= offset; next = this.#upcoming[0]) {
      this.#upcoming.shift()
      if (!this.#aborted.has(next.producerId)) this.#aborted.set(next.producerId, { entry: next, hasData: false })
    }
  }

  #end(producerId: number, isAborted: boolean): boolean {
    if (!isAborted) return !this.#committed.delete(producerId)
    const aborted = this.#aborted.get(producerId)
    if (aborted === undefined) return true
    this.#aborted.delete(producerId)
    if (!aborted.hasData) return true
    this.kept.push(aborted.entry)
    return false
  }
}

/** Type 0 in the second half of the marker's key. An emptied marker batch ends nothing. */
function isAbort(buffer: Buffer, at: number): boolean {
  const [marker] = decodeRecords(buffer, at)
  return marker?.key?.readInt16BE(2) === 0
}

/** What a batch is judged by. */
export interface FilterContext {
  readonly latest: LatestOffsets
  /** See {@link CleanedTransactions.isDispensable}. */
  readonly isDispensable: boolean
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** Kept even when it is empty: see the module. */
  readonly isLast: boolean
}

/** 'whole': as it is; 'none': it goes; else what stands in its place. */
export type Retained = 'whole' | 'none' | Buffer

/** Judges the batch at `buffer[at]`. Throws BatchError for one that cannot be read. */
export function retainBatch(buffer: Buffer, at: number, context: FilterContext): Retained {
  const horizonMs = batchHeader.deleteHorizonMs(buffer, at)
  const hasPassed = horizonMs !== null && horizonMs <= context.nowMs
  if (batchHeader.isControl(buffer, at)) return retainMarker(buffer, at, context, horizonMs, hasPassed)
  const kept: boolean[] = []
  let keptCount = 0
  let hasTombstone = false
  if (!context.isDispensable) {
    forEachRecord(
      buffer,
      at,
      (offset, _timestampMs, keyStart, keyLength, _valueStart, valueLength, _headersStart, _headerCount, source) => {
        const isNewest = offset > context.latest.latestOffset || isLatest(context.latest, source, keyStart, keyLength, offset)
        const isKept = isNewest && (valueLength >= 0 || offset > context.latest.latestOffset || !hasPassed)
        kept.push(isKept)
        if (!isKept) return
        keptCount++
        if (valueLength < 0) hasTombstone = true
      },
    )
  }
  const setsHorizon = hasTombstone && horizonMs === null
  if (keptCount > 0 && keptCount === batchHeader.recordCount(buffer, at) && !setsHorizon) return 'whole'
  if (keptCount === 0) {
    if (!context.isLast) return 'none'
    return batchHeader.recordCount(buffer, at) === 0 ? 'whole' : rebuilt(buffer, at, () => false, horizonMs)
  }
  return rebuilt(buffer, at, (index) => kept[index] === true, setsHorizon ? context.nowMs + context.deleteRetentionMs : horizonMs)
}

function retainMarker(buffer: Buffer, at: number, context: FilterContext, horizonMs: number | null, hasPassed: boolean): Retained {
  if (!context.isDispensable || context.isLast) return 'whole'
  if (hasPassed) return 'none'
  return horizonMs === null ? rebuilt(buffer, at, () => true, context.nowMs + context.deleteRetentionMs) : 'whole'
}

function isLatest(latest: LatestOffsets, source: Buffer, keyStart: number, keyLength: number, offset: number): boolean {
  // A compacted topic takes no records without a key; what stands there from before it was one goes, as in Kafka.
  return keyLength >= 0 && offset >= latest.get(source.toString('latin1', keyStart, keyStart + keyLength))
}

/** The batch with those of its records that are kept; everything else about it stays. */
function rebuilt(buffer: Buffer, at: number, isKept: (index: number) => boolean, horizonMs: number | null): Buffer {
  const baseOffset = batchHeader.baseOffset(buffer, at)
  const isAppendTime = batchHeader.timestampType(buffer, at) === 'append'
  const records = decodeRecords(buffer, at)
    .filter((_, index) => isKept(index))
    .map((record) => ({ ...record, offsetDelta: record.offset - baseOffset }))
  return encodeBatch({
    baseOffset,
    lastOffsetDelta: batchHeader.lastOffsetDelta(buffer, at),
    leaderEpoch: batchHeader.leaderEpoch(buffer, at),
    compression: batchHeader.compression(buffer, at),
    timestampType: isAppendTime ? 'append' : 'create',
    producerId: batchHeader.producerId(buffer, at),
    producerEpoch: batchHeader.producerEpoch(buffer, at),
    baseSequence: batchHeader.baseSequence(buffer, at),
    transactional: batchHeader.isTransactional(buffer, at),
    control: batchHeader.isControl(buffer, at),
    ...(isAppendTime || records.length === 0 ? { maxTimestampMs: batchHeader.maxTimestampMs(buffer, at) } : {}),
    ...(horizonMs === null ? {} : { deleteHorizonMs: horizonMs }),
    records,
  })
}
