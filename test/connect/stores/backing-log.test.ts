import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BackingLog, openBackingLog, StoreClosedError } from '../../../hub/connect/stores/backing-log.ts'
import type { ReadRecord, StoredRecord } from '../../../hub/connect/stores/stored-record.ts'
import { createProducer } from '../../../hub/client/index.ts'
import type { StorageTopic } from '../../../hub/config/index.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { type StoreSetup, storeSetup, withAdmin } from './store-setup.ts'

let hub: TestHub
beforeAll(async () => {
  hub = await startHub()
})
afterAll(() => hub.close())

const topicOf = (name: string, over: Partial<StorageTopic> = {}): StorageTopic => ({
  key: 'offset.storage.topic',
  name,
  partitionCount: 3,
  replicationFactor: 3,
  isReplicationFactorSet: false,
  configs: {},
  ...over,
})

const text = (key: string, value: string | null): StoredRecord => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
})

interface Opened {
  readonly log: BackingLog
  readonly seen: string[]
  readonly setup: StoreSetup
}

async function opened(topic: StorageTopic): Promise<Opened> {
  const setup = storeSetup(hub.bootstrap)
  const seen: string[] = []
  const onRecord = ({ key, value }: ReadRecord): void => void seen.push(`${key?.toString()}=${value?.toString() ?? ''}`)
  return { log: await openBackingLog({ ...setup, topic, onRecord }), seen, setup }
}

describe('a storage topic', () => {
  it('is created compacted, with its partitions and settings, its default factor capped at the brokers there are', async () => {
    const { log } = await opened(topicOf('made', { configs: { 'min.insync.replicas': '1', 'cleanup.policy': 'delete' } }))
    await withAdmin(hub.bootstrap, async (admin) => {
      const [topic] = await admin.describeTopics(['made'])
      expect(topic?.partitions.map(({ replicas }) => replicas.length)).toEqual([1, 1, 1])
      const [configs] = await admin.describeConfigs([{ type: 'topic', name: 'made', names: ['cleanup.policy', 'min.insync.replicas'] }])
      expect(configs?.entries.map(({ name, value }) => `${name}=${value}`).sort()).toEqual([
        'cleanup.policy=compact',
        'min.insync.replicas=1',
      ])
    })
    await log.close()
  })

  it.each(['delete', 'compact,delete'])('with cleanup.policy %s is refused', async (policy) => {
    const name = `policy-${policy.length}`
    await withAdmin(hub.bootstrap, (admin) => admin.createTopics([{ name, partitionCount: 3, configs: { 'cleanup.policy': policy } }]))
    await expect(opened(topicOf(name))).rejects.toThrow(
      `offset.storage.topic=${name}: its cleanup.policy is ${policy}, which deletes what the worker keeps there; set its cleanup.policy to compact, or name another topic`,
    )
  })

  it('for configurations with more than one partition is refused', async () => {
    const compact = { 'cleanup.policy': 'compact' }
    await withAdmin(hub.bootstrap, (admin) => admin.createTopics([{ name: 'wide', partitionCount: 2, configs: compact }]))
    const refused = opened(topicOf('wide', { key: 'config.storage.topic', partitionCount: 1 }))
    await expect(refused).rejects.toThrow('config.storage.topic=wide: has 2 partitions')
  })

  it('that needs more brokers than there are is refused when the factor was set', async () => {
    const refused = opened(topicOf('many', { isReplicationFactorSet: true, replicationFactor: 3 }))
    await expect(refused).rejects.toThrow(
      /^offset\.storage\.topic=many: cannot be created: .*; set offset\.storage\.replication\.factor to/,
    )
  })

  it('of a name that is none is refused', async () => {
    await expect(opened(topicOf('no such name'))).rejects.toThrow('offset.storage.topic=no such name: cannot be')
  })
})

