/**
 * @module log/tail — the newest batches of a log in memory: all that is not yet written, and as much of the rest as the budget allows.
 *
 * Bytes stand in chunks. A large batch is a chunk of its own, a view of the request that brought it; small ones are copied one after
 * another into a shared chunk, so that a hundred bytes do not keep a whole request alive, and one write takes them all.
 */
import { batchHeader } from '../wire/index.ts'
import type { Segment } from './segment.ts'
import type { BudgetedChunk, TailBudget } from './tail-budget.ts'
import type { ReadLimits, ReadResult } from './types.ts'

/** Batches below this size are copied into shared chunks. */
const COPIED_BYTES_MAX = 16 * 1024
/** First and largest capacity of a shared chunk; it doubles with use, so that an idle log costs little. */
const SHARED_BYTES_MIN = 1024
const SHARED_BYTES_MAX = 64 * 1024

/** Consecutive batches of one segment in one buffer. Positions and sizes are bytes. */
export interface TailChunk extends BudgetedChunk {
  readonly segment: Segment
  readonly isShared: boolean
  /** Position in the segment of the buffer's first byte. */
  readonly position: number
  readonly firstOffset: number
  /** Offset after the last batch. */
  nextOffset: number
  usedBytes: number
  writtenBytes: number
}

/** One gathered write: what of a segment is not yet in its file. */
export interface TailWrite {
  readonly segment: Segment
  readonly position: number
  readonly buffers: Buffer[]
  sizeBytes: number
}

/** The tail of one log. */
export class Tail {
  #chunks: TailChunk[] = []
  #writtenCount = 0
  #sharedBytes = SHARED_BYTES_MIN
  #sizeBytes = 0
  readonly #budget: TailBudget<TailChunk>
  readonly #limitBytes: number

  constructor(budget: TailBudget<TailChunk>, limitBytes: number) {
    this.#budget = budget
    this.#limitBytes = limitBytes
  }

  /** First offset in memory, Infinity when there is none. */
  get startOffset(): number {
    return this.#chunks[0]?.firstOffset ?? Number.POSITIVE_INFINITY
  }

  get hasUnwritten(): boolean {
    const last = this.#chunks.at(-1)
    return last !== undefined && last.writtenBytes < last.usedBytes
  }

