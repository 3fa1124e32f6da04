/** Tasks against a broker that goes away, a topic that is deleted, and ends at any moment: at-least-once, never a loss. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig, defineSink, defineSource, type SinkTaskContext, type SourceRecordInput } from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAdmin } from '../../../hub/client/index.ts'
import { OUTBOX_LIMITS } from '../../../hub/connect/tasks/outbox.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import {
  committedOffsets,
  environmentOf,
  eventually,
  fill,
  OFFSETS_TOPIC,
  readOffsets,
  readTopic,
  startSink,
  startSource,
  textOf,
  world,
} from './workshop.ts'

const IS_LONG = process.env['MILLRACE_LONG'] !== undefined

let directory: string
let hub: TestHub
let bootstrap: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-tasks-'))
  hub = await start('127.0.0.1:0')
  bootstrap = hub.bootstrap
  const admin = createAdmin({ bootstrapServers: bootstrap })
  await admin.createTopics([{ name: OFFSETS_TOPIC, partitionCount: 1 }])
  await admin.close()
})
afterEach(async () => {
  await hub.close()
  await rm(directory, { recursive: true, force: true })
})

function start(address: string, more: Record<string, string> = {}): Promise<TestHub> {
  return startHub({ directory, overrides: { 'process.roles': 'broker,controller', listeners: `PLAINTEXT://${address}`, ...more } })
}

/** Two counters side by side, each of its own source partition and topic, in batches of random size. */
const counters = defineSource({
  class: 'test.Counters',
  version: '1.0.0',
  config: defineConfig({
    topic: { type: 'STRING', importance: 'HIGH' },
    total: { type: 'INT', default: 1_000_000_000, importance: 'LOW' },
    'batch.max': { type: 'INT', default: 40, importance: 'LOW' },
  }),
  async *run({ topic, total, 'batch.max': batchMax }, { signal, offsets, sleep }) {
    const names = ['a', 'b']
    const stored = await offsets.readAll(names.map((name) => ({ name })))
    const at = stored.map((offset) => Number(offset?.['n'] ?? 0))
    while (!signal.aborted && at.some((n) => n < total)) {
      const records: SourceRecordInput[] = []
      for (let count = 1 + Math.floor(Math.random() * batchMax); count > 0; count--) {
        const which = Math.floor(Math.random() * 2)
        if ((at[which] ?? 0) >= total) continue
        const n = (at[which] = (at[which] ?? 0) + 1)
        const name = names[which] ?? ''
        records.push({ topic: `${topic}-${name}`, value: String(n), sourcePartition: { name }, sourceOffset: { n } })
      }
      yield records
      await sleep(1)
    }
  },
})

/** Whether every number up to the last is there, and first seen in order. */
async function expectComplete(topic: string, upTo: number): Promise<void> {
  const values = (await readTopic(bootstrap, topic)).map(({ value }) => Number(value))
  const first = [...new Set(values)]
  expect(first.slice(0, upTo)).toEqual(Array.from({ length: upTo }, (_, index) => index + 1))
}

