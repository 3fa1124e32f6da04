/**
 * lz4 frames as Kafka's clients write them: independent blocks of 64 KiB, no content size, no checksums but the header's.
 * @module
 */
import { lz4Compress as compressFrame } from '@platformatic/wasm-utils'

/** Magic, FLG 0x60 (version 1, independent blocks), BD 0x40 (64 KiB), header checksum. */
const HEADER = Buffer.from('04224d18604082', 'hex')
const END_MARK = Buffer.alloc(4)
const BLOCK_BYTES = 64 * 1024

/**
 * One lz4 frame of `plain`. The WebAssembly module gets one block's bytes at a time and answers a frame around them, of which the
 * block is kept: so its memory, which never shrinks, stays small however large a batch is.
 */
export function lz4Compress(plain: Buffer): Buffer {
  const parts: Buffer[] = [HEADER]
  for (let at = 0; at < plain.length; at += BLOCK_BYTES) {
    const frame = compressFrame(plain.subarray(at, at + BLOCK_BYTES))
    parts.push(frame.subarray(HEADER.length, frame.length - END_MARK.length))
  }
  parts.push(END_MARK)
  return Buffer.concat(parts)
}
