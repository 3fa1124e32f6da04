/** @module connector-s3/s3-store — the store of objects that is S3: the AWS SDK, its own retries off, ours in their place. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { isEngineError, RetriableError } from '@millrace/sdk'
import { s3Limits } from './limits.ts'
import type { NewObject, ObjectStore, PartedUpload, StoredPart } from './object-store.ts'
import type { StoreSettings } from './settings.ts'
import { type StoreCall, toStoreError } from './store-errors.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

/**
 * Opens the store; nothing is sent yet. `ending` ends the trying again. The SDK is loaded here and not before: who only asks for the
 * connector's keys need not wait for it.
 */
export async function openS3Store(settings: StoreSettings, ending: AbortSignal): Promise<ObjectStore> {
  const sdk = await import('@aws-sdk/client-s3')
  return new S3Store(sdk, settings, ending)
}

function createClient({ S3Client }: Sdk, settings: StoreSettings): S3Client {
  const { region, endpoint, credentials, isPathStyle, isAccelerated, hasChecksums, connectMsMax, idleMsMax } = settings
  const checksums = hasChecksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED'
  return new S3Client({
    region,
    forcePathStyle: isPathStyle,
    useAccelerateEndpoint: isAccelerated,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: connectMsMax, socketTimeout: idleMsMax },
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === null
      ? {}
      : { credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey.value } }),
  })
}

class S3Store implements ObjectStore {
  readonly #sdk: Sdk
  readonly #settings: StoreSettings
  readonly #ending: AbortSignal
  readonly #client: S3Client
  #runningCount = 0
  readonly #waiting: (() => void)[] = []

  constructor(sdk: Sdk, settings: StoreSettings, ending: AbortSignal) {
    this.#sdk = sdk
    this.#settings = settings
    this.#ending = ending
    this.#client = createClient(sdk, settings)
  }

  async check(signal: AbortSignal): Promise<void> {
    const { ListObjectsV2Command } = this.#sdk
    const list = new ListObjectsV2Command({ Bucket: this.#settings.bucket, MaxKeys: 1 })
    try {
      // Asked for by a request whose answer tells why it is refused; that of HeadBucket has no body.
      await this.#attempt('look into', null, signal, (abortSignal) => this.#client.send(list, { abortSignal }))
    } catch (error) {
      // To write is enough.
      const cause = error instanceof Error ? (error.cause as { name?: string } | undefined) : undefined
      if (cause?.name !== 'AccessDenied') throw error
    }
  }

  async put(object: NewObject, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const put = { ...this.#creation(object), Body: body, ContentLength: body.length }
    const { PutObjectCommand } = this.#sdk
    const { ETag } = await this.#attempt('write', object, signal, (abortSignal) =>
      this.#client.send(new PutObjectCommand(put), { abortSignal }),
    )
    // Whatever answers PUT with 200 (the console of a store, a web server) would have taken the records for good.
    if (ETag === undefined) throw this.#noStore(object, 'no ETag')
  }

  async begin(object: NewObject, signal: AbortSignal): Promise<PartedUpload> {
    const { CreateMultipartUploadCommand } = this.#sdk
    const checksum = this.#settings.hasChecksums ? ({ ChecksumAlgorithm: 'CRC32' } as const) : {}
    const create = { ...this.#creation(object), ...checksum }
    const { UploadId } = await this.#attempt('write', object, signal, (abortSignal) =>
      this.#client.send(new CreateMultipartUploadCommand(create), { abortSignal }),
    )
    if (UploadId === undefined) throw this.#noStore(object, 'no UploadId')
    return { ...object, id: UploadId }
  }

  async putPart(upload: PartedUpload, number: number, body: Uint8Array, signal: AbortSignal): Promise<StoredPart> {
    const { UploadPartCommand } = this.#sdk
    const part = { ...this.#uploadOf(upload), PartNumber: number, Body: body, ContentLength: body.length }
    const { ETag, ChecksumCRC32 } = await this.#attempt('write', upload, signal, (abortSignal) =>
      this.#client.send(new UploadPartCommand(part), { abortSignal }),
    )
    if (ETag === undefined) throw this.#noStore(upload, `no ETag of part ${number}`)
    return { number, etag: ETag, crc32: ChecksumCRC32 }
  }

  async complete(upload: PartedUpload, parts: readonly StoredPart[], signal: AbortSignal): Promise<void> {
    const { CompleteMultipartUploadCommand } = this.#sdk
    const Parts = parts.map(({ number, etag, crc32 }) => ({
      PartNumber: number,
      ETag: etag,
      ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
    }))
    const complete = { ...this.#uploadOf(upload), MultipartUpload: { Parts } }
    await this.#attempt('complete', upload, signal, (abortSignal) =>
      this.#client.send(new CompleteMultipartUploadCommand(complete), { abortSignal }),
    )
  }

  async abort(upload: PartedUpload, signal: AbortSignal): Promise<void> {
    const { AbortMultipartUploadCommand } = this.#sdk
    try {
      // Once: who gives up does not wait.
      await this.#client.send(new AbortMultipartUploadCommand(this.#uploadOf(upload)), { abortSignal: signal })
    } catch (error) {
      if (!(error instanceof Error && error.name === 'NoSuchUpload')) throw error
    }
  }

  close(): void {
    this.#client.destroy()
  }

  #creation({ name, contentType }: NewObject) {
    const { bucket, encryption, encryptionKeyId, cannedAcl } = this.#settings
    return {
      Bucket: bucket,
      Key: name,
      ContentType: contentType,
      ...(encryption === '' ? {} : { ServerSideEncryption: encryption as 'AES256' | 'aws:kms' | 'aws:kms:dsse' }),
      ...(encryptionKeyId === '' ? {} : { SSEKMSKeyId: encryptionKeyId }),
      ...(cannedAcl === null ? {} : { ACL: cannedAcl as 'private' }),
    }
  }

  #uploadOf({ name, id }: PartedUpload) {
    return { Bucket: this.#settings.bucket, Key: name, UploadId: id }
  }

  /** Something between us and the store may have answered: it is asked again. */
  #noStore(object: NewObject, lack: string): RetriableError {
    const { endpoint, region } = this.#settings
    const where = endpoint ?? `Amazon S3 in ${region}`
    return new RetriableError(
      `cannot write ${this.#target(object)}: what answers at ${where} gives ${lack}, as S3 would; check that store.url is the address of S3 itself`,
    )
  }