describe('a source', () => {
  it('loses nothing however often it is cut off, and goes on from stored positions', async () => {
    const total = IS_LONG ? 50_000 : 5_000
    let storedCount = 0
    for (let round = 0; ; round++) {
      const environment = environmentOf({
        bootstrap,
        connector: 'cut',
        config: { topic: 'cut', total: String(total) },
        flushIntervalMs: 15,
      })
      const task = startSource(counters, environment)
      await task.started
      await world.clock.sleep(5 + Math.random() * (60 + 5 * round))
      // No grace: what is on its way is dropped, nothing more is stored.
      await task.stop(Math.random() < 0.5 ? 0 : 20)
      await task.done
      const stored = await readOffsets(bootstrap, 'cut', [{ name: 'a' }, { name: 'b' }])
      for (const [index, name] of ['a', 'b'].entries()) {
        const n = Number(stored[index]?.['n'] ?? 0)
        await expectComplete(`cut-${name}`, n)
        storedCount = Math.max(storedCount, n)
      }
      if (stored.every((offset) => Number(offset?.['n'] ?? 0) === total)) break
      expect(round).toBeLessThan(IS_LONG ? 5_000 : 500)
    }
    expect(storedCount).toBe(total)
  })

  it('goes on when the broker was away, without a gap and without a repeat', async () => {
    const environment = environmentOf({ bootstrap, connector: 'away', config: { topic: 'away' }, flushIntervalMs: 30 })
    const task = startSource(counters, environment)
    const stored = async (): Promise<number> => Number((await readOffsets(bootstrap, 'away', [{ name: 'a' }]))[0]?.['n'] ?? 0)
    await eventually(async () => (await stored()) > 100)
    await hub.close()
    await world.clock.sleep(200)
    hub = await start(bootstrap)
    const before = await stored()
    await eventually(async () => (await stored()) > before + 100)
    await task.stop(10_000)
    await task.done
    const n = await stored()
    const values = (await readTopic(bootstrap, 'away-a')).map(({ value }) => Number(value))
    expect(values).toEqual(Array.from({ length: n }, (_, index) => index + 1))
  })

  it('stores nothing of a topic that is not there, goes on with others, and delivers all in the end', async () => {
    await hub.close()
    hub = await start(bootstrap, { 'auto.create.topics.enable': 'false' })
    const admin = createAdmin({ bootstrapServers: bootstrap })
    await admin.createTopics([{ name: 'held-a' }])
    const alternating = defineSource({
      class: 'test.Alternating',
      version: '1.0.0',
      config: defineConfig({}),
      async *run(_config, { signal, offsets, sleep }) {
        const stored = await offsets.readAll([{ name: 'a' }, { name: 'b' }])
        const at = { a: Number(stored[0]?.['n'] ?? 0), b: Number(stored[1]?.['n'] ?? 0) }
        for (let name: 'a' | 'b' = 'a'; !signal.aborted; name = name === 'a' ? 'b' : 'a') {
          const n = ++at[name]
          yield [{ topic: `held-${name}`, value: String(n), sourcePartition: { name }, sourceOffset: { n } }]
          await sleep(1)
        }
      },
    })
    const stored = async (): Promise<number[]> =>
      (await readOffsets(bootstrap, 'held', [{ name: 'a' }, { name: 'b' }])).map((offset) => Number(offset?.['n'] ?? 0))
    const environment = environmentOf({ bootstrap, connector: 'held', config: {}, flushIntervalMs: 50 })
    const first = startSource(alternating, environment)
    await eventually(async () => ((await stored())[0] ?? 0) > 20)
    await eventually(() => environment.log.lines.some((line) => line.includes('records wait for their acknowledgement')))
    await first.stop(50)
    await first.done
    expect((await stored())[1]).toBe(0)
    await admin.createTopics([{ name: 'held-b' }])
    await admin.close()
    const second = startSource(alternating, environment)
    await eventually(async () => ((await stored())[1] ?? 0) > 20)
    await second.stop(10_000)
    const [a = 0, b = 0] = await stored()
    await expectComplete('held-a', a)
    await expectComplete('held-b', b)
  })

  it('goes on when its topic is deleted: the broker makes it anew', async () => {
    const environment = environmentOf({ bootstrap, connector: 'gone', config: { topic: 'gone' }, flushIntervalMs: 30 })
    const task = startSource(counters, environment)
    await eventually(async () => (await readTopic(bootstrap, 'gone-a')).length > 50)
    const admin = createAdmin({ bootstrapServers: bootstrap })
    await admin.deleteTopics(['gone-a'])
    await admin.close()
    await eventually(async () => (await readTopic(bootstrap, 'gone-a')).length > 50)
    await task.stop(10_000)
    await task.done
    const [stored] = await readOffsets(bootstrap, 'gone', [{ name: 'b' }])
    await expectComplete('gone-b', Number(stored?.['n']))
  })

  it('is not asked for more than may be on its way while the broker is away, and loses nothing of it', async () => {
    let yieldedCount = 0
    const wide = 'x'.repeat(20_000)
    const plugin = defineSource({
      class: 'test.Wide',
      version: '1.0.0',
      config: defineConfig({}),
      async *run(_config, { signal }) {
        while (!signal.aborted) {
          const records = Array.from({ length: 100 }, () => {
            const n = ++yieldedCount
            return { topic: 'wide', value: `${n} ${wide}`, sourcePartition: { name: 'a' }, sourceOffset: { n } }
          })
          yield records
          await world.clock.sleep(0)
        }
      },
    })
    const task = startSource(plugin, environmentOf({ bootstrap, connector: 'wide', config: {} }))
    await eventually(() => yieldedCount > 300)
    await hub.close()
    const atOutage = yieldedCount
    let latest = -1
    await eventually(async () => {
      const isStill = latest === yieldedCount
      latest = yieldedCount
      await world.clock.sleep(100)
      return isStill
    })
    expect((latest - atOutage) * wide.length).toBeLessThan(OUTBOX_LIMITS.bytesMax + OUTBOX_LIMITS.unitBytesMax + 2 * 100 * wide.length)
    hub = await start(bootstrap)
    await eventually(() => yieldedCount > latest)
    await task.stop(20_000)
    const numbers = (await readTopic(bootstrap, 'wide')).map(({ value }) => Number.parseInt(value ?? '', 10))
    expect(numbers).toEqual(Array.from({ length: yieldedCount }, (_, index) => index + 1))
  })

  it('ends within its grace while the broker is away', async () => {
    const environment = environmentOf({ bootstrap, connector: 'dark', config: { topic: 'dark' } })
    const task = startSource(counters, environment)
    await eventually(async () => (await readTopic(bootstrap, 'dark-a')).length > 10)
    await hub.close()
    const beganMs = world.clock.monotonicMs()
    await task.stop(300)
    await task.done
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(3_000)
    hub = await start(bootstrap)
  })
})

