/**
 * The four compression codecs of record batches behind two synchronous functions. gzip and zstd come from node:zlib. snappy and lz4
 * are compressed by WebAssembly and decompressed by code of our own: the WebAssembly module traps on malformed bytes and, a few
 * thousand traps later, refuses everything, so bytes from outside must never reach it.
 * @module
 */

import { lz4Compress } from './lz4-compress.ts'
import { lz4CompressHigh } from './lz4-compress-high.ts'
import { lz4Decompress } from './lz4-decompress.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { gzipCompress, gzipDecompress, zstdCompress, zstdDecompress } from './zlib.ts'

/** Compression of a batch by Kafka's names (`compression.type`). */
export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Levels that `compress` takes and the one it uses by default; snappy has none. Names: `compression.gzip.level` … */
const COMPRESSION_LEVELS = {
  gzip: { min: 1, max: 9, default: -1 },
  lz4: { min: 1, max: 17, default: 9 },
  zstd: { min: -131072, max: 22, default: 3 },
} as const

/**
 * `plain` as one stream of `codec` (snappy in the Xerial framing of Java's clients, lz4 as a frame of independent 64 KiB blocks).
 * A level outside COMPRESSION_LEVELS throws RangeError; −1 is gzip's own default; snappy ignores it. lz4's default is the fast way, every other
 * level, lower ones too, searches for longer matches (as in Kafka, whose default stands for its fast compressor).
 */
export function compress(codec: Codec, plain: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return plain
    case 'gzip':
      return gzipCompress(plain, levelOf('gzip', level))
    case 'snappy':
      return snappyCompress(plain)
    case 'lz4':
      return level === undefined || level === COMPRESSION_LEVELS.lz4.default
        ? lz4Compress(plain)
        : lz4CompressHigh(plain, levelOf('lz4', level))
    case 'zstd':
      return zstdCompress(plain, levelOf('zstd', level))
  }
}

/**
 * The plain bytes of a compressed stream. Throws BatchError: MESSAGE_TOO_LARGE if there are more than `maxBytes` of them (found
 * out before memory is taken for more), CORRUPT_MESSAGE if the stream is damaged or cut. snappy is read raw and in Xerial framing;
 * lz4 with linked blocks, all checksums, and with the header checksum that Kafka computed wrongly before 0.10 (KIP-57).
 */
export function decompress(codec: Codec, stream: Buffer, maxBytes: number): Buffer {
  switch (codec) {
    case 'none':
      return stream
    case 'gzip':
      return gzipDecompress(stream, maxBytes)
    case 'snappy':
      return snappyDecompress(stream, maxBytes)
    case 'lz4':
      return lz4Decompress(stream, maxBytes)
    case 'zstd':
      return zstdDecompress(stream, maxBytes)
  }
}

function levelOf(codec: 'gzip' | 'lz4' | 'zstd', level: number | undefined): number {
  const levels = COMPRESSION_LEVELS[codec]
  if (level === undefined || level === levels.default) return levels.default
  if (!Number.isInteger(level) || level < levels.min || level > levels.max) {
    throw new RangeError(`${codec} level ${level} is not within ${levels.min} to ${levels.max}`)
  }
  return level
}
