/** @module connect/tasks/sink-loop — one sink and its consumer, call by call; `sink-task.ts` has the picture. */
import { parseConfig, type SinkPlugin, type SinkTask, type TopicPartition, type TopicPartitionOffset } from '@millrace/sdk'
import { type Consumer, ConsumerRecords } from '../../client/index.ts'
import { sinkConsumer } from './clients.ts'
import type { DeadLetters } from './dead-letters.ts'
import { messageOf, told } from './failure.ts'
import { type TaskLife, unless } from './life.ts'
import { isOutage } from './outage.ts'
import { delayAfterMs, isRetriable } from './retry.ts'
import { RetryNotices } from './retry-notices.ts'
import type { FailureSettings } from './settings.ts'
import { SinkCommits } from './sink-commits.ts'
import { SinkControl } from './sink-control.ts'
import { keyOf, SinkOffsets } from './sink-offsets.ts'
import { type ReadRecord, type SinkBatch, type SinkReader, spanOf } from './sink-reader.ts'
import { subscriptionOf } from './subscription.ts'
import type { Tolerance } from './tolerance.ts'
import { Turns } from './turns.ts'
import type { TaskEnvironment } from './types.ts'

/** Longest poll. */
const POLL_MS_MAX = 1_000
/** Wait after a poll that a broker's outage ended. */
const OUTAGE_WAIT_MS = 1_000
/** Shortest time before the same records come again. */
const RETRY_MS_MIN = 1
/** Time for a goodbye to the group after a cut-off or a failure. */
const LEAVE_MS_MAX = 500
/** A call of the sink for its own sake. */
const NO_BATCH: SinkBatch = { records: [], ends: [] }

export interface SinkLoopParts {
  readonly plugin: SinkPlugin
  readonly environment: TaskEnvironment
  readonly life: TaskLife
  readonly failures: FailureSettings
  readonly reader: SinkReader
  readonly tolerance: Tolerance<ReadRecord>
  readonly deadLetters: DeadLetters | null
}

/** See the module. `begin`, `work`, `finish`, `close` are called in this order; the last two also after a failure. */
export class SinkLoop {
  readonly #parts: SinkLoopParts
  readonly #consumer: Consumer
  readonly #offsets = new SinkOffsets()
  readonly #commits: SinkCommits
  readonly #control: SinkControl
  readonly #call: { readonly signal: AbortSignal }
  #task: SinkTask | null = null
  #failure: { readonly error: unknown } | null = null
  /** Records that the sink has not taken yet. */
  #batch: SinkBatch | null = null
  /** Writes of the batch that ended with a RetriableError. */
  #attemptCount = 0
  readonly #retryNotices: RetryNotices
  /** No write before this time. */
  #notBeforeMs = 0
  /** All partitions are held back: the task is paused, or a batch comes again. */
  #isHalted = false
  #isFinished = false
  #isClosed = false
  readonly #topics = new Set<string>()
  #hasOutage = false
  /** Aborts the goodbye to the group. */
  readonly #leaving = new AbortController()

