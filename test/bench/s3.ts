/**
 * @module test/bench/s3 — the S3 sink: a topic into an S3 server that is a process of its own, as JSON lines and as Parquet; and the two formats
 * alone, without hub and server. MB = 10⁶ bytes of record values as they stand in the topic.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FormatSettings } from '../../connectors/s3/format.ts'
import { recordFormat } from '../../connectors/s3/formats/index.ts'
import { createAdmin, createProducer } from '../../hub/client/index.ts'
import { Decimal, decimal, int32, int64, type SinkRecord, string, struct, structMaker, timestamp } from '../../sdk/index.ts'
import { type Bucket, makeBucket, type StoreAddress, startStore } from '../connectors/s3/bucket.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { service } from '../services.ts'

const topicBytes = Number(process.env['BENCH_BYTES'] ?? 400_000_000)
const PARTITIONS = 4
/** Objects of each partition; a topic is exactly so many objects. */
const OBJECTS = 4

/** What is written: records of a topic, and a connector that takes them. */
interface Load {
  readonly topic: string
  readonly textOf: (index: number) => string
  readonly config: Readonly<Record<string, string>>
}

/** JSON of about 1 KiB without a schema. */
const documents: Load = {
  topic: 'documents',
  textOf: (index) =>
    JSON.stringify({
      id: index,
      name: `document number ${index}`,
      tags: ['a', 'bb', `t${index % 100}`],
      score: index / 7,
      body: `${index} `.repeat(900 / (String(index).length + 1)),
    }),
  config: { 'format.class': 'json', 'value.converter.schemas.enable': 'false' },
}

const rowSchema =
  '{"type":"struct","optional":false,"fields":[{"type":"int64","optional":false,"field":"id"},{"type":"int32","optional":true,"field":"number"},' +
  '{"type":"string","optional":true,"field":"name"},{"type":"double","optional":true,"field":"score"},{"type":"boolean","optional":true,"field":"flag"},' +
  '{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"at"},{"type":"string","optional":true,"field":"note"}]}'

/** Rows with their schema, about 900 B, of which 200 are the row. */
const rows: Load = {
  topic: 'rows',
  textOf: (index) => {
    const row = {
      id: index,
      number: index % 1000,
      name: `customer number ${index}`,
      score: index / 8,
      flag: index % 2 === 0,
      at: 1_700_000_000_000_000 + index,
      note: 'n'.repeat(90),
    }
    return `{"schema":${rowSchema},"payload":${JSON.stringify(row)}}`
  },
  config: { 'format.class': 'parquet', 'value.converter.schemas.enable': 'true' },
}

