/** Plugins that reuse their objects, never wait, yield what is no batch: nothing is lost, nothing wrong is stored, nobody else is held up. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConverterPlugin,
  defineConfig,
  defineConverter,
  defineSink,
  defineSource,
  RetriableError,
  type SinkTaskContext,
  type SourceRecordInput,
  type SourceTaskContext,
} from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAdmin } from '../../../hub/client/index.ts'
import { inFlightOf } from '../../../hub/connect/tasks/clients.ts'
import { SinkOffsets } from '../../../hub/connect/tasks/sink-offsets.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import {
  committedOffsets,
  environmentOf,
  eventually,
  fill,
  loaderOf,
  OFFSETS_TOPIC,
  readOffsets,
  readTopic,
  startSink,
  startSource,
  textOf,
  world,
} from './workshop.ts'

let directory: string
let hub: TestHub
let bootstrap: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-hostile-'))
  hub = await startHub({
    directory,
    overrides: { 'process.roles': 'broker,controller', listeners: 'PLAINTEXT://127.0.0.1:0', 'auto.create.topics.enable': 'false' },
  })
  bootstrap = hub.bootstrap
  await createTopics({ [OFFSETS_TOPIC]: 1, t: 1 })
})
afterEach(async () => {
  await hub.close()
  await rm(directory, { recursive: true, force: true })
})

async function createTopics(partitionCounts: Readonly<Record<string, number>>): Promise<void> {
  const admin = createAdmin({ bootstrapServers: bootstrap })
  await admin.createTopics(Object.entries(partitionCounts).map(([name, partitionCount]) => ({ name, partitionCount })))
  await admin.close()
}

function sourceOf(run: (context: SourceTaskContext) => AsyncIterable<readonly SourceRecordInput[]>) {
  return defineSource({ class: 'test.Hostile', version: '1.0.0', config: defineConfig({}), run: (_config, context) => run(context) })
}

function sinkOf(write: (values: string[], context: SinkTaskContext) => void) {
  return defineSink({
    class: 'test.HostileSink',
    version: '1.0.0',
    config: defineConfig({}),
    start: (_config, context) => ({
      write: (records) =>
        write(
          records.map(({ value }) => textOf(value)),
          context,
        ),
    }),
  })
}

/** Passes bytes on as they are; `gate` waits for {@link openGate}. */
function gatedBytes() {
  const gate = Promise.withResolvers<void>()
  const plugin = defineConverter({
    class: 'test.GatedBytes',
    version: '1.0.0',
    config: defineConfig({}),
    create: () => ({
      fromConnectData: (_topic, _schema, value) => {
        const bytes = value as Uint8Array | null
        return bytes?.length === 4 ? gate.promise.then(() => bytes) : bytes
      },
      toConnectData: (_topic, bytes) => ({ schema: null, value: bytes }),
    }),
  }) as unknown as ConverterPlugin
  return { plugins: loaderOf(plugin), openGate: gate.resolve }
}

const asBytes = { 'value.converter': 'test.GatedBytes' }

describe('a source that uses its objects again', () => {
  it('sends what its buffer held when it was yielded', async () => {
    const source = sourceOf(async function* ({ signal, sleep }) {
      const buffer = Buffer.alloc(8)
      for (let n = 0; n < 200; n++) {
        buffer.write(String(n).padStart(8, '0'))
        yield [{ topic: 't', value: buffer, sourcePartition: { a: 1 }, sourceOffset: { n } }]
      }
      while (!signal.aborted) await sleep(1_000)
    })
    const task = startSource(source, environmentOf({ bootstrap, config: asBytes, plugins: gatedBytes().plugins }))
    await task.started
    await eventually(async () => (await readTopic(bootstrap, 't')).length === 200)
    await task.stop(5_000)
    expect((await readTopic(bootstrap, 't')).map(({ value }) => Number(value))).toEqual(Array.from({ length: 200 }, (_, n) => n))
  })
})

