import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer, createProducer } from '../../../hub/client/index.ts'
import { openConfigStore } from '../../../hub/connect/stores/config-store.ts'
import type { ConfigChange, ConfigStore } from '../../../hub/connect/stores/types.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { goldenActions } from './golden-topics.ts'
import { type StoreSetup, storeSetup, until } from './store-setup.ts'

let hub: TestHub
beforeAll(async () => {
  hub = await startHub()
})
afterAll(() => hub.close())

let topicCount = 0
const freshTopic = (): Record<string, string> => ({ 'config.storage.topic': `configs-${topicCount++}` })

async function opened(settings: Record<string, string>): Promise<{ store: ConfigStore; changes: string[]; setup: StoreSetup }> {
  const setup = storeSetup(hub.bootstrap, settings)
  const store = await openConfigStore(setup)
  const changes: string[] = []
  store.onChange((change: ConfigChange) => void changes.push(`${change.kind} ${change.name}`))
  return { store, changes, setup }
}

/** Everything that stands in a topic of one partition. */
async function recordsOf(topic: string): Promise<{ key: string; value: string | null }[]> {
  const consumer = createConsumer({ bootstrapServers: hub.bootstrap, offsetReset: 'earliest' })
  consumer.assign([{ topic, partition: 0 }])
  const [end] = await consumer.endOffsets([{ topic, partition: 0 }])
  const records: { key: string; value: string | null }[] = []
  while (records.length < (end?.offset ?? 0)) {
    for (const { key, value } of await consumer.poll(1_000)) records.push({ key: String(key), value: value?.toString() ?? null })
  }
  await consumer.close()
  return records
}

describe('writes', () => {
  it('are the records that Kafka Connect writes for the same actions', async () => {
    const settings = freshTopic()
    const { store } = await opened(settings)
    const golden = goldenActions().flatMap(({ records }) => records.filter(({ topic }) => topic === 'connect-configs'))
    const configs = new Map(
      golden.map(({ key, value }) => [`${key} ${value}`, (JSON.parse(value ?? '{}') as { properties: Record<string, string> }).properties]),
    )
    const config = (key: string, nth: number): Record<string, string> =>
      [...configs].filter(([text]) => text.startsWith(`${key} {`)).map(([, properties]) => properties)[nth] ?? {}
    await store.putConnector('tsrc', config('connector-tsrc', 0), null)
    await store.putTasks('tsrc', [config('task-tsrc-0', 0)])
    await store.putConnector('tsnk', config('connector-tsnk', 0), null)
    await store.putTasks('tsnk', [config('task-tsnk-0', 0), config('task-tsnk-1', 0)])
    await store.putTargetState('tsrc', 'PAUSED')
    await store.putTargetState('tsrc', 'STARTED')
    await store.putRestart('tsrc', { includeTasks: true, onlyFailed: false })
    await store.putConnector('tsrc', config('connector-tsrc', 1), null)
    await store.putTasks('tsrc', [config('task-tsrc-0', 1)])
    await store.putConnector('tsrc', config('connector-tsrc', 1), null)
    await store.putConnector('tsrc', config('connector-tsrc', 2), null)
    await store.putTasks('tsrc', [config('task-tsrc-0', 2)])
    await store.putConnector('tsnk', config('connector-tsnk', 1), null)
    await store.putTasks('tsnk', [config('task-tsnk-0', 1)])
    await store.putTasks('tsrc', [])
    await store.putTargetState('tsrc', 'STOPPED')
    await store.putConnector('tpaused', config('connector-tpaused', 0), 'PAUSED')
    await store.putConnector('tfail', config('connector-tfail', 0), null)
    await store.putTasks('tfail', [config('task-tfail-0', 0)])
    for (const name of ['tsrc', 'tpaused', 'tfail', 'tsnk']) await store.removeConnector(name)
    const expected = golden
      .filter(({ key }) => key !== 'session-key' && !key.startsWith('logger-cluster'))
      .map(({ key, value }) => ({ key, value }))
    expect(await recordsOf(settings['config.storage.topic'] ?? '')).toEqual(expected)
    expect(store.connectors.size).toBe(0)
    expect(store.offset).toBe(expected.length)
    await store.close()
  })

  it('are seen by reads after them, and told as changes', async () => {
    const { store, changes } = await opened(freshTopic())
    await store.putConnector('a', { x: '1' }, 'STOPPED')
    expect(store.connectors.get('a')).toEqual({
      name: 'a',
      config: { x: '1' },
      targetState: 'STOPPED',
      taskConfigs: [],
      isInconsistent: false,
    })
    await store.putTargetState('a', 'STARTED')
    await store.putTasks('a', [{ t: '0' }, { t: '1' }])
    expect(store.connectors.get('a')).toMatchObject({ targetState: 'STARTED', taskConfigs: [{ t: '0' }, { t: '1' }] })
    await store.putRestart('a', { includeTasks: false, onlyFailed: true })
    await store.removeConnector('a')
    expect(store.connectors.has('a')).toBe(false)
    expect(changes).toEqual(['connector a', 'target-state a', 'tasks a', 'restart a', 'removed a'])
    await store.close()
  })

  it('of tasks that come at once do not mix', async () => {
    const { store } = await opened(freshTopic())
    await store.putConnector('a', {}, null)
    await Promise.all(
      Array.from({ length: 30 }, (_, set) => store.putTasks('a', [{ set: `${set}` }, { set: `${set}` }, { set: `${set}` }])),
    )
    expect(store.connectors.get('a')).toMatchObject({ isInconsistent: false, taskConfigs: [{ set: '29' }, { set: '29' }, { set: '29' }] })
    await store.close()
  })

  it('that the topic cannot hold are refused, and those after them are not', async () => {
    const { store } = await opened(freshTopic())
    await expect(store.putConnector('big', { x: 'x'.repeat(2_000_000) }, null)).rejects.toThrow(/large/)
    await store.putConnector('small', {}, null)
    expect([...store.connectors.keys()]).toEqual(['small'])
    await store.close()
  })
})