  #target(object: NewObject | null): string {
    return object === null ? `s3://${this.#settings.bucket}` : `s3://${this.#settings.bucket}/${object.name}`
  }

  async #attempt<T>(
    action: string,
    object: NewObject | null,
    signal: AbortSignal,
    send: (abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { bucket, region, endpoint, retriesMax, backoffMs } = this.#settings
    const call: StoreCall = { action, target: this.#target(object), bucket, region, endpoint }
    const startMs = performance.now()
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#inTurn(signal, startMs, call.target, () => send(signal))
      } catch (failure) {
        signal.throwIfAborted()
        const error = toStoreError(failure, call)
        const mayRetry = isEngineError(error) && error.next === 'retry' && attempt < retriesMax && !this.#ending.aborted
        if (!mayRetry || performance.now() - startMs > s3Limits.attemptsMsMax) throw error
        await this.#backOff(Math.min(backoffMs * 2 ** attempt, s3Limits.backoffMsMax), signal)
      }
    }
  }

  /** Half of the time at least, so that tasks that failed together do not come back together. */
  async #backOff(timeMs: number, signal: AbortSignal): Promise<void> {
    const waitMs = timeMs * (0.5 + Math.random() / 2)
    await sleep(waitMs, undefined, { signal: AbortSignal.any([signal, this.#ending]) }).catch(() => undefined)
    signal.throwIfAborted()
  }

  /** Resolves when the turn has come; who is given up leaves the queue, since what stands before it may hang. */
  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const turn = Promise.withResolvers<void>()
    const leave = (): void => {
      const at = this.#waiting.indexOf(turn.resolve)
      if (at === -1) return
      this.#waiting.splice(at, 1)
      turn.reject(signal.reason as Error)
    }
    this.#waiting.push(turn.resolve)
    signal.addEventListener('abort', leave, { once: true })
    try {
      await turn.promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** At most so many requests run at once; the others wait in order, and not for ever. */
  async #inTurn<T>(signal: AbortSignal, startMs: number, target: string, call: () => Promise<T>): Promise<T> {
    if (this.#runningCount >= s3Limits.requestsMax) await this.#turn(signal)
    else this.#runningCount++
    try {
      signal.throwIfAborted()
      if (performance.now() - startMs > s3Limits.attemptsMsMax) throw new RetriableError(`${target} had to wait: the store is too slow`)
      return await call()
    } finally {
      // The turn goes to who waits longest.
      const next = this.#waiting.shift()
      if (next === undefined) this.#runningCount--
      else next()
    }
  }
}
