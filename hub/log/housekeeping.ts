/**
 * @module log/housekeeping — what a directory does beside the rounds, on one timer: free space, recovery points and checkpoints, files to
 * remove, retention, expiry of producers. Costs nothing on an idle directory.
 */
import type { Clock, Disk, Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { Gate } from './gate.ts'
import type { Log } from './log.ts'
import { asError } from './log-error.ts'
import type { SpaceWatch } from './space.ts'
import type { LogLimits } from './types.ts'

/** A pass may take a tenth of the time: over very many busy logs it must not become all that the disk does. */
const PASS_SHARE = 10
/** Logs whose recovery point moves at the same time. */
const MOVING_LOGS_MAX = 16

export interface HousekeepingOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly limits: LogLimits
  readonly logs: ReadonlyMap<string, Log>
  readonly space: SpaceWatch
  /** Writes the offset checkpoints. */
  readonly saveOffsets: () => Promise<void>
}

/** See the module. */
export class Housekeeping {
  readonly #options: HousekeepingOptions
  readonly #gate = new Gate(MOVING_LOGS_MAX)
  #removals: { readonly path: string; readonly dueMs: number }[] = []
  #timer: Timer | undefined
  #pass: Promise<void> | undefined
  #isPassWanted = false
  #isStopped = false
  #passedMs: number
  #passTookMs = 0
  #retainedMs: number

  constructor(options: HousekeepingOptions) {
    this.#options = options
    this.#passedMs = this.#retainedMs = options.clock.monotonicMs()
  }

  begin(): void {
    const { clock, limits } = this.#options
    this.#timer = clock.timer(Math.min(limits.recoveryPointMs, limits.spaceCheckMs), () => this.#tick())
  }

  /** No pass begins any more. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** Resolves when the pass that runs now has ended. */
  async ended(): Promise<void> {
    await this.#pass
  }

  /** A pass is due now. */
  wantPass(): void {
    this.#isPassWanted = true
    this.#startPass()
  }

  /** Removes a file or directory when the delay has passed, or the directory is closed. */
  removeLater(path: string, delayMs: number): void {
    this.#removals.push({ path, dueMs: this.#options.clock.monotonicMs() + delayMs })
  }

  /** Removes what waits, whatever its delay. What cannot be removed is left to the next start. */
  async removeAll(): Promise<void> {
    await this.#removeDue(Number.POSITIVE_INFINITY)
  }

  #tick(): void {
    const { clock, limits, space } = this.#options
    if (this.#isStopped) return
    this.begin()
    void space.check()
    const waitMs = Math.max(limits.recoveryPointMs, this.#passTookMs * PASS_SHARE)
    if (clock.monotonicMs() - this.#passedMs >= waitMs) this.wantPass()
  }

  #startPass(): void {
    if (this.#pass !== undefined || this.#isStopped || !this.#isPassWanted) return
    this.#isPassWanted = false
    this.#pass = this.#runPass()
      .catch((error: unknown) =>
        this.#options.logger.warn({ error: asError(error).message }, 'housekeeping of the log directory failed; it is tried again'),
      )
      .then(() => {
        this.#pass = undefined
        this.#startPass()
      })
  }

  async #runPass(): Promise<void> {
    const { clock, limits, logs, saveOffsets } = this.#options
    const beganMs = clock.monotonicMs()
    await this.#removeDue(beganMs)
    const behind = [...logs.values()].filter((log) => log.fenced === undefined && log.writer.isBehind)
    if (behind.length > 0) {
      await Promise.all(behind.map((log) => this.#gate.run(() => log.writer.moveRecoveryPoint())))
      await saveOffsets()
    }
    if (beganMs - this.#retainedMs >= limits.retentionCheckMs) {
      this.#retainedMs = beganMs
      await this.#retain()
    }
    this.#passedMs = clock.monotonicMs()
    this.#passTookMs = this.#passedMs - beganMs
  }

  async #retain(): Promise<void> {
    const { clock, limits, logs, logger } = this.#options
    for (const log of [...logs.values()]) {
      if (log.fenced !== undefined || log.writer.isClosed || this.#isStopped) continue
      log.state.producers.expire(clock.nowMs() - limits.producerIdExpirationMs)
      try {
        await log.retain(log.syncedOffset)
      } catch (error) {
        logger.warn({ directory: log.directory, error: asError(error).message }, 'retention could not remove segments; it is tried again')
      }
    }
  }

  async #removeDue(nowMs: number): Promise<void> {
    const due = this.#removals.filter(({ dueMs }) => dueMs <= nowMs)
    this.#removals = this.#removals.filter(({ dueMs }) => dueMs > nowMs)
    for (const { path } of due) {
      try {
        await this.#options.disk.remove(path)
      } catch (error) {
        const { clock, limits, logger } = this.#options
        logger.warn({ path, error: asError(error).message }, 'could not be removed; it is tried again')
        this.#removals.push({ path, dueMs: clock.monotonicMs() + limits.retentionCheckMs })
      }
    }
  }
}
