import { defineConfig, defineSource, defineTransform, FatalError, RetriableError, type SourceRecordInput } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdmin } from '../../../hub/client/index.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { environmentOf, eventually, loaderOf, OFFSETS_TOPIC, readOffsets, readTopic, startSource, textOf, world } from './workshop.ts'

let hub: TestHub
let bootstrap: string
let number = 0

beforeAll(async () => {
  hub = await startHub({ overrides: { 'process.roles': 'broker,controller' } })
  bootstrap = hub.bootstrap
  const admin = createAdmin({ bootstrapServers: bootstrap })
  await admin.createTopics([{ name: OFFSETS_TOPIC, partitionCount: 3 }])
  await admin.close()
})
afterAll(() => hub.close())

const counterConfig = defineConfig({
  topic: { type: 'STRING', importance: 'HIGH' },
  total: { type: 'INT', default: 1_000_000_000, importance: 'LOW' },
  batch: { type: 'INT', default: 10, importance: 'LOW' },
})

/** Counts from where it was: `n`, one record each. */
function counter(record: (n: number) => Partial<SourceRecordInput> = () => ({})) {
  return defineSource({
    class: 'test.Counter',
    version: '1.0.0',
    config: counterConfig,
    async *run({ topic, total, batch }, { signal, offsets, sleep }) {
      let n = Number((await offsets.read({ counter: 'one' }))?.['n'] ?? 0)
      while (!signal.aborted && n < total) {
        const records: SourceRecordInput[] = []
        for (let i = 0; i < batch && n < total; i++) {
          n++
          records.push({ topic, value: `n${n}`, sourcePartition: { counter: 'one' }, sourceOffset: { n }, ...record(n) })
        }
        yield records
        await sleep(1)
      }
    },
  })
}

function place(config: Record<string, string>, more: object = {}) {
  const connector = `source-${++number}`
  return environmentOf({ bootstrap, connector, config: { topic: `${connector}-out`, ...config }, ...more })
}

const stored = async (connector: string) => (await readOffsets(bootstrap, connector, [{ counter: 'one' }]))[0]
const values = async (topic: string) => (await readTopic(bootstrap, topic)).map(({ value }) => value)

