/** @module connect/tasks/draw — one run of a source's generator: asked for a batch at a time, never waited for in a way that cannot be left. */
import type { PluginLog, SourceRecordInput } from '@millrace/sdk'
import { messageOf } from './failure.ts'

type Batch = readonly SourceRecordInput[]
/** A batch, null for the generator's return, or what it threw. */
type Arrival = { readonly batch: Batch | null } | { readonly error: unknown }

/**
 * A generator that is being drained.
 *
 * ```
 *   idle ── ask ──▶ asked ── (the generator yields, returns or throws) ──▶ arrived ── take ──▶ idle
 * ```
 */
export class Draw {
  readonly #iterator: AsyncIterator<Batch>
  readonly #onArrival: () => void
  /** Settles, never rejects, when what was asked for has arrived. */
  #asked: Promise<void> | null = null
  #arrived: Arrival | null = null

  /** `onArrival` is called when {@link hasArrived} has become true. */
  constructor(source: AsyncIterable<Batch>, onArrival: () => void) {
    this.#iterator = source[Symbol.asyncIterator]()
    this.#onArrival = onArrival
  }

  /** Asks for the next batch, unless that has been done. */
  ask(): void {
    if (this.#asked !== null) return
    this.#asked = this.#iterator.next().then(
      ({ done, value }) => this.#arrive({ batch: done === true ? null : (value as Batch) }),
      (error: unknown) => this.#arrive({ error }),
    )
  }

  get hasArrived(): boolean {
    return this.#arrived !== null
  }

  /** Whether it is a batch. */
  get hasBatch(): boolean {
    return this.#arrived !== null && 'batch' in this.#arrived && this.#arrived.batch !== null
  }

  /** What has arrived; null when the generator has returned. Throws what it threw. */
  take(): Batch | null {
    const arrived = this.#arrived
    if (arrived === null) throw new Error('take() before anything has arrived')
    this.#arrived = null
    this.#asked = null
    if ('error' in arrived) throw arrived.error
    if (arrived.batch !== null && !Array.isArray(arrived.batch)) {
      throw new TypeError(`the source yielded ${shapeOf(arrived.batch)}; it must yield arrays of records: yield [record]`)
    }
    return arrived.batch
  }

  /** After the signal has aborted: the batch that was asked for, null when there is none. What the generator throws by then is logged. */
  async end(log: PluginLog): Promise<Batch | null> {
    if (this.#asked === null) return null
    await this.#asked
    try {
      return this.take()
    } catch (error) {
      log.debug(`the source ended with an error after the order to stop: ${messageOf(error)}`)
      return null
    }
  }

  /** Lets the generator run its `finally` blocks; never rejects. */
  async release(): Promise<void> {
    await this.#iterator.return?.().catch(() => {})
  }

  #arrive(arrived: Arrival): void {
    this.#arrived = arrived
    this.#onArrival()
  }
}

function shapeOf(yielded: unknown): string {
  if (yielded === undefined) return 'undefined'
  return yielded === null ? 'null' : `a value of type ${typeof yielded}`
}
