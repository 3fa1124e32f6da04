/**
 * @module log/segment — one segment of a log: `<base offset>.log` and its indexes. The active segment and those not yet written out are
 * pinned: file and indexes stay open. The others are opened when somebody reads them and closed by `SegmentFiles`, least recently read first.
 */
import type { Disk, DiskFile } from '../io/index.ts'
import { batchHeader } from '../wire/index.ts'
import { type SegmentSuffix, segmentFile } from './file-names.ts'
import { IndexFile } from './index-file.ts'
import { CorruptLogError, isMissing } from './log-error.ts'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndex } from './offset-index.ts'
import { scanBatches } from './scan.ts'
import type { SegmentFiles } from './segment-files.ts'
import { TIME_INDEX_ENTRY_BYTES, TimeIndex } from './time-index.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, TransactionIndex } from './transaction-index.ts'
import type { AbortedEntry } from './transactions.ts'

/** Largest offset distance and position that an index entry can hold. */
export const SEGMENT_SPAN_MAX = 0x7fffffff

/** What a segment was at some moment; `Segment.rewind` goes back there. */
export interface SegmentMark {
  readonly sizeBytes: number
  readonly nextOffset: number
  readonly maxTimestampMs: number
  readonly maxTimestampOffset: number
  readonly firstTimestampMs: number
  readonly bytesSinceIndex: number
  readonly offsetEntryCount: number
  readonly timeEntryCount: number
  readonly abortedCount: number
}

/** File and indexes of a segment while they are open. */
export interface OpenSegment {
  readonly file: DiskFile
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly transactionIndex: TransactionIndex
}

/** A segment; see the module. Offsets are absolute, positions and sizes bytes, times ms (−1: none). */
export class Segment {
  readonly baseOffset: number
  readonly directory: string
  readonly disk: Disk
  readonly files: SegmentFiles
  sizeBytes = 0
  /** Bytes that the file has. */
  writtenBytes = 0
  nextOffset: number
  maxTimestampMs = -1
  maxTimestampOffset = -1
  firstTimestampMs = -1
  /** When it became the active segment; rolling by time counts from here while no record has a time. */
  createdMs: number
  /** True until everything is written, synced and indexed and a newer segment is active. */
  isPinned = true
  isRemoved = false
  /** Where the last read ended: one that goes on there needs no search. */
  sequentialRead: { readonly offset: number; readonly position: number } = { offset: -1, position: 0 }
  /** Readers that hold the open file. */
  userCount = 0
  open: OpenSegment | undefined
  /** Indexes of a pinned segment: there before its file is. */
  offsetIndex = new OffsetIndex()
  timeIndex = new TimeIndex()
  transactionIndex = new TransactionIndex()
  /** Whether there is, or may be, an aborted transaction in the index: else its file is not looked for. */
  hasAborted = false
  #opening: Promise<OpenSegment> | undefined
  #bytesSinceIndex = 0
  readonly #offsetFile = new IndexFile(OFFSET_INDEX_ENTRY_BYTES)
  readonly #timeFile = new IndexFile(TIME_INDEX_ENTRY_BYTES)
  readonly #transactionFile = new IndexFile(TRANSACTION_INDEX_ENTRY_BYTES)

  constructor(baseOffset: number, directory: string, disk: Disk, files: SegmentFiles, createdMs: number) {
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
    this.directory = directory
    this.disk = disk
    this.files = files
    this.createdMs = createdMs
  }

  get path(): string {
    return this.pathOf('.log')
  }

  pathOf(suffix: SegmentSuffix): string {
    return `${this.directory}/${segmentFile(this.baseOffset, suffix)}`
  }

  /** Makes the segment's file, open from now on, with empty indexes. */
  create(): Promise<OpenSegment> {
    if (this.open !== undefined) return Promise.resolve(this.open)
    this.#opening ??= this.#create().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #create(): Promise<OpenSegment> {
    this.open = this.openWith(await this.disk.open(this.path, 'create'))
    return this.open
  }

  /** The file with the indexes that are in memory. */
  openWith(file: DiskFile): OpenSegment {
    const { offsetIndex, timeIndex, transactionIndex } = this
    return { file, offsetIndex, timeIndex, transactionIndex }
  }

  /** Whether the file of aborted transactions is not what is in memory; segments that are not pinned have nothing in memory. */
  get isTransactionIndexBehind(): boolean {
    return this.isPinned && this.#transactionFile.isBehind(this.transactionIndex)
  }

  /** A transaction was aborted by a marker in this segment. */
  addAborted(entry: AbortedEntry): void {
    this.transactionIndex.append(entry)
    this.hasAborted = true
  }