describe('source task', () => {
  it('delivers all, stores the last position at the end, and goes on from it', async () => {
    const environment = place({ total: '25' })
    const { connector } = environment.id
    const first = startSource(counter(), environment)
    await first.started
    await eventually(async () => (await values(`${connector}-out`)).length === 25)
    await first.stop(5_000)
    await first.done
    expect(await stored(connector)).toEqual({ n: 25 })
    expect(environment.topics).toEqual([`${connector}-out`])
    const second = startSource(counter(), { ...environment, config: { ...environment.config, total: '40' } })
    await eventually(async () => (await values(`${connector}-out`)).length === 40)
    await second.stop(5_000)
    expect(await values(`${connector}-out`)).toEqual(Array.from({ length: 40 }, (_, index) => `n${index + 1}`))
    expect(await stored(connector)).toEqual({ n: 40 })
  })

  it('stores positions every interval and tells the source, in order, only then', async () => {
    const told: number[] = []
    const plugin = defineSource({
      class: 'test.Told',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }, { signal, onCommitted, sleep }) {
        onCommitted((committed) => {
          told.push(...committed.map(({ offset }) => Number(offset['n'])))
        })
        for (let n = 1; !signal.aborted; n++) {
          yield [{ topic, value: `n${n}`, sourcePartition: { counter: 'one' }, sourceOffset: { n } }]
          await sleep(2)
        }
      },
    })
    const environment = place({}, { flushIntervalMs: 20 })
    const task = startSource(plugin, environment)
    await eventually(() => told.length > 3)
    expect(Number((await stored(environment.id.connector))?.['n'])).toBeGreaterThanOrEqual(told[2] ?? 0)
    await task.stop(5_000)
    expect(told).toEqual(told.toSorted((one, other) => one - other))
    expect((await values(`${environment.id.connector}-out`)).length).toBe(told.at(-1))
    expect(await stored(environment.id.connector)).toEqual({ n: told.at(-1) })
  })

  it('pauses within a batch, keeps storing, and resumes', async () => {
    const environment = place({ batch: '3' }, { flushIntervalMs: 10 })
    const { connector } = environment.id
    let yielded = 0
    const plugin = counter(() => {
      yielded++
      return {}
    })
    const task = startSource(plugin, environment)
    await eventually(() => yielded > 9)
    task.pause()
    const atPause = yielded
    await eventually(async () => Number((await stored(connector))?.['n']) >= atPause - 3)
    await world.clock.sleep(50)
    const later = yielded
    expect(later - atPause).toBeLessThanOrEqual(6)
    await eventually(async () => Number((await stored(connector))?.['n']) === later)
    expect(yielded).toBe(later)
    task.resume()
    await eventually(() => yielded > later)
    await task.stop(5_000)
  })

  it('made paused does not run the source before it is resumed', async () => {
    let hasRun = false
    const environment = place({ total: '1' })
    const task = startSource(
      counter(() => {
        hasRun = true
        return {}
      }),
      environment,
      true,
    )
    await task.started
    await world.clock.sleep(30)
    expect(hasRun).toBe(false)
    task.resume()
    await eventually(() => hasRun)
    await task.stop(5_000)
  })

  it('runs the source again after a RetriableError, from what was stored before', async () => {
    let runCount = 0
    const plugin = defineSource({
      class: 'test.Flaky',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic, total }, { offsets }) {
        runCount++
        let n = Number((await offsets.read({ counter: 'one' }))?.['n'] ?? 0)
        for (let i = 0; i < 7 && n < total; i++) {
          n++
          yield [{ topic, value: `n${n}`, sourcePartition: { counter: 'one' }, sourceOffset: { n } }]
        }
        if (n < total) throw new RetriableError('the database is away', { afterMs: 5 })
      },
    })
    const environment = place({ total: '30' })
    const task = startSource(plugin, environment)
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length >= 30)
    await task.stop(5_000)
    await task.done
    expect(await values(`${environment.id.connector}-out`)).toEqual(Array.from({ length: 30 }, (_, index) => `n${index + 1}`))
    expect(runCount).toBe(5)
    expect(environment.log.lines.filter((line) => line.includes('the database is away'))).toHaveLength(4)
  })

  it('fails with what the source throws, after it has stored what was delivered', async () => {
    const plugin = defineSource({
      class: 'test.Broken',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }) {
        yield [{ topic, value: 'n1', sourcePartition: { counter: 'one' }, sourceOffset: { n: 1 } }]
        throw new FatalError('slot-lost', 'the slot is gone', 'make another one')
      },
    })
    const environment = place({})
    const task = startSource(plugin, environment)
    await expect(task.done).rejects.toMatchObject({ message: 'the slot is gone; make another one' })
    expect(await stored(environment.id.connector)).toEqual({ n: 1 })
    await task.stop(1_000)
  })

  it('refuses a record that cannot be converted, naming it, and stores only what comes before', async () => {
    const environment = place({ total: '30' })
    const task = startSource(
      counter((n) => (n === 17 ? { value: 'poison' } : {})),
      environment,
    )
    const failure = await task.done.catch((error: unknown) => error as Error)
    expect(failure).toMatchObject({
      className: 'org.apache.kafka.connect.errors.ConnectException',
      message: 'Tolerance exceeded in error handler',
    })
    const cause = (failure as Error).cause as Error
    expect(cause).toMatchObject({ className: 'org.apache.kafka.connect.errors.DataException' })
    expect(cause.message).toContain('cannot convert poison (record {"counter":"one"} at {"n":17}, stage VALUE_CONVERTER, test.Text')
    expect(cause.message).toContain('errors.tolerance=all')
    expect(await stored(environment.id.connector)).toEqual({ n: 16 })
    expect(await values(`${environment.id.connector}-out`)).toHaveLength(16)
  })

  it('leaves out with tolerance all what cannot be converted, and logs it', async () => {
    const environment = place({
      total: '30',
      'errors.tolerance': 'all',
      'errors.log.enable': 'true',
      'errors.log.include.messages': 'true',
    })
    const task = startSource(
      counter((n) => (n % 10 === 0 ? { value: 'poison' } : n === 5 ? { topic: '' } : {})),
      environment,
    )
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 26)
    await task.stop(5_000)
    expect(await stored(environment.id.connector)).toEqual({ n: 30 })
    const errors = environment.log.lines.filter((line) => line.startsWith('error'))
    expect(errors).toHaveLength(4)
    expect(errors[0]).toContain("Executing stage 'TASK_POLL' with class 'test.Counter'")
    expect(errors[1]).toContain("Executing stage 'VALUE_CONVERTER' with class 'test.Text'")
    expect(errors[1]).toContain('poison')
  })

  it('takes a record that a transform drops as delivered', async () => {
    const odd = defineTransform({
      class: 'test.Odd',
      version: '1.0.0',
      config: defineConfig({}),
      create: () => (record) => (Number(textOf(record.value).slice(1)) % 2 === 1 ? record : null),
    })
    const environment = place({ total: '30', transforms: 'odd', 'transforms.odd.type': 'test.Odd' }, { plugins: loaderOf(odd) })
    const task = startSource(counter(), environment)
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 15)
    await task.stop(5_000)
    expect(await stored(environment.id.connector)).toEqual({ n: 30 })
  })

  it('waits for converters that answer with promises, in order', async () => {
    const environment = place({ total: '500', batch: '100', 'value.converter': 'test.SlowText' })
    const task = startSource(counter(), environment)
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 500)
    await task.stop(5_000)
    expect(await values(`${environment.id.connector}-out`)).toEqual(Array.from({ length: 500 }, (_, index) => `n${index + 1}`))
  })

  it('moves a position without a record once all before it is delivered', async () => {
    const plugin = defineSource({
      class: 'test.Idle',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }, { offsets, signal, sleep }) {
        yield [{ topic, value: 'n1', sourcePartition: { counter: 'one' }, sourceOffset: { n: 1 } }]
        for (let n = 2; !signal.aborted; n++) {
          offsets.advance({ counter: 'one' }, { n })
          await sleep(1)
        }
      },
    })
    const environment = place({}, { flushIntervalMs: 10 })
    const task = startSource(plugin, environment)
    await eventually(async () => Number((await stored(environment.id.connector))?.['n'] ?? 0) > 5)
    await task.stop(5_000)
    expect(await values(`${environment.id.connector}-out`)).toEqual(['n1'])
  })

  it('cuts off a generator that never returns, after its grace', async () => {
    const plugin = defineSource({
      class: 'test.Deaf',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }) {
        yield [{ topic, value: 'n1', sourcePartition: { counter: 'one' }, sourceOffset: { n: 1 } }]
        await new Promise(() => {})
      },
    })
    const environment = place({})
    const task = startSource(plugin, environment)
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 1)
    const beganMs = world.clock.monotonicMs()
    await task.stop(100)
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(2_000)
    await task.done
    // What was delivered is stored while the grace lasts.
    expect(await stored(environment.id.connector)).toEqual({ n: 1 })
  })

  it('delivers what the source yields on its way to the end', async () => {
    const plugin = defineSource({
      class: 'test.Last',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }, { signal, sleep }) {
        yield [{ topic, value: 'n1', sourcePartition: { counter: 'one' }, sourceOffset: { n: 1 } }]
        while (!signal.aborted) await sleep(10_000)
        yield [{ topic, value: 'n2', sourcePartition: { counter: 'one' }, sourceOffset: { n: 2 } }]
      },
    })
    const environment = place({})
    const task = startSource(plugin, environment)
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 1)
    await task.stop(5_000)
    expect(await values(`${environment.id.connector}-out`)).toEqual(['n1', 'n2'])
    expect(await stored(environment.id.connector)).toEqual({ n: 2 })
  })

  it('makes topics by topic.creation groups before their first record', async () => {
    const environment = place({
      total: '2',
      'topic.creation.groups': 'wide',
      'topic.creation.wide.include': '.*-wide',
      'topic.creation.wide.partitions': '4',
      'topic.creation.wide.cleanup.policy': 'compact',
      'topic.creation.default.partitions': '2',
      'topic.creation.default.replication.factor': '1',
    })
    const { connector } = environment.id
    const task = startSource(
      counter((n) => ({ key: `k${n}`, topic: n === 1 ? `${connector}-wide` : `${connector}-out` })),
      environment,
    )
    await eventually(async () => (await values(`${connector}-out`)).length === 1)
    await task.stop(5_000)
    const admin = createAdmin({ bootstrapServers: bootstrap })
    const described = await admin.describeTopics([`${connector}-wide`, `${connector}-out`])
    expect(described.map(({ partitions }) => partitions.length)).toEqual([4, 2])
    const [configs] = await admin.describeConfigs([{ type: 'topic', name: `${connector}-wide`, names: ['cleanup.policy'] }])
    expect(configs?.entries.map(({ value }) => value)).toEqual(['compact'])
    await admin.close()
  })

  it('fails with record and key to change when the broker refuses a record for good', async () => {
    const environment = place({ total: '20', 'producer.override.max.request.size': '1000' })
    const task = startSource(
      counter((n) => (n === 13 ? { value: `n${'x'.repeat(2_000)}` } : {})),
      environment,
    )
    const failure = await task.done.catch((error: unknown) => error as Error)
    expect((failure as Error).message).toBe('Tolerance exceeded in error handler')
    const { message } = (failure as Error).cause as Error
    expect(message).toContain('max.request.size')
    expect(message).toContain('record {"counter":"one"} at {"n":13}, stage KAFKA_PRODUCE')
    expect(message).toContain('producer.override.*')
    expect(await stored(environment.id.connector)).toEqual({ n: 10 })
  })

  it('leaves out with tolerance all what the broker refuses for good', async () => {
    const environment = place({ total: '20', 'producer.override.max.request.size': '1000', 'errors.tolerance': 'all' })
    const task = startSource(
      counter((n) => (n === 13 ? { value: `n${'x'.repeat(2_000)}` } : {})),
      environment,
    )
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 19)
    await task.stop(5_000)
    expect(await stored(environment.id.connector)).toEqual({ n: 20 })
    expect(environment.log.lines.filter((line) => line.includes('a record was skipped'))).toHaveLength(1)
  })

  it('makes its producer of the worker’s producer. keys and, over them, the connector’s producer.override. keys', async () => {
    const wide = counter(() => ({ value: 'x'.repeat(2_000) }))
    const worker = { 'producer.max.request.size': '1000', 'producer.key.serializer': 'x' }
    const refused = place({ total: '1' }, { worker })
    await expect(startSource(wide, refused).done).rejects.toThrow('Tolerance exceeded')
    expect(refused.log.lines[0]).toContain('producer settings without effect: key.serializer')
    const taken = place({ total: '1', 'producer.override.max.request.size': '5000' }, { worker })
    const task = startSource(wide, taken)
    await eventually(async () => (await values(`${taken.id.connector}-out`)).length === 1)
    await task.stop(5_000)
    const unusable = startSource(wide, place({ 'producer.override.acks': 'some' }))
    await expect(unusable.started).rejects.toThrow('acks')
  })

  it('fails with what a listener of stored positions throws', async () => {
    const plugin = defineSource({
      class: 'test.BadListener',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }, { signal, onCommitted, sleep }) {
        onCommitted(async () => {
          await sleep(1)
          throw new FatalError('slot', 'the slot cannot be moved', 'look at it')
        })
        yield [{ topic, value: 'n1', sourcePartition: { counter: 'one' }, sourceOffset: { n: 1 } }]
        while (!signal.aborted) await sleep(1_000)
      },
    })
    const environment = place({}, { flushIntervalMs: 10 })
    const task = startSource(plugin, environment)
    await expect(task.done).rejects.toThrow('the slot cannot be moved')
    expect(await stored(environment.id.connector)).toEqual({ n: 1 })
    await task.stop(0)
  })

  it('moves no position past a record that failed, whatever the source says on its way out', async () => {
    const plugin = defineSource({
      class: 'test.Hasty',
      version: '1.0.0',
      config: counterConfig,
      async *run({ topic }, { offsets }) {
        try {
          yield [
            { topic, value: 'n1', sourcePartition: { counter: 'one' }, sourceOffset: { n: 1 } },
            { topic, value: 'poison', sourcePartition: { counter: 'one' }, sourceOffset: { n: 2 } },
          ]
        } finally {
          offsets.advance({ counter: 'one' }, { n: 99 })
        }
      },
    })
    const environment = place({})
    await expect(startSource(plugin, environment).done).rejects.toThrow('Tolerance exceeded')
    expect(await stored(environment.id.connector)).toEqual({ n: 1 })
  })

  it('stops while it is paused, and when nothing has been started yet', async () => {
    const environment = place({ total: '5' })
    const task = startSource(counter(), environment)
    await eventually(async () => (await values(`${environment.id.connector}-out`)).length === 5)
    task.pause()
    await Promise.all([task.stop(5_000), task.stop(5_000)])
    await task.done
    expect(await stored(environment.id.connector)).toEqual({ n: 5 })
    const other = startSource(counter(), place({}))
    await other.stop(5_000)
    await other.done
    await other.started
  })

  it('rejects started and done for a configuration that cannot be', async () => {
    const environment = place({ 'value.converter': 'test.Unknown' })
    const task = startSource(counter(), environment)
    await expect(task.started).rejects.toThrow('no converter test.Unknown')
    await expect(task.done).rejects.toThrow('no converter test.Unknown')
    await task.stop(100)
    const other = startSource(counter(), place({ 'errors.tolerance': 'some' }))
    await expect(other.started).rejects.toThrow('errors.tolerance')
  })
})