  /** Takes the batch at `buffer[at]`, whose offsets are assigned and which will stand at `position` of `segment`. */
  add(segment: Segment, buffer: Buffer, at: number, sizeBytes: number, position: number): void {
    const nextOffset = batchHeader.lastOffset(buffer, at) + 1
    this.#sizeBytes += sizeBytes
    if (sizeBytes >= COPIED_BYTES_MAX) {
      const firstOffset = batchHeader.baseOffset(buffer, at)
      this.#push(segment, buffer.subarray(at, at + sizeBytes), false, position, firstOffset, sizeBytes, nextOffset)
      return
    }
    const last = this.#chunks.at(-1)
    if (last?.isShared === true && last.segment === segment && last.buffer.length - last.usedBytes >= sizeBytes) {
      buffer.copy(last.buffer, last.usedBytes, at, at + sizeBytes)
      last.usedBytes += sizeBytes
      last.nextOffset = nextOffset
      this.#writtenCount = Math.min(this.#writtenCount, this.#chunks.length - 1)
      return
    }
    const shared = Buffer.allocUnsafeSlow(Math.max(this.#sharedBytes, sizeBytes))
    this.#sharedBytes = Math.min(this.#sharedBytes * 2, SHARED_BYTES_MAX)
    buffer.copy(shared, 0, at, at + sizeBytes)
    this.#push(segment, shared, true, position, batchHeader.baseOffset(buffer, at), sizeBytes, nextOffset)
  }

  /** What is not yet written, one write per segment, in order. `wrote` takes the answer. */
  unwritten(): TailWrite[] {
    const writes: TailWrite[] = []
    for (let index = this.#writtenCount; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as TailChunk
      if (chunk.writtenBytes === chunk.usedBytes) continue
      let write = writes.at(-1)
      if (write?.segment !== chunk.segment) {
        write = { segment: chunk.segment, position: chunk.position + chunk.writtenBytes, buffers: [], sizeBytes: 0 }
        writes.push(write)
      }
      const bytes = chunk.buffer.subarray(chunk.writtenBytes, chunk.usedBytes)
      write.buffers.push(bytes)
      write.sizeBytes += bytes.length
    }
    return writes
  }

  /** Everything below `position` of `segment`, and of the segments before it, is written. */
  wrote(segment: Segment, position: number): void {
    for (; this.#writtenCount < this.#chunks.length; this.#writtenCount++) {
      const chunk = this.#chunks[this.#writtenCount] as TailChunk
      if (chunk.segment.baseOffset > segment.baseOffset) break
      chunk.writtenBytes = chunk.segment === segment ? Math.max(0, Math.min(chunk.usedBytes, position - chunk.position)) : chunk.usedBytes
      if (chunk.writtenBytes < chunk.usedBytes) break
    }
    this.#evict()
    this.#budget.evict()
  }

  /** Drops what is not written; `nextOffset` is the first such offset. */
  dropUnwritten(nextOffset: number): void {
    while (this.#chunks.length > 0) {
      const chunk = this.#chunks.at(-1) as TailChunk
      if (chunk.writtenBytes === chunk.usedBytes) break
      this.#sizeBytes -= chunk.usedBytes - chunk.writtenBytes
      if (chunk.writtenBytes > 0) {
        chunk.usedBytes = chunk.writtenBytes
        chunk.nextOffset = nextOffset
        break
      }
      this.#chunks.pop()
      this.#budget.release(chunk)
    }
    this.#writtenCount = Math.min(this.#writtenCount, this.#chunks.length)
  }

  /** Drops everything; only for a log that has nothing unwritten, or never will write it. */
  clear(): void {
    for (const chunk of this.#chunks) this.#budget.release(chunk)
    this.#chunks = []
    this.#writtenCount = 0
    this.#sizeBytes = 0
  }

  /** Lets go of the oldest chunk, which the budget names, if it is written. Returns whether it is gone. */
  dropOldest(chunk: TailChunk): boolean {
    if (this.#chunks[0] !== chunk || chunk.writtenBytes < chunk.usedBytes) return false
    this.#drop(1)
    return true
  }

  /** Drops what is written and lies below `offset`. */
  dropBelow(offset: number): void {
    let count = 0
    while (count < this.#writtenCount && (this.#chunks[count]?.nextOffset ?? offset + 1) <= offset) count++
    if (count > 0) this.#drop(count)
  }

  /** Keeps the log's own limit. */
  #evict(): void {
    let count = 0
    let sizeBytes = this.#sizeBytes
    for (; count < this.#writtenCount && sizeBytes > this.#limitBytes; count++) sizeBytes -= this.#chunks[count]?.usedBytes ?? 0
    if (count > 0) this.#drop(count)
  }

  #drop(count: number): void {
    for (const chunk of this.#chunks.slice(0, count)) {
      this.#sizeBytes -= chunk.usedBytes
      this.#budget.release(chunk)
    }
    this.#chunks = this.#chunks.slice(count)
    this.#writtenCount = Math.max(0, this.#writtenCount - count)
  }

  /** The same as `PartitionLog.readFromMemory`. */
  read(offset: number, limits: ReadLimits): ReadResult | undefined {
    let index = this.#find(offset)
    if (index < 0) return undefined
    const records: Buffer[] = []
    let sizeBytes = 0
    for (let chunk = this.#chunks[index]; chunk !== undefined; chunk = this.#chunks[++index]) {
      const isFirst = records.length === 0
      const from = isFirst ? startIn(chunk, offset) : 0
      const to = endIn(chunk, from, limits, limits.maxBytes - sizeBytes, isFirst && limits.minOneBatch)
      if (to > from) records.push(chunk.buffer.subarray(from, to))
      sizeBytes += to - from
      if (to < chunk.usedBytes) break
    }
    return { records, sizeBytes }
  }

  #push(
    segment: Segment,
    buffer: Buffer,
    isShared: boolean,
    position: number,
    firstOffset: number,
    usedBytes: number,
    nextOffset: number,
  ): void {
    const chunk: TailChunk = { segment, buffer, isShared, position, firstOffset, nextOffset, usedBytes, writtenBytes: 0, isDropped: false }
    this.#chunks.push(chunk)
    this.#budget.add(chunk, this)
  }

  /** Index of the chunk that holds `offset`, −1 if it is not in memory. */
  #find(offset: number): number {
    let [low, high] = [-1, this.#chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#chunks[middle] as TailChunk).firstOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** Position in the chunk's buffer of the batch that holds `offset` (or the first one above). */
function startIn(chunk: TailChunk, offset: number): number {
  let at = 0
  while (at < chunk.usedBytes && batchHeader.lastOffset(chunk.buffer, at) < offset) at += batchHeader.sizeBytes(chunk.buffer, at)
  return at
}

/** Where the batches from `from` on that the limits allow end. */
function endIn(chunk: TailChunk, from: number, limits: ReadLimits, roomBytes: number, minOneBatch: boolean): number {
  if (chunk.nextOffset <= limits.endOffset && chunk.usedBytes - from <= roomBytes) return chunk.usedBytes
  return batchesEnd(chunk.buffer, from, chunk.usedBytes, limits.endOffset, roomBytes, minOneBatch)
}

/** Position after the last whole batch of `buffer[from, to)` that ends below `endOffset` and within `roomBytes` of `from`. */
export function batchesEnd(buffer: Buffer, from: number, to: number, endOffset: number, roomBytes: number, minOneBatch: boolean): number {
  let at = from
  while (to - at >= 61) {
    const sizeBytes = batchHeader.sizeBytes(buffer, at)
    const fits = at + sizeBytes - from <= roomBytes || (minOneBatch && at === from)
    if (sizeBytes > to - at || !fits || batchHeader.lastOffset(buffer, at) >= endOffset) break
    at += sizeBytes
  }
  return at
}
