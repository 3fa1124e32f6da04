/**
 * @module log/flush — the group commit loop of a directory. A round writes what all dirty logs have (one gathered write per segment) and
 * syncs them, all logs in parallel; the next round begins when this one has ended, with everything that was appended meanwhile. So batches
 * grow under load, and a lone append waits for one write and one sync (design §3).
 */
import type { Clock } from '../io/index.ts'
import type { FlushRounds } from './types.ts'

/** What takes part in rounds. Both calls handle their own failures and never reject. */
export interface Flushable {
  /** Writes what there is; resolves with whether something is to be synced. */
  write(): Promise<boolean>
  sync(): Promise<void>
}

/** The loop; see the module. */
export class FlushLoop {
  readonly #clock: Clock
  readonly #dirty = new Set<Flushable>()
  #isScheduled = false
  #isStopped = false
  #round: Promise<void> | undefined
  #roundCount = 0
  #roundsMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What it did so far. */
  get rounds(): FlushRounds {
    return { count: this.#roundCount, totalMs: this.#roundsMs }
  }

  /** The log has something to write. The round begins after the events of this turn, so that their appends share it. */
  dirty(log: Flushable): void {
    this.#dirty.add(log)
    this.#schedule()
  }

  /** Resolves once nothing is dirty and no round runs; never when appends go on for ever. */
  async drained(): Promise<void> {
    while (!this.#isStopped && (this.#isScheduled || this.#round !== undefined)) await (this.#round ?? this.#turn())
  }

  /** No further round begins; resolves when the one that runs has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#round
  }

  /** Resolves when the round that runs now, if any, has ended. */
  async roundEnded(): Promise<void> {
    await this.#round
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStopped || this.#round !== undefined || this.#dirty.size === 0) return
    this.#isScheduled = true
    this.#clock.soon(() => this.#begin())
  }

  #begin(): void {
    this.#isScheduled = false
    if (this.#isStopped) return
    const logs = [...this.#dirty]
    this.#dirty.clear()
    const beganMs = this.#clock.monotonicMs()
    this.#round = Promise.all(logs.map(flush)).then(() => {
      this.#round = undefined
      this.#roundCount++
      this.#roundsMs += this.#clock.monotonicMs() - beganMs
      this.#schedule()
    })
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.soon(resolve))
  }
}

async function flush(log: Flushable): Promise<void> {
  if (await log.write()) await log.sync()
}
