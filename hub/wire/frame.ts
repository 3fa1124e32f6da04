/**
 * @module wire/frame — size-prefixed frames: cutting them out of a byte stream, and making them.
 */
import { DecodeError } from './errors.ts'
import { decodeResponseHeader, RequestHeader, ResponseHeader } from './header.ts'
import type { Api } from './message.ts'
import { Writer } from './writer.ts'

const SIZE_BYTES = 4

/** A frame that says it is larger than the connection allows. */
export class FrameTooLargeError extends DecodeError {
  readonly sizeBytes: number
  readonly maxBytes: number

  constructor(sizeBytes: number, maxBytes: number) {
    super(`a frame of ${sizeBytes} bytes, ${maxBytes} are allowed`)
    this.name = 'FrameTooLargeError'
    this.sizeBytes = sizeBytes
    this.maxBytes = maxBytes
  }
}

/**
 * Cuts whole frames out of the chunks of one connection. A frame within one chunk is a view into it; one that spans
 * chunks is gathered once, so a byte is copied at most once however small the chunks are.
 */
export class FrameSplitter {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  /** Size of the frame that is being gathered, −1 while its prefix is not whole. */
  #frameBytes = -1

  /** `maxBytes` bounds a frame without its prefix (`socket.request.max.bytes`). */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes held for a frame that is not whole yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Size of the frame being gathered, in bytes, or undefined while its prefix is not whole. */
  get pendingFrameBytes(): number | undefined {
    return this.#frameBytes < 0 ? undefined : this.#frameBytes
  }

  /**
   * Takes a chunk; returns the frames that it completes, without their size prefix. Throws FrameTooLargeError or, for a
   * negative size, DecodeError: the stream has lost its place and the connection is to be closed.
   */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = []
    let rest = chunk
    while (rest.length > 0) {
      const missing = (this.#frameBytes < 0 ? SIZE_BYTES : this.#frameBytes) - this.#bufferedBytes
      if (rest.length < missing) {
        this.#hold(rest)
        break
      }
      const part = this.#take(rest.subarray(0, missing))
      rest = rest.subarray(missing)
      if (this.#frameBytes >= 0) {
        frames.push(part)
        this.#frameBytes = -1
      } else if (this.#begin(part.readInt32BE(0))) {
        frames.push(part.subarray(0, 0))
      }
    }
    return frames
  }

  #hold(part: Buffer): void {
    this.#chunks.push(part)
    this.#bufferedBytes += part.length
  }

  /** What is held and `last`, as one buffer. */
  #take(last: Buffer): Buffer {
    if (this.#bufferedBytes === 0) return last
    this.#chunks.push(last)
    const whole = Buffer.concat(this.#chunks, this.#bufferedBytes + last.length)
    this.#chunks = []
    this.#bufferedBytes = 0
    return whole
  }

  /** Judges a size prefix; true for a frame that is whole already, since it is empty. */
  #begin(sizeBytes: number): boolean {
    if (sizeBytes < 0) throw new DecodeError(`a frame of ${sizeBytes} bytes`)
    if (sizeBytes > this.#maxBytes) throw new FrameTooLargeError(sizeBytes, this.#maxBytes)
    if (sizeBytes === 0) return true
    this.#frameBytes = sizeBytes
    return false
  }
}

/** A request, ready for a gathered write: size prefix, header, body. Throws like `Message.encode`. */
export function encodeRequest<Q, QI, P, PI>(
  api: Api<Q, QI, P, PI>,
  version: number,
  correlationId: number,
  clientId: string | null,
  value: QI,
): Buffer[] {
  const writer = new Writer()
  writer.int32(0)
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
  RequestHeader.encode(header, api.requestHeaderVersion(version), writer)
  api.request.encode(value, version, writer)
  return finishFrame(writer)
}

/** A response, ready for a gathered write: size prefix, header, body. Throws like `Message.encode`. */
export function encodeResponse<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, version: number, correlationId: number, value: PI): Buffer[] {
  const writer = new Writer()
  writer.int32(0)
  ResponseHeader.encode({ correlationId }, api.responseHeaderVersion(version), writer)
  api.response.encode(value, version, writer)
  return finishFrame(writer)
}

/** Reads a whole response frame (without its size prefix). Throws DecodeError. */
export function decodeResponse<Q, QI, P, PI>(
  api: Api<Q, QI, P, PI>,
  version: number,
  frame: Buffer,
): { readonly correlationId: number; readonly value: P } {
  const { correlationId, reader } = decodeResponseHeader(frame, api.responseHeaderVersion(version))
  return { correlationId, value: api.response.decode(reader, version) }
}

/** Puts the size into the prefix, which always begins the first chunk. */
function finishFrame(writer: Writer): Buffer[] {
  const sizeBytes = writer.sizeBytes - SIZE_BYTES
  const chunks = writer.finish()
  chunks[0]!.writeInt32BE(sizeBytes, 0)
  return chunks
}
