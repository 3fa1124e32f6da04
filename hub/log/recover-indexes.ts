/**
 * @module log/recover-indexes — what recovery takes of the index files of a segment: as much as the batches bear out. The rest, or all of it,
 * is made anew by the walk over the batches.
 */
import type { Disk } from '../io/index.ts'
import { BATCH_HEADER_BYTES, batchHeader } from '../wire/index.ts'
import { headerProblem } from './scan.ts'
import { readOrNothing, SEGMENT_SPAN_MAX, type Segment } from './segment.ts'
import { TransactionIndex } from './transaction-index.ts'

/** Where the walk begins. */
export interface LoadedIndexes {
  /** Of a batch; the segment's `nextOffset` is its base offset unless this is 0. */
  readonly position: number
  /** A file was not what it should be. */
  readonly isDamaged: boolean
}

/**
 * Loads the offset and time index of an open segment as far as `scanFrom`, and finds the position to walk from: an indexed batch at or before
 * it, if the batch is really there, else 0 (then the indexes are made anew).
 */
export async function loadIndexes(segment: Segment, scanFrom: number, indexIntervalBytes: number): Promise<LoadedIndexes> {
  const { disk } = segment
  const [offsets, times] = await Promise.all([
    readOrNothing(disk, segment.pathOf('.index')),
    readOrNothing(disk, segment.pathOf('.timeindex')),
  ])
  // Index files of an empty segment are of batches that were cut off before.
  if (segment.sizeBytes === 0) {
    if (offsets !== undefined || times !== undefined) segment.indexesReset()
    return { position: 0, isDamaged: false }
  }
  if (offsets === undefined || times === undefined) return rebuild(segment, segment.sizeBytes > indexIntervalBytes)
  const areOffsetsWhole = segment.offsetIndex.load(offsets, segment.sizeBytes)
  const areTimesWhole = segment.timeIndex.load(times, SEGMENT_SPAN_MAX)
  const isWhole = areOffsetsWhole && areTimesWhole
  // A time that is missing shows nowhere: of half a time index only what is before its last entry counts.
  const lastTime = segment.timeIndex.entryCount - 1
  const timesEnd = areTimesWhole ? SEGMENT_SPAN_MAX : lastTime < 0 ? -1 : segment.timeIndex.offsetAt(lastTime)
  const entry = segment.offsetIndex.floor(Math.min(timesEnd, scanFrom - segment.baseOffset))
  // Half an index will do: what it says is checked, and the walk adds what it lacks.
  if (entry < 0) return rebuild(segment, !isWhole)
  const position = segment.offsetIndex.positionAt(entry)
  const relativeOffset = segment.offsetIndex.offsetAt(entry)
  const baseOffset = await batchAt(segment, position, segment.baseOffset + relativeOffset)
  if (baseOffset === undefined) return rebuild(segment, true)
  // The walk adds this batch again, which makes no second entry: an entry is due only after the interval.
  segment.offsetIndex.truncate(entry + 1)
  segment.timeIndex.truncateFrom(relativeOffset + 1)
  segment.indexesLoaded(offsets.length, times.length)
  restoreTimes(segment)
  segment.nextOffset = baseOffset
  return { position, isDamaged: !isWhole }
}

/** Loads the aborted transactions whose markers stand below `producersFrom`: what follows comes of the walk. */
export async function loadTransactions(segment: Segment, producersFrom: number): Promise<void> {
  if (!segment.hasAborted) return
  const content = (await readOrNothing(segment.disk, segment.pathOf('.txnindex'))) ?? Buffer.alloc(0)
  segment.transactionIndex.load(content, segment.baseOffset, producersFrom)
  segment.transactionsLoaded(content.length)
}

/** Base offset of the first segment whose index of aborted transactions is damaged as far as it describes markers below `endOffset`. */
export async function firstDamagedTransactions(segments: readonly Segment[], disk: Disk, endOffset: number): Promise<number | undefined> {
  for (const segment of segments) {
    if (!segment.hasAborted || segment.baseOffset >= endOffset) continue
    const content = await readOrNothing(disk, segment.pathOf('.txnindex'))
    if (content !== undefined && !new TransactionIndex().load(content, segment.baseOffset, endOffset)) return segment.baseOffset
  }
  return undefined
}

/** The indexes are made from the first batch on. `isDamaged`: because they are not what they should be. */
function rebuild(segment: Segment, isDamaged: boolean): LoadedIndexes {
  segment.indexesReset()
  return { position: 0, isDamaged }
}

function restoreTimes(segment: Segment): void {
  const last = segment.timeIndex.entryCount - 1
  if (last < 0) return
  segment.maxTimestampMs = segment.timeIndex.timestampAt(last)
  segment.maxTimestampOffset = segment.baseOffset + segment.timeIndex.offsetAt(last)
  segment.firstTimestampMs = segment.timeIndex.timestampAt(0)
}

/** Base offset of the batch at `position` if there is one that ends with `lastOffset`. */
async function batchAt(segment: Segment, position: number, lastOffset: number): Promise<number | undefined> {
  const header = Buffer.alloc(BATCH_HEADER_BYTES)
  const count = (await segment.open?.file.read(header, position)) ?? 0
  if (count < header.length || headerProblem(header, 0, segment.baseOffset) !== undefined) return undefined
  return batchHeader.lastOffset(header, 0) === lastOffset ? batchHeader.baseOffset(header, 0) : undefined
}
