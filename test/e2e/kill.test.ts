/**
 * @module test/e2e/kill — kill −9 at random moments under load: no acknowledged record is lost, none of an idempotent producer is there twice, the order of a
 * partition holds, and no offset that a consumer or an acknowledgement has named goes back or changes its record (design §4).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../hub/client/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'

const killCount = process.env['MILLRACE_LONG'] === undefined ? 4 : 50
const partitionCount = 6
const topic = 'kills'
const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))

let folder: string
let hub: HubProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
  // Small segments: kills also hit rolls, index files and producer snapshots.
  hub = await startHubProcess({ directory: join(folder, 'data'), overrides: { 'log.segment.bytes': '1048576' } })
})

afterAll(async () => {
  await hub.end('SIGTERM')
  await rm(folder, { recursive: true, force: true })
})

/** What has been seen at each offset of a partition: an offset must hold the same record for ever. */
class Seen {
  readonly #values: string[][] = partitions.map(() => [])
  readonly breaches: string[] = []

  note(partition: number, offset: number, value: string, who: string): void {
    const before = this.#values[partition]?.[offset]
    if (before === undefined) (this.#values[partition] ??= [])[offset] = value
    else if (before !== value) this.breaches.push(`${who}: offset ${offset} of ${partition} held ${before} and now ${value}`)
  }

  /** Offsets seen but the last of each partition. */
  endOffsets(): number[] {
    return this.#values.map((values) => values.length)
  }
}

/** Sends numbered records, each partition in rising order, until told to stop; notes where each was acknowledged. */
async function load(
  bootstrapServers: string,
  seen: Seen,
  stop: AbortSignal,
): Promise<{ acknowledged: Map<number, string>; sentCount: number }> {
  const producer = createProducer({ bootstrapServers, lingerMs: 2, requestTimeoutMs: 5_000, deliveryTimeoutMs: 120_000 })
  const acknowledged = new Map<number, string>()
  const failures: unknown[] = []
  let sentCount = 0
  const pending = new Set<Promise<void>>()
  while (!stop.aborted) {
    await producer.ready()
    for (let index = 0; index < 20; index++) {
      const number = sentCount++
      const partition = number % partitionCount
      const value = `${number} ${'·'.repeat(number % 97)}`
      const delivery = producer
        .send({ topic, partition, key: `k${number % 1000}`, value })
        .then(({ offset }) => {
          acknowledged.set(number, `${partition}:${offset}`)
          // The broker need not remember where a repeated batch stands: then only the reader can tell.
          if (offset >= 0) seen.note(partition, offset, value, 'acknowledgement')
        })
        .catch((error: unknown) => void failures.push(error))
        .finally(() => pending.delete(delivery))
      pending.add(delivery)
    }
    await sleep(1)
  }
  await producer.close()
  await Promise.all(pending)
  expect(failures).toEqual([])
  return { acknowledged, sentCount }
}

/** Reads along from the beginning, over all kills, until told to stop. */
async function readAlong(bootstrapServers: string, seen: Seen, stop: AbortSignal): Promise<void> {
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'none', fetchWaitMsMax: 50, requestTimeoutMs: 5_000 })
  consumer.assign(partitions)
  consumer.seekToBeginning()
  const nextOffsets = partitions.map(() => 0)
  while (!stop.aborted) {
    for (const { partition, offset, value } of await consumer.poll(100)) {
      if (offset !== nextOffsets[partition]) seen.breaches.push(`reader: ${partition} went from ${nextOffsets[partition]} to ${offset}`)
      nextOffsets[partition] = offset + 1
      seen.note(partition, offset, String(value), 'reader')
    }
  }
  await consumer.close()
}

/** Every record of the topic from its beginning to the end that stands now. */
async function readAll(bootstrapServers: string): Promise<{ partition: number; offset: number; value: string }[]> {
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'none' })
  consumer.assign(partitions)
  consumer.seekToBeginning()
  const ends = await consumer.endOffsets(partitions)
  const wantedCount = ends.reduce((sum, { offset }) => sum + offset, 0)
  const records: { partition: number; offset: number; value: string }[] = []
  while (records.length < wantedCount) {
    for (const { partition, offset, value } of await consumer.poll(1000)) records.push({ partition, offset, value: String(value) })
  }
  await consumer.close()
  return records
}

it(`loses, doubles and reorders nothing over ${killCount} kills`, { timeout: 30 * 60_000 }, async () => {
  const { bootstrap } = hub
  const port = Number(bootstrap.split(':')[1])
  const admin = createAdmin({ bootstrapServers: bootstrap })
  const [created] = await admin.createTopics([{ name: topic, partitionCount }])
  expect(created?.error ?? null).toBeNull()
  const seen = new Seen()
  const stopLoad = new AbortController()
  const stopReader = new AbortController()
  const loading = load(bootstrap, seen, stopLoad.signal)
  const reading = readAlong(bootstrap, seen, stopReader.signal)
  for (let kill = 0; kill < killCount; kill++) {
    await sleep(30 + Math.random() * 700)
    await hub.end('SIGKILL')
    const endsBefore = seen.endOffsets()
    hub = await startHubProcess({ directory: join(folder, 'data'), port, overrides: { 'log.segment.bytes': '1048576' } })
    const ends = await admin.listOffsets(partitions.map((partition) => ({ ...partition, at: 'latest' as const })))
    for (const { partition, offset } of ends)
      expect(offset, `end of partition ${partition} after kill ${kill}`).toBeGreaterThanOrEqual(endsBefore[partition] ?? 0)
  }
  await sleep(200)
  stopLoad.abort()
  const { acknowledged, sentCount } = await loading
  stopReader.abort()
  await reading
  await admin.close()
  const records = await readAll(bootstrap)
  const places = new Map<number, string>()
  const doubled: number[] = []
  const reordered: string[] = []
  const lastNumbers = partitions.map(() => -1)
  for (const { partition, offset, value } of records) {
    seen.note(partition, offset, value, 'final read')
    const number = Number.parseInt(value, 10)
    if (places.has(number)) doubled.push(number)
    places.set(number, `${partition}:${offset}`)
    if (number <= (lastNumbers[partition] ?? -1)) reordered.push(`${partition}:${offset}`)
    lastNumbers[partition] = number
  }
  const lost = [...acknowledged].filter(([number, place]) => places.get(number) !== place && !(place.endsWith(':-1') && places.has(number)))
  expect({ lost, doubled, reordered, breaches: seen.breaches }).toEqual({ lost: [], doubled: [], reordered: [], breaches: [] })
  expect(acknowledged.size).toBe(sentCount)
  expect(sentCount).toBeGreaterThan(killCount * 100)
})
