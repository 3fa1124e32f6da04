/**
 * Random transactions of several producers on one log beside a plain list of its batches: both marker versions, fencing, other batches in
 * between, rolls, DeleteRecords, full disks, indexes and snapshots that cannot be written, restarts in order and after a kill or a power cut
 * with bytes that were not synced. At every step the last stable offset, the aborted lists and the producers are what a walk over the list gives.
 */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../hub/io/index.ts'
import type { LogConfig, LogDirectory, Marker, PartitionLog } from '../../hub/log/index.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { abortedOf } from './transaction-world.ts'
import { batchOf, CONFIG, TOPIC_ID, type TestWorld, testWorld } from './world.ts'

const SEED_COUNT = process.env['MILLRACE_LONG'] === undefined ? 60 : 3000
const STEP_COUNT = 120
const LIMITS = { tailBytesPerLog: 1500, tailBytesTotal: 3000, closedSegmentsOpenMax: 2, recoveryChunkBytes: 512, recoveryPointBytes: 1500 }

/** A batch that stands in the log. */
type Entry = {
  readonly offset: number
  readonly count: number
  readonly producerId: number
  readonly epoch: number
} & (
  | { readonly kind: 'data'; readonly isTransactional: boolean; readonly sequence: number }
  | { readonly kind: 'marker'; readonly isCommit: boolean; readonly coordinatorEpoch: number }
)

interface Transaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Infinity while it is open. */
  markerOffset: number
  isAborted: boolean
}

interface Producer {
  epoch: number
  nextSequence: number
  lastSequence: number
  coordinatorEpoch: number
  open: Transaction | undefined
}

/** What the list says. */
function walk(entries: readonly Entry[]): { readonly transactions: readonly Transaction[]; readonly producers: Map<number, Producer> } {
  const transactions: Transaction[] = []
  const producers = new Map<number, Producer>()
  for (const entry of entries) {
    const { producerId, epoch, offset } = entry
    if (producerId < 0) continue
    const unknown = { epoch, nextSequence: 0, lastSequence: -1, coordinatorEpoch: -1, open: undefined }
    const producer = producers.get(producerId) ?? unknown
    producers.set(producerId, producer)
    if (epoch > producer.epoch) Object.assign(producer, { epoch, nextSequence: 0, lastSequence: -1 })
    if (entry.kind === 'data') {
      producer.nextSequence = entry.sequence + entry.count
      producer.lastSequence = producer.nextSequence - 1
      if (!entry.isTransactional || producer.open !== undefined) continue
      producer.open = { producerId, firstOffset: offset, markerOffset: Number.POSITIVE_INFINITY, isAborted: false }
      transactions.push(producer.open)
      continue
    }
    producer.coordinatorEpoch = entry.coordinatorEpoch
    if (producer.open !== undefined) Object.assign(producer.open, { markerOffset: offset, isAborted: !entry.isCommit })
    producer.open = undefined
  }
  return { transactions, producers }
}

