/**
 * @module connect/tasks/tolerance — what becomes of a record that failed at a step: tried again, reported, skipped, or the end of the task
 * (`errors.*`; upstream's `RetryWithToleranceOperator`).
 */
import type { PluginLog } from '@millrace/sdk'
import type { ClientWorld } from '../../client/index.ts'
import { classNameOf, messageOf, toleranceExceeded } from './failure.ts'
import { delayAfterMs, isRetriable } from './retry.ts'
import type { FailureSettings } from './settings.ts'
import type { Cursor, Step } from './step.ts'
import { unless } from './life.ts'

/** Characters of one record in the log. */
const RECORD_TEXT_LENGTH_MAX = 1_000

/** A record that failed, for whoever reports it. */
export interface FailedRecord<R> {
  readonly record: R
  /** `topic-partition@offset` of a sink's record, partition and offset of a source's. */
  readonly place: string
  readonly step: Step
  readonly error: unknown
}

export interface ToleranceOptions<R> {
  readonly settings: FailureSettings
  /** Connector and index, for the log. */
  readonly taskName: string
  readonly world: ClientWorld
  readonly log: PluginLog
  /** Aborts waits between attempts. */
  readonly ending: AbortSignal
  readonly placeOf: (record: R) => string
  /** What errors.log.include.messages shows of a record. */
  readonly describe: (record: R) => string
  /** Keeps a failed record (dead letters); called whether the task goes on or not. */
  readonly keep: ((failed: FailedRecord<R>) => void) | null
}

/** Judges failed records. */
export interface Tolerance<R> {
  /**
   * Goes on after `error`, which the step at `cursor` threw: tries again where the error allows, then skips (null) or rejects with a
   * TaskFailure. `attempt` is the whole work on the record.
   */
  recover<T>(record: R, error: unknown, cursor: Cursor, attempt: () => T | Promise<T>): Promise<T | null>
  /** As {@link recover} without another attempt. Throws a TaskFailure when the record may not be skipped. */
  skip(record: R, error: unknown, step: Step): void
}

/** See {@link Tolerance}. */
export function createTolerance<R>(options: ToleranceOptions<R>): Tolerance<R> {
  const { settings, world, ending, placeOf } = options
  let hasWarned = false
  const skip = (record: R, error: unknown, step: Step): void => {
    const failed = { record, place: placeOf(record), step, error }
    if (settings.logEnable) logFailure(options, failed)
    options.keep?.(failed)
    if (!settings.toleratesAll) throw toleranceExceeded(error, step, failed.place)
    if (hasWarned || settings.logEnable || options.keep !== null) return
    hasWarned = true
    options.log.warn(
      'a record was skipped (errors.tolerance=all), later ones are skipped silently; errors.log.enable=true shows each one',
      factsOf(failed),
    )
  }
  return {
    skip,
    async recover(record, error, cursor, attempt) {
      const untilMs = world.clock.monotonicMs() + settings.retryTimeoutMs
      let latest = error
      for (let attemptCount = 1; isRetriable(latest); attemptCount++) {
        const leftMs = untilMs - world.clock.monotonicMs()
        if (leftMs <= 0) break
        const delayMs = delayAfterMs(latest, attemptCount, settings.retryDelayMsMax, world.random.float())
        await world.clock.sleep(Math.min(delayMs, leftMs), ending)
        try {
          return await unless(ending, attempt())
        } catch (next) {
          if (ending.aborted) throw next
          latest = next
        }
      }
      skip(record, latest, cursor.step)
      return null
    },
  }
}

function logFailure<R>({ taskName, log, describe, settings }: ToleranceOptions<R>, failed: FailedRecord<R>): void {
  const { stage, className } = failed.step
  const text = settings.logIncludesMessages ? { record: shown(failed.record, describe) } : {}
  log.error(`Error encountered in task ${taskName}. Executing stage '${stage}' with class '${className}'.`, {
    ...factsOf(failed),
    ...text,
  })
}

/** A record that fails may be one that cannot be shown either. */
function shown<R>(record: R, describe: (record: R) => string): string {
  try {
    return describe(record).slice(0, RECORD_TEXT_LENGTH_MAX)
  } catch (error) {
    return `cannot be shown: ${messageOf(error)}`
  }
}

function factsOf({ place, step, error }: FailedRecord<unknown>): Record<string, unknown> {
  return { at: place, stage: step.stage, class: step.className, error: `${classNameOf(error)}: ${messageOf(error)}` }
}
