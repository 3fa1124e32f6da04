/**
 * @module log/log-state — what a log is in memory: segments, tail, producers, epochs, and its end. Synchronous; nothing here touches the
 * disk. A mark remembers a moment to which an unwritten end can be taken back.
 */
import type { Disk } from '../io/index.ts'
import { batchHeader } from '../wire/index.ts'
import type { EpochEntry } from './checkpoints.ts'
import type { LeaderEpochs } from './epochs.ts'
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'
import type { Producers } from './producers.ts'
import { recordProducer } from './record-producer.ts'
import type { RecoveredLog } from './recovery.ts'
import { SEGMENT_SPAN_MAX, Segment, type SegmentMark } from './segment.ts'
import type { SegmentFiles } from './segment-files.ts'
import type { Snapshots } from './snapshot-files.ts'
import { Tail, type TailChunk } from './tail.ts'
import type { TailBudget } from './tail-budget.ts'
import { TIME_INDEX_ENTRY_BYTES } from './time-index.ts'
import type { LogConfig } from './types.ts'

/** A moment of a log. */
export interface LogMark {
  readonly logEndOffset: number
  readonly active: Segment
  readonly segment: SegmentMark
  readonly epochs: readonly EpochEntry[]
}

export interface LogStateOptions {
  readonly directory: string
  readonly disk: Disk
  readonly files: SegmentFiles
  readonly budget: TailBudget<TailChunk>
  readonly tailBytes: number
  readonly randomFloat: () => number
}

/** See the module. */
export class LogState {
  segments: Segment[]
  producers: Producers
  epochs: LeaderEpochs
  /** Epochs differ from leader-epoch-checkpoint. */
  epochsChanged: boolean
  snapshots: Snapshots
  logStartOffset: number
  logEndOffset: number
  sizeBytes: number
  readonly tail: Tail
  /** Producer state as of the beginning of a segment that is not yet finished. */
  readonly rolledSnapshots = new Map<Segment, Buffer>()
  readonly #options: LogStateOptions
  /** A share of segment.jitter.ms, drawn anew for each segment. */
  #jitterShare: number
  /** Epoch in which the log is led, −1 while nobody said so. */
  #begunEpoch = -1

  constructor(options: LogStateOptions, recovered: RecoveredLog) {
    this.#options = options
    this.tail = new Tail(options.budget, options.tailBytes)
    this.#jitterShare = options.randomFloat()
    this.segments = recovered.segments
    this.producers = recovered.producers
    this.epochs = recovered.epochs
    this.epochsChanged = recovered.epochsChanged
    this.snapshots = recovered.snapshots
    this.logStartOffset = recovered.logStartOffset
    this.logEndOffset = this.active.nextOffset
    this.sizeBytes = sumOfSizes(this.segments)
  }

  /** Takes another recovery's findings in place of everything (after a truncation). */
  adopt(recovered: RecoveredLog): void {
    this.tail.clear()
    this.rolledSnapshots.clear()
    this.segments = recovered.segments
    this.producers = recovered.producers
    this.epochs = recovered.epochs
    this.epochsChanged = recovered.epochsChanged
    this.snapshots = recovered.snapshots
    this.logStartOffset = recovered.logStartOffset
    this.logEndOffset = this.active.nextOffset
    this.sizeBytes = sumOfSizes(this.segments)
  }

  get active(): Segment {
    return this.segments[this.segments.length - 1] as Segment
  }

  /** Takes the batch at `buffer[at]`, whose base offset is the log's end, into a segment that has room for it. */
  store(buffer: Buffer, at: number, config: LogConfig, nowMs: number): void {
    const sizeBytes = batchHeader.sizeBytes(buffer, at)
    const segment = this.#mustRoll(buffer, at, sizeBytes, config, nowMs) ? this.roll(nowMs) : this.active
    this.tail.add(segment, buffer, at, sizeBytes, segment.sizeBytes)
    segment.add(buffer, at, config.indexIntervalBytes)
    this.sizeBytes += sizeBytes
    if (this.epochs.assign(batchHeader.leaderEpoch(buffer, at), this.logEndOffset)) this.epochsChanged = true
    recordProducer(this.producers, segment, buffer, at, nowMs, true)
    this.logEndOffset = segment.nextOffset
  }

