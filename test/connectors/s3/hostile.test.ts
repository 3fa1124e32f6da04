/**
 * @module test/connectors/s3/hostile — answers of something that is no S3, or of an S3 that fails in the middle of an answer; names, times and
 * configurations that would lead astray; a store so slow that the group would take the task for dead.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isEngineError, parseConfig, Password, type SinkRecord } from '@millrace/sdk'
import { sinkRecords } from '@millrace/sdk/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { s3SinkConfig } from '../../../connectors/s3/config.ts'
import { objectName } from '../../../connectors/s3/object-names.ts'
import type { ObjectStore, PartedUpload } from '../../../connectors/s3/object-store.ts'
import { createPartitioner } from '../../../connectors/s3/partitioner.ts'
import { openS3Store } from '../../../connectors/s3/s3-store.ts'
import { findIssues } from '../../../connectors/s3/settings.ts'
import { toStoreError } from '../../../connectors/s3/store-errors.ts'
import { TimeZone } from '../../../connectors/s3/time-zone.ts'
import { Upload } from '../../../connectors/s3/upload.ts'
import { Engine } from './engine.ts'
import { MemoryStore } from './memory-store.ts'

const { signal } = new AbortController()
const object = { name: 'x.json', contentType: 'application/json' }
const opened: { server: Server; store: ObjectStore }[] = []

afterEach(async () => {
  for (const { server, store } of opened.splice(0)) {
    store.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A store whose server is `listener`. */
async function storeOf(listener: RequestListener): Promise<ObjectStore> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const settings = {
    bucket: 'b',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isPathStyle: true,
    isAccelerated: false,
    hasChecksums: false,
    credentials: { accessKeyId: 'key', secretAccessKey: new Password('secret') },
    encryption: '',
    encryptionKeyId: '',
    cannedAcl: null,
    retriesMax: 1,
    backoffMs: 1,
    connectMsMax: 2_000,
    idleMsMax: 60_000,
  }
  const store = await openS3Store(settings, signal)
  opened.push({ server, store })
  return store
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as Error,
  )
}

const nextOf = (error: unknown): string => (isEngineError(error) ? error.next : 'none')

