/**
 * @module sdk/testing/source-acceptance — the contract of sources as checks that any source runs against itself.
 *
 * ```ts
 * for (const { name, run } of sourceAcceptance(plugin, driver)) it(name, run)
 * ```
 */
import { type ConfigDefinition, parseConfig } from '../config.ts'
import type { SourceRecord } from '../record.ts'
import type { SourcePlugin, TaskConfig } from '../source.ts'
import { toPlain } from '../to-plain.ts'
import { type AcceptanceCheck, expectThat, orLate, pause, within } from './expectation.ts'
import { MemoryOffsets, partitionKey } from './memory-offsets.ts'
import { type ConnectorDriver, checkError, checkSecrets, inPlace, type Place, plainChecks, secretsOf } from './plugin-checks.ts'
import type { LogLine } from './recorded-log.ts'
import { planOf, runLimits, runSource, type SourceRun } from './run-source.ts'

/** Where a source is checked. It finds `recordCount` records there, then waits for more. */
export interface SourcePlace extends Place {
  /** Records that the source gives, in the same order each time; 4 or more, so that there is a middle. */
  readonly recordCount: number
  /** Makes some more, for sources that go on; answers how many. */
  add?(): Promise<number> | number
}

/** Something that is broken outside, and what the source should make of it. */
export interface Breakage {
  readonly name: string
  /** retry: a RetriableError; fail: a FatalError, or another error with a message. */
  readonly next: 'retry' | 'fail'
  setup(): Promise<Place> | Place
}

export interface SourceDriver extends ConnectorDriver<SourcePlace> {
  /** The source never waits for more: `recordCount` of its records are looked at. Default false. */
  readonly isEndless?: boolean
  /** What comes again after a restart: `none`, or at most a `batch` before the position. Default none. */
  readonly repeats?: 'none' | 'batch'
  /** Most records in one batch. Default 10,000. */
  readonly batchCountMax?: number
  /** Milliseconds without a record after which nothing more is expected. Default 50. */
  readonly quietMs?: number
  /** Most milliseconds to wait for records that must come. Default 10,000. */
  readonly takeMs?: number
  readonly breakages?: readonly Breakage[]
  /** Records that have left the outside so far. Given, a source that reads ahead of what is taken is found out. */
  readonly readCount?: (place: SourcePlace) => Promise<number> | number
  /** Records that the outside was told to forget so far. Given, a source that lets go of what is not committed is found out. */
  readonly releasedCount?: (place: SourcePlace) => Promise<number> | number
  /** What makes a record itself. Default: topic, key and value. */
  readonly identity?: (record: SourceRecord) => string
}

/** Positions in the middle from which a restart is tried; more records than this are sampled. */
const cutCountMax = 12

/** The checks for a source. */
export function sourceAcceptance<D extends ConfigDefinition>(given: SourcePlugin<D>, driver: SourceDriver): readonly AcceptanceCheck[] {
  const plugin = given as unknown as SourcePlugin
  const check = (name: string, body: (place: SourcePlace, suite: Suite) => Promise<void>): AcceptanceCheck => ({
    name,
    run: () => inPlace(driver, (place) => body(place, new Suite(plugin, driver, place))),
  })
  return [
    ...plainChecks(plugin, driver),
    check('plans no more tasks than allowed, and the same ones again', (place) => checkPlan(plugin, place.config)),
    check('gives every record with a partition and an offset, in batches of bounded size', (_place, suite) => suite.checkRecords()),
    check('goes on from any position without loss', (_place, suite) => suite.checkResume()),
    check('gives what comes later, and nothing twice', (_place, suite) => suite.checkLater()),
    check('returns soon after its signal aborts: before the start, in the middle, at rest', (_place, suite) => suite.checkAbort()),
    check('bears commits', (_place, suite) => suite.checkCommits()),
    check('tells no secrets', (_place, suite) => suite.checkQuietSecrets()),
    ...optional(driver.readCount, (count) =>
      check('does not read ahead of what is taken', (place, suite) => suite.checkAhead(async () => count(place))),
    ),
    ...optional(driver.releasedCount, (count) =>
      check('lets go of what it read only after it was committed', (place, suite) => suite.checkRelease(async () => count(place))),
    ),
    ...(driver.breakages ?? []).map((breakage) => ({
      name: `says what the engine does next: ${breakage.name}`,
      run: () => checkBreakage(plugin, driver, breakage),
    })),
  ]
}

/** One element where something is given, none where it is not. */
function optional<T, R>(given: T | undefined, make: (given: T) => R): readonly R[] {
  return given === undefined ? [] : [make(given)]
}