describe('reading', () => {
  it('shows what was put before the put resolves, in order per key', async () => {
    const { log, seen } = await opened(topicOf('order'))
    for (let round = 0; round < 20; round++) {
      await log.put([text('a', `${round}`), text('b', `${round}`)])
      expect(seen.filter((line) => line.startsWith('a=')).at(-1)).toBe(`a=${round}`)
    }
    await log.put([text('a', null)])
    expect(seen.filter((line) => line.startsWith('a='))).toEqual([...Array.from({ length: 20 }, (_, round) => `a=${round}`), 'a='])
    await log.close()
  })

  it('to the end sees what others had written when it was called, however many ask at once', async () => {
    const { log, seen } = await opened(topicOf('shared'))
    const producer = createProducer({ bootstrapServers: hub.bootstrap })
    for (let round = 1; round <= 10; round++) {
      const records = Array.from({ length: 100 }, (_, index) => ({ topic: 'shared', key: `k${index}`, value: `${round}` }))
      await producer.sendBatch(records)
      await Promise.all(Array.from({ length: 50 }, () => log.readToEnd()))
      expect(seen.length).toBe(100 * round)
    }
    await producer.close()
    await log.close()
  })

  it('at the start comes to the end of what is there', async () => {
    const first = await opened(topicOf('again'))
    await first.log.put(Array.from({ length: 5_000 }, (_, index) => text(`k${index % 100}`, `${index}`)))
    await first.log.close()
    const second = await opened(topicOf('again'))
    expect(second.seen.length).toBe(5_000)
    await second.log.close()
  })
})

describe('a log whose records are gone', () => {
  it('is read to its end all the same', async () => {
    const first = await opened(topicOf('emptied'))
    await first.log.put(Array.from({ length: 30 }, (_, index) => text(`k${index}`, 'x')))
    const partitions = [0, 1, 2].map((partition) => ({ topic: 'emptied', partition, beforeOffset: -1 }))
    await withAdmin(hub.bootstrap, async (admin) => {
      // Records of a compacted topic cannot be deleted.
      const policy = (value: string) =>
        admin.incrementalAlterConfigs([{ type: 'topic', name: 'emptied', changes: [{ name: 'cleanup.policy', operation: 'set', value }] }])
      await policy('delete')
      for (const { error } of await admin.deleteRecords(partitions)) expect(error).toBeNull()
      await policy('compact')
    })
    const { log, seen } = await opened(topicOf('emptied'))
    expect(seen).toEqual([])
    expect([0, 1, 2].reduce((sum, partition) => sum + log.position(partition), 0)).toBe(30)
    await log.put([text('new', 'y')])
    expect(seen).toEqual(['new=y'])
    await Promise.all([first.log.close(), log.close()])
  })
})

describe('an end', () => {
  it('rejects whoever waits or comes later, and may come twice', async () => {
    const { log } = await opened(topicOf('ended'))
    const waiting = [log.readToEnd(), log.put([text('a', 'b')])].map((promise) => promise.then(String, (error: Error) => error.name))
    await log.close()
    await log.close()
    // What was under way may still have come through.
    for (const outcome of await Promise.all(waiting)) expect(['StoreClosedError', 'undefined']).toContain(outcome)
    await expect(log.readToEnd()).rejects.toBeInstanceOf(StoreClosedError)
    await expect(log.put([text('a', 'b')])).rejects.toBeInstanceOf(StoreClosedError)
  })

  it('of one reader leaves the others alone', async () => {
    const { log } = await opened(topicOf('signals'))
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    await expect(log.readToEnd(stop.signal)).rejects.toThrow('enough')
    await expect(log.readToEnd()).resolves.toBeUndefined()
    await log.close()
  })

  it('of the opening ends the waiting for brokers that are not there', async () => {
    const stop = new AbortController()
    const setup = storeSetup('127.0.0.1:1')
    const opening = openBackingLog({ ...setup, topic: topicOf('never'), onRecord: () => {}, signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
  })
})

it('says so when its topic is deleted and made anew while it is open', async () => {
  const { log } = await opened(topicOf('remade', { partitionCount: 1 }))
  await log.put([text('a', '1'), text('b', '1'), text('c', '1'), text('d', '1')])
  await withAdmin(hub.bootstrap, (admin) => admin.deleteTopics(['remade']))
  await expect(log.put([text('a', '2')])).rejects.toThrow('was deleted and made anew while the worker runs')
  await log.close()
})
