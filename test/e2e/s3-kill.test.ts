/**
 * @module test/e2e/s3-kill — a hub with S3 sinks is killed (−9) at random moments while records are produced; in the end the objects in the bucket,
 * read by readers that share no code with the sink, hold every record of the topic once. Two sinks end their objects by what the records say
 * (directories by a field; Parquet), one by the wall clock.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Admin, createAdmin, createConsumer, createProducer } from '../../hub/client/index.ts'
import { type Bucket, makeBucket, type StoreAddress, startStore } from '../connectors/s3/bucket.ts'
import { openParquetReader, type ParquetReader } from '../connectors/s3/formats/parquet-reader.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { service } from '../services.ts'

const isLong = process.env['MILLRACE_LONG'] !== undefined
const killCount = isLong ? 20 : 3
const partitionCount = 3
/** Records of a partition in an object of the sinks that count. */
const FLUSH_SIZE = 40
const topic = 'orders'
const sinks = ['by-field', 'by-clock', 'in-columns']
const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))

let folder: string
let hub: HubProcess
let store: StoreAddress & AsyncDisposable
let bucket: Bucket
let reader: ParquetReader

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-s3-kill-'))
  store = await openStore()
  bucket = await makeBucket(store)
  reader = await openParquetReader()
  hub = await startHub(0)
})