class Model {
  readonly #random: { float(): number }
  readonly #config: LogConfig
  #entries: Entry[] = []
  #highWatermark = 0
  #world: TestWorld
  #directory: LogDirectory | undefined
  #open: PartitionLog | undefined

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#world = testWorld()
    this.#config = { ...CONFIG, segmentBytes: 400 + this.#below(2500), indexIntervalBytes: 1 + this.#below(600), fileDeleteDelayMs: 0 }
  }

  async run(): Promise<void> {
    await this.#begin()
    for (let step = 0; step < STEP_COUNT; step++) {
      await this.#step()
      await this.#check()
    }
    await this.#directory?.close()
  }

  get #log(): PartitionLog {
    return this.#open as PartitionLog
  }

  #below(count: number): number {
    return Math.floor(this.#random.float() * count)
  }

  async #begin(): Promise<void> {
    this.#directory = await this.#world.open(LIMITS)
    this.#open = await this.#directory.openLog('t', 0, TOPIC_ID, this.#config)
    this.#keepBelow(this.#log.logEndOffset)
    this.#highWatermark = this.#log.logEndOffset
  }

  async #step(): Promise<void> {
    const kind = this.#below(30)
    if (kind < 8) this.#send(true)
    else if (kind < 10) this.#send(false)
    else if (kind < 11)
      this.#append(batchOf(['x'.repeat(this.#below(200))]), { producerId: -1, epoch: -1, isTransactional: false, sequence: -1 }, 1)
    else if (kind < 18) this.#end()
    else if (kind < 19) this.#refused()
    else if (kind < 24) await this.#synced()
    else if (kind < 26) await this.#world.clock.advance(1100)
    else if (kind < 27) await this.#deleteRecords()
    else if (kind < 28) await this.#fillDisk()
    else if (kind < 29) this.#failIndexes()
    else await this.#restart(this.#below(3))
  }

  async #synced(): Promise<void> {
    await this.#log.whenSynced(this.#log.logEndOffset)
  }

  #producer(producerId: number): Producer {
    const known = walk(this.#entries).producers.get(producerId)
    if (known !== undefined) return known
    // One whose first batches were taken back is remembered with its epoch.
    const epoch = this.#log.producers().find((producer) => producer.producerId === producerId)?.producerEpoch ?? 0
    return { epoch, nextSequence: 0, lastSequence: -1, coordinatorEpoch: -1, open: undefined }
  }

  #send(isTransactional: boolean): void {
    const producerId = this.#below(4)
    const { epoch, nextSequence, open } = this.#producer(producerId)
    const isBumped = this.#below(10) === 0
    const [producerEpoch, baseSequence] = isBumped ? [epoch + 1, 0] : [epoch, nextSequence]
    const count = 1 + this.#below(3)
    const values = Array.from({ length: count }, () => 'x'.repeat(this.#below(80)))
    const batch = batchOf(values, { producerId, producerEpoch, baseSequence, transactional: isTransactional })
    if (open !== undefined && !isTransactional) {
      const answer = this.#log.append(batch, { origin: 'client', leaderEpoch: 0 })
      expect(answer).toMatchObject({ kind: 'refused', errorCode: ErrorCode.INVALID_TXN_STATE })
      return
    }
    this.#append(batch, { producerId, epoch: producerEpoch, isTransactional, sequence: baseSequence }, count)
  }

  #append(batch: Buffer, about: { producerId: number; epoch: number; isTransactional: boolean; sequence: number }, count: number): void {
    const { producerId, epoch, sequence, isTransactional } = about
    const verification = isTransactional ? this.#log.beginVerification(producerId, epoch, sequence, true) : undefined
    const offset = this.#log.logEndOffset
    expect(this.#log.append(batch, { origin: 'client', leaderEpoch: 0, verification })).toMatchObject({
      kind: 'appended',
      baseOffset: offset,
    })
    this.#entries.push({ kind: 'data', offset, count, ...about })
  }

  #end(): void {
    const producerId = this.#below(4)
    const { epoch, coordinatorEpoch } = this.#producer(producerId)
    const transactionVersion = this.#below(2) === 0 ? 1 : 2
    const producerEpoch = transactionVersion === 2 ? epoch + 1 : epoch
    const isCommit = this.#below(2) === 0
    const newer = Math.max(coordinatorEpoch, 0) + (this.#below(8) === 0 ? 1 : 0)
    const marker: Marker = { producerId, producerEpoch, coordinatorEpoch: newer, isCommit, transactionVersion }
    const offset = this.#log.logEndOffset
    expect(this.#log.appendMarker(marker, 0)).toMatchObject({ kind: 'appended', baseOffset: offset, lastOffset: offset })
    this.#entries.push({ kind: 'marker', offset, count: 1, producerId, epoch: producerEpoch, isCommit, coordinatorEpoch: newer })
  }

  /** Old epochs, old coordinators, and transactions that nobody verified leave no trace. */
  #refused(): void {
    const producerId = this.#below(4)
    const { epoch, nextSequence, coordinatorEpoch, open } = this.#producer(producerId)
    const marker: Marker = {
      producerId,
      producerEpoch: epoch,
      coordinatorEpoch: coordinatorEpoch - 1,
      isCommit: true,
      transactionVersion: 1,
    }
    if (coordinatorEpoch > 0) {
      expect(this.#log.appendMarker(marker, 0)).toMatchObject({ errorCode: ErrorCode.TRANSACTION_COORDINATOR_FENCED })
    }
    if (epoch > 0) {
      const stale = batchOf(['x'], { producerId, producerEpoch: epoch - 1, baseSequence: 0, transactional: true })
      const answer = this.#log.append(stale, { origin: 'client', leaderEpoch: 0, verification: 'trusted' })
      expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH })
    }
    if (open !== undefined) return
    const unverified = batchOf(['x'], { producerId, producerEpoch: epoch, baseSequence: nextSequence, transactional: true })
    expect(this.#log.append(unverified, { origin: 'client', leaderEpoch: 0 })).toMatchObject({ errorCode: ErrorCode.INVALID_TXN_STATE })
  }

  async #deleteRecords(): Promise<void> {
    await this.#synced()
    const { logStartOffset, logEndOffset } = this.#log
    await this.#log.advanceLogStart(logStartOffset + this.#below(logEndOffset - logStartOffset + 1))
  }

  async #fillDisk(): Promise<void> {
    await this.#synced()
    for (let count = 1 + this.#below(6); count > 0; count--) {
      if (this.#below(2) === 0) this.#end()
      else this.#send(true)
    }
    let whole = this.#below(2)
    this.#world.disk.intercept = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.log') && whole-- <= 0) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
    }
    await this.#synced().catch(() => undefined)
    this.#world.disk.intercept = undefined
    await this.#world.clock.advance(2500)
    this.#keepBelow(this.#log.logEndOffset)
  }

  /** Until the next step of this kind, or a restart. */
  #failIndexes(): void {
    if (this.#world.disk.intercept !== undefined) {
      this.#world.disk.intercept = undefined
      return
    }
    const suffixes = ['.txnindex', '.snapshot', '.index']
    const failing = suffixes[this.#below(3)] as string
    this.#world.disk.intercept = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith(failing) && this.#below(3) > 0) throw Object.assign(new Error('EIO: bad'), { code: 'EIO' })
    }
  }

  async #restart(how: number): Promise<void> {
    if (how > 0 && this.#below(2) === 0) await this.#synced()
    const { syncedOffset } = this.#log
    if (how === 0) {
      this.#world.disk.intercept = undefined
      await this.#directory?.close()
    } else await this.#directory?.abandon()
    this.#world.disk.intercept = undefined
    const disk = how === 2 ? this.#world.disk.crash(() => this.#random.float()) : this.#world.disk
    this.#world = testWorld(disk, this.#world.clock)
    await this.#begin()
    expect(this.#log.logEndOffset).toBeGreaterThanOrEqual(syncedOffset)
  }

  #keepBelow(endOffset: number): void {
    this.#entries = this.#entries.filter(({ offset, count }) => offset + count <= endOffset)
  }

  async #check(): Promise<void> {
    const log = this.#log
    const { transactions, producers } = walk(this.#entries)
    const { logStartOffset, logEndOffset } = log
    this.#highWatermark += this.#below(log.writtenOffset - this.#highWatermark + 1)
    const highWatermark = this.#highWatermark
    const undecided = transactions.filter(({ markerOffset }) => markerOffset >= highWatermark).map(({ firstOffset }) => firstOffset)
    expect(log.lastStableOffset(highWatermark)).toBe(
      Math.min(highWatermark, Math.max(logStartOffset, Math.min(...undecided, Number.MAX_VALUE))),
    )
    const aborted = transactions.filter(({ isAborted }) => isAborted).toSorted((a, b) => a.markerOffset - b.markerOffset)
    for (let count = 0; count < 3; count++) {
      const from = logStartOffset + this.#below(logEndOffset - logStartOffset + 1)
      const to = from + this.#below(logEndOffset - from + 1)
      const overlapping = aborted.filter(({ firstOffset, markerOffset }) => markerOffset >= from && firstOffset < to)
      const expected = overlapping.map(({ producerId, firstOffset }) => [producerId, firstOffset])
      const found = await abortedOf(log, from, to)
      // Of an empty range Kafka's search names some too; what a reader gets has no records then.
      if (to > from) expect(found).toEqual(expected)
    }
    const known = new Map(log.producers().map((producer) => [producer.producerId, producer]))
    for (const [producerId, { epoch, lastSequence, coordinatorEpoch, open }] of producers) {
      const currentTransactionStartOffset = open?.firstOffset ?? -1
      const expected = { producerEpoch: epoch, lastSequence, coordinatorEpoch, currentTransactionStartOffset }
      expect(known.get(producerId)).toMatchObject(expected)
    }
  }
}

describe('transactions beside a list of their batches', () => {
  it(`are the same at every step, ${SEED_COUNT} seeds`, { timeout: 1_200_000 }, async () => {
    for (let seed = 1; seed <= SEED_COUNT; seed++) {
      try {
        await new Model(seed).run()
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
  })
})
