/** @module log/directory — a Kafka log directory: lock, identity, checkpoints, flush loop, housekeeping, and its logs. */
import { dirname } from 'node:path'
import type { Clock, DirectoryLock, Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { formatCleanShutdown, formatPartitionMetadata, parsePartitionMetadata } from './checkpoints.ts'
import {
  CLEAN_SHUTDOWN,
  deleteDirectory,
  isDeleteDirectory,
  PARTITION_METADATA,
  parsePartitionDirectory,
  partitionDirectory,
} from './file-names.ts'
import { FlushLoop } from './flush.ts'
import { Gate } from './gate.ts'
import { Housekeeping } from './housekeeping.ts'
import { identify } from './identity.ts'
import { logLimits } from './limits.ts'
import { Log } from './log.ts'
import { asError, LogClosedError, LogDirectoryError } from './log-error.ts'
import type { LogHost } from './log-host.ts'
import { type OffsetFiles, readOffsetFiles } from './offset-files.ts'
import { recoverLog } from './recovery.ts'
import { readOrNothing } from './segment.ts'
import { SegmentFiles } from './segment-files.ts'
import { SpaceWatch } from './space.ts'
import { TailBudget } from './tail-budget.ts'
import type { DirectoryIdentity, LogConfig, LogDirectory, LogDirectoryOptions, LogLimits, PartitionLog, RecoveryReport } from './types.ts'

/** Topic ids of a log opened without one (Kafka's ZERO_UUID) are not written to partition.metadata. */
const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface OpenLogDirectoryOptions extends LogDirectoryOptions {
  /** Identity for a directory that is empty or not there; without it such a directory is refused. */
  readonly formatIfEmpty?: DirectoryIdentity
}

/**
 * Opens the log directory at an absolute path: takes its lock, checks `meta.properties`, reads the checkpoints. Logs are opened one by one
 * with `openLog`. Rejects with DirectoryLockedError, LogDirectoryError or CorruptLogError; the lock is free again then.
 */
export async function openLogDirectory(path: string, options: OpenLogDirectoryOptions): Promise<LogDirectory> {
  const { disk, logger } = options
  await makeDurably(path, disk)
  const lock = await disk.lock(path)
  try {
    const identity = await identify(path, disk, options.formatIfEmpty)
    const offsets = await readOffsetFiles(path, disk, logger)
    const isClean = (await disk.facts(`${path}/${CLEAN_SHUTDOWN}`)) !== undefined && !offsets.scanAll
    await disk.remove(`${path}/${CLEAN_SHUTDOWN}`)
    await disk.syncDirectory(path)
    const directory = new Directory(path, identity, lock, offsets, isClean, options)
    await directory.begin()
    return directory
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Makes the directory and its missing parents so that a power cut cannot take them: each parent of a new one is synced. */
async function makeDurably(path: string, disk: Disk): Promise<void> {
  const parents: string[] = []
  for (let missing = path; (await disk.facts(missing)) === undefined; missing = dirname(missing)) parents.push(dirname(missing))
  await disk.makeDirectory(path)
  for (const parent of parents) await disk.syncDirectory(parent)
}

class Directory implements LogDirectory {
  readonly path: string
  readonly identity: DirectoryIdentity
  readonly recoveries: RecoveryReport[] = []
  readonly #lock: DirectoryLock
  readonly #offsets: OffsetFiles
  readonly #isClean: boolean
  readonly #clock: Clock
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #limits: LogLimits
  readonly #randomFloat: () => number
  readonly #logs = new Map<string, Log>()
  readonly #opening = new Map<string, Promise<Log>>()
  readonly #deleting = new Map<string, Promise<void>>()
  readonly #gate: Gate
  readonly #flush: FlushLoop
  readonly #space: SpaceWatch
  readonly #housekeeping: Housekeeping
  readonly #host: LogHost
  #unwrittenBytes = 0
  /** A save failed: the next pass tries again. */
  #areLogStartsUnsaved = false
  #drainWaiters: (() => void)[] = []
  #isClosed = false

  constructor(
    path: string,
    identity: DirectoryIdentity,
    lock: DirectoryLock,
    offsets: OffsetFiles,
    isClean: boolean,
    options: OpenLogDirectoryOptions,
  ) {
    const { clock, disk, logger, randomFloat } = options
    this.path = path
    this.identity = identity
    this.#lock = lock
    this.#offsets = offsets
    this.#isClean = isClean
    this.#clock = clock
    this.#disk = disk
    this.#logger = logger
    this.#randomFloat = randomFloat
    this.#limits = { ...logLimits, ...options.limits }
    this.#gate = new Gate(this.#limits.openingLogsMax)
    this.#flush = new FlushLoop(clock)
    this.#space = new SpaceWatch(path, disk, clock, logger, this.#limits)
    this.#housekeeping = new Housekeeping({
      clock,
      disk,
      logger,
      limits: this.#limits,
      logs: this.#logs,
      space: this.#space,
      saveOffsets: () => this.#saveOffsets(),
    })
    this.#host = this.#makeHost()
  }

  get logs(): ReadonlyMap<string, PartitionLog> {
    return this.#logs
  }
  get backlogged(): boolean {
    return this.#unwrittenBytes > this.#limits.unwrittenBytesMax
  }
  get full(): boolean {
    return this.#space.isFull
  }

  /** The timer starts; what was marked for deletion before goes soon. */
  async begin(): Promise<void> {
    for (const name of await this.#disk.list(this.path)) {
      if (isDeleteDirectory(name)) this.#housekeeping.removeLater(`${this.path}/${name}`, 0)
    }
    await this.#space.check()
    this.#housekeeping.begin()
  }

  whenDrained(): Promise<void> {
    if (!this.backlogged) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  openLog(topic: string, partition: number, topicId: string, config: LogConfig): Promise<PartitionLog> {
    if (this.#isClosed) return Promise.reject(new LogClosedError(this.path))
    const name = partitionDirectory(topic, partition)
    const open = this.#logs.get(name)
    if (open !== undefined) return Promise.resolve(open)
    let opening = this.#opening.get(name)
    if (opening === undefined) {
      opening = this.#openAfterDeletion(topic, partition, topicId, config).finally(() => this.#opening.delete(name))
      this.#opening.set(name, opening)
    }
    return opening
  }

  async deleteLog(topic: string, partition: number): Promise<void> {
    const name = partitionDirectory(topic, partition)
    await this.#opening.get(name)?.catch(() => undefined)
    const deletion = this.#deleting.get(name) ?? this.#delete(topic, partition).finally(() => this.#deleting.delete(name))
    this.#deleting.set(name, deletion)
    await deletion
  }

  async listPartitions(): Promise<{ readonly topic: string; readonly partition: number; readonly topicId: string | undefined }[]> {
    const found: { topic: string; partition: number; topicId: string | undefined }[] = []
    for (const name of await this.#disk.list(this.path)) {
      const partition = parsePartitionDirectory(name)
      if (partition === undefined || (await this.#disk.facts(`${this.path}/${name}`))?.kind !== 'directory') continue
      const open = this.#logs.get(name)
      found.push({ ...partition, topicId: open?.topicId ?? (await this.#readTopicId(`${this.path}/${name}`)) })
    }
    return found
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.#settle()
    await this.#flush.drained()
    await this.#flush.stop()
    await this.#housekeeping.ended()
    const isWhole = await this.#finishLogs()
    for (const log of this.#logs.values()) await log.writer.close()
    try {
      await this.#saveOffsets()
      await this.#housekeeping.removeAll()
      // Without the mark the next start scans what lies beyond the recovery points; with it, it trusts every file.
      if (isWhole) await this.#disk.writeFileAtomic(`${this.path}/${CLEAN_SHUTDOWN}`, formatCleanShutdown())
    } catch (error) {
      this.#logger.error(
        { path: this.path, error: asError(error).message },
        'the log directory could not be closed in order; the next start checks it',
      )
    }
    await this.#lock.release()
  }

  /** Whether every log is complete on the device. */
  async #finishLogs(): Promise<boolean> {
    const finish = async (log: Log): Promise<boolean> => {
      if (log.fenced !== undefined) return false
      try {
        await log.writer.finish()
        return true
      } catch (error) {
        this.#logger.error(
          { directory: log.directory, error: asError(error).message },
          'a log could not be closed in order; the next start checks it',
        )
        return false
      }
    }
    const finished = await Promise.all([...this.#logs.values()].map((log) => this.#gate.run(() => finish(log))))
    return finished.every((isFinished) => isFinished)
  }

  async abandon(): Promise<void> {
    if (this.#isClosed) return
    await this.#settle()
    await this.#flush.stop()
    for (const log of this.#logs.values()) await log.writer.close()
    await this.#housekeeping.ended()
    await this.#lock.release()
  }

  /** No new work; what was begun ends. */
  async #settle(): Promise<void> {
    this.#isClosed = true
    this.#housekeeping.stop()
    await Promise.allSettled([...this.#opening.values(), ...this.#deleting.values()])
    for (const log of this.#logs.values()) log.writer.isClosing = true
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  async #delete(topic: string, partition: number): Promise<void> {
    const name = partitionDirectory(topic, partition)
    const log = this.#logs.get(name)
    this.#logs.delete(name)
    await log?.writer.close()
    // First the checkpoints: a log that is made anew under this name must not inherit its recovery point.
    await this.#forgetOffsets(name)
    const from = `${this.path}/${name}`
    if ((await this.#disk.facts(from)) === undefined) return
    const to = `${this.path}/${deleteDirectory(topic, partition, this.#uniqueId())}`
    await this.#disk.rename(from, to)
    await this.#disk.syncDirectory(this.path)
    this.#housekeeping.removeLater(to, log?.config.fileDeleteDelayMs ?? 0)
  }

  async #openAfterDeletion(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    await this.#deleting.get(partitionDirectory(topic, partition))?.catch(() => undefined)
    return await this.#gate.run(() => this.#open(topic, partition, topicId, config))
  }

  async #open(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    const name = partitionDirectory(topic, partition)
    const directory = `${this.path}/${name}`
    const isNew = (await this.#disk.facts(directory)) === undefined
    if (isNew) {
      await this.#forgetOffsets(name)
      await this.#disk.makeDirectory(directory)
    }
    const metadataPath = `${directory}/${PARTITION_METADATA}`
    const ownTopicId = isNew ? undefined : await this.#readTopicId(directory)
    if (ownTopicId !== undefined && topicId !== NO_TOPIC_ID && ownTopicId !== topicId) {
      throw new LogDirectoryError(
        directory,
        `it belongs to topic id ${ownTopicId}, not ${topicId}`,
        'delete the stale directory, or restore the metadata that it belongs to',
      )
    }
    if (ownTopicId === undefined && topicId !== NO_TOPIC_ID)
      await this.#disk.writeFileAtomic(metadataPath, formatPartitionMetadata(topicId))
    const { recoveryPoints, logStarts } = this.#offsets
    const recoveryPoint = recoveryPoints.offsets.get(name) ?? 0
    const recovered = await recoverLog({
      disk: this.#disk,
      logger: this.#logger,
      directory,
      files: this.#host.files,
      limits: this.#limits,
      indexIntervalBytes: config.indexIntervalBytes,
      nowMs: this.#clock.nowMs(),
      clean: this.#isClean,
      recoveryPoint,
      logStartOffset: logStarts.offsets.get(name) ?? 0,
    })
    if (!isNew) this.recoveries.push({ topic, partition, ...pick(recovered) })
    const newDirectories = isNew ? [directory, this.path] : [directory]
    const log = new Log(
      { topic, partition, topicId: ownTopicId ?? topicId, directory, config, host: this.#host, recoveryPoint, newDirectories },
      recovered,
    )
    this.#logs.set(name, log)
    return log
  }

  async #readTopicId(directory: string): Promise<string | undefined> {
    const path = `${directory}/${PARTITION_METADATA}`
    const content = await readOrNothing(this.#disk, path)
    return content === undefined ? undefined : parsePartitionMetadata(path, content)
  }

  #makeHost(): LogHost {
    return {
      clock: this.#clock,
      disk: this.#disk,
      logger: this.#logger,
      limits: this.#limits,
      files: new SegmentFiles(this.#limits.closedSegmentsOpenMax, this.#limits.recoveryChunkBytes),
      budget: new TailBudget(this.#limits.tailBytesTotal),
      randomFloat: this.#randomFloat,
      isFull: () => this.#space.isFull,
      foundNoSpace: () => this.#space.foundNoSpace(),
      dirty: (log) => this.#flush.dirty(log),
      roundEnded: () => this.#flush.roundEnded(),
      unwritten: (deltaBytes) => this.#unwritten(deltaBytes),
      wantsRecoveryPoint: () => this.#housekeeping.wantPass(),
      saveLogStarts: () => this.#saveLogStarts(),
      removeLater: (path, delayMs) => this.#housekeeping.removeLater(path, delayMs),
    }
  }

  #unwritten(deltaBytes: number): void {
    this.#unwrittenBytes += deltaBytes
    if (deltaBytes < 0) this.#space.wrote(-deltaBytes)
    if (this.#drainWaiters.length === 0 || this.backlogged) return
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  #uniqueId(): string {
    return Array.from({ length: 32 }, () => Math.floor(this.#randomFloat() * 16).toString(16)).join('')
  }

  async #saveOffsets(): Promise<void> {
    const { recoveryPoints, highWatermarks } = this.#offsets
    for (const [name, log] of this.#logs) {
      recoveryPoints.offsets.set(name, log.writer.recoveryPoint)
      highWatermarks.offsets.set(name, log.syncedOffset)
    }
    await Promise.all([recoveryPoints.save(), highWatermarks.save(), this.#saveLogStarts()])
  }

  async #forgetOffsets(name: string): Promise<void> {
    const files = [this.#offsets.recoveryPoints, this.#offsets.highWatermarks, this.#offsets.logStarts]
    await Promise.all(files.filter((file) => file.offsets.delete(name)).map((file) => file.save()))
  }

  async #saveLogStarts(): Promise<void> {
    const { offsets } = this.#offsets.logStarts
    let changed = false
    for (const [name, log] of this.#logs) {
      const start = log.logStartOffset
      // As in Kafka, only starts inside a segment are kept: the others show in the name of the first file.
      const isInside = start > (log.state.segments[0]?.baseOffset ?? 0)
      if ((isInside ? start : undefined) === offsets.get(name)) continue
      changed = true
      if (isInside) offsets.set(name, start)
      else offsets.delete(name)
    }
    if (!changed && !this.#areLogStartsUnsaved) return
    this.#areLogStartsUnsaved = true
    await this.#offsets.logStarts.save()
    this.#areLogStartsUnsaved = false
  }
}

function pick(recovered: {
  scannedBytes: number
  truncatedBytes: number
  rebuiltIndexes: boolean
}): Omit<RecoveryReport, 'topic' | 'partition'> {
  const { scannedBytes, truncatedBytes, rebuiltIndexes } = recovered
  return { scannedBytes, truncatedBytes, rebuiltIndexes }
}