describe('a position that is moved while a batch waits for room', () => {
  it('is not stored before that batch is delivered', async () => {
    const { plugins, openGate } = gatedBytes()
    const source = sourceOf(async function* ({ offsets, signal, sleep }) {
      setTimeout(() => offsets.advance({ slot: 1 }, { lsn: 99 }), 300)
      const big = Array.from({ length: 40 }, () => Buffer.alloc(900_000))
      yield [...big, Buffer.from('gate')].map((value) => ({ topic: 'late', value }))
      while (!signal.aborted) await sleep(1_000)
    })
    const task = startSource(source, environmentOf({ bootstrap, config: asBytes, plugins, flushIntervalMs: 20 }))
    await world.clock.sleep(500)
    await createTopics({ late: 1 })
    await eventually(async () => (await readTopic(bootstrap, 'late')).length >= 36)
    await world.clock.sleep(300)
    expect(await readOffsets(bootstrap, 'c', [{ slot: 1 }])).toEqual([null])
    openGate()
    await eventually(async () => (await readOffsets(bootstrap, 'c', [{ slot: 1 }]))[0] !== null)
    expect(await readTopic(bootstrap, 'late')).toHaveLength(41)
    await task.stop(5_000)
  })
})

describe('a source that never waits', () => {
  it.each([
    ['with empty batches', []],
    ['with records that are skipped', [{ topic: 't', value: 'poison' }]],
  ])('%s can be stopped', async (_name, batch) => {
    const source = sourceOf(async function* ({ signal }) {
      while (!signal.aborted) yield batch
    })
    const task = startSource(source, environmentOf({ bootstrap, config: { 'errors.tolerance': 'all' } }))
    await task.started
    await world.clock.sleep(50)
    await task.stop(5_000)
    await expect(task.done).resolves.toBeUndefined()
  })

  it('fails when it yields what is no batch', async () => {
    const source = sourceOf(async function* () {
      yield { topic: 't', value: '1' } as unknown as SourceRecordInput[]
    })
    await expect(startSource(source, environmentOf({ bootstrap })).done).rejects.toThrow('must yield arrays of records')
  })

  it('may yield null for a record where all is tolerated', async () => {
    const source = sourceOf(async function* ({ signal, sleep }) {
      yield [null as unknown as SourceRecordInput, { topic: 't', value: '1' }]
      while (!signal.aborted) await sleep(1_000)
    })
    const task = startSource(source, environmentOf({ bootstrap, config: { 'errors.tolerance': 'all' } }))
    await eventually(async () => (await readTopic(bootstrap, 't')).length === 1)
    await task.stop(5_000)
    await task.done
  })
})

describe('a sink that never waits', () => {
  it.each([
    ['asks to be woken at once', { wake: true }],
    ['wants the same records at once', { wake: false }],
  ])('%s, and can be stopped', async (_name, { wake }) => {
    await fill(bootstrap, 't', ['1'])
    let callCount = 0
    const sink = sinkOf((_values, { wakeAfter }) => {
      callCount++
      if (!wake) throw new RetriableError('not now', { afterMs: 0 })
      wakeAfter(0)
    })
    const task = startSink(sink, environmentOf({ bootstrap, config: { topics: 't' } }))
    await eventually(() => callCount > 20)
    await task.stop(5_000)
    await task.done
  })

  it('that starts without a task fails instead of committing what nobody wrote', async () => {
    await fill(bootstrap, 't', ['1'])
    const sink = defineSink({ class: 'test.Nothing', version: '1.0.0', config: defineConfig({}), start: () => undefined as never })
    await expect(startSink(sink, environmentOf({ bootstrap, config: { topics: 't' } })).done).rejects.toThrow('no task with a write method')
    expect(await committedOffsets(bootstrap, 'c', 't')).toEqual({})
  })
})

describe('rewinding', () => {
  it('goes back to where the sink sought, not ahead of it', () => {
    const offsets = new SinkOffsets()
    const at = { topic: 't', partition: 0 }
    offsets.assign([at])
    offsets.noteRead(at, 100)
    offsets.noteDelivered([{ ...at, offset: 200 }])
    offsets.markCommitted([{ ...at, offset: 200 }])
    offsets.noteSeek(at, 0)
    offsets.noteDelivered([{ ...at, offset: 50 }])
    expect(offsets.rewind()).toEqual([{ ...at, offset: 0 }])
  })
})

describe('requests in flight', () => {
  it('are one at a time where a repeat could overtake', () => {
    expect(inFlightOf({})).toBe('5')
    expect(inFlightOf({ acks: 'all', 'enable.idempotence': 'true' })).toBe('5')
    expect(inFlightOf({ acks: '1' })).toBe('1')
    expect(inFlightOf({ 'enable.idempotence': 'false' })).toBe('1')
    expect(inFlightOf({ retries: '0' })).toBe('1')
  })
})