  constructor(parts: SinkLoopParts) {
    this.#parts = parts
    this.#retryNotices = new RetryNotices(parts.environment.world, parts.environment.log)
    const { environment, life } = parts
    this.#call = { signal: life.cut }
    this.#consumer = sinkConsumer(environment, {
      onPartitionsAssigned: (partitions) => this.#guarded(() => this.#takeOver(partitions)),
      onPartitionsRevoked: (partitions) => this.#guarded(() => this.#giveBack(partitions, false)),
      onPartitionsLost: (partitions) => this.#guarded(() => this.#giveBack(partitions, true)),
    })
    this.#commits = new SinkCommits({
      consumer: this.#consumer,
      offsets: this.#offsets,
      settled: () => this.#control.settled(),
      life,
      log: environment.log,
      timeMsMax: environment.settings.offsetFlushTimeoutMs,
    })
    this.#control = new SinkControl({ ...parts, consumer: this.#consumer, offsets: this.#offsets, onFailure: (error) => this.fail(error) })
  }

  /** Starts the sink and subscribes. */
  async begin(): Promise<void> {
    const { plugin, environment } = this.#parts
    const config = parseConfig(plugin.config, environment.config)
    const topics = subscriptionOf(environment.connectorConfig)
    await this.#patiently('start', async () => {
      this.#task = await plugin.start(config, this.#control.context())
    })
    if (typeof (this.#task as Partial<SinkTask> | null | undefined)?.write !== 'function') {
      throw new TypeError(`${plugin.class}: start() gave no task with a write method; nothing would be written`)
    }
    this.#consumer.subscribe(topics)
    void this.#wakeConsumer()
  }

  /** Ends the work with this error; the first one counts. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#consumer.wakeup()
  }

  /** Until the task must end. Rejects with what fails it. */
  async work(): Promise<void> {
    const { ending, clock } = this.#parts.life
    const turns = new Turns(clock)
    while (!ending.aborted) {
      await turns.next()
      this.#control.applySeeks((at) => this.#dropRecords([at]))
      await this.#halt()
      if (this.#isCommitDue(clock.monotonicMs())) await this.#commit()
      if (this.#mayWrite) {
        await this.#write()
        continue
      }
      // A pause came during the commit, when records were at hand: what a poll brought now would take their place, and nobody would have
      // written them. Partitions are held back first.
      if (this.#batch !== null && !this.#isHalted) continue
      const polled = await this.#poll(this.#pollMs(clock.monotonicMs()))
      this.#throwFailure()
      if (polled.count > 0) await this.#read(polled)
      else if (this.#batch === null && !this.#isHalted && clock.monotonicMs() >= this.#control.wakeAtMs) await this.#write()
    }
  }

  /** A last flush and commit, and goodbye to the group. */
  async finish(): Promise<void> {
    if (this.#isFinished) return
    const { cut } = this.#parts.life
    try {
      await this.#giveBack(this.#offsets.partitions, false)
    } finally {
      this.#isFinished = true
    }
    await unless(cut, this.#consumer.close(this.#leaving.signal))
  }

  /** Lets go of sink and consumer, whatever has happened. Never rejects. */
  async close(): Promise<void> {
    const { life, environment } = this.#parts
    this.#isFinished = true
    this.#isClosed = true
    life.bell.ring()
    try {
      await unless(life.cut, this.#task?.stop?.())
    } catch (error) {
      if (!life.cut.aborted) environment.log.warn(`the sink's stop failed: ${messageOf(error)}`)
    }
    // After a cut-off, too, the group hears of it: it would wait for a member that is gone until its session is over.
    const timer = life.clock.timer(LEAVE_MS_MAX, () => this.#leaving.abort())
    await this.#consumer.close(this.#leaving.signal).catch(() => {})
    timer.cancel()
  }

  get #mayWrite(): boolean {
    if (this.#batch === null || this.#parts.life.isPaused) return false
    return this.#attemptCount === 0 || this.#parts.life.clock.monotonicMs() >= this.#notBeforeMs
  }

  #isCommitDue(nowMs: number): boolean {
    const intervalMs = this.#parts.environment.settings.offsetFlushIntervalMs
    return this.#control.takeCommitRequest() || nowMs - this.#commits.latestMs >= intervalMs
  }

  /** How long a poll may wait: until a write, a wake-up or a commit is due. */
  #pollMs(nowMs: number): number {
    const dueMs = [this.#commits.latestMs + this.#parts.environment.settings.offsetFlushIntervalMs]
    if (this.#batch !== null && this.#attemptCount > 0) dueMs.push(this.#notBeforeMs)
    if (!this.#isHalted) dueMs.push(this.#control.wakeAtMs)
    return Math.max(0, Math.min(POLL_MS_MAX, Math.min(...dueMs) - nowMs))
  }

  async #poll(timeoutMs: number): Promise<ConsumerRecords> {
    const { life, environment } = this.#parts
    try {
      const polled = await unless(life.cut, this.#consumer.poll(timeoutMs))
      this.#hasOutage = false
      return polled
    } catch (error) {
      if (life.cut.aborted) throw error
      this.#throwFailure()
      if (!isOutage(error)) throw told(error, 'while reading for the sink')
      if (!this.#hasOutage) environment.log.warn(`cannot read: ${error.message}; trying again until it succeeds`)
      this.#hasOutage = true
      await life.clock.sleep(OUTAGE_WAIT_MS, life.ending).catch(() => {})
      return new ConsumerRecords([])
    }
  }

  async #read(polled: ConsumerRecords): Promise<void> {
    for (const { topic, partition, records } of polled.partitions) {
      this.#offsets.noteRead({ topic, partition }, records[0]?.offset ?? 0)
      if (this.#topics.has(topic)) continue
      this.#topics.add(topic)
      this.#parts.environment.events.onTopic(topic)
    }
    this.#batch = await this.#parts.reader.read(polled)
    this.#attemptCount = 0
    const { deadLetters, life } = this.#parts
    if (deadLetters !== null) await unless(life.cut, deadLetters.ready(life.cut))
  }

  /** Hands the sink what is there, or nothing when it asked to be woken. */
  async #write(): Promise<void> {
    const batch = this.#batch ?? NO_BATCH
    this.#control.noteCall(this.#parts.life.clock.monotonicMs())
    if (batch.records.length > 0 || batch === NO_BATCH) {
      try {
        await unless(this.#parts.life.cut, this.#task?.write(batch.records, this.#call))
        await unless(this.#parts.life.cut, this.#control.judged())
      } catch (error) {
        this.#throwFailure()
        if (!isRetriable(error) || this.#parts.life.cut.aborted) throw told(error, `while writing ${spanOf(batch.records)}`)
        this.#writeLater(error)
        return
      }
    }
    this.#throwFailure()
    this.#offsets.noteDelivered(batch.ends)
    this.#batch = null
    this.#attemptCount = 0
    this.#control.applySeeks(() => {})
  }

  #writeLater(error: Parameters<typeof delayAfterMs>[0]): void {
    const { failures, environment, life } = this.#parts
    this.#attemptCount++
    const askedMs = delayAfterMs(error, this.#attemptCount, failures.retryDelayMsMax, environment.world.random.float())
    // Never at once: a poll comes between, or the group would take the task for dead.
    const delayMs = Math.max(RETRY_MS_MIN, askedMs)
    this.#notBeforeMs = life.clock.monotonicMs() + delayMs
    if (this.#batch === null) this.#control.wakeAtMs = this.#notBeforeMs
    this.#retryNotices.tell(`the sink cannot write: ${error.message}; the same records come again in ${delayMs} ms`, this.#attemptCount)
  }

  /** Holds all partitions back, or lets those go on that the sink itself does not hold. */
  async #halt(): Promise<void> {
    const { isPaused } = this.#parts.life
    const isWanted = isPaused || (this.#batch !== null && this.#attemptCount > 0)
    if (isWanted === this.#isHalted) return
    this.#isHalted = isWanted
    this.#control.isHalted = isWanted
    if (!isWanted) {
      this.#consumer.resume(this.#offsets.partitions.filter((at) => !this.#control.isHeld(at)))
      return
    }
    this.#consumer.pause(this.#offsets.partitions)
    if (isPaused) await this.#commit()
  }

  async #commit(): Promise<void> {
    const hasNews = this.#offsets.hasNews()
    try {
      await this.#commits.store(await this.#commits.flush(this.#task, this.#offsets.partitions))
      if (hasNews) await unless(this.#parts.life.cut, this.#task?.committed?.(this.#offsets.committed(), this.#call))
    } catch (error) {
      if (!isRetriable(error)) throw error
      this.#parts.environment.log.warn(`the sink cannot flush: ${error.message}; it is given again what is not committed`)
      this.#batch = null
      this.#attemptCount = 0
      for (const { offset, ...at } of this.#offsets.rewind()) this.#consumer.seek(at, offset)
    }
    this.#control.applySeeks((at) => this.#dropRecords([at]))
  }

  /** Partitions have come. */
  async #takeOver(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    this.#offsets.assign(partitions)
    if (this.#isHalted) this.#consumer.pause(partitions)
    await this.#patiently('open', () => this.#task?.open?.(partitions, this.#call))
    this.#control.applySeeks(() => {})
  }

  /** Partitions go: what is theirs is flushed and committed, unless they are lost, and no longer written. */
  async #giveBack(all: readonly TopicPartition[], isLost: boolean): Promise<void> {
    const partitions = all.filter((at) => this.#offsets.has(at))
    if (partitions.length === 0 || this.#isFinished) return
    this.#dropRecords(partitions)
    let safe: readonly TopicPartitionOffset[] = []
    try {
      if (!isLost) safe = await this.#commits.flush(this.#task, partitions)
    } catch (error) {
      if (!isRetriable(error)) throw error
      this.#parts.environment.log.warn(
        `the sink cannot flush partitions that go: ${error.message}; they are read again from what is committed`,
      )
    } finally {
      await this.#closePartitions(partitions, safe)
    }
  }

  async #closePartitions(partitions: readonly TopicPartition[], safe: readonly TopicPartitionOffset[]): Promise<void> {
    try {
      await unless(this.#parts.life.cut, this.#task?.close?.(partitions, this.#call))
    } finally {
      await this.#commits.store(safe)
      this.#offsets.remove(partitions)
      this.#control.forget(partitions)
    }
  }

  #dropRecords(partitions: readonly TopicPartition[]): void {
    if (this.#batch === null) return
    const keys = new Set(partitions.map(keyOf))
    const records = this.#batch.records.filter(
      ({ originalTopic, originalPartition }) => !keys.has(keyOf({ topic: originalTopic, partition: originalPartition })),
    )
    const ends = this.#batch.ends.filter((end) => !keys.has(keyOf(end)))
    // The very same list comes again as long as nothing has left it.
    if (ends.length === this.#batch.ends.length) return
    this.#batch = ends.length === 0 ? null : { records, ends }
    if (this.#batch === null) this.#attemptCount = 0
  }

  /** A call that a RetriableError only delays. */
  async #patiently(what: string, call: () => unknown): Promise<void> {
    const { life, failures, environment } = this.#parts
    const notices = new RetryNotices(environment.world, environment.log)
    for (let attemptCount = 1; ; attemptCount++) {
      try {
        await unless(life.cut, call())
        return
      } catch (error) {
        if (life.cut.aborted || !isRetriable(error)) throw error
        const delayMs = delayAfterMs(error, attemptCount, failures.retryDelayMsMax, environment.world.random.float())
        notices.tell(`the sink cannot ${what}: ${error.message}; trying again in ${delayMs} ms`, attemptCount)
        await life.clock.sleep(delayMs, life.ending)
      }
    }
  }

  /** A rebalance must go on whatever the sink throws; the loop ends with it afterwards. */
  async #guarded(call: () => Promise<void>): Promise<void> {
    try {
      await call()
    } catch (error) {
      this.fail(error)
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  /** What happens to the task ends a poll that waits. */
  async #wakeConsumer(): Promise<void> {
    while (!this.#isClosed) {
      await this.#parts.life.bell.wait()
      this.#consumer.wakeup()
    }
  }
}