  /** Takes a batch into account that stands, or will stand, at the end of the segment. */
  add(buffer: Buffer, at: number, indexIntervalBytes: number): void {
    const lastOffset = batchHeader.lastOffset(buffer, at)
    const timestampMs = batchHeader.maxTimestampMs(buffer, at)
    const sizeBytes = batchHeader.sizeBytes(buffer, at)
    if (this.sizeBytes === 0) this.firstTimestampMs = timestampMs
    if (timestampMs > this.maxTimestampMs) {
      this.maxTimestampMs = timestampMs
      this.maxTimestampOffset = lastOffset
    }
    if (this.#bytesSinceIndex > indexIntervalBytes) {
      this.offsetIndex.append(lastOffset - this.baseOffset, this.sizeBytes)
      this.timeIndex.maybeAppend(this.maxTimestampMs, this.maxTimestampOffset - this.baseOffset)
      this.#bytesSinceIndex = 0
    }
    this.sizeBytes += sizeBytes
    this.#bytesSinceIndex += sizeBytes
    this.nextOffset = lastOffset + 1
  }

  mark(): SegmentMark {
    const { sizeBytes, nextOffset, maxTimestampMs, maxTimestampOffset, firstTimestampMs } = this
    const [offsetEntryCount, timeEntryCount] = [this.offsetIndex.entryCount, this.timeIndex.entryCount]
    const abortedCount = this.transactionIndex.entryCount
    return {
      sizeBytes,
      nextOffset,
      maxTimestampMs,
      maxTimestampOffset,
      firstTimestampMs,
      bytesSinceIndex: this.#bytesSinceIndex,
      offsetEntryCount,
      timeEntryCount,
      abortedCount,
    }
  }

  /** Forgets what was added since the mark. The file is the caller's. */
  rewind(mark: SegmentMark): void {
    this.sizeBytes = mark.sizeBytes
    this.nextOffset = mark.nextOffset
    this.maxTimestampMs = mark.maxTimestampMs
    this.maxTimestampOffset = mark.maxTimestampOffset
    this.firstTimestampMs = mark.firstTimestampMs
    this.#bytesSinceIndex = mark.bytesSinceIndex
    this.sequentialRead = { offset: -1, position: 0 }
    this.offsetIndex.truncate(mark.offsetEntryCount)
    this.timeIndex.truncate(mark.timeEntryCount)
    this.#offsetFile.rewind(mark.offsetEntryCount)
    this.#timeFile.rewind(mark.timeEntryCount)
    this.transactionIndex.truncate(mark.abortedCount)
    this.#transactionFile.rewind(mark.abortedCount)
  }

  /** The indexes were loaded from files of these sizes, maybe not all of them. */
  indexesLoaded(offsetFileBytes: number, timeFileBytes: number): void {
    this.#offsetFile.loaded(this.offsetIndex.entryCount, offsetFileBytes)
    this.#timeFile.loaded(this.timeIndex.entryCount, timeFileBytes)
  }

  /** The index of aborted transactions was loaded from a file of this size, maybe not all of it. */
  transactionsLoaded(fileBytes: number): void {
    this.#transactionFile.loaded(this.transactionIndex.entryCount, fileBytes)
    this.hasAborted = fileBytes > 0
  }

  /** Nothing of the offset and time indexes on disk is to be trusted: the next flush writes them whole. */
  indexesReset(): void {
    this.offsetIndex.truncate(0)
    this.timeIndex.truncate(0)
    this.#offsetFile.reset()
    this.#timeFile.reset()
    this.#bytesSinceIndex = 0
  }

  /**
   * Writes what the index files lack. `final`: the segment gets no more batches: closes the time index with the largest timestamp, cuts
   * the files to their entries, and syncs them. The time index is synced always: recovery checks an offset index by the batches that it
   * leads to, but that a time is missing would show only by a walk over the whole segment. Calls must not overlap.
   */
  async flushIndexes(final: boolean): Promise<void> {
    if (final && this.maxTimestampMs >= 0) this.timeIndex.maybeAppend(this.maxTimestampMs, this.maxTimestampOffset - this.baseOffset)
    try {
      await this.flushTransactions()
      await this.#offsetFile.flush(this.offsetIndex, this.disk, this.pathOf('.index'), { final, sync: final })
      await this.#timeFile.flush(this.timeIndex, this.disk, this.pathOf('.timeindex'), { final, sync: true })
    } catch (error) {
      // Half an index looks like a whole one; a missing one is made anew.
      if (final) {
        for (const suffix of ['.index', '.timeindex'] as const) await this.disk.remove(this.pathOf(suffix)).catch(() => undefined)
        this.#offsetFile.reset()
        this.#timeFile.reset()
      }
      throw error
    }
  }

