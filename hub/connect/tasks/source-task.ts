/**
 * @module connect/tasks/source-task — runs a source: drains its generator into topics and stores its positions.
 *
 * ```
 *   generator ──▶ outbox (transforms, converters, producer) ──▶ positions ──▶ offsets topic ──▶ onCommitted
 *       ▲               │ full, or the task is paused                every offset.flush.interval.ms, before
 *       └── not asked ──┘                                            another run, and at the end
 * ```
 * At least once: a position is stored only when every earlier record of its source partition is acknowledged, so whatever happens a source
 * goes on from where nothing is missing.
 */
import {
  type CommittedOffset,
  type ConfigDefinition,
  type ConfigOf,
  parseConfig,
  type RetriableError,
  type SourcePlugin,
  type SourceRecord,
  type SourceRecordInput,
  type SourceTaskContext,
} from '@millrace/sdk'
import type { Admin, Producer } from '../../client/index.ts'
import { createChain } from './chain.ts'
import { sourceProducer, taskAdmin } from './clients.ts'
import { createConversion } from './conversion.ts'
import { Draw } from './draw.ts'
import { messageOf } from './failure.ts'
import { CutOffError, runTask, type TaskLife, unless, withinMs } from './life.ts'
import { throughOutages } from './outage.ts'
import { Outbox } from './outbox.ts'
import { PositionCommits } from './position-commits.ts'
import { Positions } from './positions.ts'
import { delayAfterMs, isRetriable } from './retry.ts'
import { RetryNotices } from './retry-notices.ts'
import { failureSettings, type FailureSettings } from './settings.ts'
import { sourcePlace, sourceText } from './source-place.ts'
import { createTolerance } from './tolerance.ts'
import { TopicCreation, topicGroups } from './topic-creation.ts'
import { Turns } from './turns.ts'
import type { RunningTask, TaskEnvironment } from './types.ts'

/** Runs a task of a source; see {@link RunningTask}. */
export function startSourceTask(plugin: SourcePlugin, environment: TaskEnvironment, isPaused: boolean): RunningTask {
  return runTask(environment.world.clock, isPaused, (life) => new SourceTask(plugin, environment, life).run())
}

class SourceTask {
  readonly #plugin: SourcePlugin
  readonly #environment: TaskEnvironment
  readonly #life: TaskLife
  readonly #settings: FailureSettings
  readonly #producer: Producer
  readonly #positions = new Positions()
  readonly #commits: PositionCommits
  #admin: Admin | null = null
  #outbox!: Outbox
  #draw: Draw | null = null
  #failure: { readonly error: unknown } | null = null
  #attemptCount = 0
  readonly #retryNotices: RetryNotices
  readonly #turns: Turns
  /** What of a batch is not handed to the producer yet. */
  #rest: { readonly batch: readonly SourceRecordInput[]; readonly index: number } | null = null
  /** Positions that were moved meanwhile: they come after it. */
  #advances: CommittedOffset[] = []
  /** Something was lost on the way: from here on no position may move past it. */
  #isBroken = false

