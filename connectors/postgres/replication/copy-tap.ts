/**
 * @module connector-postgres/replication/copy-tap — CopyData cut straight from the socket, everything else left to `pg`.
 *
 * `pg` makes an object and an event of each CopyData, and doubles a buffer until a large one fits. Here a chunk of the socket is passed on
 * as spans of whole frames, without touching the rows in it; only a frame that two chunks share is copied, once. Frames of another kind
 * (errors, notices, the end of the copy) are given to the listener that `pg` had on the socket, which keeps its state right.
 */
import type { Duplex } from 'node:stream'
import { ConnectionError } from './errors.ts'

/** Letter and length of a frame. */
export const FRAME_HEADER_BYTES = 5

const COPY_DATA = 0x64

export const tapLimits = {
  /** Most bytes of a frame: the server's own limit of a message is 1 GiB. */
  frameBytesMax: 0x4000_0000,
} as const

/** Takes whole CopyData frames: header and payload, one after another, in `bytes[start … end)`. The bytes stay as they are, and are the taker's. */
export type SpanTaker = (bytes: Buffer, start: number, end: number) => void

type Listener = (chunk: Buffer) => void

/** What the taps need of `pg`'s connection. */
export interface TappedConnection {
  readonly stream: Duplex
}

export class CopyTap {
  readonly #stream: Duplex
  readonly #listeners: readonly Listener[]
  readonly #take: SpanTaker
  /** A frame that is not whole yet: its bytes so far; its length is known once the header is. */
  #partial: Buffer | null = null
  #partialBytes = 0
  readonly #onData = (chunk: Buffer): void => this.#feed(chunk)

  /** Takes the socket over: to be called while `pg` waits for nothing, so that no frame is half read. */
  constructor(connection: TappedConnection, take: SpanTaker) {
    this.#stream = connection.stream
    this.#take = take
    this.#listeners = this.#stream.listeners('data') as Listener[]
    this.#stream.on('data', this.#onData)
    for (const listener of this.#listeners) this.#stream.off('data', listener)
  }

  /** Gives the socket back to `pg`. */
  release(): void {
    for (const listener of this.#listeners) this.#stream.on('data', listener)
    this.#stream.off('data', this.#onData)
  }

  #feed(chunk: Buffer): void {
    try {
      let start = 0
      while (this.#partial !== null && start < chunk.length) start = this.#fill(this.#partial, chunk, start)
      if (start < chunk.length) this.#cut(chunk, start)
    } catch (error) {
      this.#stream.destroy(error as Error)
    }
  }

  /** Goes on with the frame that the chunk before left unfinished; gives where the chunk's next frame starts. */
  #fill(partial: Buffer, chunk: Buffer, start: number): number {
    const copied = chunk.copy(partial, this.#partialBytes, start)
    this.#partialBytes += copied
    if (this.#partialBytes < partial.length) return start + copied
    if (partial.length === FRAME_HEADER_BYTES) {
      const whole = Buffer.allocUnsafeSlow(frameBytes(partial, 0))
      partial.copy(whole)
      this.#partial = whole
      if (whole.length > FRAME_HEADER_BYTES) return start + copied
    }
    const frame = this.#partial as Buffer
    this.#partial = null
    this.#pass(frame, 0, frame.length)
    return start + copied
  }

  /** Passes on the whole frames of a chunk, and keeps what is left. */
  #cut(chunk: Buffer, from: number): void {
    let spanStart = from
    let at = from
    while (at + FRAME_HEADER_BYTES <= chunk.length) {
      const next = at + frameBytes(chunk, at)
      if (next > chunk.length) break
      if (chunk[at] !== COPY_DATA) {
        if (at > spanStart) this.#take(chunk, spanStart, at)
        this.#pass(chunk, at, next)
        spanStart = next
      }
      at = next
    }
    if (at > spanStart) this.#take(chunk, spanStart, at)
    if (at < chunk.length) this.#keep(chunk, at)
  }

  #keep(chunk: Buffer, at: number): void {
    const leftBytes = chunk.length - at
    this.#partial = Buffer.allocUnsafeSlow(leftBytes < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : frameBytes(chunk, at))
    this.#partialBytes = leftBytes
    chunk.copy(this.#partial, 0, at)
  }

  #pass(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === COPY_DATA) this.#take(bytes, start, end)
    else for (const listener of this.#listeners) listener(bytes.subarray(start, end))
  }
}

/** Bytes of the frame that starts at `at`, header included. */
export function frameBytes(bytes: Buffer, at: number): number {
  const frame =
    1 +
    (((bytes[at + 1] as number) << 24) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number))
  if (frame < FRAME_HEADER_BYTES || frame > tapLimits.frameBytesMax) throw new ConnectionError(`a frame of ${frame} bytes: out of step`)
  return frame
}
