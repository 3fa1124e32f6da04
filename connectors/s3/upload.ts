/**
 * @module connector-s3/upload — the bytes of one object on their way: one request for a small one, parts for a large one.
 *
 * ```
 *   add ──▶ pending ──▶ part full ──▶ sent in the background ──▶ stored        finish: the rest, then all becomes the object
 *                          ▲               │ failed
 *                          └── sent again by the next `settle` or `finish`
 * ```
 * Nothing can be seen in the bucket before `finish` has resolved.
 */
import { s3Limits } from './limits.ts'
import type { NewObject, ObjectStore, PartedUpload, StoredPart } from './object-store.ts'

interface Part {
  readonly number: number
  /** null once it is stored. */
  body: Uint8Array | null
  stored: StoredPart | null
  /** Never rejects; null: it is not being sent. */
  sending: Promise<void> | null
  failure: unknown
}

/** See the module. After a rejected `settle` or `finish` the same call goes on where it stopped. */
export class Upload {
  readonly object: NewObject
  readonly #store: ObjectStore
  readonly #partBytes: number
  readonly #abort = new AbortController()
  /** Of the request that begins: without its answer nobody could give up what it has begun. */
  readonly #beginAbort = new AbortController()
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  /** Of parts that are not stored yet. */
  #partsBytes = 0
  readonly #parts: Part[] = []
  #beginning: Promise<PartedUpload> | null = null
  #begun: PartedUpload | null = null
  #isFinished = false
  /** Bytes that were added in all. */
  sizeBytes = 0

  constructor(store: ObjectStore, object: NewObject, partBytes: number) {
    this.#store = store
    this.object = object
    this.#partBytes = partBytes
  }

  /** Bytes in memory. */
  get bufferedBytes(): number {
    return this.#pendingBytes + this.#partsBytes
  }

  /** Bytes that are not on their way; a part could be made of them when there are 5 MiB. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Whether parts are being sent. */
  get isSending(): boolean {
    return this.#parts.some(({ sending }) => sending !== null)
  }

  /** Whether a part could not be sent. */
  get hasFailed(): boolean {
    return this.#parts.some(({ failure }) => failure !== null)
  }

  /** Whether S3 takes no more parts than the last one. */
  get isFull(): boolean {
    return this.#parts.length >= s3Limits.partsMax - 1
  }

  /** Takes bytes; what makes a part is sent at once. */
  add(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.sizeBytes += chunk.length
      this.#addOne(chunk)
    }
  }

  /** Full parts are cut at the same size, as some stores demand it. */
  #addOne(chunk: Uint8Array): void {
    let rest = chunk
    while (this.#pendingBytes + rest.length >= this.#partBytes && !this.isFull) {
      const room = this.#partBytes - this.#pendingBytes
      this.#hold(rest.subarray(0, room))
      rest = rest.subarray(room)
      this.ship()
    }
    if (rest.length > 0) this.#hold(rest)
  }

  #hold(chunk: Uint8Array): void {
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
  }

  /** Makes a part of what is pending. */
  ship(): void {
    const part: Part = { number: this.#parts.length + 1, body: this.#takePending(), stored: null, sending: null, failure: null }
    this.#partsBytes += part.body?.length ?? 0
    this.#parts.push(part)
    this.#send(part)
  }

  #takePending(): Uint8Array {
    const [first] = this.#pending
    const body = this.#pending.length === 1 && first !== undefined ? first : Buffer.concat(this.#pending, this.#pendingBytes)
    this.#pending = []
    this.#pendingBytes = 0
    return body
  }

  #send(part: Part): void {
    const { body } = part
    if (body === null || part.sending !== null) return
    part.failure = null
    part.sending = (async () => {
      try {
        part.stored = await this.#store.putPart(await this.#begin(), part.number, body, this.#abort.signal)
        part.body = null
        this.#partsBytes -= body.length
      } catch (error) {
        part.failure = error
      } finally {
        part.sending = null
      }
    })()
  }

  async #begin(): Promise<PartedUpload> {
    this.#abort.signal.throwIfAborted()
    return await this.#beginOnce()
  }

  #beginOnce(): Promise<PartedUpload> {
    this.#beginning ??= this.#store.begin(this.object, this.#beginAbort.signal).then(
      (begun) => (this.#begun = begun),
      (error: unknown) => {
        this.#beginning = null
        throw error
      },
    )
    return this.#beginning
  }

  /** Resolves when one more of the parts under way is stored or has failed. Never rejects. */
  async progress(): Promise<void> {
    const sending = this.#parts.flatMap((part) => part.sending ?? [])
    if (sending.length > 0) await Promise.race(sending)
  }

  /** Resolves when every part is stored; those that failed are sent again, once. Rejects with what one fails with. */
  async settle(): Promise<void> {
    for (const part of this.#parts) if (part.failure !== null) this.#send(part)
    for (const part of this.#parts) await part.sending
    for (const { failure } of this.#parts) if (failure !== null) throw failure
  }

  /** Makes the object; says whether it was this call that did. Rejects as the store does; nothing of it is to be seen then, or all. */
  async finish(): Promise<boolean> {
    if (this.#isFinished) return false
    const { signal } = this.#abort
    if (this.#parts.length === 0) {
      const body = this.#takePending()
      this.#hold(body)
      await this.#store.put(this.object, body, signal)
    } else {
      if (this.#pendingBytes > 0) this.ship()
      await this.settle()
      const parts = this.#parts.flatMap(({ stored }) => stored ?? [])
      await this.#store.complete(await this.#begin(), parts, signal)
    }
    this.#isFinished = true
    this.#pending = []
    this.#pendingBytes = 0
    return true
  }

  /** Gives it up with all that the store has of it. Never rejects; an upload that stays behind is told to `onLeft`. */
  async giveUp(signal: AbortSignal, onLeft: (name: string, error: unknown) => void): Promise<void> {
    if (this.#isFinished) return
    this.#abort.abort()
    this.#pending = []
    this.#pendingBytes = 0
    const onTooLate = (): void => this.#beginAbort.abort()
    if (signal.aborted) onTooLate()
    else signal.addEventListener('abort', onTooLate, { once: true })
    for (const { sending } of this.#parts) await sending
    await this.#beginning?.catch(() => undefined)
    signal.removeEventListener('abort', onTooLate)
    if (this.#begun === null) return
    try {
      await this.#store.abort(this.#begun, signal)
    } catch (error) {
      onLeft(this.object.name, error)
    }
  }
}
