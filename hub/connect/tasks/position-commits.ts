/**
 * @module connect/tasks/position-commits — stores positions in the offsets topic, one round at a time, and tells the source afterwards.
 * The task's own producer writes them: they take the same way as the records that they speak of.
 */
import type { Awaitable, CommittedOffset } from '@millrace/sdk'
import type { Producer } from '../../client/index.ts'
import { offsetRecord } from '../stores/offset-records.ts'
import { told } from './failure.ts'
import { unless } from './life.ts'
import type { Positions } from './positions.ts'

/** What a source hears when positions are stored. */
export type CommitListener = (committed: readonly CommittedOffset[]) => Awaitable<void>

/** See the module. */
export class PositionCommits {
  readonly #positions: Positions
  readonly #producer: Producer
  readonly #connector: string
  readonly #topic: string
  readonly #cut: AbortSignal
  #listeners: CommitListener[] = []
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(
    positions: Positions,
    producer: Producer,
    place: { readonly connector: string; readonly topic: string; readonly cut: AbortSignal },
  ) {
    this.#positions = positions
    this.#producer = producer
    this.#connector = place.connector
    this.#topic = place.topic
    this.#cut = place.cut
  }

  onCommitted(listener: CommitListener): void {
    this.#listeners.push(listener)
  }

  /** The source is run anew: it will say again who listens. */
  forgetListeners(): void {
    this.#listeners = []
  }

  /**
   * Resolves when all that could be stored at the time of the call is stored and told. Rejects with what a listener throws, with a broker's
   * refusal, or when the task is cut off.
   */
  commit(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#round().finally(() => {
        this.#running = null
      })
      return this.#running
    }
    // The round that runs may have begun too early; the next one serves all who ask meanwhile.
    const running = this.#running
    this.#next ??= running.then(
      () => this.#following(),
      () => this.#following(),
    )
    return this.#next
  }

  #following(): Promise<void> {
    this.#next = null
    return this.commit()
  }

  async #round(): Promise<void> {
    const stored = this.#positions.storable()
    if (stored.length === 0) return
    const records = stored.map(({ partition, offset }) => ({ topic: this.#topic, ...offsetRecord(this.#connector, partition, offset) }))
    try {
      await unless(this.#cut, this.#producer.sendBatch(records))
    } catch (error) {
      if (this.#cut.aborted) throw error
      throw told(error, `positions of ${this.#connector} could not be stored in ${this.#topic}`)
    }
    this.#positions.markStored(stored)
    for (const listener of this.#listeners) await unless(this.#cut, listener(stored))
  }
}
