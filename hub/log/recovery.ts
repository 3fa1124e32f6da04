/**
 * @module log/recovery — opens the files of a log: finds its segments, checks what was written since the recovery point, cuts a torn end,
 * makes indexes, leader epochs and producer state agree with it. One pass over the few megabytes beyond the recovery point; below it
 * everything was synced before the recovery point moved, so nothing is read there but what producer state or epochs lack.
 */
import type { Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { batchHeader } from '../wire/index.ts'
import { type EpochEntry, parseEpochs } from './checkpoints.ts'
import { LeaderEpochs } from './epochs.ts'
import { LEADER_EPOCH_CHECKPOINT, SEGMENT_SUFFIXES, segmentFile } from './file-names.ts'
import { findFiles } from './find-files.ts'
import { asError, CorruptLogError } from './log-error.ts'
import { decodeProducerSnapshot } from './producer-snapshot.ts'
import { Producers } from './producers.ts'
import { recordProducer } from './record-producer.ts'
import { firstDamagedTransactions, loadIndexes, loadTransactions } from './recover-indexes.ts'
import { secureFrom } from './rewrite.ts'
import { scanBatches } from './scan.ts'
import { readOrNothing, Segment } from './segment.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { Snapshots } from './snapshot-files.ts'
import type { LogLimits } from './types.ts'

export interface RecoveryOptions {
  readonly disk: Disk
  readonly logger: Logger
  readonly directory: string
  readonly files: SegmentFiles
  readonly limits: LogLimits
  readonly indexIntervalBytes: number
  readonly nowMs: number
  /** The directory was closed in order: what is in the files is whole. */
  readonly clean: boolean
  /** Compaction may have emptied the end of a segment. In other logs an offset that is missing between two segments was lost. */
  readonly mayHaveGaps: boolean
  /** Everything below is synced and indexed. */
  readonly recoveryPoint: number
  /** From log-start-offset-checkpoint, 0 if none. */
  readonly logStartOffset: number
  /** Batches that end at or beyond it are cut off (a truncation); without it everything stays. */
  readonly endOffset?: number
}

/** A log's state as its files give it. */
export interface RecoveredLog {
  /** At least one, in order; the last one is the active one, with its file open. */
  readonly segments: Segment[]
  readonly logStartOffset: number
  readonly producers: Producers
  readonly epochs: LeaderEpochs
  readonly epochsChanged: boolean
  /** The producer snapshots on disk; the one that recovery went on from is synced now. */
  readonly snapshots: Snapshots
  readonly scannedBytes: number
  readonly truncatedBytes: number
  readonly rebuiltIndexes: boolean
}

/**
 * Opens the log in `directory`, which exists; all that it then holds is on the device. Rejects with CorruptLogError for what a person has to
 * decide, or with what the disk says; no file stays open then.
 */
export async function recoverLog(options: RecoveryOptions): Promise<RecoveredLog> {
  const recovery = new Recovery(options)
  try {
    return await recovery.run()
  } catch (error) {
    recovery.discard()
    throw error
  }
}

class Recovery {
  readonly #options: RecoveryOptions
  readonly #producers: Producers
  readonly #epochs = new LeaderEpochs()
  #segments: Segment[] = []
  #snapshotOffset: number | undefined
  #scannedBytes = 0
  #truncatedBytes = 0
  #rebuiltIndexes = false
  /** Names in the directory count now that a crash could still undo. */
  #hasUnsyncedNames = false
  /** Where in the segment that is being scanned those bytes begin which the device may not have. */
  #unsyncedPosition: number | undefined

  constructor(options: RecoveryOptions) {
    this.#options = options
    this.#producers = new Producers(options.limits.producerBatchesMax)
  }

  async run(): Promise<RecoveredLog> {
    const { clean, recoveryPoint, disk, logger, directory } = this.#options
    const found = await findFiles(directory, disk, (baseOffset) => this.#newSegment(baseOffset), this.#options.logStartOffset)
    this.#segments = found.segments
    this.#hasUnsyncedNames = found.removedCount > 0
    const snapshots = await this.#loadSnapshot(found.snapshotOffsets, Number.POSITIVE_INFINITY)
    const areAbortedKnown = await this.#checkTransactions(snapshots)
    const epochsKnown = await this.#loadEpochs()
    const firstOffset = this.#segments[0]?.baseOffset ?? 0
    // A log that was closed in order and has no snapshot at all had no producers.
    const noProducers = clean && found.snapshotOffsets.length === 0 && areAbortedKnown
    const producersFrom = this.#snapshotOffset ?? (noProducers ? Number.POSITIVE_INFINITY : firstOffset)
    const checkFrom = clean ? Number.POSITIVE_INFINITY : recoveryPoint
    const scanFrom = epochsKnown ? Math.min(producersFrom, checkFrom) : firstOffset
    await this.#scan(scanFrom, checkFrom, producersFrom)
    const logStartOffset = await this.#settleStart()
    await this.#syncSnapshot()
    if (this.#hasUnsyncedNames) await disk.syncDirectory(directory)
    const endOffset = this.#active.nextOffset
    if (endOffset < recoveryPoint)
      logger.error({ directory }, `synced records are gone: the log ends at ${endOffset}, its recovery point is ${recoveryPoint}`)
    // What was truncated another leader wrote; what a crash or DeleteRecords took was ours, and our epoch did begin there.
    if (this.#options.endOffset === undefined) this.#epochs.truncateBeyond(endOffset)
    else this.#epochs.truncateFromEnd(endOffset)
    this.#epochs.truncateFromStart(logStartOffset)
    const offsets = snapshots.filter((offset) => offset <= endOffset)
    for (const offset of snapshots) if (offset > endOffset) await disk.remove(this.#pathOf(segmentFile(offset, '.snapshot')))
    this.#producers.changed = this.#snapshotOffset !== endOffset
    return {
      segments: this.#segments,
      logStartOffset,
      producers: this.#producers,
      epochs: this.#epochs,
      epochsChanged: !epochsKnown || this.#epochs.entries !== this.#epochsOnDisk,
      snapshots: { offsets, syncedOffsets: this.#snapshotOffset === undefined ? [] : [this.#snapshotOffset] },
      scannedBytes: this.#scannedBytes,
      truncatedBytes: this.#truncatedBytes,
      rebuiltIndexes: this.#rebuiltIndexes,
    }
  }

  /** After a failure: closes what was opened. */
  discard(): void {
    for (const segment of this.#segments) segment.discard()
  }

  #epochsOnDisk: readonly EpochEntry[] = this.#epochs.entries

  get #active(): Segment {
    return this.#segments.at(-1) as Segment
  }

  #pathOf(name: string): string {
    return `${this.#options.directory}/${name}`
  }

  #newSegment(baseOffset: number): Segment {
    const { directory, disk, files, nowMs } = this.#options
    return new Segment(baseOffset, directory, disk, files, nowMs)
  }

  /** Damaged indexes of aborted transactions are made anew: from a snapshot before the first of them on, or from the start. False: there are some. */
  async #checkTransactions(snapshots: readonly number[]): Promise<boolean> {
    const { disk, logger, directory } = this.#options
    const damagedFrom = await firstDamagedTransactions(this.#segments, disk, this.#snapshotOffset ?? Number.POSITIVE_INFINITY)
    if (damagedFrom === undefined) return true
    logger.warn({ directory, offset: damagedFrom }, 'the index of aborted transactions is damaged: it is made anew')
    this.#rebuiltIndexes = true
    this.#producers.reset(new Map())
    this.#snapshotOffset = undefined
    await this.#loadSnapshot(snapshots, damagedFrom)
    return false
  }

  /** Takes the latest whole snapshot that the scan can go on from; damaged ones are removed. Returns those that are left. */
  async #loadSnapshot(offsets: readonly number[], offsetMax: number): Promise<number[]> {
    const { disk, logger, recoveryPoint, clean, nowMs } = this.#options
    const left = [...offsets]
    for (const offset of offsets.toReversed()) {
      if (offset > offsetMax) continue
      const path = this.#pathOf(segmentFile(offset, '.snapshot'))
      // Beyond the recovery point it may describe what was never written, or not be written itself.
      if (!clean && offset > recoveryPoint) {
        await disk.remove(path)
        left.splice(left.indexOf(offset), 1)
        continue
      }
      try {
        this.#producers.reset(decodeProducerSnapshot(path, await disk.readFile(path), nowMs))
        this.#snapshotOffset = offset
        break
      } catch (error) {
        if (!(error instanceof CorruptLogError)) throw error
        logger.warn({ path }, `${error.message}: it is removed`)
        await disk.remove(path)
        left.splice(left.indexOf(offset), 1)
      }
    }
    return left
  }

  /** Earlier ones will go: this one must outlive a power cut. */
  async #syncSnapshot(): Promise<void> {
    const { disk, clean } = this.#options
    if (clean || this.#snapshotOffset === undefined || this.#producers.size === 0) return
    const file = await disk.open(this.#pathOf(segmentFile(this.#snapshotOffset, '.snapshot')), 'write')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    this.#hasUnsyncedNames = true
  }

  /** False when the epochs have to be found in the batches. */
  async #loadEpochs(): Promise<boolean> {
    const { disk, logger, recoveryPoint } = this.#options
    const path = this.#pathOf(LEADER_EPOCH_CHECKPOINT)
    const content = await readOrNothing(disk, path)
    let entries: EpochEntry[] = []
    try {
      if (content === undefined || content.length === 0) return recoveryPoint === 0
      entries = parseEpochs(path, content)
    } catch (error) {
      logger.warn({ path }, `${asError(error).message}: it is made anew`)
      return false
    }
    this.#epochs.reset(entries)
    this.#epochsOnDisk = this.#epochs.entries
    return true
  }

  async #scan(scanFrom: number, checkFrom: number, producersFrom: number): Promise<void> {
    const last = this.#segments.length - 1
    // The segment that ends there is looked at too: a kill right after it was rolled left its indexes unfinished.
    const holder = this.#segments.findLastIndex((segment) => segment.baseOffset < scanFrom)
    for (let index = Math.min(Math.max(holder, 0), last); index < this.#segments.length; index++) {
      const segment = this.#segments[index] as Segment
      const isLast = index === this.#segments.length - 1
      const isWhole = await this.#scanSegment(segment, isLast, Math.max(scanFrom, segment.baseOffset), checkFrom, producersFrom)
      await this.#rewriteUnsynced(segment)
      if (isWhole && isLast) return
      if (isWhole && !this.#hasLostEnd(segment, this.#segments[index + 1])) {
        // Beyond the recovery point nobody vouches for the indexes of closed segments.
        await this.#saveIndexes(segment, segment.nextOffset >= checkFrom)
        segment.isPinned = segment.isTransactionIndexBehind
        if (!segment.isPinned) segment.closeFile()
        continue
      }
      await this.#removeFrom(index + 1)
      return
    }
  }

  /** Whether records are missing between two segments: beyond the recovery point the younger file may have reached the device first. */
  #hasLostEnd({ nextOffset }: Segment, next: Segment | undefined): boolean {
    const { clean, mayHaveGaps, recoveryPoint } = this.#options
    return !clean && !mayHaveGaps && nextOffset >= recoveryPoint && next !== undefined && next.baseOffset > nextOffset
  }

  async #rewriteUnsynced(segment: Segment): Promise<void> {
    const position = this.#unsyncedPosition
    this.#unsyncedPosition = undefined
    if (position === undefined || position >= segment.sizeBytes) return
    const { limits, logger } = this.#options
    await secureFrom(segment, position, limits.recoveryChunkBytes, logger)
    this.#hasUnsyncedNames = true
  }

  /**
   * A full disk must not keep a log from being opened: indexes that cannot be written are made anew when they are needed, and that of aborted
   * transactions stays in memory until it can. `withOffsets`: not that one alone.
   */
  async #saveIndexes(segment: Segment, withOffsets: boolean): Promise<void> {
    segment.isPinned = true
    try {
      await (withOffsets ? segment.flushIndexes(true) : segment.flushTransactions())
    } catch (error) {
      this.#options.logger.warn({ path: segment.path, error: asError(error).message }, 'an index could not be written')
    }
  }

  /** Walks one segment. False when it ended in something that is no batch: then it is cut there, and nothing can follow. */
  async #scanSegment(segment: Segment, isLast: boolean, scanFrom: number, checkFrom: number, producersFrom: number): Promise<boolean> {
    const { disk, limits, indexIntervalBytes, logger, clean } = this.#options
    segment.open = segment.openWith(await disk.open(segment.path, isLast && segment.sizeBytes === 0 ? 'create' : 'write'))
    const { file } = segment.open
    const toPosition = segment.sizeBytes
    const loaded = await loadIndexes(segment, scanFrom, this.#options.indexIntervalBytes)
    const fromPosition = loaded.position
    this.#rebuiltIndexes ||= loaded.isDamaged
    await loadTransactions(segment, producersFrom)
    segment.sizeBytes = fromPosition
    segment.nextOffset = fromPosition === 0 ? segment.baseOffset : segment.nextOffset
    if (fromPosition === 0 && toPosition > 0 && segment.offsetIndex.entryCount > 0) segment.indexesReset()
    const scan = {
      fromPosition,
      toPosition,
      chunkBytes: limits.recoveryChunkBytes,
      minOffset: segment.baseOffset,
      checkFromOffset: checkFrom,
    }
    const { endOffset = Number.POSITIVE_INFINITY } = this.#options
    let cutPosition: number | undefined
    const end = await scanBatches(file, scan, (buffer, at, position) => {
      const lastOffset = batchHeader.lastOffset(buffer, at)
      if (lastOffset >= endOffset) cutPosition = position
      else this.#take(segment, buffer, at, indexIntervalBytes, producersFrom)
      // What is truncated is the log of this process, all of it synced.
      if (lastOffset >= checkFrom && this.#options.endOffset === undefined) this.#unsyncedPosition ??= position
      return cutPosition === undefined
    })
    this.#scannedBytes += end.readBytes
    segment.writtenBytes = segment.sizeBytes
    if (end.problem === undefined && cutPosition === undefined) return true
    const { problem = 'truncated', position } = { ...end, ...(cutPosition === undefined ? {} : { position: cutPosition }) }
    if (cutPosition === undefined && (clean || segment.nextOffset < this.#options.recoveryPoint)) {
      return this.#keepDamaged(segment, isLast, toPosition, segment.corrupt(position, problem))
    }
    logger.info({ path: segment.path, position, cutBytes: toPosition - position, problem }, 'cut the end of a log')
    this.#truncatedBytes += toPosition - position
    await file.truncate(position)
    await file.sync()
    return false
  }

  /**
   * What was synced is damaged. In an older segment that is left as it is (its other records can still be read, and reading the damaged
   * place says so); behind damage in the last one nothing may be appended, so a person has to decide.
   */
  #keepDamaged(segment: Segment, isLast: boolean, fileBytes: number, error: CorruptLogError): boolean {
    if (isLast) throw error
    this.#options.logger.error({ path: segment.path }, error.message)
    segment.sizeBytes = segment.writtenBytes = fileBytes
    segment.nextOffset = this.#segments[this.#segments.indexOf(segment) + 1]?.baseOffset ?? segment.nextOffset
    return true
  }

  #take(segment: Segment, buffer: Buffer, at: number, indexIntervalBytes: number, producersFrom: number): void {
    segment.add(buffer, at, indexIntervalBytes)
    const baseOffset = batchHeader.baseOffset(buffer, at)
    this.#epochs.assign(batchHeader.leaderEpoch(buffer, at), baseOffset)
    if (baseOffset >= producersFrom) recordProducer(this.#producers, segment, buffer, at, this.#options.nowMs, false)
  }

  async #removeFrom(index: number): Promise<void> {
    const { disk, directory, logger } = this.#options
    const removed = this.#segments.splice(index)
    for (const segment of removed) {
      logger.info({ path: segment.path }, 'removed a segment that follows the cut end of the log')
      this.#truncatedBytes += segment.sizeBytes
      for (const suffix of SEGMENT_SUFFIXES) await disk.remove(segment.pathOf(suffix))
    }
    if (removed.length > 0) await disk.syncDirectory(directory)
    const last = this.#segments.at(-1)
    if (last !== undefined) last.isPinned = true
  }

  /** The log begins where the checkpoint says, or later; a log that ends before its start begins there anew. */
  async #settleStart(): Promise<number> {
    const { logStartOffset } = this.#options
    const first = this.#segments[0] as Segment
    if (this.#active.nextOffset >= logStartOffset) return Math.max(logStartOffset, first.baseOffset)
    for (const segment of this.#segments) segment.closeFile()
    await this.#removeFrom(0)
    const begun = this.#newSegment(logStartOffset)
    await begun.create()
    this.#segments.push(begun)
    return logStartOffset
  }
}