/** Prints the figures of the S3 sink. */
export async function benchS3(): Promise<void> {
  benchFormats()
  for (const load of [documents, { ...documents, config: { ...documents.config, 's3.compression.type': 'gzip' } }, rows]) {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-s3-'))
    const store = await openStore()
    const bucket = await makeBucket(store)
    const hub = await startHubProcess({ directory: join(directory, 'hub'), connect: true, built: true })
    try {
      await benchSink(hub, bucket, load)
    } finally {
      await hub.end('SIGTERM')
      await bucket[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** Versity's gateway, which writes files, where it can be started; else the server that npm has, which keeps objects in memory. */
async function openStore(): Promise<StoreAddress & AsyncDisposable> {
  const gateway = await service('versitygw')
  if (gateway.value === undefined) return startStore()
  const { value } = gateway
  return { endpoint: value.url, accessKeyId: 'hubhub', secretAccessKey: 'hubhubhub', [Symbol.asyncDispose]: () => value.stop() }
}

async function benchSink(hub: HubProcess, bucket: Bucket, { topic, textOf, config }: Load): Promise<void> {
  const flushSize = Math.ceil(topicBytes / textOf(1_000_000).length / PARTITIONS / OBJECTS)
  const recordCount = flushSize * PARTITIONS * OBJECTS
  const byteCount = await fill(hub, topic, recordCount, textOf)
  const sink = {
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    'tasks.max': '1',
    topics: topic,
    ...bucket.config({ 'flush.size': String(flushSize), 's3.part.size': '5242880' }),
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    ...config,
  }
  const cpuBefore = cpuSeconds(hub.pid)
  const startMs = performance.now()
  const body = JSON.stringify(sink)
  const answer = await fetch(`${hub.connectUrl}/connectors/${topic}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  const names = await untilObjects(hub, bucket, topic, PARTITIONS * OBJECTS)
  const seconds = (performance.now() - startMs) / 1000
  const cpu = cpuSeconds(hub.pid) - cpuBefore
  const megabytes = byteCount / 1e6
  let objectBytes = 0
  for (const name of names) objectBytes += (await bucket.bytes(name)).length
  console.log(
    `s3 sink, ${config['format.class']} ${config['s3.compression.type'] ?? ''}: ${(megabytes / seconds).toFixed(0)} MB/s · ` +
      `${Math.round(recordCount / seconds).toLocaleString('en')} records/s of ${Math.round(byteCount / recordCount)} B · ${seconds.toFixed(1)} s, ` +
      `start of the connector included · objects of ${(objectBytes / 1e6).toFixed(0)} MB in all · CPU-s of the hub per GB ${((cpu / megabytes) * 1000).toFixed(1)} · ` +
      `peak memory of the hub ${(peakBytes(hub.pid) / 2 ** 20).toFixed(0)} MiB`,
  )
}

/** Fills the topic; resolves with the bytes of its values. */
async function fill(hub: HubProcess, topic: string, recordCount: number, textOf: (index: number) => string): Promise<number> {
  const admin = createAdmin({ bootstrapServers: hub.bootstrap })
  await admin.createTopics([{ name: topic, partitionCount: PARTITIONS }])
  await admin.close()
  const producer = createProducer({ bootstrapServers: hub.bootstrap, lingerMs: 5, batchSizeBytes: 256 * 1024 })
  let byteCount = 0
  let sent: Promise<unknown>[] = []
  for (let index = 0; index < recordCount; index++) {
    const value = textOf(index)
    byteCount += value.length
    sent.push(producer.send({ topic, partition: index % PARTITIONS, value }))
    if (sent.length === 10_000) {
      await Promise.all(sent)
      sent = []
    }
  }
  await Promise.all(sent)
  await producer.close()
  return byteCount
}

/** Resolves with the names of the objects once all are there; fails where a task has failed. */
async function untilObjects(hub: HubProcess, bucket: Bucket, topic: string, count: number): Promise<readonly string[]> {
  const endMs = performance.now() + 120_000
  while (performance.now() < endMs) {
    const names = await bucket.names(`topics/${topic}/`)
    if (names.length >= count) return names
    // A connector that was just made has no status yet.
    const answer = await fetch(`${hub.connectUrl}/connectors/${topic}/status`)
    const status = (await answer.json()) as { tasks?: { state: string; trace?: string }[] }
    const failed = status.tasks?.find(({ state }) => state === 'FAILED')
    if (failed !== undefined) throw new Error(failed.trace)
    await sleep(50)
  }
  throw new Error(`${topic} is not ${count} objects after two minutes`)
}

const ticksPerSecond = Number((await promisify(execFile)('getconf', ['CLK_TCK'])).stdout)

/** User and system time of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024
}

/** The formats alone: rows of 8 columns, taken as a converter gives them, into bytes. */
function benchFormats(): void {
  const schema = struct({
    id: int64(),
    number: int32({ optional: true }),
    name: string({ optional: true }),
    city: string(),
    amount: decimal(2, { parameters: { 'connect.decimal.precision': '12' } }),
    at: timestamp(),
    made: int64({ name: 'io.debezium.time.MicroTimestamp' }),
    note: string(),
  })
  const make = structMaker(schema)
  const records = Array.from({ length: 200_000 }, (_, at): SinkRecord => {
    const value = make([
      BigInt(at * 7919),
      at % 1000,
      at % 9 === 0 ? null : `customer number ${at}`,
      `city ${at % 50}`,
      new Decimal(BigInt(at * 37), 2),
      new Date(1_700_000_000_000 + at),
      BigInt(1_700_000_000_000_000 + at),
      'n'.repeat(90),
    ])
    const place = { topic: 't', partition: 0, offset: at, originalTopic: 't', originalPartition: 0, originalOffset: at }
    return { ...place, keySchema: null, key: null, valueSchema: schema, value, timestampMs: 0, timestampType: 'create', headers: [] }
  })
  for (const format of ['json', 'parquet'] as const) {
    const settings: FormatSettings = { format, compression: 'none', compressionLevel: -1, parquetCodec: 'snappy', decimalFormat: 'base64' }
    // The second round counts: the first is V8's.
    for (const isCounted of [false, true]) {
      const before = process.cpuUsage()
      const writer = recordFormat(settings).open(records[0]!)
      for (const record of records) writer.write(record)
      void writer.finish()
      const { user, system } = process.cpuUsage(before)
      const perRecord = (user + system) / records.length
      if (isCounted)
        console.log(
          `s3 format ${format}: ${perRecord.toFixed(2)} CPU-µs per row of 8 columns, ${Math.round(1e6 / perRecord).toLocaleString('en')} rows a CPU-s`,
        )
    }
  }
}
