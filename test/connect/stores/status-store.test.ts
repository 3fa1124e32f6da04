import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer } from '../../../hub/client/index.ts'
import { openStatusStore } from '../../../hub/connect/stores/status-store.ts'
import type { StatusStore } from '../../../hub/connect/stores/types.ts'
import type { Status } from '../../../hub/connect/types.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { storeSetup, until } from './store-setup.ts'

let hub: TestHub
beforeAll(async () => {
  hub = await startHub()
})
afterAll(() => hub.close())

let topicCount = 0
const freshTopic = (): Record<string, string> => ({ 'status.storage.topic': `status-${topicCount++}`, 'status.storage.partitions': '1' })
const opened = (settings: Record<string, string>): Promise<StatusStore> => openStatusStore(storeSetup(hub.bootstrap, settings))
const status = (over: Partial<Status> = {}): Status => ({
  state: 'RUNNING',
  trace: null,
  workerId: 'w:1',
  generation: 1,
  version: '4.3.1',
  ...over,
})

async function linesOf(topic: string): Promise<string[]> {
  const consumer = createConsumer({ bootstrapServers: hub.bootstrap, offsetReset: 'earliest' })
  consumer.assign([{ topic, partition: 0 }])
  const [end] = await consumer.endOffsets([{ topic, partition: 0 }])
  const lines: string[] = []
  while (lines.length < (end?.offset ?? 0)) {
    for (const { key, value } of await consumer.poll(1_000)) {
      const { state } = JSON.parse(value?.toString() ?? '{"state":"–"}') as { state?: string }
      lines.push(`${key?.toString()} ${state ?? 'topic'}`)
    }
  }
  await consumer.close()
  return lines
}

