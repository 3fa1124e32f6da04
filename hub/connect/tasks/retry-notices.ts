/** @module connect/tasks/retry-notices — what the log hears of repeated attempts: the first of a row, and then one in a while. */
import type { PluginLog } from '@millrace/sdk'
import type { ClientWorld } from '../../client/index.ts'

/** A plugin may ask for twenty attempts a second; a log is read by people. */
const NOTICE_MS_MIN = 10_000

/** Notices of one task about one thing that is tried again. */
export class RetryNotices {
  readonly #clock: ClientWorld['clock']
  readonly #log: PluginLog
  #lastMs = Number.NEGATIVE_INFINITY

  constructor({ clock }: Pick<ClientWorld, 'clock'>, log: PluginLog) {
    this.#clock = clock
    this.#log = log
  }

  /** Warns of attempt `attemptCount` (from 1), unless it is one more of a row that was told of not long ago. */
  tell(message: string, attemptCount: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (attemptCount > 1 && nowMs - this.#lastMs < NOTICE_MS_MIN) return
    this.#lastMs = nowMs
    this.#log.warn(message, { attemptCount })
  }
}
