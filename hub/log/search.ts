/** @module log/search — finds records by time (ListOffsets −3 and timestamps): the time index leads to a batch, the record is found inside. */
import { batchHeader, findByTimestamp, maxTimestampRecord } from '../wire/index.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import type { OffsetAndTimestamp, ReadLimits, ReadResult } from './types.ts'

/** Bytes read at once while searching. */
const SEARCH_BYTES = 256 * 1024

export interface Searchable {
  readonly state: LogState
  read(offset: number, limits: ReadLimits): Promise<ReadResult>
}

/** Largest timestamp of a segment and the offset of the batch that has it (−1: none). */
export async function segmentMaxTimestamp(segment: Segment): Promise<{ readonly timestampMs: number; readonly offset: number }> {
  if (!segment.isPinned && segment.maxTimestampMs < 0) {
    const { timeIndex } = await segment.acquire()
    const last = timeIndex.entryCount - 1
    if (last >= 0) {
      segment.maxTimestampMs = timeIndex.timestampAt(last)
      segment.maxTimestampOffset = segment.baseOffset + timeIndex.offsetAt(last)
    }
    segment.release()
  }
  return { timestampMs: segment.maxTimestampMs, offset: segment.maxTimestampOffset }
}

/** First record with a timestamp ≥ `timestampMs` at or beyond the log's start. */
export async function findOffsetForTimestamp(log: Searchable, timestampMs: number): Promise<OffsetAndTimestamp | undefined> {
  const { state } = log
  for (const segment of [...state.segments]) {
    if (segment.isRemoved || segment.nextOffset <= state.logStartOffset) continue
    const greatest = await segmentMaxTimestamp(segment)
    if (greatest.timestampMs < timestampMs) continue
    const { timeIndex } = await segment.acquire()
    const from = segment.baseOffset + timeIndex.lookup(timestampMs)
    segment.release()
    const found = await scanForTimestamp(log, Math.max(from, state.logStartOffset), segment.nextOffset, timestampMs)
    if (found !== undefined) return found
  }
  return undefined
}

/** The earliest record with the greatest timestamp of the log. */
export async function findMaxTimestamp(log: Searchable): Promise<OffsetAndTimestamp | undefined> {
  let greatest = { timestampMs: -1, offset: -1 }
  for (const segment of [...log.state.segments]) {
    const { timestampMs, offset } = await segmentMaxTimestamp(segment)
    if (timestampMs > greatest.timestampMs) greatest = { timestampMs, offset }
  }
  if (greatest.offset < 0) return undefined
  const { records } = await log.read(greatest.offset, { maxBytes: 1, minOneBatch: true, endOffset: Number.POSITIVE_INFINITY })
  const batch = records[0]
  const record = batch === undefined ? null : maxTimestampRecord(batch, 0)
  if (batch === undefined || record === null) return undefined
  return { ...record, leaderEpoch: batchHeader.leaderEpoch(batch, 0) }
}

async function scanForTimestamp(log: Searchable, from: number, to: number, timestampMs: number): Promise<OffsetAndTimestamp | undefined> {
  for (let offset = from; offset < to; ) {
    const { records } = await log.read(offset, { maxBytes: SEARCH_BYTES, minOneBatch: true, endOffset: to })
    if (records.length === 0) return undefined
    for (const buffer of records) {
      for (let at = 0; at < buffer.length; at += batchHeader.sizeBytes(buffer, at)) {
        const record = findByTimestamp(buffer, at, timestampMs, from)
        if (record !== null) return { ...record, leaderEpoch: batchHeader.leaderEpoch(buffer, at) }
        offset = batchHeader.lastOffset(buffer, at) + 1
      }
    }
  }
  return undefined
}
