/** @module connect/stores/complaints — warnings about records that cannot be read: each told once, a flood cut short. */
import type { Logger } from '../../observe/index.ts'
import type { ReadRecord } from './stored-record.ts'

/** Records of one topic that are warned of one by one; of the rest is said only that there are more. */
const COMPLAINTS_MAX = 20

/** Complaints about the records of one topic. */
export class Complaints {
  readonly #topic: string
  readonly #logger: Logger
  #count = 0

  constructor(topic: string, logger: Logger) {
    this.#topic = topic
    this.#logger = logger
  }

  /** Says where the record stands and why it is passed over. */
  add({ partition, offset }: ReadRecord, why: string): void {
    this.#count++
    if (this.#count > COMPLAINTS_MAX) return
    const more = this.#count === COMPLAINTS_MAX ? '; further ones of this topic are passed over silently' : ''
    this.#logger.warn(`${this.#topic}-${partition}@${offset} is passed over: ${why}${more}`, { topic: this.#topic, partition, offset })
  }
}
