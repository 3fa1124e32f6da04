/** @module test/connectors/s3/store — the S3 store against a real server, with a proxy between them that misbehaves. */
import { isEngineError, Password } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LostUpload, type ObjectStore } from '../../../connectors/s3/object-store.ts'
import { openS3Store } from '../../../connectors/s3/s3-store.ts'
import type { StoreSettings } from '../../../connectors/s3/settings.ts'
import { service } from '../../services.ts'
import { type Bucket, makeBucket, type StoreAddress, startStore } from './bucket.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'

const MIB = 1024 * 1024
const { signal } = new AbortController()
let address: StoreAddress & AsyncDisposable
let bucket: Bucket
let proxy: FaultyProxy

beforeAll(async () => {
  address = await startStore()
  bucket = await makeBucket(address)
  proxy = await startProxy(address.endpoint)
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await bucket[Symbol.asyncDispose]()
  await address[Symbol.asyncDispose]()
})

function settingsFor({ endpoint, accessKeyId, secretAccessKey }: StoreAddress, more: Partial<StoreSettings> = {}): StoreSettings {
  return {
    bucket: bucket.name,
    region: 'us-east-1',
    endpoint,
    isPathStyle: true,
    isAccelerated: false,
    hasChecksums: false,
    credentials: { accessKeyId, secretAccessKey: new Password(secretAccessKey) },
    encryption: '',
    encryptionKeyId: '',
    cannedAcl: null,
    retriesMax: 3,
    backoffMs: 1,
    connectMsMax: 2_000,
    idleMsMax: 300,
    ...more,
  }
}

/** Runs a body with a store behind the proxy, which is well again afterwards. */
async function withStore<T>(more: Partial<StoreSettings>, body: (store: ObjectStore) => Promise<T>, ending = signal): Promise<T> {
  const store = await openS3Store(settingsFor({ ...address, endpoint: proxy.endpoint }, more), ending)
  try {
    return await body(store)
  } finally {
    store.close()
    proxy.heal()
  }
}

/** A body with a pattern, so that parts in a wrong order show. */
function pattern(sizeBytes: number): Buffer {
  const body = Buffer.alloc(sizeBytes)
  for (let at = 0; at + 4 <= sizeBytes; at += 4) body.writeUInt32LE(at, at)
  return body
}

async function putInParts(store: ObjectStore, name: string, body: Buffer): Promise<void> {
  const upload = await store.begin({ name, contentType: 'application/json' }, signal)
  const parts = []
  for (let at = 0; at < body.length; at += 5 * MIB) {
    parts.push(await store.putPart(upload, parts.length + 1, body.subarray(at, at + 5 * MIB), signal))
  }
  await store.complete(upload, parts, signal)
}

async function failureOf(work: Promise<unknown>): Promise<Error & { readonly next?: string }> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('it succeeded')
}

const object = { name: 'a/b c+ü=1/x.json', contentType: 'application/json' }

describe('objects', () => {
  it('are put whole, again in place of themselves, and in parts', async () => {
    await withStore({}, async (store) => {
      await store.check(signal)
      await store.put(object, Buffer.from('one'), signal)
      await store.put(object, Buffer.from('two'), signal)
      await store.put({ ...object, name: 'empty' }, Buffer.alloc(0), signal)
      const body = pattern(12 * MIB + 7)
      await putInParts(store, 'parts', body)
      expect((await bucket.bytes(object.name)).toString()).toBe('two')
      expect(await bucket.bytes('empty')).toHaveLength(0)
      expect(body.equals(await bucket.bytes('parts'))).toBe(true)
    })
  })

  it('leave nothing behind where they are given up', async () => {
    await withStore({}, async (store) => {
      const upload = await store.begin(object, signal)
      await store.putPart(upload, 1, pattern(5 * MIB), signal)
      await store.abort(upload, signal)
      await expect(store.putPart(upload, 2, pattern(8), signal)).rejects.toBeInstanceOf(LostUpload)
      await expect(store.complete(upload, [{ number: 1, etag: 'x', crc32: undefined }], signal)).rejects.toBeInstanceOf(LostUpload)
    })
  })
})