async function checkPlan(plugin: SourcePlugin, config: TaskConfig): Promise<void> {
  for (const taskCountMax of [1, 2, 7]) {
    const [tasks, again] = [
      await planOf(plugin, config, taskCountMax, new MemoryOffsets(), []),
      await planOf(plugin, config, taskCountMax, new MemoryOffsets(), []),
    ]
    expectThat(tasks.length >= 1, 'plan gave no task, so that nothing would run')
    expectThat(tasks.length <= taskCountMax, `plan gave ${tasks.length} tasks where at most ${taskCountMax} are allowed`)
    for (const task of tasks) {
      for (const [key, text] of Object.entries(task)) expectThat(typeof text === 'string', `plan gave "${key}" that is no text`)
      parseConfig(plugin.config, task)
    }
    expectThat(JSON.stringify(tasks) === JSON.stringify(again), 'plan gave other tasks the second time: tasks would restart for nothing')
  }
}

async function checkBreakage(plugin: SourcePlugin, driver: SourceDriver, breakage: Breakage): Promise<void> {
  await inPlace({ setup: () => breakage.setup() }, async ({ config }) => {
    const run = await runSource(plugin, { config })
    let failure: unknown
    try {
      const outcome = await orLate(driver.takeMs ?? runLimits.takeMs, run.next())
      expectThat(outcome === undefined || outcome.value !== undefined, 'the source returned as if all were well')
    } catch (error) {
      failure = error
    }
    await run.stop(driver.graceMs)
    expectThat(failure !== undefined, 'nothing was thrown')
    checkError(failure, breakage.next)
    checkSecrets(secretsOf(plugin, config), run.log, [failure])
  })
}

/** The checks that run the source, in one place. */
class Suite {
  readonly #plugin: SourcePlugin
  readonly #driver: SourceDriver
  readonly #place: SourcePlace
  readonly #log: LogLine[] = []

  constructor(plugin: SourcePlugin, driver: SourceDriver, place: SourcePlace) {
    this.#plugin = plugin
    this.#driver = driver
    this.#place = place
  }

  /** Runs a task until the body is done, and stops it whatever happens. */
  async #running<T>(offsets: MemoryOffsets, body: (run: SourceRun) => Promise<T>): Promise<T> {
    const run = await runSource(this.#plugin, { config: this.#place.config, offsets })
    let result: T
    try {
      result = await body(run)
    } catch (error) {
      await run.stop(this.#driver.graceMs).catch(() => undefined)
      throw error
    }
    await run.stop(this.#driver.graceMs)
    this.#log.push(...run.log)
    return result
  }

  /** Everything that is there, and nothing more. */
  async #all(run: SourceRun, count = this.#place.recordCount): Promise<readonly SourceRecord[]> {
    const records = await run.take(count, this.#driver.takeMs)
    expectThat(records.length >= count, `${records.length} records came where ${count} were expected`)
    if (this.#driver.isEndless === true) return records.slice(0, count)
    return [...records, ...(await run.takeFor(this.#driver.quietMs ?? 50))]
  }

  async checkRecords(): Promise<void> {
    const { recordCount } = this.#place
    await this.#running(new MemoryOffsets(), async (run) => {
      const records = await this.#all(run)
      expectThat(records.length === recordCount, `${records.length} records came where ${recordCount} were expected`)
      for (const [at, { sourcePartition, sourceOffset }] of records.entries()) {
        expectThat(
          sourcePartition !== null && sourceOffset !== null,
          `record ${at} has no source partition or offset: it would come again for ever`,
        )
        expectThat(Object.keys(sourcePartition).length > 0, `record ${at} has an empty source partition`)
      }
      const batchCountMax = this.#driver.batchCountMax ?? 10_000
      const largest = Math.max(...run.batchCounts)
      expectThat(largest <= batchCountMax, `a batch has ${largest} records, at most ${batchCountMax} should be held in memory at once`)
    })
  }

  async checkResume(): Promise<void> {
    const whole = await this.#running(new MemoryOffsets(), (run) => this.#all(run))
    const step = Math.max(1, Math.ceil(whole.length / cutCountMax))
    for (let cut = 1; cut < whole.length; cut += step) await this.#resumeAt(whole, cut)
    await this.#resumeAt(whole, whole.length)
  }

  /** Starts with the positions of the first `cut` records: what comes must be the rest, per source partition. */
  async #resumeAt(whole: readonly SourceRecord[], cut: number): Promise<void> {
    const offsets = new MemoryOffsets()
    for (const { sourcePartition, sourceOffset } of whole.slice(0, cut)) {
      if (sourcePartition !== null && sourceOffset !== null) offsets.store(sourcePartition, sourceOffset)
    }
    const rest = await this.#running(offsets, (run) => this.#all(run, whole.length - cut))
    const wanted = this.#byPartition(whole.slice(cut))
    const came = this.#byPartition(rest)
    for (const [partition, list] of this.#byPartition(whole)) {
      const [want, got] = [wanted.get(partition) ?? [], came.get(partition) ?? []]
      const where = `after a restart at record ${cut} of ${whole.length}`
      expectThat(
        got.slice(got.length - want.length).join('\n') === want.join('\n'),
        `${where}, records of ${partition} were lost or came in another order`,
      )
      const repeatCount = got.length - want.length
      if (this.#driver.repeats !== 'batch') expectThat(repeatCount === 0, `${where}, ${repeatCount} records of ${partition} came again`)
      const repeated = list.slice(0, list.length - want.length).slice(-repeatCount || list.length)
      expectThat(
        repeatCount === 0 || got.slice(0, repeatCount).join('\n') === repeated.join('\n'),
        `${where}, other records came than before`,
      )
    }
  }

  #byPartition(records: readonly SourceRecord[]): ReadonlyMap<string, readonly string[]> {
    const identity = this.#driver.identity ?? defaultIdentity
    const lists = new Map<string, string[]>()
    for (const record of records) {
      const partition = partitionKey(record.sourcePartition ?? {})
      lists.set(partition, [...(lists.get(partition) ?? []), identity(record)])
    }
    return lists
  }

  async checkLater(): Promise<void> {
    await this.#running(new MemoryOffsets(), async (run) => {
      const first = await this.#all(run)
      const addedCount = (await this.#place.add?.()) ?? 0
      const later = await this.#all(run, addedCount)
      expectThat(later.length === addedCount, `${later.length} records came after ${addedCount} were added`)
      checkPositions([...first, ...later])
    })
  }

  async checkAbort(): Promise<void> {
    const { config } = this.#place
    const { graceMs = runLimits.graceMs } = this.#driver
    const early = await runSource(this.#plugin, { config, isAborted: true })
    await within(graceMs, early.next(), 'a source that was aborted before its start')
    await early.stop(graceMs)
    await this.#running(new MemoryOffsets(), (run) => run.take(1, this.#driver.takeMs))
    await this.#running(new MemoryOffsets(), async (run) => {
      await this.#all(run)
      // Now it waits for more: the abort must wake it.
      void run.next().catch(() => undefined)
    })
  }

  async checkCommits(): Promise<void> {
    await this.#running(new MemoryOffsets(), async (run) => {
      for (let leftCount = this.#place.recordCount; leftCount > 0; ) {
        const records = await run.take(1, this.#driver.takeMs)
        expectThat(records.length > 0, `nothing came while ${leftCount} records were expected`)
        leftCount -= records.length
        await run.commit()
      }
      // One with nothing new must not disturb.
      await run.commit()
    })
  }

