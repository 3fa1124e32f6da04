/** @module test/connectors/s3/acceptance — the S3 sink against the contract of the SDK, on a real server. */
import { s3Sink } from '@millrace/connector-s3'
import { type FragilePlace, type SinkDriver, type SinkFault, sinkAcceptance } from '@millrace/sdk/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { makeBucket, type StoreAddress, startStore } from './bucket.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'

let store: StoreAddress & AsyncDisposable

beforeAll(async () => {
  store = await startStore()
})

afterAll(async () => {
  await store[Symbol.asyncDispose]()
})

/** A bucket behind a proxy, which knows the connections that the sink has open. */
async function makePlace(): Promise<FragilePlace & { readonly proxy: FaultyProxy }> {
  const proxy = await startProxy(store.endpoint)
  const bucket = await makeBucket(store)
  return {
    proxy,
    config: bucket.config({ 'store.url': proxy.endpoint }),
    read: async () => (await bucket.lines()).map((line) => JSON.parse(line) as string),
    openCount: () => proxy.openCount(),
    break: () => proxy.refuse(),
    heal: () => proxy.heal(),
    cleanup: async () => {
      await bucket[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

const fault = (name: string, breakIt: (proxy: FaultyProxy) => void): SinkFault => ({
  name,
  setup: async () => {
    const place = await makePlace()
    return { ...place, break: () => breakIt(place.proxy) }
  },
})

const driver: SinkDriver = {
  setup: makePlace,
  // A record is an object of its own here, so that what comes twice replaces itself.
  delivery: 'once',
  faults: [
    fault('connections are refused', (proxy) => proxy.refuse()),
    fault('the store answers 503', (proxy) => proxy.answer(503, 'SlowDown')),
    fault('the store answers 500', (proxy) => proxy.answer(500, 'InternalError')),
    fault('connections are cut in the middle of a request', (proxy) => proxy.cut()),
  ],
}

describe('S3SinkConnector', () => {
  for (const { name, run } of sinkAcceptance(s3Sink, driver)) it(name, run)
})
