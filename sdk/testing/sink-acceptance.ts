/**
 * @module sdk/testing/sink-acceptance — the contract of sinks as checks that any sink runs against itself.
 *
 * ```ts
 * for (const { name, run } of sinkAcceptance(plugin, driver)) it(name, run)
 * ```
 */
import type { ConfigDefinition } from '../config.ts'
import { isEngineError } from '../errors.ts'
import type { SinkRecord, TopicPartition } from '../record.ts'
import type { SinkPlugin } from '../sink.ts'
import { toPlain } from '../to-plain.ts'
import type { Value } from '../values.ts'
import { type AcceptanceCheck, expectThat, within } from './expectation.ts'
import { type ConnectorDriver, checkError, checkSecrets, inPlace, type Place, plainChecks, secretsOf } from './plugin-checks.ts'
import type { LogLine } from './recorded-log.ts'
import { runSink, type SinkRun, sinkRecords } from './run-sink.ts'

/** Where a sink is checked: an empty target. */
export interface SinkPlace extends Place {
  /** What stands in the target, record by record in the order of the target, in the form of `identity`. */
  read(): Promise<readonly string[]> | readonly string[]
}

/** A target that can be taken away while a sink runs, and brought back. */
export interface FragilePlace extends SinkPlace {
  break(): Promise<void> | void
  heal(): Promise<void> | void
}

/** Something that may be wrong with the target for a while. */
export interface SinkFault {
  readonly name: string
  setup(): Promise<FragilePlace> | FragilePlace
}

export interface SinkDriver extends ConnectorDriver<SinkPlace> {
  /** What a record becomes in the target, to compare with `read`. Default: the value as text, or as JSON. */
  readonly identity?: (record: SinkRecord) => string
  /** The n-th value to write; all must differ. Default: `value n`. */
  readonly value?: (n: number) => Value
  /** Its key; all must differ. Default: records have none. A sink that writes by key needs it. */
  readonly key?: (n: number) => Value
  /** What the target holds after records were written twice: each `once` (upserts), or perhaps more. Default at-least-once. */
  readonly delivery?: 'once' | 'at-least-once'
  /** What a sink must survive by asking for a retry. */
  readonly faults?: readonly SinkFault[]
}

const topic = 'acceptance'
const graceMsDefault = 5_000

/** The checks for a sink. */
export function sinkAcceptance<D extends ConfigDefinition>(given: SinkPlugin<D>, driver: SinkDriver): readonly AcceptanceCheck[] {
  // What a definition's own type adds is of no use here.
  const plugin = given as unknown as SinkPlugin
  const check = (name: string, body: (suite: Suite) => Promise<void>): AcceptanceCheck => ({
    name,
    run: () => inPlace(driver, (place) => body(new Suite(plugin, driver, place))),
  })
  return [
    ...plainChecks(plugin, driver),
    check('writes what it is given, in order, and shows it after a flush', (suite) => suite.checkOrder()),
    check('takes empty batches, and a flush without records', (suite) => suite.checkEmpty()),
    check('takes the same batch twice without loss', (suite) => suite.checkTwice()),
    check('goes on after a restart', (suite) => suite.checkRestart()),
    check('follows partitions that come and go', (suite) => suite.checkRebalance()),
    check('says only what was written is safe', (suite) => suite.checkSafe()),
    check('takes a tombstone, or says that it cannot', (suite) => suite.checkTombstone()),
    check('stops soon: before any call, after an abort', (suite) => suite.checkStop()),
    check('tells no secrets', (suite) => suite.checkQuietSecrets()),
    ...(driver.faults ?? []).map((fault) => ({
      name: `asks for a retry, then writes everything: ${fault.name}`,
      run: () => inPlace(fault, (place) => new Suite(plugin, driver, place).checkFault(place)),
    })),
  ]
}

class Suite {
  readonly #plugin: SinkPlugin
  readonly #driver: SinkDriver
  readonly #place: SinkPlace
  /** What the sink gave up in its latest run. */
  #rejected: SinkRun['rejected'] = []

  constructor(plugin: SinkPlugin, driver: SinkDriver, place: SinkPlace) {
    this.#plugin = plugin
    this.#driver = driver
    this.#place = place
  }

