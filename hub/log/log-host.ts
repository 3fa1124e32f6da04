/** @module log/log-host — what a log needs of the directory that it stands in. */
import type { Clock, Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Flushable } from './flush.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { TailChunk } from './tail.ts'
import type { TailBudget } from './tail-budget.ts'
import type { LogLimits } from './types.ts'

export interface LogHost {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly limits: LogLimits
  readonly files: SegmentFiles
  readonly budget: TailBudget<TailChunk>
  readonly randomFloat: () => number
  /** The device is short of space. */
  isFull(): boolean
  /** A write found no space. */
  foundNoSpace(): void
  /** The log has something for the next round. */
  dirty(log: Flushable): void
  /** Resolves when the round that runs now has ended. */
  roundEnded(): Promise<void>
  /** Bytes appended but not written, of all logs, have changed by this much. */
  unwritten(deltaBytes: number): void
  /** Enough was synced since the recovery point last moved. */
  wantsRecoveryPoint(): void
  /** Makes the log start offsets durable. */
  saveLogStarts(): Promise<void>
  /** The same with the recovery points. */
  saveOffsets(): Promise<void>
  /** Removes the file when the delay has passed. */
  readonly removeLater: (path: string, delayMs: number) => void
}
