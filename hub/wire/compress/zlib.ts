/**
 * gzip and zstd by node:zlib, which refuses to produce more than `maxOutputLength` bytes.
 * @module
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { corrupt } from '../batch-error.ts'
import { tooLarge } from './plain.ts'
import { zstdFrames } from './zstd-frames.ts'

/** Least and most bytes that zlib takes for one step of output. */
const CHUNK_BYTES = { min: 1024, max: 256 * 1024 } as const

/** Step size for this much input: one step for most batches, without taking 256 KiB for a small one. */
function chunkBytes(sizeBytes: number): number {
  return Math.min(CHUNK_BYTES.max, Math.max(CHUNK_BYTES.min, sizeBytes))
}

export function gzipCompress(plain: Buffer, level: number): Buffer {
  return gzipSync(plain, { level, chunkSize: chunkBytes(plain.length) })
}

export function zstdCompress(plain: Buffer, level: number): Buffer {
  return zstdCompressSync(plain, {
    chunkSize: chunkBytes(plain.length),
    params: { [constants.ZSTD_c_compressionLevel]: level },
  })
}

export function gzipDecompress(stream: Buffer, maxBytes: number): Buffer {
  return bounded('gzip', maxBytes, (options) => gunzipSync(stream, { ...options, chunkSize: chunkBytes(stream.length * 4) }))
}

export function zstdDecompress(stream: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = []
  let plainBytes = 0
  for (const frame of zstdFrames(stream)) {
    const part = bounded('zstd', maxBytes - plainBytes, (options) =>
      zstdDecompressSync(frame, { ...options, chunkSize: chunkBytes(frame.length * 4) }),
    )
    plainBytes += part.length
    parts.push(part)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, plainBytes)
}

/** Runs a decoder that is bounded to one byte more than is allowed, so that exactly `maxBytes` (0 too) pass. */
function bounded(codec: string, maxBytes: number, run: (options: { maxOutputLength: number }) => Buffer): Buffer {
  let plain: Buffer
  try {
    plain = run({ maxOutputLength: maxBytes + 1 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(codec, maxBytes)
    throw corrupt(`${codec} stream: ${(error as Error).message}`)
  }
  if (plain.length > maxBytes) throw tooLarge(codec, maxBytes)
  return plain
}
