/**
 * @module connector-s3/generation — the objects of a topic partition that begin and end together. What is read lies in exactly one
 * generation, and the next begins where this one ends.
 */
import type { SinkRecord } from '@millrace/sdk'
import type { ObjectWriter, RecordFormat } from './format.ts'
import { s3Limits } from './limits.ts'
import { type NameSettings, objectName } from './object-names.ts'
import type { ObjectStore } from './object-store.ts'
import type { OpenFacts } from './rotation.ts'
import { Upload } from './upload.ts'

/** What all generations of a sink share. */
export interface GenerationParts {
  readonly store: ObjectStore
  readonly format: RecordFormat
  readonly names: NameSettings
  readonly partBytes: number
}

interface OpenObject {
  readonly upload: Upload
  /** null when everything has been taken from it. */
  writer: ObjectWriter | null
  /** What the writer held when it was new: a compressor's own memory. */
  readonly idleBytes: number
  /** Bytes are taken from the writer when it holds more than this. */
  takesAtBytes: number
  recordCount: number
}

/** See the module. */
export class Generation implements OpenFacts {
  /** Offset of its first record. */
  readonly startOffset: number
  readonly startMs: number
  /** When the wall clock ends it; infinite: it does not. */
  readonly endsAtMs: number
  recordCount = 0
  latestPath = ''
  readonly #parts: GenerationParts
  readonly #objects = new Map<string, OpenObject>()
  #isFinished = false
  #finishing: Promise<void> | null = null

  constructor(parts: GenerationParts, startOffset: number, startMs: number, endsAtMs: number) {
    this.#parts = parts
    this.startOffset = startOffset
    this.startMs = startMs
    this.endsAtMs = endsAtMs
  }

  get objectCount(): number {
    return this.#objects.size
  }

  /** Whether every object of it stands in the bucket. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Memory that it takes. */
  get bufferedBytes(): number {
    let sum = 0
    for (const { writer, upload } of this.#objects.values()) sum += (writer?.bufferedBytes ?? 0) + upload.bufferedBytes
    return sum
  }

  get uploads(): Upload[] {
    return Array.from(this.#objects.values(), ({ upload }) => upload)
  }

  /** Whether an object takes no more parts. */
  get isFull(): boolean {
    for (const { upload } of this.#objects.values()) if (upload.isFull) return true
    return false
  }

  /** Whether an object for records of this topic and path is open. */
  has(record: SinkRecord, path: string): boolean {
    return this.#objects.has(keyOf(record, path))
  }

  /** Whether the object for its path takes the record, or none is open yet. */
  fits(record: SinkRecord, path: string): boolean {
    return this.#objects.get(keyOf(record, path))?.writer?.fits(record) ?? true
  }

  /** Adds a record. @throws DataError for one that cannot be written; nothing has changed then */
  write(record: SinkRecord, path: string): void {
    const key = keyOf(record, path)
    const known = this.#objects.get(key)
    const object = known ?? this.#open(record, path)
    try {
      object.writer?.write(record)
    } catch (error) {
      if (known === undefined) object.writer?.abandon()
      throw error
    }
    if (known === undefined) this.#objects.set(key, object)
    object.recordCount++
    this.recordCount++
    this.latestPath = path
    if (object.writer !== null && object.writer.bufferedBytes > object.takesAtBytes) takeBytes(object, object.writer)
  }

  #open(record: SinkRecord, path: string): OpenObject {
    const { store, format, names, partBytes } = this.#parts
    const { topic, originalTopic, originalPartition, originalOffset: startOffset } = record
    const name = objectName(names, { topic, path, originalTopic, originalPartition, startOffset })
    const upload = new Upload(store, { name, contentType: format.contentType }, partBytes)
    const writer = format.open(record)
    const idleBytes = writer.bufferedBytes
    return { upload, writer, idleBytes, takesAtBytes: idleBytes + s3Limits.writerBytesMax, recordCount: 0 }
  }

  /** Waits for compressors that have more than this to do. */
  async relax(bytesMax: number): Promise<void> {
    for (const object of this.#objects.values()) {
      const { writer, idleBytes } = object
      if (writer === null || writer.bufferedBytes - idleBytes <= bytesMax) continue
      await writer.settle()
      takeBytes(object, writer)
    }
  }

  /**
   * Makes all of its objects; none is to be written to afterwards. Called again while that goes on, it waits with the others; after a
   * rejection it goes on where it stopped. Rejects with what one of them fails with, when all have come to an end.
   */
  finish(onObject: (name: string, recordCount: number, sizeBytes: number) => void): Promise<void> {
    this.#finishing ??= this.#finishAll(onObject).finally(() => {
      this.#finishing = null
    })
    return this.#finishing
  }

  async #finishAll(onObject: (name: string, recordCount: number, sizeBytes: number) => void): Promise<void> {
    const finish = async (object: OpenObject): Promise<void> => {
      if (object.writer !== null) {
        const { writer } = object
        const bytes = await writer.finish()
        object.writer = null
        object.upload.add(bytes)
      }
      const isNew = await object.upload.finish()
      if (isNew) onObject(object.upload.object.name, object.recordCount, object.upload.sizeBytes)
    }
    const outcomes = await Promise.allSettled(Array.from(this.#objects.values(), finish))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    this.#isFinished = true
  }

  /** Gives up everything that does not stand in the bucket. Never rejects. */
  async giveUp(signal: AbortSignal, onLeft: (name: string, error: unknown) => void): Promise<void> {
    await Promise.all(
      Array.from(this.#objects.values(), (object) => {
        object.writer?.abandon()
        object.writer = null
        return object.upload.giveUp(signal, onLeft)
      }),
    )
  }
}

function takeBytes(object: OpenObject, writer: ObjectWriter): void {
  object.upload.add(writer.takeBytes())
  // What stays, such as the rows of a group that is not full, is not asked for with every record.
  object.takesAtBytes = writer.bufferedBytes + s3Limits.writerBytesMax
}

/** Transforms may send records of one partition to several topics. */
function keyOf({ topic }: SinkRecord, path: string): string {
  return `${topic}\n${path}`
}
