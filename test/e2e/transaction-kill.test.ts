/**
 * @module test/e2e/transaction-kill — kill −9 at random moments while transactional producers work: a transaction that was acknowledged as
 * committed is there whole, exactly once, one that was aborted is not there at all, one of which nobody heard is there whole or not at all;
 * and none is left hanging (design §4).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAdmin, createConsumer, createTransactionalProducer } from '../../hub/client/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'

const killCount = process.env['MILLRACE_LONG'] === undefined ? 4 : 50
const producerCount = 4
const topics = ['debits', 'credits']
const partitionCount = 3
const partitions = topics.flatMap((topic) => Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })))
const overrides = {
  'log.segment.bytes': '1048576',
  'transaction.state.log.num.partitions': '5',
  'transaction.state.log.segment.bytes': '1048576',
}

let folder: string
let hub: HubProcess

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-transaction-kill-'))
  hub = await startHubProcess({ directory: join(folder, 'data'), overrides })
})

afterAll(async () => {
  await hub.end('SIGTERM')
  await rm(folder, { recursive: true, force: true })
})

/** What the producer was told of a transaction. */
type Fate = 'committed' | 'aborted' | 'unknown'

/** Transactions of one record in each partition, one after another; every fourth is aborted. */
async function work(bootstrapServers: string, name: string, fates: Map<string, Fate>, stop: AbortSignal): Promise<void> {
  for (let incarnation = 0; !stop.aborted; incarnation++) {
    const producer = createTransactionalProducer({
      bootstrapServers,
      transactionalId: name,
      lingerMs: 0,
      requestTimeoutMs: 5_000,
      transactionTimeoutMs: 30_000,
    })
    try {
      await producer.initTransactions()
      for (let number = 0; !stop.aborted; number++) {
        const transaction = `${name}.${incarnation}.${number}`
        fates.set(transaction, 'unknown')
        producer.beginTransaction()
        const sent = Promise.allSettled(partitions.map((at) => producer.send({ ...at, value: transaction })))
        if (number % 4 === 3) {
          await sent
          await producer.abortTransaction()
          fates.set(transaction, 'aborted')
        } else {
          await producer.commitTransaction()
          fates.set(transaction, 'committed')
        }
        await sent
      }
    } catch {
      // Another incarnation finds out what became of it: initTransactions ends what is open.
    } finally {
      await producer.close().catch(() => undefined)
    }
  }
}

/** How often each transaction is found in each partition by a reader of committed records. */
async function readCommitted(bootstrapServers: string): Promise<Map<string, number[]>> {
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'none', isolation: 'read_committed' })
  consumer.assign(partitions)
  consumer.seekToBeginning()
  const ends = new Map((await consumer.endOffsets(partitions)).map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
  const counts = new Map<string, number[]>()
  const isAtEnd = async (): Promise<boolean> => {
    const positions = await Promise.all(partitions.map(async (at) => ({ at, position: await consumer.position(at) })))
    return positions.every(({ at, position }) => position >= (ends.get(`${at.topic}-${at.partition}`) ?? 0))
  }
  while (!(await isAtEnd())) {
    for (const { topic, partition, value } of await consumer.poll(1000)) {
      const transaction = String(value)
      const found = counts.get(transaction) ?? partitions.map(() => 0)
      const at = partitions.findIndex((candidate) => candidate.topic === topic && candidate.partition === partition)
      found[at] = (found[at] ?? 0) + 1
      counts.set(transaction, found)
    }
  }
  await consumer.close()
  return counts
}

it(`keeps transactions whole over ${killCount} kills`, { timeout: 30 * 60_000 }, async () => {
  const { bootstrap } = hub
  const port = Number(bootstrap.split(':')[1])
  const admin = createAdmin({ bootstrapServers: bootstrap })
  const created = await admin.createTopics(topics.map((name) => ({ name, partitionCount })))
  expect(created.map(({ error }) => error ?? null)).toEqual([null, null])
  const fates = new Map<string, Fate>()
  const stop = new AbortController()
  const working = Array.from({ length: producerCount }, (_, at) => work(bootstrap, `teller-${at}`, fates, stop.signal))
  for (let kill = 0; kill < killCount; kill++) {
    await sleep(100 + Math.random() * 700)
    await hub.end('SIGKILL')
    hub = await startHubProcess({ directory: join(folder, 'data'), port, overrides })
  }
  await sleep(500)
  stop.abort()
  await Promise.all(working)
  // Whatever an incarnation left open is ended by the next one with its id.
  for (let at = 0; at < producerCount; at++) {
    const producer = createTransactionalProducer({ bootstrapServers: bootstrap, transactionalId: `teller-${at}` })
    await producer.initTransactions()
    await producer.close()
  }
  const written = await admin.listOffsets(partitions.map((at) => ({ ...at, at: 'latest' as const })))
  const stable = await admin.listOffsets(
    partitions.map((at) => ({ ...at, at: 'latest' as const })),
    { isolation: 'read_committed' },
  )
  expect(stable.map(({ offset }) => offset)).toEqual(written.map(({ offset }) => offset))
  const counts = await readCommitted(bootstrap)
  const whole = partitions.map(() => 1)
  const breaches: string[] = []
  for (const [transaction, fate] of fates) {
    const found = counts.get(transaction)
    const isWhole = JSON.stringify(found) === JSON.stringify(whole)
    if (fate === 'committed' ? !isWhole : found !== undefined && (fate === 'aborted' || !isWhole)) {
      breaches.push(`${transaction}: ${fate}, found ${JSON.stringify(found)}`)
    }
  }
  expect(breaches).toEqual([])
  expect([...counts.keys()].filter((transaction) => !fates.has(transaction))).toEqual([])
  expect([...fates.values()].filter((fate) => fate === 'committed').length).toBeGreaterThan(killCount)
  await admin.close()
})
