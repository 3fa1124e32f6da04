/**
 * @module log/compaction — compacts one log: maps the newest offset of each key in its dirty part, then goes through the log from its start and
 * writes what is kept into new segments, which take the place of the old ones (swap.ts). Between two reads the event loop has its turn.
 */
import type { DiskFile } from '../io/index.ts'
import { batchHeader, forEachRecord } from '../wire/index.ts'
import { CleanedTransactions, type Retained, retainBatch } from './compaction-filter.ts'
import { type CleanableLog, groupSegments } from './compaction-plan.ts'
import { LatestOffsets } from './latest-offsets.ts'
import type { Log } from './log.ts'
import { LogClosedError } from './log-error.ts'
import type { LogHost } from './log-host.ts'
import { scanBatches } from './scan.ts'
import { Segment } from './segment.ts'
import { CLEANED, decideSwap, finishSwap, markDeleted } from './swap.ts'
import { TransactionIndex } from './transaction-index.ts'
import type { AbortedEntry } from './transactions.ts'

/** Limits of this file. */
const limits = {
  /** Read and worked on without a turn for others: about a millisecond's work. */
  sliceBytes: 128 * 1024,
} as const

/** What one compaction works with. */
export interface CompactionOptions {
  readonly host: LogHost
  /** For the map of keys. */
  readonly mapBytesMax: number
  /** Waits while more was read and written than is allowed. */
  readonly throttle: (sizeBytes: number) => Promise<void>
  /** True: give up, the directory is closing. */
  readonly isStopped: () => boolean
}

/** What it did. */
export interface Compacted {
  /** The next compaction begins here. */
  readonly cleanedOffset: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** Compacts what the plan says. Rejects with LogClosedError when the log was closed or fenced meanwhile, or with what the disk says. */
export async function compactLog(log: Log, plan: CleanableLog, options: CompactionOptions): Promise<Compacted> {
  const run = new Compaction(log, options)
  const latest = await run.mapKeys(plan)
  if (latest.latestOffset < 0) return { cleanedOffset: plan.endOffset, readBytes: 0, writtenBytes: 0 }
  // The map was full: what lies behind is dirty still.
  const endOffset = Math.min(plan.endOffset, latest.latestOffset + 1)
  const aborted = await run.aborted(0, endOffset)
  const transactions = new CleanedTransactions(aborted)
  for (const group of groupSegments(log.state.segments.slice(0, -1), endOffset, log.config)) await run.clean(group, latest, transactions)
  return { cleanedOffset: endOffset, readBytes: run.readBytes, writtenBytes: run.writtenBytes }
}

class Compaction {
  readBytes = 0
  writtenBytes = 0
  readonly #log: Log
  readonly #options: CompactionOptions
  readonly #nowMs: number

  constructor(log: Log, options: CompactionOptions) {
    this.#log = log
    this.#options = options
    this.#nowMs = options.host.clock.nowMs()
  }

  /** The newest offset of each key in the dirty part; without aborted records, which must not supersede anything. */
  async mapKeys({ firstDirtyOffset, endOffset }: CleanableLog): Promise<LatestOffsets> {
    const latest = new LatestOffsets(this.#options.mapBytesMax)
    const transactions = new CleanedTransactions(await this.aborted(firstDirtyOffset, endOffset))
    for (const segment of this.#log.state.segments.slice(0, -1)) {
      if (segment.nextOffset <= firstDirtyOffset) continue
      if (segment.baseOffset >= endOffset || latest.isFull) break
      await this.#walk(segment, (buffer, at) => {
        if (latest.isFull) return
        const isLeftOut = transactions.isDispensable(buffer, at) || batchHeader.isControl(buffer, at)
        if (!isLeftOut && batchHeader.recordCount(buffer, at) > 0) mapBatch(buffer, at, firstDirtyOffset, latest)
        latest.latestOffset = batchHeader.lastOffset(buffer, at)
      })
    }
    return latest
  }

