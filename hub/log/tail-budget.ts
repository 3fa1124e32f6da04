/**
 * @module log/tail-budget — the memory that the tails of all logs hold together. A view keeps the whole memory alive which it looks into
 * (a request with many batches), so what counts is each such memory once, as long as a chunk uses it. Oldest chunks go first.
 */
/** A piece of a tail. */
export interface BudgetedChunk {
  /** Emptied when the chunk is let go of. */
  buffer: Buffer
  isDropped: boolean
}

/** Who holds a chunk; lets go of it, if it can, when the budget asks. */
export interface ChunkHolder<Chunk extends BudgetedChunk> {
  dropOldest(chunk: Chunk): boolean
}

const NOTHING = Buffer.alloc(0)
/** The queue is swept when this many of its chunks, and half of them, are gone. */
const SWEEP_COUNT_MIN = 256

interface Held<Chunk extends BudgetedChunk> {
  readonly chunk: Chunk
  readonly holder: ChunkHolder<Chunk>
}

/** Shared by the tails of a directory. */
export class TailBudget<Chunk extends BudgetedChunk = BudgetedChunk> {
  readonly #limitBytes: number
  readonly #uses = new Map<ArrayBufferLike, number>()
  #queue: Held<Chunk>[] = []
  #droppedCount = 0
  #pinnedBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Bytes of memory that the tails keep alive. */
  get pinnedBytes(): number {
    return this.#pinnedBytes
  }

  add(chunk: Chunk, holder: ChunkHolder<Chunk>): void {
    const memory = chunk.buffer.buffer
    const uses = this.#uses.get(memory) ?? 0
    if (uses === 0) this.#pinnedBytes += memory.byteLength
    this.#uses.set(memory, uses + 1)
    this.#queue.push({ chunk, holder })
  }

  /** The chunk is not used any more. */
  release(chunk: Chunk): void {
    if (chunk.isDropped) return
    const memory = chunk.buffer.buffer
    chunk.isDropped = true
    chunk.buffer = NOTHING
    this.#droppedCount++
    const uses = this.#uses.get(memory) ?? 0
    if (uses > 1) {
      this.#uses.set(memory, uses - 1)
      return
    }
    this.#uses.delete(memory)
    this.#pinnedBytes -= memory.byteLength
  }

  /** Lets go of the oldest written chunks while the limit is passed. */
  evict(): void {
    if (this.#pinnedBytes > this.#limitBytes) {
      for (const { chunk, holder } of this.#queue) {
        if (this.#pinnedBytes <= this.#limitBytes) break
        if (!chunk.isDropped) holder.dropOldest(chunk)
      }
    }
    if (this.#droppedCount < SWEEP_COUNT_MIN || this.#droppedCount * 2 < this.#queue.length) return
    this.#queue = this.#queue.filter(({ chunk }) => !chunk.isDropped)
    this.#droppedCount = 0
  }
}