describe('statuses', () => {
  it('show at once, and are written all and in order', async () => {
    const settings = freshTopic()
    const store = await opened(settings)
    const task = { connector: 'a', task: 0 }
    store.putConnector('a', status({ state: 'UNASSIGNED' }))
    store.putConnector('a', status())
    store.putTask(task, status())
    expect([store.connector('a')?.state, store.task(task)?.state]).toEqual(['RUNNING', 'RUNNING'])
    store.putTopic('a', 0, 't2')
    store.putTopic('a', 0, 't1')
    store.putTopic('a', 1, 't1')
    expect(store.topics('a')).toEqual(['t1', 't2'])
    store.putTask(task, status({ state: 'FAILED', trace: 'why' }))
    await store.flush()
    expect(await linesOf(settings['status.storage.topic'] ?? '')).toEqual([
      'status-connector-a UNASSIGNED',
      'status-connector-a RUNNING',
      'status-task-a-0 RUNNING',
      'status-topic-t2:connector-a topic',
      'status-topic-t1:connector-a topic',
      'status-task-a-0 FAILED',
    ])
    await store.close()
    const again = await opened(settings)
    expect(again.task(task)).toEqual(status({ state: 'FAILED', trace: 'why' }))
    expect(again.tasks('a')).toEqual([{ id: task, status: status({ state: 'FAILED', trace: 'why' }) }])
    expect(again.topics('a')).toEqual(['t1', 't2'])
    await again.close()
  })

  it('of a deleted connector are gone, with its topics, for every reader', async () => {
    const settings = freshTopic()
    const [store, other] = await Promise.all([opened(settings), opened(settings)])
    store.putConnector('a', status())
    store.putTask({ connector: 'a', task: 0 }, status())
    store.putTopic('a', 0, 't')
    store.putTopic('b', 0, 't')
    await until(() => other.topics('b').length === 1)
    expect([other.connector('a'), other.tasks('a').length]).toEqual([status(), 1])
    store.removeTask({ connector: 'a', task: 0 })
    store.removeConnector('a')
    expect([store.connector('a'), store.tasks('a'), store.topics('a'), store.topics('b')]).toEqual([undefined, [], [], ['t']])
    store.resetTopics('b')
    await until(() => other.topics('b').length === 0)
    expect([other.connector('a'), other.tasks('a'), other.topics('a')]).toEqual([undefined, [], []])
    await Promise.all([store.close(), other.close()])
    const again = await opened(settings)
    expect([again.connector('a'), again.tasks('a'), again.topics('a'), again.topics('b')]).toEqual([undefined, [], [], []])
    await again.close()
  })

  it('that end something do not hide what a younger worker says', async () => {
    const settings = freshTopic()
    const [old, young] = await Promise.all([opened(settings), opened(settings)])
    young.putConnector('a', status({ workerId: 'w:2', generation: 2 }))
    await until(() => old.connector('a')?.generation === 2)
    old.putConnector('a', status({ state: 'UNASSIGNED' }))
    await old.flush()
    expect(old.connector('a')).toEqual(status({ workerId: 'w:2', generation: 2 }))
    expect(await linesOf(settings['status.storage.topic'] ?? '')).toEqual(['status-connector-a RUNNING'])
    await Promise.all([old.close(), young.close()])
  })

  it('never go back to what was put before, while that is read back', async () => {
    const store = await opened(freshTopic())
    for (let round = 0; round < 20; round++) {
      const newest = 2 * round + 1
      store.putConnector('a', status({ generation: newest - 1 }))
      await Promise.resolve()
      await Promise.resolve()
      store.putConnector('a', status({ generation: newest }))
      let isFlushed = false
      const flushed = store.flush().finally(() => {
        isFlushed = true
      })
      await until(() => {
        expect(store.connector('a')?.generation).toBe(newest)
        return isFlushed
      })
      await flushed
    }
    await store.close()
  })

  it('DESTROYED removes', async () => {
    const store = await opened(freshTopic())
    store.putConnector('a', status())
    store.putTask({ connector: 'b', task: 1 }, status())
    store.putConnector('a', status({ state: 'DESTROYED' }))
    store.putTask({ connector: 'b', task: 1 }, status({ state: 'DESTROYED' }))
    expect([store.connector('a'), store.tasks('b')]).toEqual([undefined, []])
    await store.flush()
    await store.close()
  })

  it('with a trace that no topic would take are cut', async () => {
    const store = await opened(freshTopic())
    store.putConnector('a', status({ state: 'FAILED', trace: `cause\n${'x'.repeat(3_000_000)}` }))
    await store.flush()
    expect(store.connector('a')?.trace).toMatch(/^cause\nx{99994}…$/)
    await store.close()
  })

  it('thousands of them keep the last of each', async () => {
    const settings = freshTopic()
    const [store, other] = await Promise.all([opened(settings), opened(settings)])
    for (let round = 0; round < 60; round++) {
      for (let task = 0; task < 100; task++) store.putTask({ connector: 'a', task }, status({ generation: round }))
    }
    await store.flush()
    await until(() => other.tasks('a').every((one) => one.status.generation === 59) && other.tasks('a').length === 100)
    expect(store.tasks('a').every((one) => one.status.generation === 59)).toBe(true)
    // Those that were overtaken while many waited need not be written.
    expect((await linesOf(settings['status.storage.topic'] ?? '')).length).toBeLessThan(6_000)
    await Promise.all([store.close(), other.close()])
  })

  it('of as many connectors as there may be take no more time each', async () => {
    const settings = freshTopic()
    const store = await opened(settings)
    // Looking at all that wait at each put would be 400 million looks.
    for (let at = 0; at < 20_000; at++) store.putConnector(`c${at}`, status())
    for (let at = 0; at < 20_000; at++) store.putConnector(`c${at}`, status({ state: 'PAUSED' }))
    await store.flush()
    await store.close()
    const again = await opened(settings)
    expect(Array.from({ length: 20_000 }, (_, at) => again.connector(`c${at}`)?.state).filter((state) => state !== 'PAUSED')).toEqual([])
    await again.close()
  })

  it('that were put when it closes are given up, which a flush tells', async () => {
    const store = await opened(freshTopic())
    store.putConnector('a', status())
    const flushed = store.flush().then(
      () => 'done',
      (error: Error) => error.name,
    )
    await store.close()
    expect(['done', 'StoreClosedError']).toContain(await flushed)
    store.putConnector('a', status({ state: 'PAUSED' }))
    expect(store.connector('a')?.state).toBe('RUNNING')
  })
})