  /** Those that a walk over the range meets: of one that ended before, the marker would never come. */
  async aborted(fromOffset: number, endOffset: number): Promise<readonly AbortedEntry[]> {
    const { state } = this.#log
    const found: AbortedEntry[] = []
    for (const segment of state.segments) {
      if (!segment.hasAborted) continue
      const open = await segment.acquire()
      try {
        if (open.transactionIndex.collect(fromOffset, endOffset, found)) break
      } finally {
        segment.release()
      }
    }
    return found
  }

  /** Makes one new segment of the group's and puts it in their place. */
  async clean(group: readonly Segment[], latest: LatestOffsets, transactions: CleanedTransactions): Promise<void> {
    const [first, last] = [group[0], group.at(-1)]
    if (first === undefined || last === undefined) return
    const { disk } = this.#options.host
    const { directory } = this.#log
    const path = first.path + CLEANED
    await disk.remove(path)
    const file = await disk.open(path, 'create')
    const made = new Segment(first.baseOffset, directory, disk, first.files, last.createdMs)
    const keptBefore = transactions.kept.length
    const work = { file, made, latest, transactions, endOffset: last.nextOffset, isChanged: group.length > 1 }
    try {
      for (const segment of group) await this.#filter(segment, work)
      const kept = transactions.kept.slice(keptBefore)
      if (!work.isChanged && kept.length === (await abortedCount(first))) {
        await file.close()
        await disk.remove(path)
        return
      }
      await this.#writeAborted(first, made, kept)
      await file.sync()
      made.open = made.openWith(file)
      await this.#swap(group, made)
    } catch (error) {
      if (made.open === undefined) await file.close().catch(() => undefined)
      for (const suffix of ['.log', '.txnindex'] as const) await disk.remove(first.pathOf(suffix) + CLEANED).catch(() => undefined)
      throw error
    }
  }

