/**
 * @module test/e2e/s3-faults — S3 sinks in a hub on a store's bad days: refused connections, cut ones, 503, none that answers. The tasks keep
 * running, go on by themselves, and nothing is lost; what only somebody can help with fails them with a line that says so.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createProducer } from '../../hub/client/index.ts'
import { type Bucket, makeBucket, type StoreAddress, startStore } from '../connectors/s3/bucket.ts'
import { type FaultyProxy, startProxy } from '../connectors/s3/proxy.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'

const topic = 'weather'
const FLUSH_SIZE = 20

let folder: string
let hub: HubProcess
let store: StoreAddress & AsyncDisposable
let bucket: Bucket
let proxy: FaultyProxy

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-s3-faults-'))
  store = await startStore()
  bucket = await makeBucket(store)
  proxy = await startProxy(store.endpoint)
  hub = await startHubProcess({ directory: join(folder, 'data'), connect: true })
})

afterAll(async () => {
  await hub?.end('SIGTERM')
  await proxy?.[Symbol.asyncDispose]()
  await bucket?.[Symbol.asyncDispose]()
  await store?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function post(name: string, more: Readonly<Record<string, string>>): Promise<void> {
  const config = {
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    topics: topic,
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    ...bucket.config({ 'store.url': proxy.endpoint, 'topics.dir': name, 'flush.size': String(FLUSH_SIZE), ...more }),
  }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${hub.connectUrl}/connectors`, { method: 'POST', headers, body: JSON.stringify({ name, config }) })
  expect(answer.status, await answer.text()).toBe(201)
}

interface Status {
  /** Missing as long as nobody has said anything about the connector. */
  readonly tasks?: readonly { readonly state: string; readonly trace?: string }[]
}

async function status(name: string): Promise<Status> {
  return (await (await fetch(`${hub.connectUrl}/connectors/${name}/status`)).json()) as Status
}

async function eventually(check: () => Promise<boolean>, state: () => Promise<string>): Promise<void> {
  const endMs = performance.now() + 40_000
  while (!(await check())) {
    if (performance.now() > endMs) throw new Error(await state())
    await sleep(50)
  }
}

async function send(from: number, count: number): Promise<void> {
  const producer = createProducer({ bootstrapServers: hub.bootstrap })
  await Promise.all(Array.from({ length: count }, (_, at) => producer.send({ topic, partition: 0, value: `day ${from + at}` })))
  await producer.close()
}

const days = (count: number): string[] => Array.from({ length: count }, (_, day) => JSON.stringify(`day ${day}`))

it('goes on by itself after each fault, and loses nothing', { timeout: 120_000 }, async () => {
  await send(0, FLUSH_SIZE)
  await post('patient', {})
  const arrived = (count: number): Promise<void> =>
    eventually(
      async () => (await bucket.lines('patient/')).length >= count,
      async () =>
        `${(await bucket.lines('patient/')).length} of ${count} are there: ${JSON.stringify(await status('patient'))} ${hub.stderr()}`,
    )
  await arrived(FLUSH_SIZE)
  const faults: readonly (readonly [string, () => void])[] = [
    ['cannot be reached', () => proxy.refuse()],
    ['SlowDown', () => proxy.answer(503, 'SlowDown')],
    ['cannot be reached', () => proxy.cut()],
    ['InternalError', () => proxy.answer(500, 'InternalError', ({ method }) => method === 'PUT')],
  ]
  let count = FLUSH_SIZE
  for (const [words, breakIt] of faults) {
    const said = hub.stderr().length
    breakIt()
    await send(count, 2 * FLUSH_SIZE)
    // The reason is told, and the task does not fail for it.
    await eventually(
      async () => hub.stderr().slice(said).includes(words),
      async () => `nobody said "${words}": ${hub.stderr()}`,
    )
    expect((await status('patient')).tasks?.map(({ state }) => state)).toEqual(['RUNNING'])
    proxy.heal()
    count += 2 * FLUSH_SIZE
    await arrived(count)
    expect(await bucket.lines('patient/')).toEqual(days(count))
  }
})

it.each([
  [
    'no-bucket',
    { 's3.bucket.name': 'nowhere' },
    () => proxy.heal(),
    /NoSuchBucket.*create the bucket nowhere, or correct s3\.bucket\.name/,
  ],
  [
    'no-access',
    {},
    () => proxy.answer(403, 'InvalidAccessKeyId'),
    /cannot look into s3:\/\/bucket.*InvalidAccessKeyId.*correct aws\.access\.key\.id/,
  ],
  [
    'no-writing',
    {},
    () => proxy.answer(403, 'AccessDenied', ({ method }) => method === 'PUT'),
    /cannot write s3:\/\/bucket.*no-writing\/weather\/partition=0\/weather\+0\+0000000000\.json: AccessDenied.*s3:PutObject/,
  ],
])('says what somebody must do: %s', { timeout: 60_000 }, async (name, more, breakIt, firstLine) => {
  await send(0, FLUSH_SIZE)
  breakIt()
  await post(name, more)
  await eventually(
    async () => (await status(name)).tasks?.[0]?.state === 'FAILED',
    async () => JSON.stringify(await status(name)),
  )
  expect((await status(name)).tasks?.[0]?.trace?.split('\n')[0]).toMatch(firstLine)
  proxy.heal()
})
