/**
 * @module log/log-writer — brings what a log has in memory to the device: its part of the flush rounds, the marks and those who wait for
 * them, the recovery point, and what happens when the disk refuses.
 *
 * ```
 *            write ok                 sync ok
 * appended ──────────► written ─────────────────► synced          marks only grow, except:
 *    │  ENOSPC, EMFILE     │  sync fails
 *    ▼                     ▼
 * taken back          fenced until restart  ◄── any other failed write, or a failed taking back
 * ```
 * Taking back is safe because nothing unwritten was acknowledged or shown to a consumer (the high watermark is at most the written end).
 */
import { formatEpochs } from './checkpoints.ts'
import { LEADER_EPOCH_CHECKPOINT, SEGMENT_SUFFIXES } from './file-names.ts'
import type { Flushable } from './flush.ts'
import { asError, DiskFullError, isNoSpace, isOutOfDescriptors, LogClosedError, LogFencedError, TooManyFilesError } from './log-error.ts'
import type { LogHost } from './log-host.ts'
import type { LogMark, LogState } from './log-state.ts'
import { Preallocation } from './preallocation.ts'
import { encodeProducerSnapshot, hasProducers } from './producer-snapshot.ts'
import type { Segment } from './segment.ts'
import { saveSnapshot } from './snapshot-files.ts'
import { Waiters } from './waiters.ts'

/** See the module. */
export class LogWriter implements Flushable {
  readonly directory: string
  readonly #host: LogHost
  readonly #state: LogState
  readonly #written = new Waiters()
  readonly #synced = new Waiters()
  readonly #listeners = new Set<() => void>()
  readonly #touched = new Set<Segment>()
  /** Rolled segments whose indexes are being made final. */
  readonly #finishing = new Set<Segment>()
  readonly #preallocation = new Preallocation()
  /** Directories with entries that are not yet durable. */
  readonly #directories: Set<string>
  /** The log as of the last successful write. */
  #confirmed: LogMark
  #housekeeping: Promise<void> = Promise.resolve()
  /** A move of the recovery point that is under way. */
  #moving: Promise<void> | undefined
  #syncedBytes = 0
  #unsyncedBytes = 0
  /** This log's share in the directory's unwritten bytes: whatever happens to them, they leave it once. */
  #unwrittenBytes = 0
  writtenOffset: number
  syncedOffset: number
  recoveryPoint: number
  /** The recovery point that is on the device. */
  savedRecoveryPoint: number
  fenced: LogFencedError | undefined
  /** No appends any more; what there is will be written. A batch after the last round would be in the producer state and not in the file. */
  isClosing = false
  isClosed = false
  /** True while an unwritten end is being taken back or the log is being truncated: no appends meanwhile. */
  isBusy = false

  /** `newDirectories`: those with entries that nobody has synced yet. */
  constructor(directory: string, host: LogHost, state: LogState, recoveryPoint: number, newDirectories: readonly string[]) {
    this.directory = directory
    this.#host = host
    this.#state = state
    this.#directories = new Set(newDirectories)
    this.#confirmed = state.mark()
    this.writtenOffset = state.logEndOffset
    this.syncedOffset = state.logEndOffset
    this.recoveryPoint = this.savedRecoveryPoint = Math.min(recoveryPoint, state.logEndOffset)
  }

  /** Whether anything was synced that the recovery point does not cover. */
  get isBehind(): boolean {
    return this.recoveryPoint < this.syncedOffset || this.#state.epochsChanged
  }

  /** So many bytes were appended: they take part in the next round. `preallocateBytes`: for a segment that begins with them. */
  appended(sizeBytes: number, preallocateBytes: number): void {
    this.#preallocation.sizeBytes = preallocateBytes
    this.#unwrittenBytes += sizeBytes
    this.#host.unwritten(sizeBytes)
    this.#host.dirty(this)
  }

  whenWritten(offset: number): Promise<void> {
    return this.#when(this.#written, offset, this.writtenOffset)
  }

