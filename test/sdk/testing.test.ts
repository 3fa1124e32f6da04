/** @module test/sdk/testing — the acceptance suites themselves: good plugins pass, and each kind of breach fails the check that is meant for it. */
import {
  type ConfigDefinition,
  DataError,
  defineConfig,
  defineSink,
  defineSource,
  FatalError,
  javaText,
  RetriableError,
  type SinkDefinition,
  type SinkTask,
  type SourceDefinition,
  type SourceRecordInput,
  type Value,
} from '@millrace/sdk'
import {
  type AcceptanceCheck,
  MemoryOffsets,
  runSink,
  runSource,
  type SinkDriver,
  type SourceDriver,
  sinkAcceptance,
  sinkRecords,
  sourceAcceptance,
} from '@millrace/sdk/testing'
import { describe, expect, it } from 'vitest'

const textOf = (value: Value): string => javaText(null, value)

/** The checks that fail, of all or of the one that is named. */
async function failures(checks: readonly AcceptanceCheck[], only?: string): Promise<Record<string, string>> {
  const failed: Record<string, string> = {}
  for (const { name, run } of checks) {
    if (only !== undefined && name !== only) continue
    try {
      await run()
    } catch (error) {
      failed[name] = (error as Error).message
    }
  }
  return failed
}

const sourceConfig = defineConfig({
  place: { type: 'STRING', importance: 'HIGH', documentation: 'Where to read.' },
  password: { type: 'PASSWORD', default: null, importance: 'LOW', documentation: 'How to get in.' },
})
type Definition = SourceDefinition<typeof sourceConfig>
type Run = Definition['run']

/** An outside world of numbered items, read in batches of two. */
class Well {
  readonly items = Array.from({ length: 9 }, (_, at) => `item ${at}`)
  readCount = 0
  releasedCount = 0
  openCount = 0

  read(from: number): string[] {
    const found = this.items.slice(from, from + 2)
    this.readCount += found.length
    return found
  }
}

let well = new Well()
const partition = { well: 'a' }
const record = (value: unknown, next: number): SourceRecordInput => ({
  topic: 't',
  value,
  sourcePartition: partition,
  sourceOffset: { next },
})

const goodRun: Run = async function* (_config, { signal, offsets, sleep, onCommitted }) {
  let next = Number((await offsets.read(partition))?.['next'] ?? 0)
  onCommitted((committed) => {
    well.releasedCount = Number(committed.at(-1)?.offset['next'])
  })
  well.openCount++
  try {
    while (!signal.aborted) {
      const found = well.read(next)
      if (found.length > 0) yield found.map((item) => record(item, ++next))
      else await sleep(1)
    }
  } finally {
    well.openCount--
  }
}

function source(changes: Partial<Definition> = {}): ReturnType<typeof defineSource<typeof sourceConfig>> {
  return defineSource({ class: 'com.example.Well', version: '1.0.0', config: sourceConfig, run: goodRun, ...changes })
}

function sourceDriver(changes: Partial<SourceDriver> = {}): SourceDriver {
  return {
    setup: () => {
      well = new Well()
      const current = well
      return {
        config: { place: 'here', password: 'hunter2-canary' },
        recordCount: 9,
        add: () => current.items.push('late 0', 'late 1') - 9,
        openCount: () => current.openCount,
      }
    },
    readCount: () => well.readCount,
    releasedCount: () => well.releasedCount,
    graceMs: 200,
    quietMs: 15,
    takeMs: 300,
    ...changes,
  }
}

const loop = (step: (next: number) => SourceRecordInput[]): Run =>
  async function* (_config, { signal, offsets, sleep }) {
    let next = Number((await offsets.read(partition))?.['next'] ?? 0)
    while (!signal.aborted) {
      const batch = step(next)
      next += batch.length
      if (batch.length > 0) yield batch
      else await sleep(1)
    }
  }

