/** @module log/space — watches the free space of the device, so that produce is refused before a write fails, and taken again when there is room. */
import type { Clock, Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { asError } from './log-error.ts'
import type { LogLimits } from './types.ts'

/** Bytes written between two questions at the least, however little is free. */
const SPACE_STEP_BYTES_MIN = 1024 * 1024

/** See the module. */
export class SpaceWatch {
  readonly #path: string
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits: LogLimits
  #isFull = false
  #checkedMs = Number.NEGATIVE_INFINITY
  #isChecking = false
  /** What may be written until half of what was free above the watermark is gone. */
  #untilCheckBytes = Number.POSITIVE_INFINITY

  constructor(path: string, disk: Disk, clock: Clock, logger: Logger, limits: LogLimits) {
    this.#path = path
    this.#disk = disk
    this.#clock = clock
    this.#logger = logger
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** A write found no space, whatever the file system says is free. Holds until the next check. */
  foundNoSpace(): void {
    this.#isFull = true
    this.#checkedMs = this.#clock.monotonicMs()
  }

  /** So much was written. A fast producer passes any watermark between two ticks, so bytes count as well as time. */
  wrote(sizeBytes: number): void {
    this.#untilCheckBytes -= sizeBytes
    if (this.#untilCheckBytes < 0 && !this.#isFull && !this.#isChecking) void this.#ask()
  }

  /** Asks the device if the last time is long enough ago. */
  async check(): Promise<void> {
    if (this.#isChecking || this.#clock.monotonicMs() - this.#checkedMs < this.#limits.spaceCheckMs) return
    await this.#ask()
  }

  async #ask(): Promise<void> {
    this.#isChecking = true
    try {
      const { freeBytes } = await this.#disk.space(this.#path)
      this.#checkedMs = this.#clock.monotonicMs()
      const { freeBytesMin, freeBytesResume } = this.#limits
      // Once refused, produce is taken again only well above the mark: else it would open and shut with every segment that retention removes.
      const isFull = freeBytes < (this.#isFull ? Math.max(freeBytesMin, freeBytesResume) : freeBytesMin)
      if (isFull !== this.#isFull) this.#tell(isFull, freeBytes)
      this.#isFull = isFull
      this.#untilCheckBytes = Math.max(SPACE_STEP_BYTES_MIN, (freeBytes - freeBytesMin) / 2)
    } catch (error) {
      this.#logger.warn({ path: this.#path, error: asError(error).message }, 'the free space is not known')
    } finally {
      this.#isChecking = false
    }
  }

  #tell(isFull: boolean, freeBytes: number): void {
    const facts = { path: this.#path, freeBytes, freeBytesMin: this.#limits.freeBytesMin }
    if (isFull) this.#logger.error(facts, 'the disk is nearly full: produce is refused until there is space, reads go on')
    else this.#logger.info(facts, 'there is space on the disk: produce is taken again')
  }
}
