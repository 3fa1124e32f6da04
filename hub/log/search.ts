/**
 * @module log/search — finds records by time (ListOffsets −3 and timestamps): the time index leads to a batch, the record is found inside.
 * An index entry names the last offset of its batch (Kafka's older ones the record's): it says where to begin, never which record is meant.
 */
import { batchHeader, findByTimestamp, maxTimestampRecord } from '../wire/index.ts'
import { isMissing } from './log-error.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import type { TimeIndex } from './time-index.ts'
import type { OffsetAndTimestamp, ReadLimits, ReadResult } from './types.ts'

/** Bytes read at once while searching. */
const SEARCH_BYTES = 256 * 1024

export interface Searchable {
  readonly state: LogState
  read(offset: number, limits: ReadLimits): Promise<ReadResult>
}

/** The largest timestamp of a segment and an offset in the batch that has it (both −1: none). */
interface SegmentMaximum {
  readonly timestampMs: number
  readonly offset: number
}

/** Largest timestamp of a segment and the offset of the batch that has it (−1: none). */
export async function segmentMaxTimestamp(segment: Segment): Promise<SegmentMaximum> {
  if (!segment.isPinned && segment.maxTimestampMs < 0) {
    await withTimeIndex(segment, (timeIndex) => {
      const last = timeIndex.entryCount - 1
      if (last < 0) return
      segment.maxTimestampMs = timeIndex.timestampAt(last)
      segment.maxTimestampOffset = segment.baseOffset + timeIndex.offsetAt(last)
    })
  }
  return { timestampMs: segment.maxTimestampMs, offset: segment.maxTimestampOffset }
}

/** First record with a timestamp ≥ `timestampMs` at or beyond the log's start. */
export async function findOffsetForTimestamp(log: Searchable, timestampMs: number): Promise<OffsetAndTimestamp | undefined> {
  const { state } = log
  for (const segment of [...state.segments]) {
    if (segment.nextOffset <= state.logStartOffset) continue
    const greatest = await unlessRemoved(segment, segmentMaxTimestamp)
    if (greatest === undefined || greatest.timestampMs < timestampMs) continue
    const relativeOffset = await unlessRemoved(segment, () => withTimeIndex(segment, (timeIndex) => timeIndex.lookup(timestampMs)))
    if (relativeOffset === undefined) continue
    for await (const [buffer, at] of batchesOf(log, segment.baseOffset + relativeOffset, segment.nextOffset)) {
      const record = findByTimestamp(buffer, at, timestampMs, state.logStartOffset)
      if (record !== null) return { ...record, leaderEpoch: batchHeader.leaderEpoch(buffer, at) }
    }
  }
  return undefined
}

/** The earliest record with the greatest timestamp of the log. Deleted ones are left out (Kafka names them as long as their segment is there). */
export async function findMaxTimestamp(log: Searchable): Promise<OffsetAndTimestamp | undefined> {
  const { state } = log
  let greatest: SegmentMaximum = { timestampMs: -1, offset: -1 }
  let holder: Segment | undefined
  for (const segment of [...state.segments]) {
    if (segment.nextOffset <= state.logStartOffset) continue
    let maximum = await unlessRemoved(segment, segmentMaxTimestamp)
    // What the index of the first segment names may have been deleted.
    if (maximum !== undefined && segment.baseOffset < state.logStartOffset) maximum = await maximumFrom(log, state.logStartOffset, segment)
    if (maximum === undefined || maximum.timestampMs <= greatest.timestampMs) continue
    greatest = maximum
    holder = segment
  }
  if (holder === undefined) return undefined
  const batches = batchesOf(log, greatest.offset, holder.nextOffset)
  const { value: batch } = await batches.next()
  if (batch === undefined) return undefined
  const [buffer, at] = batch
  const record = maxTimestampRecord(buffer, at, state.logStartOffset)
  return record === null ? undefined : { ...record, leaderEpoch: batchHeader.leaderEpoch(buffer, at) }
}

/** As the index would say it of the segment's records from `fromOffset` on, found batch by batch. */
async function maximumFrom(log: Searchable, fromOffset: number, segment: Segment): Promise<SegmentMaximum> {
  let greatest: SegmentMaximum = { timestampMs: -1, offset: -1 }
  for await (const [buffer, at] of batchesOf(log, fromOffset, segment.nextOffset)) {
    if (batchHeader.maxTimestampMs(buffer, at) <= greatest.timestampMs) continue
    const record = maxTimestampRecord(buffer, at, fromOffset)
    if (record !== null && record.timestampMs > greatest.timestampMs) greatest = record
  }
  return greatest
}

/** Batches from the one that holds `fromOffset` to `endOffset`: a buffer and where in it the batch begins. Ends early where segments were removed. */
async function* batchesOf(log: Searchable, fromOffset: number, endOffset: number): AsyncGenerator<readonly [Buffer, number], void> {
  for (let offset = Math.max(fromOffset, log.state.logStartOffset); offset < endOffset; ) {
    const { records } = await log.read(offset, { maxBytes: SEARCH_BYTES, minOneBatch: true, endOffset })
    if (records.length === 0) return
    for (const buffer of records) {
      for (let at = 0; at < buffer.length; at += batchHeader.sizeBytes(buffer, at)) {
        yield [buffer, at]
        offset = batchHeader.lastOffset(buffer, at) + 1
      }
    }
  }
}

/** The time index of a pinned segment is in memory, maybe before its file is there; that of another is read when it is needed. */
async function withTimeIndex<T>(segment: Segment, look: (timeIndex: TimeIndex) => T): Promise<T> {
  if (segment.isPinned) return look(segment.timeIndex)
  const { timeIndex } = await segment.acquire()
  try {
    return look(timeIndex)
  } finally {
    segment.release()
  }
}

/** Undefined when retention or DeleteRecords took the segment, before or while it was looked into. */
async function unlessRemoved<T>(segment: Segment, look: (segment: Segment) => Promise<T>): Promise<T | undefined> {
  if (segment.isRemoved) return undefined
  try {
    return await look(segment)
  } catch (error) {
    if (segment.isRemoved && isMissing(error)) return undefined
    throw error
  }
}