  whenSynced(offset: number): Promise<void> {
    return this.#when(this.#synced, offset, this.syncedOffset)
  }

  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async write(): Promise<boolean> {
    if (this.fenced !== undefined || this.isClosed) return false
    const writes = this.#state.tail.unwritten()
    if (writes.length === 0) return false
    const mark = this.#state.mark()
    let sizeBytes = 0
    try {
      for (const { segment } of writes) if (segment.open === undefined) await this.#create(segment)
      await this.#syncDirectories()
      for (const write of writes) {
        const cut = await this.#preallocation.prepare(write.segment)
        if (cut !== undefined) this.#touched.add(cut)
        await write.segment.open?.file.write(write.buffers, write.position)
        write.segment.writtenBytes = write.position + write.sizeBytes
        this.#touched.add(write.segment)
        sizeBytes += write.sizeBytes
      }
    } catch (error) {
      if (isNoSpace(error) || isOutOfDescriptors(error)) await this.#takeBack(asError(error))
      else this.fence(asError(error))
      return this.fenced === undefined && this.#touched.size > 0
    }
    this.#confirmed = mark
    this.writtenOffset = mark.logEndOffset
    this.#unsyncedBytes += sizeBytes
    this.#state.producers.forgetUndo(mark.logEndOffset)
    this.#state.tail.wrote(mark.active, mark.segment.sizeBytes)
    this.#settleAccount(sizeBytes)
    this.#written.reach(this.writtenOffset)
    this.notify()
    return true
  }

  async sync(): Promise<void> {
    const mark = this.#confirmed
    const syncs: Promise<void>[] = []
    for (const segment of this.#touched) if (segment.open !== undefined) syncs.push(segment.open.file.sync())
    this.#touched.clear()
    this.#syncedBytes += this.#unsyncedBytes
    this.#unsyncedBytes = 0
    try {
      await (syncs.length === 1 ? syncs[0] : Promise.all(syncs))
    } catch (error) {
      await Promise.allSettled(syncs)
      this.fence(asError(error))
      return
    }
    this.#finishSegmentsBefore(mark.active)
    this.syncedOffset = mark.logEndOffset
    this.#synced.reach(this.syncedOffset)
    this.notify()
    if (this.#syncedBytes >= this.#host.limits.recoveryPointBytes) this.#host.wantsRecoveryPoint()
  }

  /** Takes no write or sync from now on; everybody who waits is told. */
  fence(cause: Error): void {
    if (this.fenced !== undefined) return
    this.fenced = new LogFencedError(this.directory, cause)
    this.#host.logger.error(
      { directory: this.directory, error: cause.message },
      'fenced a log after a failed write or sync; it is recovered at the next start',
    )
    for (const segment of this.#dropUnwritten()) segment.discard()
    this.#rejectAll(this.fenced)
  }

  /**
   * Moves the recovery point to the present end once that is synced: index entries, producer state and epochs are written first. But for
   * the time index they need no sync of their own: recovery checks what it finds, and falls back on a longer scan. `isSecured`: the producer
   * state is synced all the same.
   */
  async moveRecoveryPoint(isSecured = false): Promise<void> {
    if (isSecured) await this.#moving
    if (this.fenced !== undefined || this.isClosed || this.isBusy || this.#moving !== undefined) return
    this.#moving = this.#move(isSecured).finally(() => {
      this.#moving = undefined
    })
    await this.#moving
  }

  async #move(isSecured: boolean): Promise<void> {
    this.#syncedBytes = 0
    const { active, producers, logEndOffset, snapshots } = this.#state
    const isWanted = isSecured || producers.changed || snapshots.offsets.length === 0
    const snapshot = isWanted ? encodeProducerSnapshot(producers.entries) : undefined
    producers.changed = false
    try {
      await this.whenSynced(logEndOffset)
      await this.enqueue(async () => {
        // That one is on the device now; the present one may not be written yet.
        if (active.isPinned) await active.flushIndexes(false)
        await this.#saveSnapshot(logEndOffset, snapshot, isSecured)
        await this.#saveEpochs()
        this.recoveryPoint = Math.max(this.recoveryPoint, logEndOffset)
      })
    } catch (error) {
      producers.changed = true
      // Waiters of a log that was fenced, closed or taken back have their own error; what failed here costs a longer recovery, no record.
      if (this.fenced === undefined && !this.isClosed)
        this.#host.logger.warn({ directory: this.directory, error: asError(error).message }, 'the recovery point could not be moved')
    }
  }

