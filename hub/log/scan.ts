/**
 * @module log/scan — walks over the batches of a segment file in large reads: recovery, index rebuilding, searches. A batch that cannot be
 * one (length, magic, offsets that go back, and on demand the checksum) ends the walk.
 */
import type { DiskFile } from '../io/index.ts'
import { BATCH_HEADER_BYTES, BatchError, batchHeader, checkBatch } from '../wire/index.ts'

const MAGIC = 2

export interface ScanOptions {
  /** First byte, which must begin a batch, and end (exclusive) in the file. */
  readonly fromPosition: number
  readonly toPosition: number
  /** Bytes read at once, more for a larger batch. */
  readonly chunkBytes: number
  /** Offsets below this one are an error at the first batch; from there on offsets must grow. */
  readonly minOffset: number
  /** Batches that end at or beyond this offset get their checksum checked. Infinity: none. */
  readonly checkFromOffset: number
}

/** How far the walk came. `problem` says why it ended before `toPosition`. */
export interface ScanEnd {
  readonly position: number
  readonly readBytes: number
  readonly problem: string | undefined
}

/** Gets a whole batch: its bytes at `buffer[at]`, its position in the file. Returning false ends the walk behind it. */
export type BatchVisitor = (buffer: Buffer, at: number, position: number, sizeBytes: number) => boolean | undefined

/** Walks; see the module. Rejects only when the disk does. */
export async function scanBatches(file: DiskFile, options: ScanOptions, visit: BatchVisitor): Promise<ScanEnd> {
  const { toPosition, checkFromOffset } = options
  let position = options.fromPosition
  let minOffset = options.minOffset
  let buffer = Buffer.allocUnsafeSlow(Math.max(BATCH_HEADER_BYTES, Math.min(options.chunkBytes, toPosition - position)))
  let [filledBytes, readBytes] = [0, 0]
  for (;;) {
    const wantedBytes = Math.min(buffer.length, toPosition - position)
    if (filledBytes < wantedBytes) {
      const count = await file.read(buffer.subarray(filledBytes, wantedBytes), position + filledBytes)
      readBytes += count
      filledBytes += count
    }
    let at = 0
    let neededBytes = 0
    while (at < filledBytes) {
      const step = stepOver(buffer, at, filledBytes, toPosition - position - at, minOffset, checkFromOffset)
      if ('problem' in step) return { position: position + at, readBytes, problem: step.problem }
      if ('neededBytes' in step) {
        neededBytes = step.neededBytes
        break
      }
      minOffset = batchHeader.lastOffset(buffer, at) + 1
      const goOn = visit(buffer, at, position + at, step.sizeBytes)
      at += step.sizeBytes
      if (goOn === false) return { position: position + at, readBytes, problem: undefined }
    }
    position += at
    if (position >= toPosition) return { position, readBytes, problem: undefined }
    if (at === 0 && filledBytes >= neededBytes) return { position, readBytes, problem: 'the file ended early' }
    const rest = buffer.subarray(at, filledBytes)
    if (at === 0 && filledBytes < wantedBytes) return { position, readBytes, problem: 'the file ended early' }
    if (neededBytes > buffer.length) buffer = Buffer.allocUnsafeSlow(neededBytes)
    rest.copy(buffer, 0)
    filledBytes = rest.length
  }
}

type Step = { readonly sizeBytes: number } | { readonly neededBytes: number } | { readonly problem: string }

/** Judges the batch at `buffer[at]`, of which the buffer holds the bytes up to `filled` and the file `leftBytes`. */
function stepOver(buffer: Buffer, at: number, filled: number, leftBytes: number, minOffset: number, checkFromOffset: number): Step {
  if (leftBytes < BATCH_HEADER_BYTES) return { problem: `${leftBytes} bytes are less than a batch header` }
  if (filled - at < BATCH_HEADER_BYTES) return { neededBytes: BATCH_HEADER_BYTES }
  const problem = headerProblem(buffer, at, minOffset)
  if (problem !== undefined) return { problem }
  const sizeBytes = batchHeader.sizeBytes(buffer, at)
  if (sizeBytes > leftBytes) return { problem: `a batch of ${sizeBytes} bytes is cut to ${leftBytes}` }
  if (sizeBytes > filled - at) return { neededBytes: sizeBytes }
  if (batchHeader.lastOffset(buffer, at) >= checkFromOffset) {
    const checked = checkBatch(buffer, at, at + sizeBytes)
    if ('errorCode' in checked) return { problem: checked.message }
  }
  return { sizeBytes }
}

/** What is wrong with the 61 header bytes at `buffer[at]`, undefined for a plausible batch at or beyond `minOffset`. */
export function headerProblem(buffer: Buffer, at: number, minOffset: number): string | undefined {
  const sizeBytes = batchHeader.sizeBytes(buffer, at)
  if (sizeBytes < BATCH_HEADER_BYTES) return `batch of ${sizeBytes} bytes`
  const magic = batchHeader.magic(buffer, at)
  if (magic !== MAGIC) return `message format ${magic} is not ${MAGIC}`
  try {
    const baseOffset = batchHeader.baseOffset(buffer, at)
    if (baseOffset < minOffset) return `offset ${baseOffset} comes after ${minOffset - 1}`
    if (batchHeader.lastOffsetDelta(buffer, at) < 0) return `last offset delta ${batchHeader.lastOffsetDelta(buffer, at)}`
  } catch (error) {
    if (error instanceof BatchError) return error.message
    throw error
  }
  return undefined
}