  /**
   * Writes and syncs what the index of aborted transactions lacks; no file is made for none. Nothing tells later that one is missing: no
   * producer snapshot or recovery point beyond them may be written before this has succeeded. Calls must not overlap.
   */
  async flushTransactions(): Promise<void> {
    if (!this.isTransactionIndexBehind) return
    await this.#transactionFile.flush(this.transactionIndex, this.disk, this.pathOf('.txnindex'), { final: false, sync: true })
  }

  /** The open file and indexes; `release` must follow. Opens a segment that is closed, and rebuilds its indexes if they are damaged. */
  async acquire(): Promise<OpenSegment> {
    this.userCount++
    try {
      const open = this.open ?? (await this.#openShared())
      if (!this.isPinned && !this.isRemoved) this.files.used(this)
      return open
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Readers who come while the file is being opened share the opening. */
  #openShared(): Promise<OpenSegment> {
    this.#opening ??= this.#load().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  release(): void {
    this.userCount--
    if (this.userCount === 0 && this.isRemoved) this.closeFile()
    else if (this.userCount === 0) this.files.evict()
  }

  /** No more batches, everything is on disk: the file may be closed when others are read. */
  unpin(): void {
    this.isPinned = false
    if (this.open !== undefined && !this.isRemoved) this.files.used(this)
  }

  /** The segment is out of its log; its file is closed when the last reader is done. */
  discard(): void {
    this.isRemoved = true
    this.files.forget(this)
    this.closeFile()
  }

  /** Closes the file unless somebody reads it; forgets the indexes of a segment that is not pinned. */
  closeFile(): void {
    const open = this.open
    if (open === undefined || this.userCount > 0) return
    this.open = undefined
    this.offsetIndex = new OffsetIndex()
    this.timeIndex = new TimeIndex()
    this.transactionIndex = new TransactionIndex()
    void open.file.close().catch(() => undefined)
  }

  async #load(): Promise<OpenSegment> {
    const file = await this.disk.open(this.path, 'read')
    try {
      const open = { file, offsetIndex: new OffsetIndex(), timeIndex: new TimeIndex(), transactionIndex: await this.#loadTransactions() }
      const [offsets, times] = await Promise.all([
        readOrNothing(this.disk, this.pathOf('.index')),
        readOrNothing(this.disk, this.pathOf('.timeindex')),
      ])
      const whole =
        offsets !== undefined &&
        times !== undefined &&
        open.offsetIndex.load(offsets, this.sizeBytes) &&
        open.timeIndex.load(times, this.nextOffset - this.baseOffset)
      this.open = whole ? open : { ...open, ...(await this.#rebuild(file)) }
      return this.open
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Was looked at when the log was opened: that it is damaged now nobody could expect. */
  async #loadTransactions(): Promise<TransactionIndex> {
    const index = new TransactionIndex()
    if (!this.hasAborted) return index
    const content = await readOrNothing(this.disk, this.pathOf('.txnindex'))
    if (content === undefined || index.load(content, this.baseOffset, this.nextOffset)) return index
    throw new CorruptLogError(this.pathOf('.txnindex'), 'an entry is damaged', 'restart the broker: it is found anew from the segments')
  }

  /** Index files that are missing or damaged are made anew from the batches. */
  async #rebuild(file: DiskFile): Promise<{ readonly offsetIndex: OffsetIndex; readonly timeIndex: TimeIndex }> {
    const made = new Segment(this.baseOffset, this.directory, this.disk, this.files, this.createdMs)
    const options = {
      fromPosition: 0,
      toPosition: this.sizeBytes,
      chunkBytes: this.files.chunkBytes,
      minOffset: this.baseOffset,
      checkFromOffset: Number.POSITIVE_INFINITY,
    }
    const end = await scanBatches(file, options, (buffer, at) => {
      made.add(buffer, at, this.files.indexIntervalBytes)
      return true
    })
    if (end.problem !== undefined) throw this.corrupt(end.position, end.problem)
    // A full disk must not keep anybody from reading: then the indexes live in memory only.
    await made.flushIndexes(true).catch(() => undefined)
    return { offsetIndex: made.offsetIndex, timeIndex: made.timeIndex }
  }

  /** The error for bytes in the middle of the segment that are no batch. */
  corrupt(position: number, problem: string): CorruptLogError {
    return new CorruptLogError(
      this.path,
      `at byte ${position}: ${problem}`,
      'restore the file from a backup, or delete the records up to the next segment with delete-records',
    )
  }
}

/** A file's content, undefined when it is not there. */
export async function readOrNothing(disk: Disk, path: string): Promise<Buffer | undefined> {
  try {
    return await disk.readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