describe('two stores on one topic', () => {
  it('see what the other writes, and begin with what stands there', async () => {
    const settings = freshTopic()
    const one = await opened(settings)
    await one.store.putConnector('before', { n: '0' }, 'PAUSED')
    await one.store.putTasks('before', [{ t: '0' }])
    const other = await opened(settings)
    expect(other.store.connectors.get('before')).toMatchObject({ targetState: 'PAUSED', taskConfigs: [{ t: '0' }] })
    // Changes are told after the start only.
    expect(other.changes).toEqual([])
    await other.store.putConnector('after', { n: '1' }, null)
    await until(() => one.store.connectors.has('after'))
    await one.store.removeConnector('before')
    await until(() => !other.store.connectors.has('before'))
    expect(other.changes).toEqual(['connector after', 'removed before'])
    await Promise.all([one.store.close(), other.store.close()])
  })
})

describe('what others left in the topic', () => {
  it('is passed over with a warning that says where it stands, or without a word', async () => {
    const settings = freshTopic()
    const topic = settings['config.storage.topic'] ?? ''
    await (await opened(settings)).store.close()
    const producer = createProducer({ bootstrapServers: hub.bootstrap })
    await producer.sendBatch([
      { topic, key: 'session-key', value: '{"key":"x"}' },
      { topic, key: 'connector-a', value: 'garbage' },
      { topic, key: 'logger-cluster-b', value: 'whatever' },
      { topic, key: 'connector-a', value: '{"properties":{"x":"y"}}' },
    ])
    await producer.close()
    const { store, setup } = await opened(settings)
    expect(store.connectors.get('a')?.config).toEqual({ x: 'y' })
    expect(setup.logger.messages('warn')).toEqual([`${topic}-0@1 is passed over: its value has no properties`])
    await store.close()
  })

  it('floods nobody', async () => {
    const settings = freshTopic()
    await (await opened(settings)).store.close()
    const producer = createProducer({ bootstrapServers: hub.bootstrap })
    await producer.sendBatch(
      Array.from({ length: 500 }, () => ({ topic: settings['config.storage.topic'] ?? '', key: 'commit-a', value: 'x' })),
    )
    await producer.close()
    const { store, setup } = await opened(settings)
    const warnings = setup.logger.messages('warn')
    expect(warnings.length).toBe(20)
    expect(warnings.at(-1)).toMatch(/further ones of this topic are passed over silently$/)
    await store.close()
  })
})

describe('a listener that throws', () => {
  it('does not stop the reading', async () => {
    const { store, setup } = await opened(freshTopic())
    store.onChange(() => {
      throw new Error('mistake')
    })
    await store.putConnector('a', {}, null)
    await store.putConnector('b', {}, null)
    expect([...store.connectors.keys()]).toEqual(['a', 'b'])
    expect(setup.logger.messages('error').length).toBe(2)
    await store.close()
  })
})
