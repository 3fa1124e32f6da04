/** @module log/segment-read — reads whole batches out of one segment's file: one range, found by the index, never record by record. */
import { BATCH_HEADER_BYTES, batchHeader } from '../wire/index.ts'
import { headerProblem } from './scan.ts'
import type { OpenSegment, Segment } from './segment.ts'
import { batchesEnd } from './tail.ts'
import type { ReadLimits, ReadResult } from './types.ts'

/** Nothing to read. */
export const NOTHING_READ: ReadResult = { records: [], sizeBytes: 0 }
/** Read beyond what was asked for, since the index leads to somewhat before the batch. */
const LEAD_BYTES = 4096

/** Batches of `segment` from the one that holds `offset` on. Undefined when the file ends before. Rejects with CorruptLogError. */
export async function readSegment(
  segment: Segment,
  offset: number,
  limits: ReadLimits,
  readBytesMax: number,
): Promise<ReadResult | undefined> {
  const open = await segment.acquire()
  try {
    return await readOpen(segment, open, offset, limits, readBytesMax)
  } finally {
    segment.release()
  }
}

async function readOpen(
  segment: Segment,
  open: OpenSegment,
  offset: number,
  limits: ReadLimits,
  readBytesMax: number,
): Promise<ReadResult | undefined> {
  const wantedBytes = Math.max(BATCH_HEADER_BYTES, Math.min(limits.maxBytes, readBytesMax))
  const found = await findBatch(segment, open, offset, wantedBytes)
  if (found === undefined) return undefined
  let { window, at } = found
  const { position } = found
  const firstBytes = batchHeader.sizeBytes(window, at)
  if (batchHeader.lastOffset(window, at) >= limits.endOffset || (firstBytes > limits.maxBytes && !limits.minOneBatch)) return NOTHING_READ
  if (firstBytes > window.length - at) {
    const leftBytes = segment.writtenBytes - position
    if (firstBytes > leftBytes) throw segment.corrupt(position, `a batch of ${firstBytes} bytes is cut to ${leftBytes}`)
    window = await readWindow(open, position, Math.min(Math.max(firstBytes, wantedBytes), leftBytes))
    at = 0
    if (window.length < firstBytes) throw segment.corrupt(position, 'the file ended early')
  }
  const end = batchesEnd(window, at, window.length, limits.endOffset, limits.maxBytes, limits.minOneBatch)
  const records = window.subarray(at, end)
  segment.sequentialRead = { offset: lastOffsetOf(records) + 1, position: position + end - at }
  return { records: [records], sizeBytes: records.length }
}

interface FoundBatch {
  readonly window: Buffer
  /** Where in the window, and where in the file, the batch begins. */
  readonly at: number
  readonly position: number
}

/** The batch that holds `offset`, or the first above it, with what was read behind it: at least its header. */
async function findBatch(segment: Segment, open: OpenSegment, offset: number, wantedBytes: number): Promise<FoundBatch | undefined> {
  const { sequentialRead, baseOffset } = segment
  const entry = open.offsetIndex.floor(offset - baseOffset)
  if (sequentialRead.offset !== offset && entry >= 0) {
    const place = { position: open.offsetIndex.positionAt(entry), lastOffset: baseOffset + open.offsetIndex.offsetAt(entry) }
    const found = await walkFrom(segment, open, place, offset, wantedBytes)
    if (found !== 'astray') return found
  }
  const position = sequentialRead.offset === offset ? sequentialRead.position : 0
  const found = await walkFrom(segment, open, { position }, offset, wantedBytes)
  return found === 'astray' ? undefined : found
}

/**
 * Walks from a place where a batch begins. With `lastOffset` that is only an index's word, and 'astray' the answer when there is no batch
 * that ends with it: an index may be damaged and still grow.
 */
async function walkFrom(
  segment: Segment,
  open: OpenSegment,
  place: { readonly position: number; readonly lastOffset?: number },
  offset: number,
  wantedBytes: number,
): Promise<FoundBatch | undefined | 'astray'> {
  const endPosition = segment.writtenBytes
  let { position } = place
  let expectedOffset = place.lastOffset
  let window: Buffer = Buffer.alloc(0)
  let at = 0
  for (;;) {
    if (window.length - at < BATCH_HEADER_BYTES) {
      position += at
      at = 0
      if (endPosition - position < BATCH_HEADER_BYTES) return expectedOffset === undefined ? undefined : 'astray'
      window = await readWindow(open, position, Math.min(wantedBytes + LEAD_BYTES, endPosition - position))
      if (window.length < BATCH_HEADER_BYTES) throw segment.corrupt(position, 'the file ended early')
    }
    const problem = headerProblem(window, at, segment.baseOffset)
    if (expectedOffset !== undefined && (problem !== undefined || batchHeader.lastOffset(window, at) !== expectedOffset)) return 'astray'
    if (problem !== undefined) throw segment.corrupt(position + at, problem)
    expectedOffset = undefined
    if (batchHeader.lastOffset(window, at) >= offset) return { window, at, position: position + at }
    at += batchHeader.sizeBytes(window, at)
  }
}

async function readWindow(open: OpenSegment, position: number, sizeBytes: number): Promise<Buffer> {
  const window = Buffer.allocUnsafeSlow(Math.max(0, sizeBytes))
  const count = sizeBytes > 0 ? await open.file.read(window, position) : 0
  return window.subarray(0, count)
}

function lastOffsetOf(records: Buffer): number {
  let last = 0
  for (let at = 0; at < records.length; at += batchHeader.sizeBytes(records, at)) last = at
  return batchHeader.lastOffset(records, last)
}