  async checkAhead(readCount: () => Promise<number>): Promise<void> {
    const { quietMs = 50, batchCountMax = 10_000 } = this.#driver
    await this.#running(new MemoryOffsets(), async (run) => {
      const first = await run.take(1, this.#driver.takeMs)
      expectThat(first.length > 0, 'no record came')
      const before = await readCount()
      await pause(quietMs)
      const aheadCount = (await readCount()) - before
      expectThat(aheadCount === 0, `${aheadCount} records were read while nobody took any: read only between yields`)
      expectThat(before <= batchCountMax, `${before} records were read for a first batch of ${first.length}`)
    })
  }

  async checkRelease(releasedCount: () => Promise<number>): Promise<void> {
    await this.#running(new MemoryOffsets(), async (run) => {
      const takenCount = (await this.#all(run)).length
      const early = await releasedCount()
      expectThat(early === 0, `${early} records were let go of before anything was committed`)
      await run.commit()
      await run.takeFor(this.#driver.quietMs ?? 50)
      expectThat((await releasedCount()) <= takenCount, 'more records were let go of than were committed')
    })
  }

  async checkQuietSecrets(): Promise<void> {
    const secrets = secretsOf(this.#plugin, this.#place.config)
    await this.#running(new MemoryOffsets(), (run) => this.#all(run))
    checkSecrets(secrets, this.#log)
  }
}

/** Records of a partition may share a position, but none may come back to one that was passed: a restart there would lose or repeat. */
function checkPositions(records: readonly SourceRecord[]): void {
  const latest = new Map<string, string>()
  const passed = new Set<string>()
  for (const { sourcePartition, sourceOffset } of records) {
    const partition = partitionKey(sourcePartition ?? {})
    const position = partitionKey(sourceOffset ?? {})
    if (latest.get(partition) === position) continue
    expectThat(!passed.has(`${partition} ${position}`), `the position ${position} of ${partition} came again after another one`)
    passed.add(`${partition} ${position}`)
    latest.set(partition, position)
  }
}

function defaultIdentity({ topic, key, value }: SourceRecord): string {
  return JSON.stringify([topic, toPlain(key), toPlain(value)])
}