describe('sourceAcceptance', () => {
  it('passes a good source', async () => {
    expect(await failures(sourceAcceptance(source(), sourceDriver()))).toEqual({})
  })

  const resume = 'goes on from any position without loss'
  const records = 'gives every record with a partition and an offset, in batches of bounded size'
  const abort = 'returns soon after its signal aborts: before the start, in the middle, at rest'

  it.each<[string, Partial<Definition>, string, RegExp]>([
    ['without a version', { version: 'new' }, 'names its class and version, and documents every key', /version "new"/],
    [
      'that forgets its position',
      { run: (config, context) => goodRun(config, { ...context, offsets: { ...context.offsets, read: async () => null } }) },
      resume,
      /1 records of .* came again/,
    ],
    [
      'whose positions are one too far',
      { run: loop((next) => well.read(next).map((item, at) => record(item, next + at + 2))) },
      resume,
      /were lost|0 records came|records came where/,
    ],
    ['without positions', { run: loop((next) => well.read(next).map((value) => ({ topic: 't', value }))) }, records, /no source partition/],
    [
      'that gives everything at once',
      { run: loop((next) => well.items.slice(next).map((item, at) => record(item, next + at + 1))) },
      records,
      /a batch has 9 records, at most 4/,
    ],
    [
      'that does not hear the signal',
      {
        run: async function* () {
          await new Promise(() => undefined)
          yield []
        },
      },
      abort,
      /took longer than 200 ms/,
    ],
    [
      'that leaves things open',
      {
        run: async function* (config, context) {
          well.openCount++
          yield* goodRun(config, context)
        },
      },
      abort,
      /things are open at the end/,
    ],
    [
      'that reads ahead',
      {
        run: (config, context) => {
          if (context.signal.aborted) return goodRun(config, context)
          const timer = setInterval(() => void well.read(0), 2)
          context.signal.addEventListener('abort', () => clearInterval(timer))
          return goodRun(config, context)
        },
      },
      'does not read ahead of what is taken',
      /records were read while nobody took any/,
    ],
    [
      'that lets go too early',
      {
        run: async function* (config, context) {
          for await (const batch of goodRun(config, context)) {
            well.releasedCount += batch.length
            yield batch
          }
        },
      },
      'lets go of what it read only after it was committed',
      /were let go of before anything was committed/,
    ],
    [
      'that cannot bear a commit',
      {
        run: (config, context) => {
          context.onCommitted(() => {
            throw new Error('not now')
          })
          return goodRun(config, context)
        },
      },
      'bears commits',
      /not now/,
    ],
    [
      'that plans too many tasks',
      { plan: () => [{ place: 'a' }, { place: 'b' }, { place: 'c' }] },
      'plans no more tasks than allowed, and the same ones again',
      /3 tasks where at most 1/,
    ],
    [
      'that plans differently each time',
      {
        plan: (() => {
          let count = 0
          return () => [{ place: `${count++}` }]
        })(),
      },
      'plans no more tasks than allowed, and the same ones again',
      /other tasks the second time/,
    ],
    [
      'that tells its password',
      {
        run: (config, context) => {
          context.log.info('logging in', { with: config.password?.value })
          return goodRun(config, context)
        },
      },
      'tells no secrets',
      /a secret stands in a log line/,
    ],
    [
      'that refuses what is right',
      { validate: () => [{ key: 'place', message: 'place: never' }] },
      'accepts its configuration, and starts nothing for that',
      /place: never/,
    ],
  ])('fails a source %s', async (_what, changes, check, message) => {
    const failed = await failures(sourceAcceptance(source(changes), sourceDriver({ batchCountMax: 4 })), check)
    expect(Object.keys(failed)).toContain(check)
    expect(failed[check]).toMatch(message)
  })

  it('fails a source that repeats what it gave when more comes', async () => {
    const again = loop((next) => (next < 9 ? well.read(next).map((item, at) => record(item, next + at + 1)) : []))
    const run: Run = async function* (config, context) {
      for await (const batch of again(config, context)) {
        yield batch
        if (batch.length === 1) yield [record('item 0', 1)]
      }
    }
    const failed = await failures(sourceAcceptance(source({ run }), sourceDriver()), records)
    expect(failed[records]).toMatch(/10 records came where 9/)
  })

  it('allows repeats within a batch only to whom it was said', async () => {
    const run: Run = (config, context) => {
      const read = async (): Promise<{ next: number } | null> => {
        const stored = Number((await context.offsets.read(partition))?.['next'] ?? 0)
        return { next: stored - (stored % 2) }
      }
      return goodRun(config, { ...context, offsets: { ...context.offsets, read } })
    }
    expect(await failures(sourceAcceptance(source({ run }), sourceDriver({ repeats: 'batch' })))).toEqual({})
    expect(Object.keys(await failures(sourceAcceptance(source({ run }), sourceDriver())))).toEqual([resume])
  })

  it('wants missing keys refused by name, those with a default too', async () => {
    const driver = sourceDriver({ requiredKeys: ['password'] })
    const check = 'refuses a configuration without a required key, by its name'
    expect((await failures(sourceAcceptance(source(), driver)))[check]).toMatch(/without "password" is accepted/)
    const validate: Definition['validate'] = ({ password }) =>
      password === null ? [{ key: 'password', message: 'password is missing' }] : []
    expect(await failures(sourceAcceptance(source({ validate }), driver))).toEqual({})
  })

  it('wants errors that say what comes next', async () => {
    const breakage = {
      name: 'the well is dry',
      next: 'retry' as const,
      setup: () => ({ config: { place: 'x', password: 'hunter2-canary' } }),
    }
    const outcome = async (thrown: unknown): Promise<string | undefined> => {
      const run: Run = async function* () {
        yield []
        throw thrown
      }
      const checks = sourceAcceptance(
        source({
          run: async function* (config, context) {
            for await (const batch of run(config, context)) if (batch.length > 0) yield batch
          },
        }),
        sourceDriver({ breakages: [breakage] }),
      )
      return (await failures(checks.slice(-1)))['says what the engine does next: the well is dry']
    }
    expect(await outcome(new RetriableError('dry'))).toBeUndefined()
    expect(await outcome(new FatalError('dry', 'dry', 'dig'))).toMatch(/would fail after "dry; dig", it should retry/)
    expect(await outcome(new RetriableError(''))).toMatch(/without a message/)
    expect(await outcome('dry')).toMatch(/is no Error/)
    expect(await outcome(new RetriableError('dry', { cause: new Error('no hunter2-canary') }))).toMatch(/a secret stands/)
  })
})

