/**
 * Where the frames of a zstd stream end. node:zlib's synchronous decoder stops after the first frame and drops what follows without
 * a word, so a stream of several frames (RFC 8878 allows it, Kafka's readers take it) is cut apart before.
 * Source: RFC 8878, section 3.1.
 * @module
 */
import { corrupt } from '../batch-error.ts'

const FRAME_MAGIC = 0xfd2fb528
/** The sixteen magics from this one on mark frames that a decoder skips. */
const SKIPPABLE_MAGIC = 0x184d2a50
const FRAME_MAGIC_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const RUN_LENGTH_BLOCK = 1
const RESERVED_BLOCK = 3

/** The data frames of a stream, in order, as views; skippable frames are left out. Throws BatchError if one is cut. */
export function zstdFrames(stream: Buffer): Buffer[] {
  const frames: Buffer[] = []
  let at = 0
  do {
    if (stream.length - at < 2 * FRAME_MAGIC_BYTES) throw corrupt('zstd frame is cut')
    const magic = stream.readUInt32LE(at)
    const skippable = magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16
    if (!skippable && magic !== FRAME_MAGIC) throw corrupt('not a zstd frame')
    const end = skippable ? at + 2 * FRAME_MAGIC_BYTES + stream.readUInt32LE(at + FRAME_MAGIC_BYTES) : frameEnd(stream, at)
    if (end > stream.length) throw corrupt('zstd frame is cut')
    if (!skippable) frames.push(stream.subarray(at, end))
    at = end
  } while (at < stream.length)
  return frames
}

/** Position after the data frame at `at`; may lie behind the stream's end. */
function frameEnd(stream: Buffer, at: number): number {
  const descriptor = stream[at + FRAME_MAGIC_BYTES]!
  const singleSegment = (descriptor & 0x20) !== 0
  const contentSizeCode = descriptor >>> 6
  // A single segment has no window descriptor, and a content size of one byte where others have none.
  const contentSizeBytes = contentSizeCode === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[contentSizeCode]!
  let position = at + FRAME_MAGIC_BYTES + 1 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]! + contentSizeBytes
  for (let last = false; !last; ) {
    if (stream.length - position < BLOCK_HEADER_BYTES) throw corrupt('zstd frame is cut')
    const header = stream.readUIntLE(position, BLOCK_HEADER_BYTES)
    const type = (header >>> 1) & 3
    if (type === RESERVED_BLOCK) throw corrupt('zstd block of the reserved type')
    last = (header & 1) !== 0
    position += BLOCK_HEADER_BYTES + (type === RUN_LENGTH_BLOCK ? 1 : header >>> 3)
  }
  return position + ((descriptor & 4) !== 0 ? CHECKSUM_BYTES : 0)
}