describe('a sink', () => {
  let context: SinkTaskContext | null = null
  const sink = (seen: string[], delayMs = 0) =>
    defineSink({
      class: 'test.Seen',
      version: '1.0.0',
      config: defineConfig({}),
      start: (_config, given) => {
        context = given
        return {
          write: async (records) => {
            if (delayMs > 0) await world.clock.sleep(delayMs)
            seen.push(...records.map(({ value }) => textOf(value)))
          },
        }
      },
    })

  it('loses nothing however often it is cut off', async () => {
    const total = IS_LONG ? 5_000 : 300
    await fill(
      bootstrap,
      'in',
      Array.from({ length: total }, (_, index) => String(index + 1)),
    )
    const seen: string[] = []
    for (let round = 0; ; round++) {
      const config = { topics: 'in', 'consumer.override.max.poll.records': '20' }
      const task = startSink(sink(seen, 1), environmentOf({ bootstrap, connector: 'cut', config, flushIntervalMs: 5 }))
      await task.started
      // A member needs its time to get partitions; a slow machine gives it more and more.
      await world.clock.sleep(5 + Math.random() * (40 + 5 * round))
      await task.stop(Math.random() < 0.5 ? 0 : 50)
      await task.done
      const committed = (await committedOffsets(bootstrap, 'cut', 'in'))['in-0'] ?? 0
      const known = new Set(seen)
      for (let n = 1; n <= committed; n++) expect(known.has(String(n))).toBe(true)
      if (committed === total) break
      expect(round).toBeLessThan(IS_LONG ? 5_000 : 500)
    }
  })

  it('goes on when the broker was away', async () => {
    const seen: string[] = []
    const task = startSink(sink(seen), environmentOf({ bootstrap, connector: 'away', config: { topics: 'in' }, flushIntervalMs: 20 }))
    await fill(bootstrap, 'in', ['1', '2'])
    await eventually(() => seen.length === 2)
    await eventually(async () => (await committedOffsets(bootstrap, 'away', 'in'))['in-0'] === 2)
    await hub.close()
    await world.clock.sleep(200)
    hub = await start(bootstrap)
    await fill(bootstrap, 'in', ['3'])
    await eventually(() => seen.includes('3'))
    await task.stop(10_000)
    await task.done
    expect(seen).toEqual(['1', '2', '3'])
    expect(await committedOffsets(bootstrap, 'away', 'in')).toEqual({ 'in-0': 3 })
  })

  it('goes on with its other topics when one is deleted', async () => {
    const seen: string[] = []
    await fill(bootstrap, 'one', ['1'])
    await fill(bootstrap, 'two', ['2'])
    const config = {
      topics: 'one,two',
      'consumer.override.metadata.max.age.ms': '100',
      // Asking for the topic would bring it back at once.
      'consumer.override.allow.auto.create.topics': 'false',
    }
    const environment = environmentOf({ bootstrap, connector: 'gone', config, flushIntervalMs: 20 })
    const task = startSink(sink(seen), environment)
    await eventually(() => seen.length === 2)
    await eventually(async () => (await committedOffsets(bootstrap, 'gone', 'one'))['one-0'] === 1)
    const admin = createAdmin({ bootstrapServers: bootstrap })
    await admin.deleteTopics(['one'])
    await admin.close()
    await fill(bootstrap, 'two', ['3'])
    await eventually(() => seen.includes('3'))
    await eventually(() => context?.assignment().length === 1)
    await fill(bootstrap, 'one', ['4'])
    await eventually(() => seen.includes('4'))
    await task.stop(10_000)
    await task.done
  })

  it('ends within its grace while the broker is away', async () => {
    const seen: string[] = []
    await fill(bootstrap, 'in', ['1'])
    const task = startSink(sink(seen), environmentOf({ bootstrap, connector: 'dark', config: { topics: 'in' } }))
    await eventually(() => seen.length === 1)
    await hub.close()
    const beganMs = world.clock.monotonicMs()
    await task.stop(300)
    await task.done
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(3_000)
    hub = await start(bootstrap)
  })
})