const sinkConfig = defineConfig({ place: { type: 'STRING', importance: 'HIGH', documentation: 'Where to write.' } })
type SinkPart = Partial<SinkTask> & Partial<SinkDefinition<typeof sinkConfig>>

/** A target of lines that can be away. */
class Shelf {
  lines: string[] = []
  isAway = false
  openCount = 0
}

let shelf = new Shelf()

function sink(changes: SinkPart = {}): ReturnType<typeof defineSink<typeof sinkConfig>> {
  const { write, flush, stop, open, close, ...facts } = changes
  const parts = { write, flush, stop, open, close }
  const given = Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)) as Partial<SinkTask>
  return defineSink({
    class: 'com.example.Shelf',
    version: '1.0.0',
    config: sinkConfig,
    start: () => {
      shelf.openCount++
      return {
        write: (records) => {
          if (shelf.isAway) throw new RetriableError('the shelf is away', { afterMs: 1 })
          for (const { value } of records) shelf.lines.push(textOf(value))
        },
        stop: () => void shelf.openCount--,
        ...given,
      }
    },
    ...facts,
  })
}

function sinkDriver(changes: Partial<SinkDriver> = {}): SinkDriver {
  const setup = () => {
    shelf = new Shelf()
    const current = shelf
    return { config: { place: 'here' }, read: () => current.lines, openCount: () => current.openCount }
  }
  const fault = () => {
    const place = setup()
    const current = shelf
    return { ...place, break: () => void (current.isAway = true), heal: () => void (current.isAway = false) }
  }
  return { setup, faults: [{ name: 'away', setup: fault }], graceMs: 200, ...changes }
}

