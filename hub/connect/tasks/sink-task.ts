/**
 * @module connect/tasks/sink-task — runs a sink: polls its topics, hands it records, commits what it has made durable.
 *
 * ```
 *   poll ──▶ converters, transforms ──▶ write ──▶ … ──▶ flush ──▶ commit of the group's offsets
 *     ▲                                   │ RetriableError           every offset.flush.interval.ms, on request,
 *     └── all partitions paused ◀─────────┘ the same records later    before partitions go, and at the end
 * ```
 * One loop, so that no two calls of the sink overlap. Heartbeats go on by themselves while the sink works. A call that takes longer than
 * max.poll.interval.ms costs the membership: the next poll says that the partitions are lost, and they are read again from what is
 * committed. At least once: offsets are committed only behind what was written, flushed and, where it was given up, kept as dead letter.
 */
import type { SinkPlugin } from '@millrace/sdk'
import { createChain } from './chain.ts'
import { deadLetterProducer, taskAdmin } from './clients.ts'
import { createConversion } from './conversion.ts'
import { DeadLetters, ensureDeadLetterTopic } from './dead-letters.ts'
import { messageOf } from './failure.ts'
import { CutOffError, runTask, type TaskLife, unless, withinMs } from './life.ts'
import { throughOutages } from './outage.ts'
import { failureSettings, type FailureSettings } from './settings.ts'
import { SinkLoop } from './sink-loop.ts'
import { type ReadRecord, readPlace, readText, SinkReader } from './sink-reader.ts'
import { createTolerance } from './tolerance.ts'
import type { RunningTask, TaskEnvironment } from './types.ts'

/** Runs a task of a sink; see {@link RunningTask}. */
export function startSinkTask(plugin: SinkPlugin, environment: TaskEnvironment, isPaused: boolean): RunningTask {
  return runTask(environment.world.clock, isPaused, (life) => runSink(plugin, environment, life))
}

async function runSink(plugin: SinkPlugin, environment: TaskEnvironment, life: TaskLife): Promise<void> {
  const { ending, cut } = life
  const { log } = environment
  let loop: SinkLoop | null = null
  let letters: KeptLetters | null = null
  try {
    const failures = failureSettings(environment.connectorConfig)
    letters = await unless(
      ending,
      keepLetters(environment, failures, life, (error) => loop?.fail(error)),
    )
    const reader = await unless(ending, createReader(environment, failures, life, letters?.deadLetters ?? null))
    loop = new SinkLoop({ plugin, environment, life, failures, ...reader, deadLetters: letters?.deadLetters ?? null })
    await loop.begin()
    life.markStarted()
    await loop.work()
    await loop.finish()
    await unless(cut, letters?.deadLetters.settled())
  } catch (error) {
    if (error instanceof CutOffError || cut.aborted) return
    const isStopped = ending.aborted
    life.end()
    await endAfterFailure(environment, life, error, loop, letters)
    if (!isStopped) throw error
    if (error !== ending.reason) log.warn(`the task ended with an error after it was stopped: ${messageOf(error)}`)
  } finally {
    await loop?.close()
    await letters?.close()
  }
}

/** What was written is committed and what was given up is kept, as far as offset.flush.timeout.ms allows. */
async function endAfterFailure(
  { log, settings }: TaskEnvironment,
  { clock, cut }: TaskLife,
  failure: unknown,
  loop: SinkLoop | null,
  letters: KeptLetters | null,
): Promise<void> {
  const last = async (): Promise<void> => {
    await loop?.finish()
    await letters?.deadLetters.settled()
  }
  try {
    await withinMs(clock, settings.offsetFlushTimeoutMs, cut, last)
  } catch (error) {
    if (error !== failure) log.warn(`the end was not in order: ${messageOf(error)}`)
  }
}

async function createReader(environment: TaskEnvironment, settings: FailureSettings, life: TaskLife, deadLetters: DeadLetters | null) {
  const { connectorConfig, plugins, world, log, id } = environment
  const chain = await createChain(connectorConfig, plugins)
  const conversion = await createConversion(connectorConfig, environment.settings.workerConfig, plugins)
  const tolerance = createTolerance<ReadRecord>({
    settings,
    taskName: `${id.connector}-${id.task}`,
    world,
    log,
    ending: life.ending,
    placeOf: readPlace,
    describe: readText,
    keep: deadLetters === null ? null : ({ record, step, error }) => deadLetters.keep({ ...record, step, error }),
  })
  return { tolerance, reader: new SinkReader(conversion, chain, tolerance) }
}

interface KeptLetters {
  readonly deadLetters: DeadLetters
  close(): Promise<void>
}

/** The dead letter queue when one is named: its topic is made before the first record is read. */
async function keepLetters(
  environment: TaskEnvironment,
  settings: FailureSettings,
  life: TaskLife,
  onFailure: (error: unknown) => void,
): Promise<KeptLetters | null> {
  if (settings.deadLetterTopic === '') return null
  const { world, log, id } = environment
  const admin = taskAdmin(environment)
  try {
    await throughOutages(world, log, `looking for the dead letter queue ${settings.deadLetterTopic}`, life.ending, (signal) =>
      ensureDeadLetterTopic(admin, settings, signal),
    )
  } finally {
    await admin.close()
  }
  const producer = deadLetterProducer(environment)
  return {
    deadLetters: new DeadLetters(id, settings, producer, onFailure),
    close: () => producer.close(AbortSignal.abort()),
  }
}