  async #writeAborted(first: Segment, made: Segment, kept: readonly AbortedEntry[]): Promise<void> {
    const index = new TransactionIndex()
    for (const entry of kept) {
      index.append(entry)
      made.addAborted(entry)
    }
    const { disk } = this.#options.host
    await disk.writeFileAtomic(first.pathOf('.txnindex') + CLEANED, index.bytes(0))
    made.transactionsLoaded(index.bytes(0).length)
  }

  async #filter(segment: Segment, work: Work): Promise<void> {
    const { indexIntervalBytes, deleteRetentionMs } = this.#log.config
    let output: Buffer[] = []
    const lastOfProducers = this.#log.state.producers.entries
    const visit = (buffer: Buffer, at: number, sizeBytes: number): void => {
      const endsHere = batchHeader.lastOffset(buffer, at) + 1 === work.endOffset
      const context = {
        latest: work.latest,
        isDispensable: work.transactions.isDispensable(buffer, at),
        nowMs: this.#nowMs,
        deleteRetentionMs,
        isLast: endsHere || isLastOfProducer(buffer, at, lastOfProducers),
      }
      const retained: Retained = retainBatch(buffer, at, context)
      if (retained !== 'whole') work.isChanged = true
      if (retained === 'none') return
      const bytes = retained === 'whole' ? Buffer.from(buffer.subarray(at, at + sizeBytes)) : retained
      output.push(bytes)
      work.made.add(bytes, 0, indexIntervalBytes)
    }
    await this.#walk(segment, visit, async () => {
      if (output.length === 0) return
      const outputBytes = output.reduce((sum, { length }) => sum + length, 0)
      await work.file.write(output, work.made.writtenBytes)
      work.made.writtenBytes += outputBytes
      this.writtenBytes += outputBytes
      output = []
      await this.#options.throttle(outputBytes)
      this.#assertGoesOn()
    })
  }

  /** Visits every batch of a segment, in slices. */
  async #walk(
    segment: Segment,
    visit: (buffer: Buffer, at: number, sizeBytes: number) => void,
    afterSlice?: () => Promise<void>,
  ): Promise<void> {
    const { host, throttle } = this.#options
    const open = await segment.acquire()
    try {
      let minOffset = segment.baseOffset
      for (let position = 0; position < segment.sizeBytes; ) {
        const scan = {
          fromPosition: position,
          toPosition: segment.sizeBytes,
          chunkBytes: limits.sliceBytes,
          minOffset,
          checkFromOffset: segment.baseOffset,
        }
        const slice = await scanBatches(open.file, scan, (buffer, at, batchPosition, sizeBytes) => {
          visit(buffer, at, sizeBytes)
          minOffset = batchHeader.lastOffset(buffer, at) + 1
          return batchPosition + sizeBytes - position < limits.sliceBytes
        })
        if (slice.problem !== undefined) throw segment.corrupt(slice.position, slice.problem)
        this.readBytes += slice.position - position
        await throttle(slice.position - position)
        position = slice.position
        await afterSlice?.()
        this.#assertGoesOn()
        await new Promise<void>((resolve) => host.clock.soon(resolve))
      }
    } finally {
      segment.release()
    }
  }

  /** In the housekeeping's turn: nobody else touches the log's files then. */
  async #swap(group: readonly Segment[], made: Segment): Promise<void> {
    const { writer, state, directory, config } = this.#log
    const { disk, removeLater } = this.#options.host
    await writer.enqueue(async () => {
      this.#assertGoesOn()
      const at = state.segments.indexOf(group[0] as Segment)
      // Retention or a truncation was faster: what they left is for the next time.
      if (at < 0 || group.some((segment, index) => state.segments[at + index] !== segment)) throw new LogClosedError(directory)
      await decideSwap(directory, made.baseOffset, disk)
      state.replace(at, group.length, made)
      const deleted: string[] = []
      for (const segment of group) deleted.push(...(await markDeleted(directory, segment.baseOffset, disk)))
      await finishSwap(directory, made.baseOffset, disk)
      await made.flushIndexes(true).catch(() => undefined)
      made.unpin()
      for (const path of deleted) removeLater(path, config.fileDeleteDelayMs)
    })
  }

  #assertGoesOn(): void {
    const { writer, directory } = this.#log
    if (writer.isClosing || writer.isClosed || writer.fenced !== undefined || this.#options.isStopped()) throw new LogClosedError(directory)
  }
}

/** One new segment in the making. */
interface Work {
  readonly file: DiskFile
  readonly made: Segment
  readonly latest: LatestOffsets
  readonly transactions: CleanedTransactions
  /** Of the group: the batch that ends here is kept. */
  readonly endOffset: number
  /** Anything differs from the one segment that there was. */
  isChanged: boolean
}

function mapBatch(buffer: Buffer, at: number, fromOffset: number, latest: LatestOffsets): void {
  forEachRecord(buffer, at, (offset, _timestampMs, keyStart, keyLength, _valueStart, _valueLength, _headersStart, _headerCount, source) => {
    if (keyLength >= 0 && offset >= fromOffset) latest.put(source.toString('latin1', keyStart, keyStart + keyLength), offset)
  })
}

/** Whether a producer's sequence stands in this batch: it must outlive the records (Kafka: lastRecordsOfActiveProducers). */
function isLastOfProducer(
  buffer: Buffer,
  at: number,
  producers: ReadonlyMap<number, { readonly epoch: number; readonly batches: readonly { readonly lastOffset: number }[] }>,
): boolean {
  const producerId = batchHeader.producerId(buffer, at)
  const entry = producerId < 0 ? undefined : producers.get(producerId)
  if (entry === undefined) return false
  const last = entry.batches.at(-1)
  if (last !== undefined) return last.lastOffset === batchHeader.lastOffset(buffer, at)
  return batchHeader.isControl(buffer, at) && batchHeader.producerEpoch(buffer, at) === entry.epoch
}

async function abortedCount(segment: Segment): Promise<number> {
  if (!segment.hasAborted) return 0
  const open = await segment.acquire()
  try {
    return open.transactionIndex.entryCount
  } finally {
    segment.release()
  }
}