  /** Runs after the housekeeping that is under way (indexes, snapshots, removals), never at the same time. */
  enqueue<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#housekeeping.then(work)
    this.#housekeeping = run.then(
      () => undefined,
      () => undefined,
    )
    return run
  }

  /** Something that listeners act on has changed. */
  notify(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Everything is written and a new, empty segment became the active one. */
  rolled(): void {
    this.#confirmed = this.#state.mark()
    this.#directories.add(this.directory)
    this.#state.rolledSnapshots.delete(this.#state.active)
  }

  /** The state was replaced (truncation): the marks begin anew at its end. */
  restart(recoveryPoint: number): void {
    this.#confirmed = this.#state.mark()
    this.#touched.clear()
    this.writtenOffset = this.syncedOffset = this.#state.logEndOffset
    this.recoveryPoint = Math.min(recoveryPoint, this.#state.logEndOffset)
    this.savedRecoveryPoint = Math.min(this.savedRecoveryPoint, this.recoveryPoint)
  }

  /** After the last round: final indexes, producer state and epochs, synced. */
  async finish(): Promise<void> {
    await this.enqueue(async () => {
      const { active, producers, logEndOffset } = this.#state
      await (await this.#preallocation.cut())?.open?.file.sync()
      await active.flushIndexes(true)
      await this.#saveSnapshot(logEndOffset, encodeProducerSnapshot(producers.entries), true)
      await this.#saveEpochs()
      await this.#host.disk.syncDirectory(this.directory)
      this.recoveryPoint = logEndOffset
    })
  }

  /** Nothing more happens; whoever waits is told. The rounds and the housekeeping under way have ended when it resolves. */
  async close(): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true
      this.#settleAccount(this.#unwrittenBytes)
      this.#rejectAll(new LogClosedError(this.directory))
    }
    await this.#host.roundEnded()
    await this.#housekeeping
    this.#state.tail.clear()
    for (const segment of this.#state.segments) segment.discard()
  }

  async #create(segment: Segment): Promise<void> {
    await segment.create()
    this.#directories.add(this.directory)
  }

  /**
   * Before anything is written to a new file its name is made durable. That opens directories, for which there may be no descriptor: up to
   * here the round can be taken back.
   */
  async #syncDirectories(): Promise<void> {
    for (const directory of this.#directories) {
      await this.#host.disk.syncDirectory(directory)
      this.#directories.delete(directory)
    }
  }

  /** A disk without room, or no descriptor: the unwritten end goes, in memory and on disk; what was written stays and the log lives on. */
  async #takeBack(cause: Error): Promise<void> {
    this.isBusy = true
    const mark = this.#confirmed
    const dropped = this.#dropUnwritten()
    const isFull = isNoSpace(cause)
    if (isFull) this.#host.foundNoSpace()
    this.#host.logger.warn(
      { directory: this.directory, error: cause.message },
      isFull ? 'no space left: appends are refused until there is some' : 'too many open files: what could not be written was taken back',
    )
    // A name that a crash brought back would look like the log's end: its removal is made durable before the next write.
    if (dropped.length > 0) this.#directories.add(this.directory)
    try {
      await mark.active.open?.file.truncate(mark.segment.sizeBytes)
      mark.active.writtenBytes = mark.segment.sizeBytes
      for (const segment of dropped) {
        segment.discard()
        for (const suffix of SEGMENT_SUFFIXES) await this.#host.disk.remove(segment.pathOf(suffix))
      }
    } catch (error) {
      this.fence(asError(error))
    }
    this.isBusy = false
    const takenBack = isFull ? new DiskFullError(this.directory, cause) : new TooManyFilesError(this.directory, cause)
    this.#written.reject(takenBack, mark.logEndOffset)
    this.#synced.reject(takenBack, mark.logEndOffset)
  }

  /** Segments that will get no more batches, all of them synced: their indexes become final, their files may be closed. */
  #finishSegmentsBefore(active: Segment): void {
    const { segments, rolledSnapshots } = this.#state
    for (let index = segments.lastIndexOf(active) - 1; index >= 0; index--) {
      const segment = segments[index] as Segment
      if (!segment.isPinned || this.#finishing.has(segment)) break
      this.#finishing.add(segment)
      const next = segments[index + 1] as Segment
      const snapshot = rolledSnapshots.get(next)
      rolledSnapshots.delete(next)
      void this.enqueue(async () => {
        await segment.flushIndexes(true)
        if (snapshot !== undefined) await this.#saveSnapshot(next.baseOffset, snapshot, hasProducers(snapshot))
      })
        .catch((error: unknown) =>
          this.#host.logger.warn(
            { path: segment.path, error: asError(error).message },
            'an index could not be written; it is made anew when needed',
          ),
        )
        .finally(() => {
          this.#finishing.delete(segment)
          // What no file has yet must not be forgotten: it is written with the next snapshot.
          if (!segment.isTransactionIndexBehind) segment.unpin()
        })
    }
  }

  /** Only when every aborted transaction below it is in its index for good: a later start looks at the batches behind the snapshot alone. */
  async #saveSnapshot(offset: number, snapshot: Buffer | undefined, sync: boolean): Promise<void> {
    const { segments, active, snapshots } = this.#state
    for (const segment of segments) {
      if (segment.baseOffset >= offset || !segment.isTransactionIndexBehind) continue
      await segment.flushTransactions()
      if (segment !== active && !this.#finishing.has(segment) && segment.writtenBytes === segment.sizeBytes) segment.unpin()
    }
    const { directory, savedRecoveryPoint } = this
    const place = { disk: this.#host.disk, directory, savedRecoveryPoint }
    this.#state.snapshots = await saveSnapshot(place, snapshots, offset, snapshot, sync)
  }

  async #saveEpochs(): Promise<void> {
    if (!this.#state.epochsChanged) return
    this.#state.epochsChanged = false
    try {
      await this.#host.disk.writeFileAtomic(`${this.directory}/${LEADER_EPOCH_CHECKPOINT}`, formatEpochs(this.#state.epochs.entries))
    } catch (error) {
      this.#state.epochsChanged = true
      throw error
    }
  }

  #when(waiters: Waiters, offset: number, mark: number): Promise<void> {
    if (offset <= mark) return Promise.resolve()
    if (this.fenced !== undefined) return Promise.reject(this.fenced)
    if (this.isClosed) return Promise.reject(new LogClosedError(this.directory))
    return waiters.wait(offset)
  }

  #rejectAll(error: Error): void {
    this.#written.reject(error)
    this.#synced.reject(error)
  }

  /** What is not written goes, in memory. Returns the segments that are no more; their files are the caller's. */
  #dropUnwritten(): Segment[] {
    this.#settleAccount(this.#unwrittenBytes)
    const dropped = this.#state.tail.hasUnwritten ? this.#state.rewind(this.#confirmed) : []
    for (const segment of dropped) this.#touched.delete(segment)
    return dropped
  }

  /** So many bytes are unwritten no more. A log that was closed meanwhile has settled for all of them. */
  #settleAccount(sizeBytes: number): void {
    const settledBytes = Math.min(sizeBytes, this.#unwrittenBytes)
    this.#unwrittenBytes -= settledBytes
    if (settledBytes > 0) this.#host.unwritten(-settledBytes)
  }
}
