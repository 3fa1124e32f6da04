/** @module log/log — the log of one partition: appends, reads, searches, and what shortens it. Writing to the device is the writer's. */
import { encodeEndTransactionMarker, ErrorCode } from '../wire/index.ts'
import { collectAborted } from './aborted.ts'
import { type AppendContext, assignOffsets, judgeAppend, type Ready, refuse } from './append.ts'
import { SEGMENT_SUFFIXES, segmentFile } from './file-names.ts'
import { isMissing, LogClosedError, type LogFencedError } from './log-error.ts'
import type { LogHost } from './log-host.ts'
import { LogState } from './log-state.ts'
import { LogWriter } from './log-writer.ts'
import { type RecoveredLog, recoverLog } from './recovery.ts'
import { expiredCount } from './retention.ts'
import { findMaxTimestamp, findOffsetForTimestamp } from './search.ts'
import type { Segment } from './segment.ts'
import { NOTHING_READ, readSegment } from './segment-read.ts'
import { securedOffset } from './snapshot-files.ts'
import type {
  AbortedTransaction,
  Appended,
  AppendOptions,
  LogConfig,
  Marker,
  OffsetAndTimestamp,
  PartitionLog,
  ProducerState,
  ReadLimits,
  ReadResult,
  Refused,
  VerificationGuard,
} from './types.ts'

/** Beyond the longest transaction that is allowed, for a marker to come (KIP-664). */
const LATE_TRANSACTION_MS = 5 * 60 * 1000

export interface LogOptions {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  readonly config: LogConfig
  readonly host: LogHost
  readonly recoveryPoint: number
  readonly newDirectories: readonly string[]
}

