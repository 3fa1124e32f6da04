/** Producer and consumer over a broker that goes away and comes back on the same address. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createAdmin, createConsumer, createProducer, createTransactionalProducer } from '../../hub/client/index.ts'
import { startHub } from '../../hub/testing.ts'
import { ApiVersions, EndTxn } from '../../hub/wire/index.ts'

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)

describe('a restart of the broker', () => {
  it('costs neither producer nor group consumer a record, a double or the order', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-client-'))
    let hub = await startHub({ directory })
    const { bootstrap } = hub
    const admin = createAdmin({ bootstrapServers: bootstrap })
    const producer = createProducer({ bootstrapServers: bootstrap, batchSizeBytes: 100, lingerMs: 0 })
    const consumer = createConsumer({
      bootstrapServers: bootstrap,
      groupId: 'readers',
      offsetReset: 'earliest',
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 10_000,
    })
    try {
      await admin.createTopics([{ name: 'orders', partitionCount: 1, replicationFactor: 1 }])
      consumer.subscribe(['orders'])
      const sent: ReturnType<typeof producer.send>[] = []
      const read: string[] = []
      const readUpTo = async (count: number): Promise<void> => {
        // After a restart a member may get records again that it had not committed.
        while (read.length < count) {
          for (const { offset, value } of await consumer.poll(1_000)) if (offset === read.length) read.push(String(value))
        }
      }
      for (let round = 0; round < 3; round++) {
        for (let count = 0; count < 1_000; count++) sent.push(producer.send({ topic: 'orders', value: `${sent.length}` }))
        await readUpTo(sent.length - 900)
        // Hundreds of records are on their way or in line.
        await hub.close()
        hub = await startHub({ directory, overrides: { listeners: `PLAINTEXT://${bootstrap}` } })
      }
      const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
      expect(offsets).toEqual([...offsets.keys()])
      await readUpTo(3_000)
      expect(read).toEqual(numbers(3_000))
      expect((await admin.listOffsets([{ topic: 'orders', partition: 0, at: 'latest' }]))[0]?.offset).toBe(3_000)
    } finally {
      await Promise.all([producer.close(), consumer.close(), admin.close()])
      await hub.close()
      await rm(directory, { recursive: true, force: true })
    }
  }, 120_000)
})

describe('a restart of the broker in the middle of transactions', () => {
  it('leaves each whole: what was committed is read once, what was not is never read', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-client-'))
    let hub = await startHub({ directory })
    const { bootstrap } = hub
    const admin = createAdmin({ bootstrapServers: bootstrap })
    const producer = createTransactionalProducer({
      bootstrapServers: bootstrap,
      transactionalId: 'restarts',
      batchSizeBytes: 100,
      lingerMs: 0,
    })
    const consumer = createConsumer({
      bootstrapServers: bootstrap,
      offsetReset: 'earliest',
      isolation: 'read_committed',
      fetchWaitMsMax: 50,
    })
    const restart = async (): Promise<void> => {
      await hub.close()
      hub = await startHub({ directory, overrides: { listeners: `PLAINTEXT://${bootstrap}` } })
    }
    try {
      const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
      const { apiKeys } = await admin.request('any', ApiVersions, client)
      if (!apiKeys.some(({ apiKey }) => apiKey === EndTxn.key)) context.skip('the broker does not offer transactions')
      await admin.createTopics([{ name: 'orders', partitionCount: 2, replicationFactor: 1 }])
      await producer.initTransactions()
      const expected: string[][] = [[], []]
      for (let round = 0; round < 12; round++) {
        producer.beginTransaction()
        const commits = round % 3 !== 2
        const sent = Array.from({ length: 40 }, (_, index) => {
          const partition = index % 2
          if (commits) expected[partition]?.push(`${round} ${index}`)
          return producer.send({ topic: 'orders', partition, value: `${round} ${index}` })
        })
        // While records are on their way, while the end is, or between two transactions.
        const ending = round % 4 === 1 ? [restart()] : []
        if (round % 4 === 3) await Promise.all(sent)
        const end = commits
          ? Promise.all([...sent, producer.commitTransaction()])
          : Promise.all([Promise.allSettled(sent), producer.abortTransaction()])
        if (round % 4 === 3) ending.push(restart())
        await Promise.all([end, ...ending])
      }
      await restart()
      const partitions = [0, 1].map((partition) => ({ topic: 'orders', partition }))
      consumer.assign(partitions)
      const read: string[][] = [[], []]
      for (const end of await consumer.endOffsets(partitions)) {
        while ((await consumer.position(end)) < end.offset) {
          for (const { partition, value } of await consumer.poll(100)) read[partition]?.push(String(value))
        }
      }
      expect(read).toEqual(expected)
    } finally {
      await Promise.all([producer.close(), consumer.close(), admin.close()])
      await hub.close()
      await rm(directory, { recursive: true, force: true })
    }
  }, 120_000)
})
