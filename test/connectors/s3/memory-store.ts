/** @module test/connectors/s3/memory-store — the store of objects in memory, for tests of what the sink does with any store; it can be told to fail. */
import { RetriableError } from '@millrace/sdk'
import { LostUpload, type NewObject, type ObjectStore, type PartedUpload, type StoredPart } from '../../../connectors/s3/object-store.ts'

/** A call of the store. */
export type StoreStep = 'put' | 'begin' | 'part' | 'complete' | 'abort'

/** See the module. */
export class MemoryStore implements ObjectStore {
  readonly objects = new Map<string, Buffer>()
  /** Names in the order in which objects were made, those that were made again too. */
  readonly made: string[] = []
  readonly uploads = new Map<string, Map<number, Buffer>>()
  /** Asked before every call: throws what the call shall fail with; `after` is asked when the store has done it and the answer gets lost. */
  fail: (step: StoreStep, name: string, isAfter: boolean) => void = () => undefined
  /** Every call waits for it first. */
  delay: Promise<void> = Promise.resolve()
  #uploadCount = 0

  async check(): Promise<void> {
    await Promise.resolve()
  }

  async put(object: NewObject, body: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#step('put', object, signal, () => this.#make(object.name, Buffer.from(body)))
  }

  async begin(object: NewObject, signal: AbortSignal): Promise<PartedUpload> {
    const id = `upload-${this.#uploadCount++}`
    await this.#step('begin', object, signal, () => this.uploads.set(id, new Map()))
    return { ...object, id }
  }

  async putPart(upload: PartedUpload, number: number, body: Uint8Array, signal: AbortSignal): Promise<StoredPart> {
    await this.#step('part', upload, signal, () => this.#partsOf(upload).set(number, Buffer.from(body)))
    return { number, etag: `etag-${number}`, crc32: undefined }
  }

  async complete(upload: PartedUpload, parts: readonly StoredPart[], signal: AbortSignal): Promise<void> {
    await this.#step('complete', upload, signal, () => {
      const stored = this.#partsOf(upload)
      const bodies = parts.map(({ number }) => stored.get(number) ?? Buffer.alloc(0))
      if (bodies.slice(0, -1).some(({ length }) => length < 5 * 1024 * 1024)) throw new Error('EntityTooSmall')
      this.uploads.delete(upload.id)
      this.#make(upload.name, Buffer.concat(bodies))
    })
  }

  async abort(upload: PartedUpload, signal: AbortSignal): Promise<void> {
    await this.#step('abort', upload, signal, () => this.uploads.delete(upload.id))
  }

  close(): void {}

  /** The lines of all objects below a directory, in the order of their names. */
  lines(prefix = ''): string[] {
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort()
    return names.flatMap((name) => (this.objects.get(name) ?? '').toString().split('\n').slice(0, -1))
  }

  #partsOf(upload: PartedUpload): Map<number, Buffer> {
    const parts = this.uploads.get(upload.id)
    if (parts === undefined) throw new LostUpload(`${upload.name}: no such upload`)
    return parts
  }

  #make(name: string, body: Buffer): void {
    this.objects.set(name, body)
    this.made.push(name)
  }

  async #step(step: StoreStep, { name }: NewObject, signal: AbortSignal, does: () => void): Promise<void> {
    await this.delay
    signal.throwIfAborted()
    this.fail(step, name, false)
    does()
    this.fail(step, name, true)
  }
}

/** What a store that is away is answered with. */
export function away(what: string): RetriableError {
  return new RetriableError(`cannot ${what}: the store is away`)
}