/** A {@link PartitionLog} in a directory. */
export class Log implements PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  config: LogConfig
  readonly state: LogState
  readonly writer: LogWriter
  /** Base offset of the oldest segment file that a crash could bring back: the removal of those below is durable. */
  firstFileOffset: number
  readonly #host: LogHost

  constructor(options: LogOptions, recovered: RecoveredLog) {
    const { topic, partition, topicId, directory, config, host, recoveryPoint, newDirectories } = options
    this.topic = topic
    this.partition = partition
    this.topicId = topicId
    this.directory = directory
    this.config = config
    this.#host = host
    const { disk, files, budget, randomFloat, limits } = host
    this.state = new LogState({ directory, disk, files, budget, tailBytes: limits.tailBytesPerLog, randomFloat }, recovered)
    this.writer = new LogWriter(directory, host, this.state, recoveryPoint, newDirectories)
    this.firstFileOffset = this.state.segments[0]?.baseOffset ?? 0
  }

  get logStartOffset(): number {
    return this.state.logStartOffset
  }
  get logEndOffset(): number {
    return this.state.logEndOffset
  }
  get writtenOffset(): number {
    return this.writer.writtenOffset
  }
  get syncedOffset(): number {
    return this.writer.syncedOffset
  }
  get sizeBytes(): number {
    return this.state.sizeBytes
  }
  get segmentCount(): number {
    return this.state.segments.length
  }
  get latestEpoch(): number {
    return this.state.epochs.latest
  }
  get fenced(): LogFencedError | undefined {
    return this.writer.fenced
  }

  append(records: Buffer, { origin, leaderEpoch, verification }: AppendOptions): Appended | Refused {
    this.#assertUsable()
    const { state, config } = this
    // What frees space (deleting a topic) is itself an append of the metadata log: only clients are held back ahead of time.
    if (this.writer.isBusy || (origin === 'client' && this.#host.isFull())) return this.#noSpace()
    const context = {
      origin,
      leaderEpoch,
      verification,
      config,
      nextOffset: state.logEndOffset,
      nowMs: this.#host.clock.nowMs(),
      producers: state.producers,
      name: `${this.topic}-${this.partition}`,
    }
    const verdict = judgeAppend(records, context)
    if (verdict.kind === 'refused') return verdict
    const isAppendTime = config.messageTimestampType === 'LogAppendTime'
    if (verdict.kind === 'duplicate') {
      const { baseOffset, lastOffset } = verdict
      const logAppendTimeMs = isAppendTime ? verdict.timestampMs : -1
      return { kind: 'appended', baseOffset, lastOffset, logAppendTimeMs, logStartOffset: state.logStartOffset, duplicate: true }
    }
    return this.#store(verdict, context, isAppendTime && origin === 'client' ? context.nowMs : -1)
  }

  appendMarker(marker: Marker, leaderEpoch: number): Appended | Refused {
    this.#assertUsable()
    if (this.writer.isBusy) return this.#noSpace()
    const { state, config } = this
    const refusal = state.producers.judgeMarker(marker)
    if (refusal !== undefined) return refuse(refusal.errorCode, `${refusal.message} in ${this.topic}-${this.partition}`)
    const nowMs = this.#host.clock.nowMs()
    const { producerId, producerEpoch, coordinatorEpoch, isCommit } = marker
    const records = encodeEndTransactionMarker({ producerId, producerEpoch, coordinatorEpoch, commit: isCommit, timestampMs: nowMs })
    const context = { origin: 'coordinator', leaderEpoch, config, nextOffset: state.logEndOffset, nowMs } as const
    const name = `${this.topic}-${this.partition}`
    return this.#store(
      { kind: 'ready', records, positions: [0] },
      { ...context, name, producers: state.producers, verification: 'trusted' },
      -1,
    )
  }

  #store(ready: Ready, context: AppendContext, logAppendTimeMs: number): Appended {
    const { state } = this
    const { nextOffset: baseOffset, config, nowMs } = context
    const { logStartOffset } = state
    assignOffsets(ready, context)
    const beforeBytes = state.sizeBytes
    for (const at of ready.positions) state.store(ready.records, at, config, nowMs)
    this.writer.appended(state.sizeBytes - beforeBytes, config.preallocate ? config.segmentBytes : 0)
    return { kind: 'appended', baseOffset, lastOffset: state.logEndOffset - 1, logAppendTimeMs, logStartOffset, duplicate: false }
  }

  #noSpace(): Refused {
    return refuse(ErrorCode.KAFKA_STORAGE_ERROR, `no space left on the device of ${this.directory}`)
  }

  beginVerification(
    producerId: number,
    producerEpoch: number,
    firstSequence: number,
    supportsEpochBump: boolean,
  ): VerificationGuard | undefined {
    const { clock } = this.#host
    return this.state.producers.beginVerification(producerId, producerEpoch, firstSequence, supportsEpochBump, clock.nowMs())
  }

  lastStableOffset(highWatermark: number): number {
    const { producers, logStartOffset } = this.state
    return Math.min(highWatermark, Math.max(producers.firstUnstableOffset(highWatermark), logStartOffset))
  }

  get hasAbortedTransactions(): boolean {
    return this.state.segments.some((segment) => segment.hasAborted)
  }

  abortedTransactions(fetchOffset: number, endOffset: number): readonly AbortedTransaction[] | Promise<readonly AbortedTransaction[]> {
    return collectAborted(this.state, fetchOffset, endOffset)
  }

  get producerCount(): number {
    return this.state.producers.size
  }

  producers(): readonly ProducerState[] {
    return Array.from(this.state.producers.entries, ([producerId, entry]) => ({
      producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestampMs: entry.timestampMs,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.transactionOffset,
    }))
  }

  hasLateTransaction(nowMs: number, transactionMaxTimeoutMs: number): boolean {
    const { oldestTransactionMs } = this.state.producers
    return oldestTransactionMs > 0 && nowMs - oldestTransactionMs > transactionMaxTimeoutMs + LATE_TRANSACTION_MS
  }

  whenWritten(offset: number): Promise<void> {
    return this.writer.whenWritten(offset)
  }

  whenSynced(offset: number): Promise<void> {
    return this.writer.whenSynced(offset)
  }

  onAdvance(listener: () => void): () => void {
    return this.writer.onAdvance(listener)
  }

  readFromMemory(offset: number, limits: ReadLimits): ReadResult | undefined {
    if (offset >= Math.min(this.state.logEndOffset, limits.endOffset)) return NOTHING_READ
    return this.state.tail.read(offset, limits)
  }

  async read(offset: number, limits: ReadLimits): Promise<ReadResult> {
    const inMemory = this.readFromMemory(offset, limits)
    if (inMemory !== undefined) return inMemory
    if (this.writer.isClosed) throw new LogClosedError(this.directory)
    const { segments } = this.state
    for (
      let segment = segments[Math.max(0, this.state.indexOf(offset))];
      segment !== undefined;
      segment = segments[segments.indexOf(segment) + 1]
    ) {
      try {
        const found = await readSegment(segment, offset, limits, this.#host.limits.readBytesMax)
        if (found !== undefined) return found
      } catch (error) {
        if (segment.isRemoved && isMissing(error)) return this.#readAgain(offset, limits)
        throw error
      }
      if (segment.isRemoved) return this.#readAgain(offset, limits)
    }
    return NOTHING_READ
  }

  /** The segment went while it was read: by retention, then the offset is out of range now; or another one is in its place (compaction). */
  #readAgain(offset: number, limits: ReadLimits): Promise<ReadResult> {
    return offset < this.state.logStartOffset || this.writer.isClosed ? Promise.resolve(NOTHING_READ) : this.read(offset, limits)
  }

  offsetForTimestamp(timestampMs: number): Promise<OffsetAndTimestamp | undefined> {
    return findOffsetForTimestamp(this, timestampMs)
  }

  maxTimestamp(): Promise<OffsetAndTimestamp | undefined> {
    return findMaxTimestamp(this)
  }

  beginEpoch(leaderEpoch: number): void {
    this.state.beginEpoch(leaderEpoch)
  }

  epochForOffset(offset: number): number {
    return this.state.epochs.epochForOffset(offset)
  }

  endOffsetForEpoch(leaderEpoch: number): { readonly leaderEpoch: number; readonly endOffset: number } {
    return this.state.epochs.endOffsetFor(leaderEpoch, this.state.logEndOffset)
  }

  async advanceLogStart(offset: number): Promise<void> {
    this.#assertUsable()
    const { state } = this
    if (offset > state.logEndOffset) throw new RangeError(`log start ${offset} is beyond the log's end ${state.logEndOffset}`)
    if (offset <= state.logStartOffset) return
    this.#moveStart(offset)
    // The last stable offset may have been held back by what is gone now.
    this.writer.notify()
    await this.#host.saveLogStarts()
    await this.#removeExpired(this.writer.syncedOffset, true)
  }

  async retain(highWatermark: number): Promise<number> {
    this.#assertUsable()
    return await this.#removeExpired(Math.min(highWatermark, this.writer.syncedOffset), false)
  }

  async truncate(offset: number): Promise<void> {
    this.#assertUsable()
    const { state, writer } = this
    if (offset >= state.logEndOffset) return
    await writer.whenSynced(state.logEndOffset)
    writer.isBusy = true
    try {
      await writer.enqueue(() => this.#truncateFiles(offset))
    } finally {
      writer.isBusy = false
    }
  }

  #assertUsable(): void {
    if (this.writer.fenced !== undefined) throw this.writer.fenced
    if (this.writer.isClosing || this.writer.isClosed) throw new LogClosedError(this.directory)
  }

  #moveStart(offset: number): void {
    this.state.logStartOffset = offset
    if (this.state.epochs.truncateFromStart(offset)) this.state.epochsChanged = true
  }

  /** In the housekeeping's turn, so that no segment goes whose index is being written. */
  async #removeExpired(endOffset: number, onlyBelowStart: boolean): Promise<number> {
    const { state, config, writer } = this
    const expired = (highWatermark: number): Promise<number> =>
      expiredCount({ state, config, nowMs: this.#host.clock.nowMs(), highWatermark, onlyBelowStart })
    const last = state.segments[(await expired(endOffset)) - 1]
    // What producers did in a segment that is gone only a snapshot knows: it goes when no crash can take that any more.
    const secured = (): number =>
      state.producers.size === 0 ? endOffset : Math.min(endOffset, securedOffset(state.snapshots, writer.savedRecoveryPoint))
    if (last !== undefined && last.nextOffset > secured()) {
      await writer.moveRecoveryPoint(true)
      // A full disk may keep it from being saved: then what can go without it goes, and makes room.
      await this.#host.saveOffsets().catch(() => undefined)
    }
    return await writer.enqueue(async () => {
      const nowMs = this.#host.clock.nowMs()
      const highWatermark = secured()
      let count = await expired(highWatermark)
      if (count === 0) return 0
      if (count === state.segments.length) {
        if (state.logEndOffset > highWatermark) count--
        else await this.#rollForRetention(nowMs)
      }
      const removed = state.segments.splice(0, count)
      for (const segment of removed) state.sizeBytes -= segment.sizeBytes
      this.#moveStart(Math.max(state.logStartOffset, state.segments[0]?.baseOffset ?? 0))
      const renamed: string[] = []
      for (const segment of removed) renamed.push(...(await this.#renameFiles(segment)))
      // Until this is durable the checkpoint keeps a start that stands in it: else a crash would bring deleted records back.
      await this.#host.disk.syncDirectory(this.directory)
      this.firstFileOffset = state.segments[0]?.baseOffset ?? 0
      for (const path of renamed) this.#host.removeLater(path, config.fileDeleteDelayMs)
      return removed.length
    })
  }

  /** The whole log has expired: a new active segment takes the place of the one that goes. */
  async #rollForRetention(nowMs: number): Promise<void> {
    const segment = this.state.roll(nowMs)
    this.writer.rolled()
    await segment.create()
    await this.#host.disk.syncDirectory(this.directory)
  }

  /** Marks the segment's files for deletion. Returns their new paths. */
  async #renameFiles(segment: Segment): Promise<string[]> {
    const { disk } = this.#host
    const renamed: string[] = []
    segment.discard()
    for (const suffix of SEGMENT_SUFFIXES) {
      const path = segment.pathOf(suffix)
      try {
        await disk.rename(path, `${path}.deleted`)
      } catch (error) {
        if (isMissing(error)) continue
        throw error
      }
      renamed.push(`${path}.deleted`)
    }
    return renamed
  }

  async #truncateFiles(offset: number): Promise<void> {
    const { state, writer } = this
    const { disk, files, limits, logger, clock } = this.#host
    for (const segment of state.segments) segment.discard()
    for (const segment of state.segments) {
      if (segment.baseOffset < offset || segment === state.segments[0]) continue
      for (const suffix of SEGMENT_SUFFIXES) await disk.remove(segment.pathOf(suffix))
    }
    for (const snapshot of state.snapshots.offsets)
      if (snapshot > offset) await disk.remove(`${this.directory}/${segmentFile(snapshot, '.snapshot')}`)
    await disk.syncDirectory(this.directory)
    const recoveryPoint = Math.min(writer.recoveryPoint, offset)
    const recovered = await recoverLog({
      disk,
      logger,
      directory: this.directory,
      files,
      limits,
      indexIntervalBytes: this.config.indexIntervalBytes,
      nowMs: clock.nowMs(),
      clean: false,
      mayHaveGaps: this.config.cleanupPolicies.has('compact'),
      recoveryPoint,
      logStartOffset: Math.min(state.logStartOffset, offset),
      endOffset: offset,
    })
    state.adopt(recovered)
    this.firstFileOffset = state.segments[0]?.baseOffset ?? 0
    writer.restart(recoveryPoint)
  }
}