describe('sinkAcceptance', () => {
  it('passes a good sink', async () => {
    expect(await failures(sinkAcceptance(sink(), sinkDriver()))).toEqual({})
  })

  const order = 'writes what it is given, in order, and shows it after a flush'
  const safe = 'says only what was written is safe'
  const stop = 'stops soon: before any call, after an abort'
  const fault = 'asks for a retry, then writes everything: away'

  it.each<[string, SinkPart, string, RegExp]>([
    [
      'that loses records',
      { write: (records) => void shelf.lines.push(...records.slice(1).map(({ value }) => textOf(value))) },
      order,
      /are not in the target, value 0 among them/,
    ],
    [
      'that turns them round',
      { write: (records) => void shelf.lines.unshift(...records.map(({ value }) => textOf(value))) },
      order,
      /out of order/,
    ],
    [
      'that adds some',
      { write: (records) => void shelf.lines.push('hello', ...records.map(({ value }) => textOf(value))) },
      order,
      /never written: hello/,
    ],
    ['that shows nothing before it stops', bufferedUntil('stop'), order, /after a flush, .* are not in the target/],
    [
      'that cannot take an empty batch',
      { write: (records) => void shelf.lines.push(textOf(records[0]!.value)) },
      'takes empty batches, and a flush without records',
      /undefined/,
    ],
    [
      'that commits too much',
      { flush: (offsets) => offsets.map((one) => ({ ...one, offset: one.offset + 1 })) },
      safe,
      /called offset 4 safe where 3/,
    ],
    [
      'that commits what it never saw',
      { flush: (offsets) => [...offsets, { topic: 'x', partition: 9, offset: 1 }] },
      safe,
      /offset of x-9 safe/,
    ],
    [
      'that commits nothing written',
      { flush: () => [{ topic: 't', partition: 0, offset: 0 }] },
      'takes empty batches, and a flush without records',
      /safe where nothing was written/,
    ],
    [
      'that chokes on a tombstone',
      {
        write: (records) => {
          for (const { value } of records) shelf.lines.push((value as string).slice(0))
        },
      },
      'takes a tombstone, or says that it cannot',
      /ended in "TypeError/,
    ],
    ['that hangs when stopped', { stop: () => new Promise(() => undefined) }, stop, /stop before any other call took longer/],
    [
      'that hangs when cut off',
      {
        write: (records, { signal }) =>
          signal.aborted ? new Promise(() => undefined) : void shelf.lines.push(...records.map(({ value }) => textOf(value))),
      },
      stop,
      /a write after the abort took longer/,
    ],
    ['that stays open', { stop: () => undefined }, stop, /things are open at the end/],
    [
      'that swallows failures',
      {
        write: (records) => {
          if (!shelf.isAway) for (const { value } of records) shelf.lines.push(textOf(value))
        },
      },
      fault,
      /succeeded while the target was away/,
    ],
    [
      'that gives up',
      {
        write: () => {
          throw new Error('away')
        },
      },
      fault,
      /would fail after "away", it should retry/,
    ],
  ])('fails a sink %s', async (_what, changes, check, message) => {
    const failed = await failures(sinkAcceptance(sink(changes), sinkDriver()), check)
    expect(Object.keys(failed)).toContain(check)
    expect(failed[check]).toMatch(message)
  })

  it('holds a sink that claims it to writing each record once', async () => {
    const failed = await failures(sinkAcceptance(sink(), sinkDriver({ delivery: 'once' })))
    expect(Object.keys(failed)).toEqual(['takes the same batch twice without loss', 'goes on after a restart'])
    const upsert: SinkPart = {
      write: (records) => {
        if (shelf.isAway) throw new RetriableError('away')
        for (const { value } of records) if (!shelf.lines.includes(textOf(value))) shelf.lines.push(textOf(value))
      },
    }
    expect(await failures(sinkAcceptance(sink(upsert), sinkDriver({ delivery: 'once' })))).toEqual({})
  })
})

describe('a sink that writes by key', () => {
  const rows = new Map<string, string>()
  const byKey = sink({
    async write(records) {
      for (const one of records) {
        if (one.key === null) throw new DataError('a record without a key')
        if (one.value === null) rows.delete(textOf(one.key))
        else rows.set(textOf(one.key), textOf(one.value))
      }
    },
    stop: () => undefined,
  })
  const driver: SinkDriver = {
    setup: () => {
      rows.clear()
      return { config: { place: 'here' }, read: () => [...rows.values()] }
    },
    delivery: 'once',
  }

  it('is given keys where its driver has some', async () => {
    expect(await failures(sinkAcceptance(byKey, { ...driver, key: (n) => `key ${n}` }))).toEqual({})
    expect(Object.values(await failures(sinkAcceptance(byKey, driver)))).toContain('a record without a key')
  })

  it('that rejects what has none is told so', async () => {
    const picky = defineSink({
      class: 'com.example.Picky',
      version: '1.0.0',
      config: sinkConfig,
      start: (_config, { reject }) => ({
        write: async (records) => {
          for (const one of records) await reject(one, new DataError('a record without a key'))
        },
      }),
    })
    const failed = await failures(sinkAcceptance(picky, driver), 'writes what it is given, in order, and shows it after a flush')
    expect(Object.values(failed)[0]).toMatch(/10 of 10 records are not in the target, .*; the sink rejected 10: a record without a key$/)
  })
})

/** A sink that shows what it was given only at one of its calls. */
function bufferedUntil(call: 'flush' | 'stop'): SinkPart {
  const held: string[] = []
  const show = (): undefined => void shelf.lines.push(...held.splice(0))
  return { write: (records) => void held.push(...records.map(({ value }) => textOf(value))), [call]: show }
}