  constructor(plugin: SourcePlugin, environment: TaskEnvironment, life: TaskLife) {
    this.#plugin = plugin
    this.#environment = environment
    this.#life = life
    this.#turns = new Turns(life.clock)
    this.#settings = failureSettings(environment.connectorConfig)
    this.#producer = sourceProducer(environment)
    this.#retryNotices = new RetryNotices(environment.world, environment.log)
    const { id, settings } = environment
    this.#commits = new PositionCommits(this.#positions, this.#producer, {
      connector: id.connector,
      topic: settings.offsetStorageTopic,
      cut: life.cut,
    })
  }

  async run(): Promise<void> {
    const { ending, cut } = this.#life
    try {
      await unless(ending, this.#begin())
      const config = parseConfig(this.#plugin.config, this.#environment.config)
      this.#life.markStarted()
      void this.#commitNowAndThen()
      await this.#work(config)
      await this.#finish()
    } catch (error) {
      this.#isBroken = true
      if (error instanceof CutOffError || cut.aborted) return
      const isStopped = ending.aborted
      await this.#salvage()
      if (!isStopped) throw error
      if (error !== ending.reason) this.#environment.log.warn(`the task ended with an error after it was stopped: ${messageOf(error)}`)
    } finally {
      await this.#close()
    }
  }

  /** Makes all that records pass through. */
  async #begin(): Promise<void> {
    const { connectorConfig, settings, plugins, world, log, id } = this.#environment
    if (connectorConfig['offsets.storage.topic'] !== undefined) {
      log.warn(`offsets.storage.topic of a connector has no effect in this version: positions stand in ${settings.offsetStorageTopic}`)
    }
    const chain = await createChain(connectorConfig, plugins)
    const conversion = await createConversion(connectorConfig, settings.workerConfig, plugins)
    const admin = (): Admin => (this.#admin ??= taskAdmin(this.#environment))
    const creation = new TopicCreation(settings.topicCreationEnable ? topicGroups(connectorConfig) : [], admin, log)
    this.#outbox = new Outbox({
      chain,
      conversion,
      producer: this.#producer,
      positions: this.#positions,
      tolerance: createTolerance<SourceRecord>({
        settings: this.#settings,
        taskName: `${id.connector}-${id.task}`,
        world,
        log,
        ending: this.#life.ending,
        placeOf: sourcePlace,
        describe: sourceText,
        keep: null,
      }),
      className: this.#plugin.class,
      isTellingMessages: this.#settings.logIncludesMessages,
      onNewTopic: async (topic) => {
        // Until the cut: what was yielded before a stop is still delivered.
        await throughOutages(world, log, `creating topic ${topic}`, this.#life.cut, (signal) => creation.ensure(topic, signal))
        this.#environment.events.onTopic(topic)
      },
      onProgress: () => this.#life.bell.ring(),
      onFailure: (error) => this.#fail(error),
    })
  }

  /** Until the task must end. */
  async #work(config: ConfigOf<ConfigDefinition>): Promise<void> {
    const context = this.#context()
    while (!this.#life.ending.aborted) {
      try {
        if (!(await this.#until(() => !this.#life.isPaused))) return
        this.#commits.forgetListeners()
        this.#draw = new Draw(this.#plugin.run(config, context), () => this.#life.bell.ring())
        await this.#drain(this.#draw)
      } catch (error) {
        if (this.#failure !== null || !isRetriable(error)) throw error
        await this.#recuperate(error)
      }
    }
  }

  /** Takes batches as long as there are any; a source that is done leaves the task running with nothing to do. */
  async #drain(draw: Draw): Promise<void> {
    while (await this.#until(() => !this.#life.isPaused && this.#outbox.hasRoom)) {
      draw.ask()
      if (!(await this.#until(() => draw.hasArrived))) return
      const batch = draw.take()
      if (batch === null) {
        await this.#until(() => false)
        return
      }
      this.#attemptCount = 0
      await this.#deliver(batch)
    }
  }

  /** Hands a batch to the producer, as there is room. */
  async #deliver(batch: readonly SourceRecordInput[]): Promise<void> {
    this.#rest = { batch, index: 0 }
    while (await this.#until(() => this.#outbox.hasRoom)) {
      await this.#deliverSome()
      // A source with data at hand, all of it filtered or none yielded, never waits for anything.
      await this.#turns.next()
      if (this.#rest === null) return
    }
  }

  async #deliverSome(): Promise<void> {
    if (this.#rest === null) return
    const { batch } = this.#rest
    const index = await this.#outbox.take(batch, this.#rest.index)
    this.#rest = index < batch.length ? { batch, index } : null
    if (this.#rest !== null || this.#advances.length === 0) return
    for (const { partition, offset } of this.#advances.splice(0)) this.#positions.advance(partition, offset)
  }

  /** Whether something was yielded that is not handed to the producer. */
  get #hasUndelivered(): boolean {
    return this.#rest !== null || this.#draw?.hasBatch === true
  }

  /** A source that cannot go on for now: what it gave is stored first, so that it begins again after it. */
  async #recuperate(error: RetriableError): Promise<void> {
    const { world } = this.#environment
    this.#attemptCount++
    const delayMs = delayAfterMs(error, this.#attemptCount, this.#settings.retryDelayMsMax, world.random.float())
    this.#retryNotices.tell(`the source cannot go on: ${error.message}; it is run again in ${delayMs} ms`, this.#attemptCount)
    if (!(await this.#until(() => this.#positions.isIdle))) return
    await this.#commits.commit()
    let isOver = false
    const timer = world.clock.timer(delayMs, () => {
      isOver = true
      this.#life.bell.ring()
    })
    await this.#until(() => isOver)
    timer.cancel()
  }

  /** After the order to end: what has been given is delivered and stored while the generator comes to its end. */
  async #finish(): Promise<void> {
    const { cut } = this.#life
    while (this.#rest !== null) await this.#deliverSome()
    await this.#flush()
    if (this.#draw === null) return
    const batch = await unless(cut, this.#draw.end(this.#environment.log))
    if (batch !== null) this.#rest = { batch, index: 0 }
    while (this.#rest !== null) await this.#deliverSome()
    await unless(cut, this.#draw.release())
    await this.#flush()
  }

  /** Resolves when everything is acknowledged and every position stored. */
  async #flush(): Promise<void> {
    while (!this.#positions.isIdle) {
      this.#life.cut.throwIfAborted()
      if (this.#failure !== null) throw this.#failure.error
      await this.#life.bell.wait()
    }
    await this.#commits.commit()
  }

  /** After a failure: what is acknowledged within offset.flush.timeout.ms is stored, and the generator is told to end. */
  async #salvage(): Promise<void> {
    this.#life.end()
    const { clock, cut } = this.#life
    try {
      await withinMs(clock, this.#environment.settings.offsetFlushTimeoutMs, cut, async (signal) => {
        await this.#producer.flush(signal)
        await this.#commits.commit()
        await this.#draw?.release()
      })
    } catch (error) {
      if (!cut.aborted) this.#environment.log.warn(`the end was not in order: ${messageOf(error)}`)
    }
  }

  async #close(): Promise<void> {
    this.#outbox?.close()
    const now = AbortSignal.abort()
    await Promise.allSettled([this.#producer.close(now), this.#admin?.close()])
  }

  /** Every offset.flush.interval.ms, until the end. */
  async #commitNowAndThen(): Promise<void> {
    const { clock, ending } = this.#life
    const { offsetFlushIntervalMs } = this.#environment.settings
    let stalledNumber: number | null = null
    try {
      for (;;) {
        const oldestNumber = this.#positions.oldestOpenNumber
        await clock.sleep(offsetFlushIntervalMs, ending)
        if (oldestNumber !== null && oldestNumber === this.#positions.oldestOpenNumber && stalledNumber !== oldestNumber) {
          stalledNumber = oldestNumber
          this.#environment.log.warn(
            'records wait for their acknowledgement: are their topics there, and do their partitions have leaders?',
            {
              recordCount: this.#outbox.pendingCount,
              sinceMs: offsetFlushIntervalMs,
            },
          )
        }
        await this.#commits.commit()
      }
    } catch (error) {
      if (!ending.aborted) this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#life.bell.ring()
  }

  /** Waits for a condition: false when the task must end first. Rejects with what failed meanwhile. */
  async #until(condition: () => boolean): Promise<boolean> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error
      if (this.#life.ending.aborted) return false
      if (condition()) return true
      await this.#life.bell.wait()
    }
  }

  #context(): SourceTaskContext {
    const { id, config, offsets, log } = this.#environment
    const { ending, clock } = this.#life
    return {
      connector: id.connector,
      task: id.task,
      properties: config,
      signal: ending,
      log,
      offsets: {
        read: async (partition) => (await offsets.read([partition]))[0] ?? null,
        readAll: (partitions) => offsets.read(partitions),
        advance: (partition, offset) => {
          if (this.#isBroken) return
          if (this.#hasUndelivered) this.#advances.push({ partition: { ...partition }, offset: { ...offset } })
          else this.#positions.advance(partition, offset)
        },
      },
      sleep: async (ms) => {
        await clock.sleep(ms, ending).catch(() => {})
      },
      onCommitted: (listener) => this.#commits.onCommitted(listener),
    }
  }
}
