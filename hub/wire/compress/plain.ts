/**
 * What our decoders of snappy and lz4 share: writing literals and matches into the output.
 * @module
 */
import { BatchError } from '../batch-error.ts'
import { ErrorCode } from '../errors.ts'

/** Up to this many bytes a loop of four-byte steps beats the call of a native copy. */
const LOOP_BYTES_MAX = 64

/** A view for four-byte steps at any alignment. */
export function wordsOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** A stream that would unpack into more than the caller allows. */
export function tooLarge(codec: string, maxBytes: number): BatchError {
  return new BatchError(ErrorCode.MESSAGE_TOO_LARGE, `${codec} stream holds more than the allowed ${maxBytes} bytes`)
}

/** Copies `lengthBytes` of `input` at `from` into `output` at `at`; the caller has checked both ranges. */
export function copyLiteral(input: DataView, from: number, output: DataView, at: number, lengthBytes: number): void {
  if (lengthBytes > LOOP_BYTES_MAX) {
    bytesOf(output, at, lengthBytes).set(bytesOf(input, from, lengthBytes))
    return
  }
  let index = 0
  for (; index + 4 <= lengthBytes; index += 4) output.setUint32(at + index, input.getUint32(from + index))
  for (; index < lengthBytes; index += 1) output.setUint8(at + index, input.getUint8(from + index))
}

/**
 * Repeats the `lengthBytes` that begin `distanceBytes` before `at`; source and target may overlap, which repeats a pattern
 * (distance 1 is a run of one byte). The caller has checked both ranges.
 */
export function copyMatch(output: DataView, at: number, distanceBytes: number, lengthBytes: number): void {
  const from = at - distanceBytes
  if (lengthBytes <= LOOP_BYTES_MAX) {
    let index = 0
    // Four bytes at once would read what is not written yet where the pattern is shorter.
    if (distanceBytes >= 4) for (; index + 4 <= lengthBytes; index += 4) output.setUint32(at + index, output.getUint32(from + index))
    for (; index < lengthBytes; index += 1) output.setUint8(at + index, output.getUint8(from + index))
    return
  }
  // A native copy does not repeat what it has just written, so an overlapping match is doubled until it is long enough.
  const bytes = bytesOf(output, from, distanceBytes + lengthBytes)
  let done = distanceBytes
  while (done < bytes.length) {
    const step = Math.min(done, bytes.length - done)
    bytes.copyWithin(done, 0, step)
    done += step
  }
}

function bytesOf(view: DataView, at: number, lengthBytes: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, lengthBytes)
}