describe('runSource', () => {
  it('stores positions of what was taken, and advances without records', async () => {
    const run: Run = async function* (_config, { offsets }) {
      yield [record('a', 1), record('b', 2)]
      offsets.advance(partition, { next: 5 })
      yield [record('c', 6)]
    }
    const offsets = new MemoryOffsets()
    const task = await runSource(source({ run }), { config: { place: 'x' }, offsets })
    expect((await task.take(2)).map(({ value }) => value)).toEqual(['a', 'b'])
    expect(await task.commit()).toEqual([{ partition, offset: { next: 2 } }])
    expect(await task.next()).toHaveLength(1)
    expect(await task.next()).toBeUndefined()
    await task.commit()
    expect(offsets.entries()).toEqual([{ partition, offset: { next: 6 } }])
    await task.stop()
  })

  it('keeps a batch that comes after a wait was given up for the next one', async () => {
    const late = Promise.withResolvers<void>()
    const source = defineSource({
      class: 'test.Late',
      version: '1.0.0',
      config: defineConfig({}),
      async *run() {
        await late.promise
        yield [{ topic: 'late', value: 1, sourcePartition: { a: 'b' }, sourceOffset: { n: 1 } }]
      },
    })
    const run = await runSource(source, { config: {} })
    expect(await run.takeFor(5)).toEqual([])
    late.resolve()
    await new Promise(setImmediate)
    expect(await run.commit()).toEqual([])
    expect(await run.take(1)).toHaveLength(1)
    expect(await run.commit()).toHaveLength(1)
    await run.stop()
  })

  it('says what is wrong where a record is yielded without a list', async () => {
    const run = async function* () {
      yield record('a', 1)
    } as unknown as Run
    const task = await runSource(source({ run }), { config: { place: 'x' } })
    await expect(task.next()).rejects.toThrow('the source yielded an object where a list of records is due: yield [record]')
  })

  it('gives positions back as the offsets topic does, and tells of them as they were given', async () => {
    const offsets = new MemoryOffsets()
    const position = { lsn: 5n, far: 2n ** 60n, when: 1.5, note: null }
    const told: unknown[] = []
    const run: Run = async function* (_config, context) {
      context.onCommitted((committed) => void told.push(...committed))
      yield [{ topic: 't', value: 1, sourcePartition: { shard: 1n }, sourceOffset: position }]
    }
    const task = await runSource(source({ run }), { config: { place: 'x' }, offsets })
    await task.next()
    await task.commit()
    expect(offsets.read({ shard: 1 })).toEqual({ lsn: 5, far: 2n ** 60n, when: 1.5, note: null })
    expect(told).toEqual([{ partition: { shard: 1n }, offset: position }])
    expect(() => offsets.store({ shard: 1 }, { lsn: Number.NaN })).toThrow('lsn: JSON has no form for NaN')
    await task.stop()
  })

  it('refuses a record that has no canonical form', async () => {
    const run: Run = async function* () {
      yield [{ topic: 't', value: { f: () => 1 } }]
    }
    const task = await runSource(source({ run }), { config: { place: 'x' } })
    await expect(task.next()).rejects.toThrow('value.f: a function has no form in a record')
  })
})

describe('runSink', () => {
  it('keeps what a sink asks of its context', async () => {
    const plugin = defineSink({
      class: 'com.example.Picky',
      version: '1.0.0',
      config: {} as ConfigDefinition,
      start: (_config, context) => ({
        open: ([first]) => {
          if (first !== undefined) context.seek(first, 7)
        },
        write: async (records) => {
          for (const one of records) await context.reject(one, new Error(`no room for ${textOf(one.value)}`))
          context.pause(context.assignment())
          context.requestCommit()
        },
      }),
    })
    const run = await runSink(plugin, { config: {} })
    await run.open([{ topic: 't', partition: 1 }])
    await run.deliver(sinkRecords('t', ['x'], { partition: 1, offset: 7 }))
    expect(run.seeks).toEqual([{ topic: 't', partition: 1, offset: 7 }])
    expect(run.rejected.map(({ error }) => error.message)).toEqual(['no room for x'])
    expect(run.paused).toEqual([{ topic: 't', partition: 1 }])
    expect(run.commitRequests).toBe(1)
    expect((await run.flush()).asked).toEqual([{ topic: 't', partition: 1, offset: 8 }])
    await run.stop()
  })
})
