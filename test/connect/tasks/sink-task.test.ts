import {
  defineConfig,
  defineSink,
  defineTransform,
  FatalError,
  RetriableError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdmin } from '../../../hub/client/index.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { committedOffsets, environmentOf, eventually, fill, loaderOf, readTopic, startSink, textOf, world } from './workshop.ts'

let hub: TestHub
let bootstrap: string
let number = 0

beforeAll(async () => {
  hub = await startHub({ overrides: { 'process.roles': 'broker,controller' } })
  bootstrap = hub.bootstrap
})
afterAll(() => hub.close())

const numbers = (count: number, from = 1): string[] => Array.from({ length: count }, (_, index) => `n${from + index}`)

/** A sink that remembers, with parts to be replaced. */
function remembering(parts: (context: SinkTaskContext, seen: Seen) => Partial<SinkTask> = () => ({})) {
  const seen: Seen = { values: [], records: [], calls: [], context: null }
  const plugin = defineSink({
    class: 'test.Sink',
    version: '1.0.0',
    config: defineConfig({}),
    start: (_config, context) => {
      seen.context = context
      seen.calls.push('start')
      const text = (partitions: readonly TopicPartition[]): string =>
        partitions
          .map(({ partition }) => String(partition))
          .toSorted()
          .join()
      return {
        open: (partitions) => void seen.calls.push(`open ${text(partitions)}`),
        write: (records) => {
          seen.values.push(...records.map(({ value }) => textOf(value)))
          seen.records.push(...records)
        },
        flush: (offsets) => void seen.calls.push(`flush ${offsets.map(({ partition, offset }) => `${partition}@${offset}`).join()}`),
        close: (partitions) => void seen.calls.push(`close ${text(partitions)}`),
        stop: () => void seen.calls.push('stop'),
        ...parts(context, seen),
      }
    },
  })
  return { plugin, seen }
}

interface Seen {
  readonly values: string[]
  readonly records: SinkRecord[]
  readonly calls: string[]
  context: SinkTaskContext | null
}

function place(config: Record<string, string> = {}, more: object = {}) {
  const connector = `sink-${++number}`
  const topic = `${connector}-in`
  const environment = environmentOf({ bootstrap, connector, config: { topics: topic, ...config }, ...more })
  return { environment, connector, topic, committed: (partitionCount = 1) => committedOffsets(bootstrap, connector, topic, partitionCount) }
}

async function createTopic(name: string, partitionCount: number, configs: Record<string, string> = {}): Promise<void> {
  const admin = createAdmin({ bootstrapServers: bootstrap })
  await admin.createTopics([{ name, partitionCount, configs }])
  await admin.close()
}