  /** A leader of `epoch` appends from the log's end on; see {@link PartitionLog.beginEpoch}. */
  beginEpoch(epoch: number): void {
    this.#begunEpoch = epoch
    if (this.epochs.begin(epoch, this.logEndOffset)) this.epochsChanged = true
  }

  /** Begins a new active segment at the end. */
  roll(nowMs: number): Segment {
    const { directory, disk, files, randomFloat } = this.#options
    const segment = new Segment(this.logEndOffset, directory, disk, files, nowMs)
    this.segments.push(segment)
    this.rolledSnapshots.set(segment, encodeProducerSnapshot(this.producers.entries))
    this.#jitterShare = randomFloat()
    return segment
  }

  /** Index of the segment that holds `offset`, or the one below; −1 below the first. */
  indexOf(offset: number): number {
    let [low, high] = [-1, this.segments.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.segments[middle] as Segment).baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** A compacted segment, open, takes the place of `count` closed ones. What of them is in memory goes too: it may tell what is gone. */
  replace(index: number, count: number, made: Segment): void {
    const replaced = this.segments.splice(index, count, made)
    this.sizeBytes += made.sizeBytes - sumOfSizes(replaced)
    this.tail.dropBelow(made.nextOffset)
    for (const segment of replaced) segment.discard()
  }

  mark(): LogMark {
    return { logEndOffset: this.logEndOffset, active: this.active, segment: this.active.mark(), epochs: this.epochs.entries }
  }

  /** Takes everything since the mark back; all of it must be unwritten. Returns the segments that are no more. */
  rewind(mark: LogMark): Segment[] {
    this.tail.dropUnwritten(mark.logEndOffset)
    const dropped = this.segments.splice(this.segments.indexOf(mark.active) + 1)
    for (const segment of dropped) this.rolledSnapshots.delete(segment)
    mark.active.rewind(mark.segment)
    this.producers.rewind(mark.logEndOffset)
    this.logEndOffset = mark.logEndOffset
    this.sizeBytes = sumOfSizes(this.segments)
    this.#rewindEpochs(mark)
    return dropped
  }

  /** As they were, but for a start and an epoch that came since the mark: those stay. */
  #rewindEpochs(mark: LogMark): void {
    if (this.epochs.entries === mark.epochs) return
    this.epochs.reset(mark.epochs)
    this.epochs.truncateFromStart(this.logStartOffset)
    this.epochs.assign(this.#begunEpoch, this.logEndOffset)
    this.epochsChanged = true
  }

  /** Kafka's LogSegment.shouldRoll. */
  #mustRoll(buffer: Buffer, at: number, sizeBytes: number, config: LogConfig, nowMs: number): boolean {
    const segment = this.active
    if (segment.sizeBytes + sizeBytes > Math.min(config.segmentBytes, SEGMENT_SPAN_MAX)) return segment.sizeBytes > 0
    if (batchHeader.lastOffset(buffer, at) - segment.baseOffset > SEGMENT_SPAN_MAX) return true
    if (segment.sizeBytes === 0) return false
    if (segment.offsetIndex.entryCount >= Math.floor(config.segmentIndexBytes / OFFSET_INDEX_ENTRY_BYTES)) return true
    if (segment.timeIndex.entryCount >= Math.floor(config.segmentIndexBytes / TIME_INDEX_ENTRY_BYTES) - 1) return true
    // Only closed segments are compacted: one that waits longer would keep its records from it (KIP-354).
    const segmentMs = config.cleanupPolicies.has('compact') ? Math.min(config.segmentMs, config.maxCompactionLagMs) : config.segmentMs
    const jitterMs = this.#jitterShare * Math.min(config.segmentJitterMs, segmentMs)
    const waitedMs =
      segment.firstTimestampMs >= 0 ? batchHeader.maxTimestampMs(buffer, at) - segment.firstTimestampMs : nowMs - segment.createdMs
    return waitedMs > segmentMs - jitterMs
  }
}

function sumOfSizes(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
}
