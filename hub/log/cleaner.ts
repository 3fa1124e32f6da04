/**
 * @module log/cleaner — compacts the logs of a directory, the dirtiest first, one at a time. Where each one was compacted to stands in
 * `cleaner-offset-checkpoint`. Source: org.apache.kafka.storage.internals.log.LogCleaner, LogCleanerManager.
 */
import type { Clock, Disk, Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { formatOffsets, parseOffsets } from './checkpoints.ts'
import { compactLog } from './compaction.ts'
import { type CleanableLog, planCompaction } from './compaction-plan.ts'
import { CLEANER_CHECKPOINT, parsePartitionDirectory } from './file-names.ts'
import type { Log } from './log.ts'
import { asError, CorruptLogError, isNoSpace, LogClosedError } from './log-error.ts'
import type { LogHost } from './log-host.ts'
import { readOrNothing } from './segment.ts'
import type { CleanerSettings, CleanerState } from './types.ts'

/** Settings of Kafka's keys, at their defaults but for the buffer: a thread of Kafka's has a buffer of its own, here there is one. */
export const cleanerDefaults: CleanerSettings = {
  isEnabled: true,
  backoffMs: 15_000,
  dedupeBufferBytes: 128 * 1024 * 1024,
  loadFactor: 0.9,
  ioBytesPerSecondMax: Number.POSITIVE_INFINITY,
}

interface CleanerOptions {
  readonly path: string
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly logs: ReadonlyMap<string, Log>
  readonly host: LogHost
}

/** See the module. */
export class Cleaner implements CleanerState {
  readonly #options: CleanerOptions
  readonly #offsets = new Map<string, number>()
  readonly #uncleanable = new Map<string, Error>()
  #timer: Timer | undefined
  #cycle: Promise<void> | undefined
  #isStopped = false
  #settings: CleanerSettings
  compactionCount = 0
  readBytes = 0
  writtenBytes = 0

  constructor(options: CleanerOptions, settings: CleanerSettings) {
    this.#options = options
    this.#settings = settings
  }

  get uncleanable(): ReadonlyMap<string, Error> {
    return this.#uncleanable
  }

  /** Reads the checkpoint and begins. One that is damaged is done without: then everything counts as dirty. */
  async begin(): Promise<void> {
    const { disk, logger } = this.#options
    const content = await readOrNothing(disk, this.#checkpointPath)
    try {
      if (content !== undefined) for (const [name, offset] of parseOffsets(this.#checkpointPath, content)) this.#offsets.set(name, offset)
    } catch (error) {
      if (!(error instanceof CorruptLogError)) throw error
      logger.warn({ path: error.path }, `${error.message}: every compacted log is gone through from its start`)
    }
    this.#arm()
  }

  /** Goes by these from now on; a pause that is under way is begun anew. */
  configure(settings: CleanerSettings): void {
    const isOther = settings.backoffMs !== this.#settings.backoffMs
    this.#settings = settings
    if (isOther && this.#timer !== undefined && this.#cycle === undefined) {
      this.#timer.cancel()
      this.#arm()
    }
  }

  /** No compaction begins any more; the one under way gives up at its next step. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await this.#cycle
  }

  /** The log is gone: one that is made anew under its name begins at its start. */
  forget(name: string): void {
    this.#offsets.delete(name)
    this.#uncleanable.delete(name)
  }

  get #checkpointPath(): string {
    return `${this.#options.path}/${CLEANER_CHECKPOINT}`
  }

  #arm(): void {
    if (this.#isStopped) return
    this.#timer = this.#options.clock.timer(this.#settings.backoffMs, () => {
      this.#cycle = this.#runCycle().finally(() => {
        this.#cycle = undefined
        this.#arm()
      })
    })
  }

  /** Until nothing is worth it. */
  async #runCycle(): Promise<void> {
    while (!this.#isStopped && this.#settings.isEnabled) {
      const next = this.#dirtiest()
      if (next === undefined) return
      if (!(await this.#compact(next.name, next.log, next.plan))) return
    }
  }

  /** Overdue ones first, then by their share of dirt. */
  #dirtiest(): { readonly name: string; readonly log: Log; readonly plan: CleanableLog } | undefined {
    const nowMs = this.#options.clock.nowMs()
    let best: { readonly name: string; readonly log: Log; readonly plan: CleanableLog } | undefined
    for (const [name, log] of this.#options.logs) {
      if (!log.config.cleanupPolicies.has('compact') || log.fenced !== undefined || log.writer.isClosing || this.#uncleanable.has(name))
        continue
      const plan = planCompaction(log.state.segments, {
        config: log.config,
        cleanedOffset: this.#offsets.get(name) ?? 0,
        logStartOffset: log.logStartOffset,
        lastStableOffset: log.lastStableOffset(log.syncedOffset),
        nowMs,
      })
      if (plan !== undefined && (best === undefined || urgency(plan) > urgency(best.plan))) best = { name, log, plan }
    }
    return best
  }

  /** False: nothing more for now. */
  async #compact(name: string, log: Log, plan: CleanableLog): Promise<boolean> {
    const { logger, host } = this.#options
    const { dedupeBufferBytes, loadFactor } = this.#settings
    const options = {
      host,
      mapBytesMax: dedupeBufferBytes * loadFactor,
      throttle: this.#throttle(),
      isStopped: () => this.#isStopped,
    }
    try {
      const { cleanedOffset, readBytes, writtenBytes } = await compactLog(log, plan, options)
      this.compactionCount++
      this.readBytes += readBytes
      this.writtenBytes += writtenBytes
      if (this.#options.logs.get(name) === log) this.#offsets.set(name, cleanedOffset)
      await this.#save()
      return true
    } catch (error) {
      if (error instanceof LogClosedError) return false
      if (isNoSpace(error)) {
        logger.warn({ directory: log.directory }, 'no space for compaction: it is tried again')
        return false
      }
      this.#uncleanable.set(name, asError(error))
      logger.error(
        { directory: log.directory, error: asError(error).message },
        'a log cannot be compacted; it is left out until the next start',
      )
      return true
    }
  }

  /** Keeps reads and writes together to `log.cleaner.io.max.bytes.per.second`. */
  #throttle(): (sizeBytes: number) => Promise<void> {
    const { clock } = this.#options
    const beganMs = clock.monotonicMs()
    let doneBytes = 0
    return async (sizeBytes) => {
      doneBytes += sizeBytes
      const dueMs = (doneBytes / this.#settings.ioBytesPerSecondMax) * 1000
      const aheadMs = dueMs - (clock.monotonicMs() - beganMs)
      if (aheadMs > 1) await clock.sleep(aheadMs)
    }
  }

  async #save(): Promise<void> {
    const lines = [...this.#offsets].flatMap(([name, offset]) => {
      const found = parsePartitionDirectory(name)
      return found === undefined ? [] : [{ ...found, offset }]
    })
    await this.#options.disk.writeFileAtomic(this.#checkpointPath, formatOffsets(lines))
  }
}

function urgency({ isOverdue, dirtyRatio }: CleanableLog): number {
  return isOverdue ? 1 + dirtyRatio : dirtyRatio
}