describe('sink task', () => {
  it('brings records in order, flushes and commits at the end, and goes on from there', async () => {
    const { environment, topic, committed } = place()
    await fill(bootstrap, topic, numbers(20))
    const first = remembering()
    const task = startSink(first.plugin, environment)
    await task.started
    await eventually(() => first.seen.values.length === 20)
    await task.stop(5_000)
    await task.done
    expect(first.seen.values).toEqual(numbers(20))
    expect(first.seen.calls).toEqual(['start', 'open 0', 'flush 0@20', 'close 0', 'stop'])
    expect(await committed()).toEqual({ [`${topic}-0`]: 20 })
    expect(environment.topics).toEqual([topic])
    await fill(bootstrap, topic, numbers(5, 21))
    const second = remembering()
    const again = startSink(second.plugin, environment)
    await eventually(() => second.seen.values.length >= 5)
    await again.stop(5_000)
    expect(second.seen.values).toEqual(numbers(5, 21))
    expect(second.seen.records[0]).toMatchObject({
      topic,
      partition: 0,
      offset: 20,
      originalOffset: 20,
      timestampType: 'create',
      headers: [],
    })
  })

  it('commits every interval, and soon when asked', async () => {
    const { environment, topic, committed } = place({}, { flushIntervalMs: 20 })
    await fill(bootstrap, topic, numbers(3))
    const { plugin } = remembering()
    const task = startSink(plugin, environment)
    await eventually(async () => (await committed())[`${topic}-0`] === 3)
    await task.stop(5_000)
    const other = place()
    await fill(bootstrap, other.topic, numbers(3))
    const asking = remembering((context) => ({ write: () => context.requestCommit() }))
    const askingTask = startSink(asking.plugin, other.environment)
    await eventually(async () => (await other.committed())[`${other.topic}-0`] === 3)
    await askingTask.stop(5_000)
  })

  it('tells the sink what stands committed after each flush, the old offsets where the commit failed', async () => {
    const told: string[] = []
    const { plugin, seen } = remembering(() => ({
      flush: (offsets) => (seen.values.length < 5 ? offsets.map((at) => ({ ...at, offset: 2 })) : offsets),
      committed: (offsets) => void told.push(offsets.map(({ partition, offset }) => `${partition}@${offset}`).join()),
    }))
    const { environment, topic, committed } = place({}, { flushIntervalMs: 20 })
    await createTopic(topic, 1)
    await fill(bootstrap, topic, numbers(3))
    const task = startSink(plugin, environment)
    await eventually(() => told.includes('0@2'))
    expect(await committed()).toEqual({ [`${topic}-0`]: 2 })
    await fill(bootstrap, topic, numbers(3, 4))
    await eventually(() => told.includes('0@6'))
    expect(told.filter((offsets, at) => offsets !== told[at - 1])).toEqual(['0@2', '0@6'])
    await task.stop(5_000)
  })

  it('gives the very same records again after a RetriableError, and commits nothing of them meanwhile', async () => {
    const { environment, topic, committed } = place({}, { flushIntervalMs: 10 })
    await fill(bootstrap, topic, numbers(10))
    const lists: (readonly SinkRecord[])[] = []
    const { plugin, seen } = remembering((_context, { values }) => ({
      write: (records) => {
        lists.push(records)
        if (lists.length < 4) throw new RetriableError('the target is away', { afterMs: 30 })
        values.push(...records.map(({ value }) => textOf(value)))
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(() => lists.length === 3)
    expect(await committed()).toEqual({})
    await eventually(() => seen.values.length === 10)
    expect(lists[1]).toBe(lists[0])
    expect(lists[3]).toBe(lists[0])
    await fill(bootstrap, topic, numbers(1, 11))
    await eventually(() => seen.values.length === 11)
    await task.stop(5_000)
    expect(await committed()).toEqual({ [`${topic}-0`]: 11 })
  })

  it('keeps the group while a batch is tried again: a second member takes its share, nothing is lost', async () => {
    const { environment, topic, committed } = place()
    await createTopic(topic, 2)
    for (const partition of [0, 1]) await fill(bootstrap, topic, numbers(10, partition * 100), partition)
    let isAway = true
    const first = remembering((_context, { values }) => ({
      write: (records) => {
        if (isAway) throw new RetriableError('away', { afterMs: 20 })
        values.push(...records.map(({ value }) => textOf(value)))
      },
    }))
    const task = startSink(first.plugin, environment)
    await eventually(() => environment.log.lines.some((line) => line.includes('away')))
    const second = remembering()
    const other = startSink(second.plugin, { ...environment, id: { ...environment.id, task: 1 } })
    await eventually(() => second.seen.values.length === 10)
    isAway = false
    await eventually(() => first.seen.values.length === 10)
    await Promise.all([task.stop(5_000), other.stop(5_000)])
    expect([...first.seen.values, ...second.seen.values].toSorted()).toEqual([...numbers(10, 0), ...numbers(10, 100)].toSorted())
    expect(await committed(2)).toEqual({ [`${topic}-0`]: 10, [`${topic}-1`]: 10 })
    expect(first.seen.calls).toContain('close 0,1')
  })

  it('commits what flush says, ignores with a warning what it may not say', async () => {
    const { environment, topic, committed } = place({}, { flushIntervalMs: 10 })
    await fill(bootstrap, topic, numbers(10))
    let answer: readonly TopicPartitionOffset[] = [{ topic, partition: 0, offset: 4 }]
    const { plugin } = remembering(() => ({ flush: () => answer }))
    const task = startSink(plugin, environment)
    await eventually(async () => (await committed())[`${topic}-0`] === 4)
    answer = [
      { topic, partition: 0, offset: 11 },
      { topic, partition: 7, offset: 1 },
    ]
    await eventually(() => environment.log.lines.filter((line) => line.includes('not committed')).length >= 2)
    expect(await committed()).toEqual({ [`${topic}-0`]: 4 })
    answer = [{ topic, partition: 0, offset: 10 }]
    await task.stop(5_000)
    expect(await committed()).toEqual({ [`${topic}-0`]: 10 })
  })

  it('goes back to what is committed when flush throws a RetriableError, and fails for any other', async () => {
    const { environment, topic } = place({}, { flushIntervalMs: 10 })
    await fill(bootstrap, topic, numbers(5))
    let flushCount = 0
    const { plugin, seen } = remembering(() => ({
      flush: () => {
        flushCount++
        if (flushCount === 1) throw new RetriableError('cannot flush now')
        if (flushCount === 3) throw new FatalError('disk-full', 'no space', 'make some')
        return undefined
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(() => seen.values.length === 10)
    expect(seen.values).toEqual([...numbers(5), ...numbers(5)])
    await eventually(() => flushCount === 2)
    await fill(bootstrap, topic, numbers(1, 6))
    await expect(task.done).rejects.toMatchObject({ message: 'no space; make some (while flushing before a commit)' })
  })

  it('fails with the records that could not be written, commits what was written before', async () => {
    const { environment, topic, committed } = place({ 'consumer.override.max.poll.records': '5' })
    await fill(bootstrap, topic, numbers(12))
    const { plugin, seen } = remembering((_context, { values }) => ({
      write: (records) => {
        if (values.length >= 5) throw new FatalError('no-table', 'the table is gone', 'create it')
        values.push(...records.map(({ value }) => textOf(value)))
      },
    }))
    const task = startSink(plugin, environment)
    await expect(task.done).rejects.toMatchObject({
      className: 'org.apache.kafka.connect.errors.ConnectException',
      message: `the table is gone; create it (while writing 5 records, ${topic}-0@5 to ${topic}-0@9)`,
    })
    expect(await committed()).toEqual({ [`${topic}-0`]: 5 })
    expect(seen.calls.at(-1)).toBe('stop')
  })

  it('hears of lost ground in close and stop: what they throw costs neither the offsets nor the end', async () => {
    const { environment, topic, committed } = place()
    await fill(bootstrap, topic, numbers(3))
    const { plugin, seen } = remembering((_context, { calls }) => ({
      close: () => {
        calls.push('close')
        throw new Error('close failed')
      },
      stop: async () => {
        calls.push('stop')
        throw new Error('stop failed')
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(() => seen.values.length === 3)
    await task.stop(5_000)
    await task.done
    expect(seen.calls.slice(-2)).toEqual(['close', 'stop'])
    expect(await committed()).toEqual({ [`${topic}-0`]: 3 })
    expect(environment.log.lines.join('\n')).toContain('close failed')
    expect(environment.log.lines.join('\n')).toContain('stop failed')
  })

  it('commits by original coordinates whatever transforms make of a record', async () => {
    const elsewhere = defineTransform({
      class: 'test.Elsewhere',
      version: '1.0.0',
      config: defineConfig({}),
      create: () => (record) => (record.value === 'n3' ? null : { ...record, topic: 'elsewhere', partition: 9 }),
    })
    const { environment, topic, committed } = place(
      { transforms: 'e', 'transforms.e.type': 'test.Elsewhere' },
      { plugins: loaderOf(elsewhere) },
    )
    await fill(bootstrap, topic, numbers(3))
    const { plugin, seen } = remembering()
    const task = startSink(plugin, environment)
    await eventually(() => seen.values.length === 2)
    await task.stop(5_000)
    expect(seen.records[0]).toMatchObject({
      topic: 'elsewhere',
      partition: 9,
      originalTopic: topic,
      originalPartition: 0,
      originalOffset: 0,
    })
    expect(await committed()).toEqual({ [`${topic}-0`]: 3 })
  })

  it('reads on from where the sink seeks to', async () => {
    const { environment, topic, committed } = place()
    await fill(bootstrap, topic, numbers(10))
    const { plugin, seen } = remembering((context, { calls }) => ({
      open: (partitions) => {
        calls.push('open')
        for (const at of partitions) context.seek(at, 6)
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(() => seen.values.length >= 4)
    await task.stop(5_000)
    expect(seen.values).toEqual(numbers(4, 7))
    expect(await committed()).toEqual({ [`${topic}-0`]: 10 })
  })

  it('holds partitions back as the sink says, and wakes it when it asks', async () => {
    const { environment, topic } = place()
    await createTopic(topic, 2)
    await fill(bootstrap, topic, numbers(1, 0), 0)
    await fill(bootstrap, topic, numbers(1, 100), 1)
    let wokenCount = 0
    const { plugin, seen } = remembering((context, { values }) => ({
      open: () => {
        context.pause([{ topic, partition: 0 }])
        context.wakeAfter(30)
      },
      write: (records) => {
        values.push(...records.map(({ value }) => textOf(value)))
        if (records.length > 0) return
        wokenCount++
        if (wokenCount === 3) context.resume([{ topic, partition: 0 }])
        else context.wakeAfter(30)
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(() => seen.values.length === 2)
    expect(seen.values).toEqual(['n100', 'n0'])
    expect(wokenCount).toBe(3)
    expect(() => seen.context?.pause([{ topic, partition: 5 }])).toThrow('not assigned')
    await task.stop(5_000)
  })

  it('keeps its membership while it is paused, and writes nothing', async () => {
    const { environment, topic, committed } = place()
    await fill(bootstrap, topic, numbers(3))
    const { plugin, seen } = remembering()
    const task = startSink(plugin, environment)
    await eventually(() => seen.values.length === 3)
    task.pause()
    await eventually(async () => (await committed())[`${topic}-0`] === 3)
    await fill(bootstrap, topic, numbers(3, 4))
    await world.clock.sleep(60)
    expect(seen.values).toHaveLength(3)
    const admin = createAdmin({ bootstrapServers: bootstrap })
    const [group] = await admin.describeGroups([`connect-${environment.id.connector}`])
    expect(group?.members.map(({ clientId }) => clientId)).toEqual([`connector-consumer-${environment.id.connector}-0`])
    await admin.close()
    task.resume()
    await eventually(() => seen.values.length === 6)
    await task.stop(5_000)
    expect(seen.calls.filter((call) => call.startsWith('open'))).toHaveLength(1)
  })

  it('is cut off after its grace when a write hangs, without a commit', async () => {
    const { environment, topic, committed } = place()
    await fill(bootstrap, topic, numbers(3))
    let hasAborted = false
    let isWriting = false
    const { plugin } = remembering(() => ({
      write: (_records, { signal }) => {
        isWriting = true
        signal.addEventListener('abort', () => {
          hasAborted = true
        })
        return new Promise(() => {})
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(() => isWriting)
    const beganMs = world.clock.monotonicMs()
    await task.stop(100)
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(2_000)
    expect(hasAborted).toBe(true)
    await task.done
    expect(await committed()).toEqual({})
  })

  it('reads again what was not committed when a write outlasts max.poll.interval.ms', async () => {
    const { environment, topic, committed } = place({ 'consumer.override.max.poll.interval.ms': '200' }, { flushIntervalMs: 10 })
    await fill(bootstrap, topic, numbers(4))
    let writeCount = 0
    const { plugin, seen } = remembering((_context, { values }) => ({
      write: async (records) => {
        if (++writeCount === 1) await world.clock.sleep(500)
        values.push(...records.map(({ value }) => textOf(value)))
      },
    }))
    const task = startSink(plugin, environment)
    await eventually(async () => (await committed())[`${topic}-0`] === 4)
    await task.stop(5_000)
    expect(new Set(seen.values)).toEqual(new Set(numbers(4)))
  })

  it('reads the topics that a Java pattern matches as a whole, new ones too', async () => {
    const { environment, connector } = place({ topics: '', 'topics.regex': 'PLACEHOLDER', 'consumer.override.metadata.max.age.ms': '50' })
    const config = { ...environment.connectorConfig, 'topics.regex': `(?i)${connector.toUpperCase()}-(a|b)++` }
    await fill(bootstrap, `${connector}-a`, ['one'])
    await fill(bootstrap, `${connector}-abc`, ['none'])
    const { plugin, seen } = remembering()
    const task = startSink(plugin, { ...environment, connectorConfig: config, config })
    await eventually(() => seen.values.includes('one'))
    await fill(bootstrap, `${connector}-bb`, ['two'])
    await eventually(() => seen.values.includes('two'))
    await task.stop(5_000)
    expect(seen.values.toSorted()).toEqual(['one', 'two'])
  })

  it('starts again later when start throws a RetriableError, and ends when it is told to meanwhile', async () => {
    const { environment } = place()
    let startCount = 0
    const plugin = defineSink({
      class: 'test.Late',
      version: '1.0.0',
      config: defineConfig({}),
      start: () => {
        if (++startCount < 3) throw new RetriableError('not yet', { afterMs: 5 })
        return { write: () => {} }
      },
    })
    const task = startSink(plugin, environment)
    await task.started
    expect(startCount).toBe(3)
    await task.stop(5_000)
    startCount = -1_000_000
    const other = startSink(plugin, environment)
    await eventually(() => startCount > -999_990)
    await other.stop(5_000)
    await other.done
  })
})

describe('records that a sink cannot take', () => {
  it('fail the task, named, where nothing may be skipped', async () => {
    const { environment, topic, committed } = place()
    await fill(bootstrap, topic, ['n1', 'n2', 'poison', 'n4'])
    const { plugin, seen } = remembering()
    const task = startSink(plugin, environment)
    const failure = await task.done.catch((error: unknown) => error as Error)
    expect(failure).toMatchObject({ message: 'Tolerance exceeded in error handler' })
    expect(((failure as Error).cause as Error).message).toContain(
      `cannot convert poison (record ${topic}-0@2, stage VALUE_CONVERTER, test.Text`,
    )
    // The poll that has the bad record is not handed over in part.
    expect(seen.values).toEqual([])
    expect(await committed()).toEqual({})
  })

  it('go to the dead letter queue as they were read, before their offsets are committed', async () => {
    const { environment, connector, topic, committed } = place({
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'PLACEHOLDER',
      'errors.deadletterqueue.context.headers.enable': 'true',
    })
    const config = { ...environment.connectorConfig, 'errors.deadletterqueue.topic.name': `${connector}-dlq` }
    await fill(bootstrap, topic, ['n1', 'poison', 'n3', 'unwanted'])
    const { plugin, seen } = remembering((context, { values }) => ({
      write: (records) => {
        for (const record of records) {
          if (record.value === 'unwanted') void context.reject(record, new TypeError('not wanted'))
          else values.push(textOf(record.value))
        }
      },
    }))
    const task = startSink(plugin, { ...environment, connectorConfig: config })
    await eventually(() => seen.values.length === 2)
    await task.stop(5_000)
    await task.done
    expect(await committed()).toEqual({ [`${topic}-0`]: 4 })
    const letters = await readTopic(bootstrap, `${connector}-dlq`)
    expect(letters.map(({ value }) => value)).toEqual(['poison', 'unwanted'])
    const headers = Object.fromEntries(
      letters[1]?.headers.map(({ key, value }) => [key.replace('__connect.errors.', ''), String(value)]) ?? [],
    )
    expect(headers).toMatchObject({
      topic,
      partition: '0',
      offset: '3',
      'connector.name': connector,
      'task.id': '0',
      stage: 'TASK_PUT',
      'class.name': 'org.apache.kafka.connect.sink.SinkTask',
      'exception.class.name': 'TypeError',
      'exception.message': 'not wanted',
    })
    expect(headers['exception.stacktrace']).toMatch(/^TypeError: not wanted\n\tat /)
  })

  it('fail the task and stay uncommitted when the dead letter queue cannot take them', async () => {
    const { environment, connector, topic, committed } = place({ 'errors.tolerance': 'all' }, { flushIntervalMs: 10 })
    const dlq = `${connector}-dlq`
    await createTopic(dlq, 1, { 'max.message.bytes': '100' })
    await fill(bootstrap, topic, ['n1', `poison${'x'.repeat(500)}`, 'n3'])
    const { plugin } = remembering()
    const config = { ...environment.connectorConfig, 'errors.deadletterqueue.topic.name': dlq }
    const task = startSink(plugin, { ...environment, connectorConfig: config })
    const failure = await task.done.catch((error: unknown) => error as Error)
    expect((failure as Error).message).toContain(`record ${topic}-0@1 could not be kept in the dead letter queue ${dlq}`)
    expect(await committed()).toEqual({})
  })

  it('rejected with tolerance none fail the task even if the sink takes no notice', async () => {
    const { environment, topic, committed } = place({}, { flushIntervalMs: 1 })
    await fill(bootstrap, topic, ['n1'])
    const { plugin } = remembering((context) => ({
      write: (records) => {
        for (const record of records) context.reject(record, new Error('unwanted')).catch(() => {})
      },
    }))
    const task = startSink(plugin, environment)
    await expect(task.done).rejects.toThrow('Tolerance exceeded in error handler')
    expect(await committed()).toEqual({})
  })

  it('made anew by the sink are converted back before they are kept', async () => {
    const { environment, connector, topic } = place({ 'errors.tolerance': 'all', 'value.converter': 'test.SlowText' })
    const config = { ...environment.connectorConfig, 'errors.deadletterqueue.topic.name': `${connector}-dlq` }
    await fill(bootstrap, topic, ['n1'])
    const { plugin } = remembering((context) => ({
      write: (records) => {
        for (const record of records) void context.reject({ ...JSON.parse(JSON.stringify(record)) } as SinkRecord, new Error('unwanted'))
      },
    }))
    const task = startSink(plugin, { ...environment, connectorConfig: config })
    await eventually(async () => (await readTopic(bootstrap, `${connector}-dlq`)).length === 1)
    await task.stop(5_000)
    expect((await readTopic(bootstrap, `${connector}-dlq`)).map(({ value }) => value)).toEqual(['n1'])
  })
})