describe('an answer', () => {
  it.each(['InternalError', 'ServiceUnavailable', 'SlowDown'])(
    'of status 200 that says %s in its body is a reason to wait',
    async (code) => {
      const store = await storeOf((incoming, answer) => {
        incoming.resume().on('end', () => {
          answer.writeHead(200, { 'content-type': 'application/xml' })
          answer.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>please try again</Message></Error>`)
        })
      })
      const error = await failureOf(store.complete({ ...object, id: 'u' }, [{ number: 1, etag: '"e"', crc32: undefined }], signal))
      expect(error.message).toContain(code)
      expect(nextOf(error)).toBe('retry')
    },
  )

  it('of status 200 to a PUT that has no ETag is none of S3: the object is not taken for written', async () => {
    const store = await storeOf((incoming, answer) => {
      incoming.resume().on('end', () => answer.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Welcome</body></html>'))
    })
    const error = await failureOf(store.put(object, Buffer.from('x'), signal))
    expect(nextOf(error)).toBe('retry')
    expect(error.message).toMatch(/^cannot write s3:\/\/b\/x\.json: .*http:\/\/127\.0\.0\.1:\d+ .*ETag.*store\.url/)
  })
})

describe('a call that is given up', () => {
  it('does not wait for its turn behind others that hang', async () => {
    const store = await storeOf((incoming) => void incoming.resume())
    const others = new AbortController()
    const running = Array.from({ length: 8 }, async () => failureOf(store.put(object, Buffer.from('x'), others.signal)))
    const own = new AbortController()
    const waiting = failureOf(store.put(object, Buffer.from('x'), own.signal))
    own.abort(new Error('enough'))
    const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 2_000, 'it hangs'))])
    expect(first).toMatchObject({ message: 'enough' })
    others.abort(new Error('enough'))
    await Promise.all(running)
  })

  it('leaves no upload behind whose beginning was under way', async () => {
    const store = new MemoryStore()
    const gate = Promise.withResolvers<void>()
    const begun: PartedUpload[] = []
    const begin = store.begin.bind(store)
    store.begin = async (next, given) => {
      const upload = await begin(next, new AbortController().signal)
      // The store has it, and the answer is on its way.
      await gate.promise
      given.throwIfAborted()
      begun.push(upload)
      return upload
    }
    const upload = new Upload(store, object, 5 * 1024 * 1024)
    upload.add([Buffer.alloc(6 * 1024 * 1024)])
    const left = upload.giveUp(signal, () => undefined)
    gate.resolve()
    await left
    expect(begun).toHaveLength(1)
    expect(store.uploads.size).toBe(0)
  })
})

describe('an error of the connection', () => {
  const call = { action: 'write', target: 's3://b/x', bucket: 'b', region: 'r', endpoint: 'https://s3.test:9000' }
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', /NODE_EXTRA_CA_CERTS/],
    ['CERT_HAS_EXPIRED', 'certificate has expired', /certificate/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname/IP does not match', /store\.url/],
    ['EPROTO', 'wrong version number', /store\.url/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', /store\.url/],
  ])('%s says object, endpoint and remedy', (code, message, remedy) => {
    const error = toStoreError(Object.assign(new Error(message), { code }), call) as Error
    expect(nextOf(error)).toBe('fail')
    expect(error.message).toMatch(/^cannot write s3:\/\/b\/x: https:\/\/s3\.test:9000/)
    expect(error.message).toContain(message)
    expect(error.message).toMatch(remedy)
  })
})

describe('a time', () => {
  const settings = { kind: 'hourly', fields: [], durationMs: 1, pathFormat: '', locale: '', directoryDelim: '/' } as const
  // Producers that give micro- or nanoseconds as a record's timestamp.
  it.each(['UTC', 'Europe/Berlin'])('beyond all calendars is refused with its record (%s)', (zone) => {
    const partitioner = createPartitioner({ ...settings, zone: new TimeZone(zone) })
    const [record] = sinkRecords('t', [new Map()]) as [SinkRecord]
    for (const timeMs of [1.8e18, -1.8e18, 8.64e15, -8.64e15]) {
      const error = (() => {
        try {
          return partitioner(record, timeMs)
        } catch (thrown) {
          return thrown
        }
      })()
      expect(nextOf(error), String(error)).toBe('judge')
    }
    expect(partitioner(record, -1)).toMatch(/^year=19(69|70)/)
  })
})

describe('a name', () => {
  it('that UTF-8 cannot hold is refused with its record', () => {
    const names = { topicsDir: 'topics', directoryDelim: '/', fileDelim: '+', offsetWidth: 10, extension: 'json' }
    const place = { topic: 't', path: 'f=a\ud800', originalTopic: 't', originalPartition: 0, startOffset: 0 }
    expect(() => objectName(names, place)).toThrow(/surrogate/)
  })
})

describe('a configuration', () => {
  const base = { 's3.bucket.name': 'b', 'format.class': 'json', 'flush.size': '1' }
  it('must not make one name of two: partition 1 at 15 and partition 11 at 5', () => {
    for (const delim of ['', '0', '7-']) expect(() => parseConfig(s3SinkConfig, { ...base, 'file.delim': delim })).toThrow(/file\.delim/)
    for (const delim of ['+', '-', '__']) expect(() => parseConfig(s3SinkConfig, { ...base, 'file.delim': delim })).not.toThrow()
  })

  it('has no secrets in store.url, whose text stands in messages', () => {
    const issues = findIssues(parseConfig(s3SinkConfig, { ...base, 'store.url': 'http://me:topsecret@host:9000' }))
    expect(issues.map(({ key }) => key)).toEqual(['store.url'])
    expect(JSON.stringify(issues)).not.toContain('topsecret')
  })
})

describe('a store that is slow and takes everything', () => {
  it('does not keep a call longer than the limit, and all gets there once', async () => {
    const store = new MemoryStore()
    const put = store.put.bind(store)
    store.put = async (next, body, given) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      await put(next, body, given)
    }
    const values = Array.from({ length: 400 }, (_, number) => new Map([['number', BigInt(number)]]))
    const engine = new Engine(store, { 'flush.size': '1' }, sinkRecords('t', values))
    let longestMs = 0
    for (let turn = 0; turn < 50 && !engine.isDone; turn++) {
      const startMs = performance.now()
      await engine.turn(400)
      longestMs = Math.max(longestMs, performance.now() - startMs)
    }
    expect(engine.isDone).toBe(true)
    // 400 objects, 16 at once, take 750 ms; a call may wait for 200.
    expect(longestMs).toBeLessThan(600)
    expect(store.made).toHaveLength(400)
    expect(store.lines()).toHaveLength(400)
  })
})