afterAll(async () => {
  await hub?.end('SIGTERM')
  await reader?.close()
  await bucket?.[Symbol.asyncDispose]()
  await store?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The strict server in the long run, where it can be started. */
async function openStore(): Promise<StoreAddress & AsyncDisposable> {
  const strict = isLong ? await service('versitygw') : undefined
  if (strict?.value === undefined) {
    if (strict !== undefined) console.log(`versitygw is not there, fauxqs takes its place: ${strict.reason}`)
    return startStore()
  }
  const { value } = strict
  return { endpoint: value.url, accessKeyId: 'hubhub', secretAccessKey: 'hubhubhub', [Symbol.asyncDispose]: () => value.stop() }
}

function startHub(port: number): Promise<HubProcess> {
  // Members that a kill took along are waited for no longer than must be.
  const overrides = { 'connect.offset.flush.interval.ms': '300', 'connect.consumer.session.timeout.ms': '6000' }
  return startHubProcess({ directory: join(folder, 'data'), port, connect: true, overrides })
}

async function post(name: string, more: Readonly<Record<string, string>>): Promise<void> {
  const config = {
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    topics: topic,
    'tasks.max': '2',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    ...bucket.config({ 'topics.dir': name, 'flush.size': String(FLUSH_SIZE), ...more }),
  }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${hub.connectUrl}/connectors`, { method: 'POST', headers, body: JSON.stringify({ name, config }) })
  expect(answer.status, await answer.text()).toBe(201)
}

const schema = {
  type: 'struct',
  fields: [
    { field: 'number', type: 'int64' },
    { field: 'region', type: 'string' },
    { field: 'note', type: 'string', optional: true },
  ],
}

/** A record's value: its number stands in no other. */
function recordValue(number: number): string {
  const payload = {
    number,
    region: ['north', 'east', 'south', 'west'][number % 4],
    note: number % 3 === 0 ? null : '·'.repeat(number % 50),
  }
  return JSON.stringify({ schema, payload })
}

/** Sends numbered records over all kills until told to stop, then fills each partition up to a whole number of objects. */
async function load(bootstrapServers: string, stop: AbortSignal): Promise<void> {
  const producer = createProducer({ bootstrapServers, lingerMs: 2, requestTimeoutMs: 5_000, deliveryTimeoutMs: 120_000 })
  const pending: Promise<unknown>[] = []
  let number = 0
  const send = (partition: number): void => void pending.push(producer.send({ topic, partition, value: recordValue(number++) }))
  while (!stop.aborted) {
    await producer.ready()
    for (let index = 0; index < 6; index++) send(number % partitionCount)
    await sleep(15)
  }
  await Promise.all(pending)
  const admin = createAdmin({ bootstrapServers })
  const ends = await admin.listOffsets(partitions.map((partition) => ({ ...partition, at: 'latest' as const })))
  await admin.close()
  for (const { partition, offset } of ends) for (let end = offset; end % FLUSH_SIZE !== 0; end++) send(partition)
  await Promise.all(pending)
  await producer.close()
}

/** Numbers of all records of the topic. */
async function readTopic(bootstrapServers: string): Promise<number[]> {
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'none' })
  consumer.assign(partitions)
  consumer.seekToBeginning()
  const ends = await consumer.endOffsets(partitions)
  const wantedCount = ends.reduce((sum, { offset }) => sum + offset, 0)
  const numbers: number[] = []
  while (numbers.length < wantedCount) {
    for (const { value } of await consumer.poll(1000)) {
      numbers.push((JSON.parse(String(value)) as { payload: { number: number } }).payload.number)
    }
  }
  await consumer.close()
  return numbers.sort((a, b) => a - b)
}

async function readLines(directory: string): Promise<number[]> {
  const lines = await bucket.lines(`${directory}/`)
  return lines.map((line) => (JSON.parse(line) as { number: number }).number).sort((a, b) => a - b)
}

async function readParquet(directory: string): Promise<number[]> {
  const numbers: number[] = []
  for (const name of await bucket.names(`${directory}/`)) {
    const rows = await reader.query(await bucket.bytes(name), 'select number from read_parquet($object)')
    numbers.push(...rows.map((row) => Number(row['number'])))
  }
  return numbers.sort((a, b) => a - b)
}

/** The sum of the offsets that a sink's group has committed. */
async function committedCount(admin: Admin, name: string): Promise<number> {
  const offsets = await admin.fetchOffsets(`connect-${name}`, partitions)
  return offsets.reduce((sum, { offset }) => sum + Math.max(0, offset), 0)
}

/** Resolves when a sink has committed `wantedCount` records; rejects when it comes no further for a minute. */
async function reached(admin: Admin, name: string, wantedCount: number): Promise<void> {
  let latest = -1
  for (let endMs = performance.now() + 60_000; performance.now() < endMs; await sleep(50)) {
    const count = await committedCount(admin, name)
    if (count >= wantedCount) return
    if (count > latest) endMs = performance.now() + 60_000
    latest = count
  }
  throw new Error(`${name} stands at ${latest} of ${wantedCount} records: ${await statuses()}`)
}

async function statuses(): Promise<string> {
  return `${await (await fetch(`${hub.connectUrl}/connectors?expand=status`)).text()}\n${hub.stderr().slice(-4_000)}`
}

/** What a bucket lacks and what it has twice; all of it would be too much to show. */
function faultsOf(numbers: readonly number[], wanted: readonly number[]): { lost: number[]; doubled: number[] } {
  const there = new Set(numbers)
  const lost = wanted.filter((number) => !there.has(number))
  const doubled = numbers.filter((number, at) => number === numbers[at - 1])
  return { lost: lost.slice(0, 10), doubled: doubled.slice(0, 10) }
}

it(`writes every record once over ${killCount} kills`, { timeout: 15 * 60_000 }, async () => {
  const { bootstrap } = hub
  const port = Number(bootstrap.split(':')[1])
  const admin = createAdmin({ bootstrapServers: bootstrap })
  const [created] = await admin.createTopics([{ name: topic, partitionCount }])
  expect(created?.error ?? null).toBeNull()
  await post('by-field', { 'partitioner.class': 'field', 'partition.field.name': 'region', 's3.compression.type': 'gzip' })
  await post('by-clock', { 'flush.size': '1000000', 'rotate.schedule.interval.ms': '250' })
  await post('in-columns', { 'format.class': 'io.confluent.connect.s3.format.parquet.ParquetFormat' })
  const stop = new AbortController()
  const loading = load(bootstrap, stop.signal)
  for (let kill = 0; kill < killCount; kill++) {
    // All three are at work again, and the kill comes somewhere between two objects or in the middle of one.
    await Promise.all(sinks.map(async (name) => reached(admin, name, 1 + (await committedCount(admin, name)))))
    await sleep(Math.random() * 600)
    await hub.end('SIGKILL')
    hub = await startHub(port)
  }
  await sleep(500)
  stop.abort()
  await loading
  const wanted = await readTopic(bootstrap)
  expect(wanted.length).toBeGreaterThan(killCount * FLUSH_SIZE * partitionCount)
  await Promise.all(sinks.map((name) => reached(admin, name, wanted.length)))
  await admin.close()
  const faults = {
    'by-field': faultsOf(await readLines('by-field'), wanted),
    'by-clock': faultsOf(await readLines('by-clock'), wanted),
    'in-columns': faultsOf(await readParquet('in-columns'), wanted),
  }
  const none = { lost: [], doubled: [] }
  expect(faults).toEqual({ 'by-field': none, 'by-clock': none, 'in-columns': none })
  const names = await bucket.names('by-field/')
  expect(names[0]).toMatch(/^by-field\/orders\/region=east\/orders\+0\+\d{10}\.json\.gz$/)
  expect((await bucket.names('by-clock/')).length).toBeGreaterThan(killCount)
})
