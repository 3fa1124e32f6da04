/** @module log/directory — a Kafka log directory: lock, identity, checkpoints, flush loop, housekeeping, and its logs. */
import { dirname } from 'node:path'
import type { Clock, DirectoryLock, Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { formatCleanShutdown, formatPartitionMetadata } from './checkpoints.ts'
import { Cleaner, cleanerDefaults } from './cleaner.ts'
import { CLEAN_SHUTDOWN, type DirectoryMark, isDeleteDirectory, PARTITION_METADATA, partitionDirectory } from './file-names.ts'
import { FlushLoop } from './flush.ts'
import { Gate } from './gate.ts'
import { Housekeeping } from './housekeeping.ts'
import { identify } from './identity.ts'
import { logLimits } from './limits.ts'
import { Log } from './log.ts'
import { asError, LogClosedError } from './log-error.ts'
import type { LogHost } from './log-host.ts'
import { type OffsetFiles, readOffsetFiles } from './offset-files.ts'
import { PartitionDirectories } from './partition-directories.ts'
import { recoverLog } from './recovery.ts'
import { SegmentFiles } from './segment-files.ts'
import { SpaceWatch } from './space.ts'
import { TailBudget } from './tail-budget.ts'
import { isSameTopic, NO_TOPIC_ID, otherTopic } from './topic-identity.ts'
import type {
  CleanerSettings,
  DirectoryIdentity,
  FlushRounds,
  LogConfig,
  LogDirectory,
  LogDirectoryOptions,
  LogLimits,
  PartitionLog,
  RecoveryReport,
} from './types.ts'

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

interface Opening {
  readonly topicId: string
  readonly log: Promise<Log>
  /** The log is to be removed as soon as it is open. */
  isDoomed: boolean
}

class Directory implements LogDirectory {
  readonly path: string
  readonly identity: DirectoryIdentity
  readonly recoveries: RecoveryReport[] = []
  readonly #lock: DirectoryLock
  readonly #offsets: OffsetFiles
  /** The last process closed everything in order. */
  readonly #isClean: boolean
  readonly #clock: Clock
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #limits: LogLimits
  readonly #randomFloat: () => number
  readonly #directories: PartitionDirectories
  readonly #logs = new Map<string, Log>()
  readonly #opening = new Map<string, Opening>()
  readonly #removing = new Map<string, Promise<string | undefined>>()
  /** Logs that were to be removed and could not be: that comes first when their name is opened again. */
  readonly #condemned = new Map<string, DirectoryMark>()
  /** Names that were opened since the start: what is in their directories may have changed. */
  readonly #opened = new Set<string>()
  /** Directories that were made since the start: their names may not be durable. */
  readonly #made = new Set<string>()
  readonly #gate: Gate
  readonly #flush: FlushLoop
  readonly #space: SpaceWatch
  readonly #housekeeping: Housekeeping
  readonly #host: LogHost
  readonly cleaner: Cleaner
  #unwrittenBytes = 0
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
    this.#directories = new PartitionDirectories(path, disk, randomFloat)
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
      saveOffsets: () => this.#offsets.save(this.#logs),
    })
    this.#host = this.#makeHost()
    this.cleaner = new Cleaner({ path, clock, disk, logger, logs: this.#logs, host: this.#host }, options.cleaner ?? cleanerDefaults)
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

  /** The clean mark goes and the timer starts; what was marked for deletion before goes soon. */
  async begin(): Promise<void> {
    for (const name of await this.#disk.list(this.path)) {
      if (isDeleteDirectory(name)) this.#housekeeping.removeLater(`${this.path}/${name}`, 0)
    }
    await this.#space.check()
    await this.#disk.remove(`${this.path}/${CLEAN_SHUTDOWN}`)
    await this.#disk.syncDirectory(this.path)
    this.#housekeeping.begin()
    await this.cleaner.begin()
  }

  whenDrained(): Promise<void> {
    if (!this.backlogged) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  get rounds(): FlushRounds {
    return this.#flush.rounds
  }

  configureCleaner(settings: CleanerSettings): void {
    this.cleaner.configure(settings)
  }

  openLog(topic: string, partition: number, topicId: string, config: LogConfig): Promise<PartitionLog> {
    if (this.#isClosed) return Promise.reject(new LogClosedError(this.path))
    const name = partitionDirectory(topic, partition)
    const opening = this.#opening.get(name)
    if (opening !== undefined) {
      if (isSameTopic(opening.topicId, topicId) && !opening.isDoomed) return opening.log
      const again = (): Promise<PartitionLog> => this.openLog(topic, partition, topicId, config)
      return opening.log.then(again, again)
    }
    const open = this.#logs.get(name)
    if (open !== undefined && !this.#removing.has(name)) {
      return isSameTopic(open.topicId, topicId) ? Promise.resolve(open) : Promise.reject(otherTopic(open.directory, open.topicId, topicId))
    }
    const log = this.#openAfterRemoval(topic, partition, topicId, config).finally(() => this.#opening.delete(name))
    this.#opening.set(name, { topicId, log, isDoomed: false })
    return log
  }

  async deleteLog(topic: string, partition: number): Promise<void> {
    await this.#remove(topic, partition, '-delete')
  }

  setAside(topic: string, partition: number): Promise<string | undefined> {
    return this.#remove(topic, partition, '-stray')
  }

  async listPartitions(): Promise<{ readonly topic: string; readonly partition: number; readonly topicId: string | undefined }[]> {
    const found: { topic: string; partition: number; topicId: string | undefined }[] = []
    for (const { name, topic, partition } of await this.#directories.list(this.#logs)) {
      const open = this.#logs.get(name)
      found.push({ topic, partition, topicId: open?.topicId ?? (await this.#directories.topicIdOf(name)) })
    }
    return found
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.#settle()
    await this.#flush.drained()
    await this.#flush.stop()
    await Promise.all([this.#housekeeping.ended(), this.cleaner.ended()])
    const finished = await this.#finishLogs()
    for (const log of this.#logs.values()) await log.writer.close()
    try {
      await this.#offsets.save(this.#logs)
      await this.#housekeeping.removeAll()
      // Without the mark the next start scans what lies beyond the recovery points; with it, it trusts every file.
      if (await this.#areAllWhole(finished)) await this.#disk.writeFileAtomic(`${this.path}/${CLEAN_SHUTDOWN}`, formatCleanShutdown())
    } catch (error) {
      this.#logger.error(
        { path: this.path, error: asError(error).message },
        'the log directory could not be closed in order; the next start checks it',
      )
    }
    await this.#lock.release()
  }

  /** Names of the logs that are complete on the device. */
  async #finishLogs(): Promise<Set<string>> {
    const finished = new Set<string>()
    const finish = async (name: string, log: Log): Promise<void> => {
      if (log.fenced !== undefined) return
      try {
        await log.writer.finish()
        finished.add(name)
      } catch (error) {
        this.#logger.error(
          { directory: log.directory, error: asError(error).message },
          'a log could not be closed in order; the next start checks it',
        )
      }
    }
    await Promise.all([...this.#logs].map(([name, log]) => this.#gate.run(() => finish(name, log))))
    return finished
  }

  /** Whether the next start may trust every log on disk: this process finished it, or never touched what was found in order. */
  async #areAllWhole(finished: ReadonlySet<string>): Promise<boolean> {
    const found = await this.#directories.list(this.#logs)
    return found.every(({ name }) => finished.has(name) || (this.#isClean && !this.#opened.has(name)))
  }

  async abandon(): Promise<void> {
    if (this.#isClosed) return
    await this.#settle()
    await this.#flush.stop()
    for (const log of this.#logs.values()) await log.writer.close()
    await Promise.all([this.#housekeeping.ended(), this.cleaner.ended()])
    await this.#lock.release()
  }

  /** No new work; what was begun ends. */
  async #settle(): Promise<void> {
    this.#isClosed = true
    this.#housekeeping.stop()
    this.cleaner.stop()
    await Promise.allSettled([...[...this.#opening.values()].map(({ log }) => log), ...this.#removing.values()])
    for (const log of this.#logs.values()) log.writer.isClosing = true
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  /** Removes what is there, or being opened or removed, at the time of the call. Returns the directory's new path if there was one. */
  #remove(topic: string, partition: number, mark: DirectoryMark): Promise<string | undefined> {
    if (this.#isClosed) return Promise.reject(new LogClosedError(this.path))
    const name = partitionDirectory(topic, partition)
    const opening = this.#opening.get(name)
    const earlier = this.#removing.get(name)
    if (opening === undefined && earlier !== undefined) return earlier
    if (opening !== undefined) opening.isDoomed = true
    const removal = Promise.allSettled([opening?.log, earlier])
      .then(() => this.#putAway(topic, partition, mark))
      .finally(() => {
        if (this.#removing.get(name) === removal) this.#removing.delete(name)
      })
    this.#removing.set(name, removal)
    return removal
  }

  async #putAway(topic: string, partition: number, mark: DirectoryMark): Promise<string | undefined> {
    const name = partitionDirectory(topic, partition)
    const log = this.#logs.get(name)
    this.#logs.delete(name)
    this.cleaner.forget(name)
    this.#condemned.set(name, mark)
    await log?.writer.close()
    // First the checkpoints: a log that is made anew under this name must not inherit its recovery point.
    await this.#offsets.forget(name)
    const path = await this.#directories.mark(topic, partition, mark)
    this.#condemned.delete(name)
    if (path !== undefined && mark === '-delete') this.#housekeeping.removeLater(path, log?.config.fileDeleteDelayMs ?? 0)
    return path
  }

  async #openAfterRemoval(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    const name = partitionDirectory(topic, partition)
    await this.#removing.get(name)?.catch(() => undefined)
    const mark = this.#condemned.get(name)
    if (mark !== undefined) await this.#putAway(topic, partition, mark)
    return await this.#gate.run(() => this.#open(topic, partition, topicId, config))
  }

  async #open(topic: string, partition: number, topicId: string, config: LogConfig): Promise<Log> {
    const name = partitionDirectory(topic, partition)
    const directory = this.#directories.pathOf(name)
    const isNew = (await this.#disk.facts(directory)) === undefined
    if (isNew) {
      await this.#offsets.forget(name)
      await this.#disk.makeDirectory(directory)
      this.#made.add(name)
    }
    const metadataPath = `${directory}/${PARTITION_METADATA}`
    const ownTopicId = isNew ? undefined : await this.#directories.topicIdOf(name)
    if (ownTopicId !== undefined && !isSameTopic(ownTopicId, topicId)) throw otherTopic(directory, ownTopicId, topicId)
    if (ownTopicId === undefined && topicId !== NO_TOPIC_ID)
      await this.#disk.writeFileAtomic(metadataPath, formatPartitionMetadata(topicId))
    const recoveryPoint = this.#offsets.recoveryPointOf(name)
    const recovered = await recoverLog({
      disk: this.#disk,
      logger: this.#logger,
      directory,
      files: this.#host.files,
      limits: this.#limits,
      indexIntervalBytes: config.indexIntervalBytes,
      nowMs: this.#clock.nowMs(),
      clean: this.#isClean,
      mayHaveGaps: config.cleanupPolicies.has('compact'),
      recoveryPoint,
      logStartOffset: this.#offsets.logStartOf(name),
    })
    if (!isNew) this.recoveries.push({ topic, partition, ...pick(recovered) })
    const newDirectories = this.#made.has(name) ? [directory, this.path] : [directory]
    const log = new Log(
      { topic, partition, topicId: ownTopicId ?? topicId, directory, config, host: this.#host, recoveryPoint, newDirectories },
      recovered,
    )
    this.#logs.set(name, log)
    this.#opened.add(name)
    return log
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
      saveLogStarts: () => this.#offsets.saveLogStarts(this.#logs),
      saveOffsets: () => this.#offsets.save(this.#logs),
      removeLater: (path, delayMs) => this.#housekeeping.removeLater(path, delayMs),
    }
  }

  #unwritten(deltaBytes: number): void {
    this.#unwrittenBytes += deltaBytes
    if (deltaBytes < 0) this.#space.wrote(-deltaBytes)
    if (this.#drainWaiters.length === 0 || this.backlogged) return
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
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