  /** Records `from` to `to` of a partition; each has a value of its own. */
  #records(from: number, to: number, partition = 0): readonly SinkRecord[] {
    const { value = (n: number) => `value ${n}`, key = () => null } = this.#driver
    const numbers = Array.from({ length: to - from }, (_, at) => partition * 1_000 + from + at)
    return sinkRecords(topic, numbers.map(value), { partition, offset: from, keys: numbers.map(key) })
  }

  /** From `start` to the end in order: partitions closed after a last flush, then `stop`. */
  async #running<T>(body: (run: SinkRun) => Promise<T>, partitions: readonly number[] = [0]): Promise<T> {
    const run = await runSink(this.#plugin, { config: this.#place.config })
    this.#rejected = run.rejected
    const { graceMs = graceMsDefault } = this.#driver
    try {
      await run.open(partitions.map((partition) => ({ topic, partition })))
      const result = await body(run)
      await run.flush()
      await run.close()
      return result
    } finally {
      await within(graceMs, run.stop(), 'stop')
    }
  }

  /** The target must hold these records, each at least once, those of a partition in order. */
  async #expectHeld(records: readonly SinkRecord[], when: string): Promise<void> {
    const identity = this.#driver.identity ?? defaultIdentity
    const held = await this.#place.read()
    const wanted = records.map(identity)
    const missing = wanted.filter((name) => !held.includes(name))
    const [rejected] = this.#rejected
    const why = rejected === undefined ? '' : `; the sink rejected ${this.#rejected.length}: ${rejected.error.message}`
    expectThat(
      missing.length === 0,
      `${when}, ${missing.length} of ${wanted.length} records are not in the target, ${missing[0]} among them${why}`,
    )
    const strangers = held.filter((name) => !wanted.includes(name))
    expectThat(strangers.length === 0, `${when}, the target holds what was never written: ${strangers[0]}`)
    if (this.#driver.delivery === 'once') {
      expectThat(held.length === wanted.length, `${when}, the target holds ${held.length} records where ${wanted.length} were expected`)
    }
    for (const partition of new Set(records.map((record) => record.partition))) {
      const names = records.filter((record) => record.partition === partition).map(identity)
      const firsts = names.map((name) => held.indexOf(name))
      expectThat(
        firsts.every((place, at) => at === 0 || place > (firsts[at - 1] ?? 0)),
        `${when}, records of a partition are out of order`,
      )
    }
  }

  async checkOrder(): Promise<void> {
    const batches = [this.#records(0, 3), this.#records(3, 4), this.#records(4, 10)]
    await this.#running(async (run) => {
      for (const batch of batches) await run.deliver(batch)
      await run.flush()
      await this.#expectHeld(batches.flat(), 'after a flush')
    })
    await this.#expectHeld(batches.flat(), 'after the end')
  }

  async checkEmpty(): Promise<void> {
    await this.#running(async (run) => {
      await run.write([])
      const { safe } = await run.flush()
      expectThat(safe.length === 0, 'flush called offsets safe where nothing was written')
      await run.deliver(this.#records(0, 2))
      await run.write([])
    })
    await this.#expectHeld(this.#records(0, 2), 'after empty batches')
  }

  async checkTwice(): Promise<void> {
    const batch = this.#records(0, 5)
    await this.#running(async (run) => {
      await run.deliver(batch)
      await run.flush()
      await run.deliver(batch)
    })
    await this.#expectHeld(batch, 'after a batch came twice')
  }

  async checkRestart(): Promise<void> {
    await this.#running((run) => run.deliver(this.#records(0, 5)))
    // The commit of the last flush was lost: the engine begins a little earlier.
    await this.#running((run) => run.deliver(this.#records(3, 8)))
    await this.#expectHeld(this.#records(0, 8), 'after a restart')
  }

  async checkRebalance(): Promise<void> {
    const first: readonly TopicPartition[] = [{ topic, partition: 0 }]
    await this.#running(
      async (run) => {
        await run.deliver([...this.#records(0, 2), ...this.#records(0, 2, 1)])
        await run.flush()
        await run.close(first)
        await run.deliver(this.#records(2, 4, 1))
        await run.flush()
        await run.open(first)
        await run.deliver(this.#records(2, 4))
      },
      [0, 1],
    )
    await this.#expectHeld([...this.#records(0, 4), ...this.#records(0, 4, 1)], 'after partitions went and came')
  }

  async checkSafe(): Promise<void> {
    await this.#running(
      async (run) => {
        for (const end of [3, 7, 7]) {
          if (end === 3) await run.deliver([...this.#records(0, 3), ...this.#records(0, 1, 1)])
          else await run.deliver(this.#records(end - 4, end))
          const { asked, safe } = await run.flush()
          for (const { topic: name, partition, offset } of safe) {
            const limit = asked.find((one) => one.topic === name && one.partition === partition)
            expectThat(limit !== undefined, `flush called an offset of ${name}-${partition} safe, where nothing was written`)
            expectThat(
              offset <= limit.offset,
              `flush called offset ${offset} safe where ${limit.offset} was the next to be written: records would be lost`,
            )
            expectThat(Number.isSafeInteger(offset) && offset >= 0, `flush called ${offset} an offset`)
          }
        }
      },
      [0, 1],
    )
  }

  async checkTombstone(): Promise<void> {
    const [record] = sinkRecords(topic, [null], { keys: [this.#driver.key?.(0) ?? null] })
    if (record === undefined) return
    await this.#running(async (run) => {
      try {
        await run.write([record])
      } catch (error) {
        expectThat(isEngineError(error), `a tombstone ended in "${String(error)}": write it, reject it by ctx.reject, or throw a DataError`)
        checkError(error)
      }
    })
  }

  async checkStop(): Promise<void> {
    const { graceMs = graceMsDefault } = this.#driver
    const idle = await runSink(this.#plugin, { config: this.#place.config })
    await within(graceMs, idle.stop(), 'stop before any other call')
    const cut = await runSink(this.#plugin, { config: this.#place.config })
    await cut.open([{ topic, partition: 0 }])
    await cut.deliver(this.#records(0, 2))
    cut.abort()
    // A call that is cut off may fail, it must not hang.
    const late = cut.write(this.#records(2, 4)).catch(checkError)
    await within(graceMs, late, 'a write after the abort')
    await within(graceMs, cut.stop(), 'stop after an abort')
  }

  /** Takes the target away under a sink that runs, brings it back, and wants everything written; then stops it after a failure. */
  async checkFault(place: FragilePlace): Promise<void> {
    const { graceMs = graceMsDefault } = this.#driver
    const secrets = secretsOf(this.#plugin, place.config)
    const failing = async (run: SinkRun): Promise<void> => {
      await run.open([{ topic, partition: 0 }])
      await place.break()
      const failure = await writeAndFlush(run, this.#records(0, 3))
      expectThat(failure !== undefined, 'write and flush succeeded while the target was away: the records are lost')
      checkError(failure, 'retry')
      checkSecrets(secrets, run.log, [failure])
    }
    const run = await runSink(this.#plugin, { config: place.config })
    try {
      await failing(run)
      await place.heal()
      await run.deliver(this.#records(0, 3))
      await run.flush()
      await this.#expectHeld(this.#records(0, 3), 'after the target came back')
    } finally {
      await within(graceMs, run.stop(), 'stop')
    }
    const given = await runSink(this.#plugin, { config: place.config })
    try {
      await failing(given)
    } finally {
      await within(graceMs, given.stop(), 'stop after a failure')
      await place.heal()
    }
  }

  async checkQuietSecrets(): Promise<void> {
    const secrets = secretsOf(this.#plugin, this.#place.config)
    const log: LogLine[] = []
    const errors: unknown[] = []
    await this.#running(async (run) => {
      await run.deliver(this.#records(0, 2)).catch((error: unknown) => errors.push(error))
      log.push(...run.log)
    })
    checkSecrets(secrets, log, errors)
  }
}

/** What went wrong; what a sink buffers shows no failure before it is flushed. */
async function writeAndFlush(run: SinkRun, records: readonly SinkRecord[]): Promise<unknown> {
  try {
    await run.write(records)
    await run.flush()
  } catch (error) {
    return error
  }
  return undefined
}

function defaultIdentity({ value }: SinkRecord): string {
  return typeof value === 'string' ? value : JSON.stringify(toPlain(value))
}