describe('a bad day', () => {
  it('is tried again', async () => {
    await withStore({}, async (store) => {
      let count = 0
      proxy.answer(503, 'SlowDown', () => count++ < 2)
      await store.put(object, Buffer.from('in the end'), signal)
      expect(count).toBe(3)
    })
    expect((await bucket.bytes(object.name)).toString()).toBe('in the end')
  })

  it.each([
    ['503', (faulty: FaultyProxy) => faulty.answer(503, 'SlowDown'), /cannot write s3:\/\/.*x\.json: SlowDown/],
    ['500', (faulty: FaultyProxy) => faulty.answer(500, 'InternalError'), /InternalError/],
    ['429', (faulty: FaultyProxy) => faulty.answer(429, 'TooManyRequests'), /TooManyRequests/],
    ['refused connections', (faulty: FaultyProxy) => faulty.refuse(), /cannot be reached/],
    ['an answer that never comes', (faulty: FaultyProxy) => faulty.stall(), /cannot be reached/],
    ['a connection that is cut', (faulty: FaultyProxy) => faulty.cut(), /cannot be reached/],
  ])('ends in a retry after the attempts: %s', async (_, breakIt, message) => {
    await withStore({ retriesMax: 1 }, async (store) => {
      const before = proxy.seen.length
      breakIt(proxy)
      const failure = await failureOf(store.put(object, Buffer.from('x'), signal))
      expect(isEngineError(failure) && failure.next).toBe('retry')
      expect(failure.message).toMatch(message)
      expect(failure.message).not.toContain('\n')
      expect(proxy.seen.length - before).toBeLessThanOrEqual(2)
    })
  })

  it('takes no more attempts once the task ends', async () => {
    const ending = new AbortController()
    await withStore(
      { retriesMax: 1_000, backoffMs: 60_000 },
      async (store) => {
        proxy.answer(503, 'SlowDown')
        const work = failureOf(store.put(object, Buffer.from('x'), signal))
        ending.abort()
        expect((await work).next).toBe('retry')
      },
      ending.signal,
    )
  })

  it('is given up when the call is', async () => {
    const call = new AbortController()
    await withStore({ idleMsMax: 60_000 }, async (store) => {
      proxy.stall()
      const work = failureOf(store.put(object, Buffer.from('x'), call.signal))
      call.abort(new Error('enough'))
      expect((await work).message).toBe('enough')
    })
  })

  it('may hide that an upload is complete', async () => {
    await withStore({}, async (store) => {
      let count = 0
      proxy.cut((incoming) => incoming.method === 'POST' && /uploadId=/.test(incoming.url ?? '') && count++ === 0)
      const failure = await failureOf(putInParts(store, 'hidden', pattern(6 * MIB)))
      // The object is there, but nobody has said so: it is written again.
      expect(failure).toBeInstanceOf(LostUpload)
      expect(await bucket.bytes('hidden')).toHaveLength(6 * MIB)
    })
  })
})

describe('what somebody must see to', () => {
  it.each([
    [
      403,
      'InvalidAccessKeyId',
      /cannot look into s3:\/\/bucket-.*: InvalidAccessKeyId.*; correct aws\.access\.key\.id, then restart the task/,
    ],
    [403, 'SignatureDoesNotMatch', /correct aws\.secret\.access\.key/],
    [301, 'PermanentRedirect', /set s3\.region to the region of the bucket; it is us-east-1 now/],
    [400, 'AuthorizationHeaderMalformed', /set s3\.region/],
    [404, 'NoSuchBucket', /create the bucket bucket-\d+-\d+, or correct s3\.bucket\.name/],
    [400, 'WhoKnows', /WhoKnows.*; check store\.url/],
  ])('%d %s', async (status, code, message) => {
    await withStore({ retriesMax: 5 }, async (store) => {
      const before = proxy.seen.length
      proxy.answer(status, code)
      const failure = await failureOf(store.check(signal))
      expect(isEngineError(failure) && failure.next).toBe('fail')
      expect(failure.message.split('\n')[0]).toMatch(message)
      expect(proxy.seen.length - before).toBe(1)
    })
  })

  it('to write without being allowed to look is enough, not to be allowed to write is not', async () => {
    await withStore({}, async (store) => {
      proxy.answer(403, 'AccessDenied')
      await store.check(signal)
      const failure = await failureOf(store.put(object, Buffer.from('x'), signal))
      expect(failure.message).toMatch(/cannot write s3:\/\/bucket.*x\.json: AccessDenied.*; allow these credentials s3:PutObject/)
    })
  })

  it('a bucket that is not there', async () => {
    await withStore({ bucket: 'nowhere' }, async (store) => {
      expect((await failureOf(store.check(signal))).message).toMatch(/NoSuchBucket.*create the bucket nowhere/)
    })
  })
})

describe('versitygw, which checks signatures and checksums', () => {
  it('takes parts with checksums, and says what is wrong with credentials', { timeout: 300_000 }, async ({ skip }) => {
    const isAsked = process.env['MILLRACE_LONG'] !== undefined || process.env['TEST_VERSITYGW_URL'] !== undefined
    if (!isAsked) return skip('only in the long run: npm run test:long')
    const strict = await service('versitygw')
    if (strict.value === undefined) return skip(strict.reason)
    const there = { endpoint: strict.value.url, accessKeyId: 'hubhub', secretAccessKey: 'hubhubhub' }
    await using strictBucket = await makeBucket(there)
    try {
      for (const hasChecksums of [false, true]) {
        const store = await openS3Store(settingsFor(there, { bucket: strictBucket.name, hasChecksums }), signal)
        await store.check(signal)
        const body = pattern(11 * MIB)
        await putInParts(store, `parts-${hasChecksums}`, body)
        await store.put({ ...object, name: `whole-${hasChecksums}` }, body.subarray(0, 1_000), signal)
        store.close()
        expect(body.equals(await strictBucket.bytes(`parts-${hasChecksums}`))).toBe(true)
        expect(await strictBucket.bytes(`whole-${hasChecksums}`)).toHaveLength(1_000)
      }
      for (const [wrong, message] of [
        [{ ...there, accessKeyId: 'nobody' }, /; correct aws\.access\.key\.id/],
        [{ ...there, secretAccessKey: 'wrong' }, /SignatureDoesNotMatch.*; correct aws\.secret\.access\.key/],
      ] as const) {
        const store = await openS3Store(settingsFor(wrong, { bucket: strictBucket.name }), signal)
        const failure = await failureOf(store.check(signal))
        store.close()
        expect(failure.next).toBe('fail')
        expect(failure.message).toMatch(message)
      }
    } finally {
      await strict.value.stop()
    }
  })
})
