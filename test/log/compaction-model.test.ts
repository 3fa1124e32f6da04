/**
 * Random keyed records, tombstones and transactions on one compacted log beside a plain list of what was written: whatever is compacted, killed in
 * the middle of it or cut off from its power, a reader of committed data ends with the same value of every key, sees nothing that was aborted,
 * nothing that was not written, and no offset moves.
 */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../hub/io/index.ts'
import type { LogConfig, LogDirectory, PartitionLog } from '../../hub/log/index.ts'
import { type BatchInput, batchHeader, decodeRecords, encodeBatch } from '../../hub/wire/index.ts'
import { TestProducer } from './transaction-world.ts'
import { CONFIG, EVERYTHING, START_MS, TOPIC_ID, type TestWorld, testWorld } from './world.ts'

const SEED_COUNT = process.env['MILLRACE_LONG'] === undefined ? 40 : 2000
const STEP_COUNT = 90
const KEY_COUNT = 12
const LIMITS = { tailBytesPerLog: 1500, tailBytesTotal: 3000, closedSegmentsOpenMax: 2, recoveryChunkBytes: 512, recoveryPointBytes: 1500 }
const CLEANER = {
  isEnabled: true,
  backoffMs: 1_000,
  dedupeBufferBytes: 1_500,
  loadFactor: 0.9,
  ioBytesPerSecondMax: Number.POSITIVE_INFINITY,
}

interface Written {
  readonly offset: number
  readonly key: string
  readonly value: string | null
  readonly producerId: number
  /** undefined: its transaction is open. */
  isCommitted: boolean | undefined
}

class Model {
  readonly #random: { float(): number }
  readonly #config: LogConfig
  readonly #producers = [new TestProducer(1), new TestProducer(2)]
  #written: Written[] = []
  #world: TestWorld
  #directory: LogDirectory | undefined
  #open: PartitionLog | undefined
  #valueCount = 0
  #compactionCount = 0
  #goneBytes = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#world = testWorld()
    const deleteRetentionMs = [0, 2_500, 24 * 3_600_000][this.#below(3)] as number
    const indexIntervalBytes = 1 + this.#below(600)
    const segmentBytes = 400 + this.#below(1500)
    this.#config = {
      ...CONFIG,
      segmentBytes,
      indexIntervalBytes,
      deleteRetentionMs,
      fileDeleteDelayMs: 0,
      cleanupPolicies: new Set(['compact']),
      minCleanableDirtyRatio: 0,
    }
  }

  /** Resolves with how many compactions there were, and how many bytes they left out. */
  async run(): Promise<readonly [count: number, goneBytes: number]> {
    await this.#begin()
    for (let step = 0; step < STEP_COUNT; step++) {
      await this.#step()
      await this.#check()
    }
    this.#count()
    await this.#directory?.close()
    return [this.#compactionCount, this.#goneBytes]
  }

  #count(): void {
    const cleaner = this.#directory?.cleaner
    this.#compactionCount += cleaner?.compactionCount ?? 0
    this.#goneBytes += (cleaner?.readBytes ?? 0) - (cleaner?.writtenBytes ?? 0)
  }

  get #log(): PartitionLog {
    return this.#open as PartitionLog
  }

  #below(count: number): number {
    return Math.floor(this.#random.float() * count)
  }

  async #begin(): Promise<void> {
    this.#directory = await this.#world.open(LIMITS)
    this.#directory.configureCleaner(CLEANER)
    this.#open = await this.#directory.openLog('t', 0, TOPIC_ID, this.#config)
    const { logEndOffset } = this.#log
    this.#written = this.#written.filter(({ offset }) => offset < logEndOffset)
  }

  async #step(): Promise<void> {
    const kind = this.#below(20)
    if (kind < 7) this.#plain()
    else if (kind < 12) this.#transactional()
    else if (kind < 14) this.#end(this.#producers[this.#below(2)] as TestProducer)
    else if (kind < 15) for (const producer of this.#producers) this.#end(producer)
    else if (kind < 18) await this.#world.clock.advance(CLEANER.backoffMs)
    else if (kind < 19) await this.#killedWhileCompacting()
    else await this.#restart(this.#below(3))
    if (this.#below(3) === 0) await this.#log.whenSynced(this.#log.logEndOffset)
  }

  #records(): BatchInput['records'] {
    return Array.from({ length: 1 + this.#below(4) }, () => {
      const value = this.#below(4) === 0 ? null : Buffer.from(`v${this.#valueCount++}`.padEnd(this.#below(60)))
      return { key: Buffer.from(`k${this.#below(KEY_COUNT)}`), value, timestampMs: START_MS }
    })
  }

  #plain(): void {
    const compression = (['none', 'gzip', 'lz4'] as const)[this.#below(3)] ?? 'none'
    const records = this.#records()
    this.#log.append(encodeBatch({ records, compression }), { origin: 'client', leaderEpoch: 0 })
    this.#note(records, -1, true)
  }

  #transactional(): void {
    const producer = this.#producers[this.#below(2)] as TestProducer
    const records = this.#records()
    const batch = encodeBatch({
      records,
      transactional: true,
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      baseSequence: producer.sequence,
    })
    const answer = this.#log.append(batch, { origin: 'client', leaderEpoch: 0, verification: 'trusted' })
    expect(answer).toMatchObject({ kind: 'appended', duplicate: false })
    producer.sent(records.length)
    this.#note(records, producer.producerId, undefined)
  }

  #note(records: BatchInput['records'], producerId: number, isCommitted: boolean | undefined): void {
    const base = this.#log.logEndOffset - records.length
    for (const [at, { key, value }] of records.entries())
      this.#written.push({ offset: base + at, key: String(key), value: value === null ? null : String(value), producerId, isCommitted })
  }

  #end(producer: TestProducer): void {
    const isCommit = this.#below(2) === 0
    producer.end(this.#log, isCommit)
    for (const record of this.#written)
      if (record.producerId === producer.producerId && record.isCommitted === undefined) record.isCommitted = isCommit
  }

  /** The next compaction fails, or the process dies, at some operation of the disk. */
  async #killedWhileCompacting(): Promise<void> {
    await this.#log.whenSynced(this.#log.logEndOffset)
    let operations = this.#below(30)
    const isKill = this.#below(2) === 0
    this.#world.disk.intercept = ({ path }) => {
      if (!/\.(cleaned|swap|deleted)$/.test(path) || operations-- > 0) return
      if (isKill) operations = -1
      throw Object.assign(new Error('EIO: bad'), { code: 'EIO' })
    }
    await this.#world.clock.advance(CLEANER.backoffMs)
    await this.#restart(isKill ? 1 + this.#below(2) : 0)
  }

  async #restart(how: number): Promise<void> {
    this.#count()
    if (how === 2) await this.#log.whenSynced(this.#log.logEndOffset)
    if (how === 0) {
      this.#world.disk.intercept = undefined
      await this.#directory?.close()
    } else await this.#directory?.abandon()
    this.#world.disk.intercept = undefined
    const before = this.#log.logEndOffset
    const disk = how === 2 ? this.#world.disk.crash(() => this.#random.float()) : this.#world.disk
    this.#world = testWorld(disk, this.#world.clock)
    await this.#begin()
    if (how !== 1) expect(this.#log.logEndOffset).toBe(before)
    this.#resumeProducers()
  }

  /** What a kill took of the log, its producers did not send. */
  #resumeProducers(): void {
    const known = new Map(this.#log.producers().map((producer) => [producer.producerId, producer]))
    for (const producer of this.#producers) {
      const state = known.get(producer.producerId)
      producer.epoch = state?.producerEpoch ?? 0
      producer.sequence = (state?.lastSequence ?? -1) + 1
    }
    for (const record of this.#written) {
      if (record.producerId < 0) continue
      const open = known.get(record.producerId)?.currentTransactionStartOffset ?? -1
      // Its marker went with the end of the log.
      if (open >= 0 && record.offset >= open) record.isCommitted = undefined
    }
  }

  async #check(): Promise<void> {
    const { seen, visible } = await this.#readAll()
    const written = new Map(this.#written.map((record) => [record.offset, record]))
    for (const [offset, { key, value }] of seen) expect(written.get(offset)).toMatchObject({ key, value })
    const committed = this.#written.filter(({ isCommitted }) => isCommitted === true)
    const expected = new Map<string, string | null>()
    for (const { key, value } of committed) expected.set(key, value)
    const found = new Map<string, string | null>()
    for (const offset of visible) {
      const record = written.get(offset) as Written
      expect(record.isCommitted).not.toBe(false)
      if (record.isCommitted === true) found.set(record.key, record.value)
    }
    for (const [key, value] of expected) expect([key, found.get(key) ?? null]).toEqual([key, value])
    for (const [key, value] of found) expect([key, expected.get(key)]).toEqual([key, value])
  }

  /** Every record in the log, and the offsets of those that a reader of committed data gets (open transactions included). */
  async #readAll() {
    const log = this.#log
    const seen = new Map<number, { readonly key: string; readonly value: string | null }>()
    const visible: number[] = []
    const aborted = [...(await log.abortedTransactions(log.logStartOffset, log.logEndOffset))].toSorted(
      (a, b) => a.firstOffset - b.firstOffset,
    )
    const ongoing = new Set<number>()
    for (let next = log.logStartOffset; next < log.logEndOffset; ) {
      const { records } = await log.read(next, { ...EVERYTHING, maxBytes: 300 + this.#below(2000), endOffset: log.logEndOffset })
      expect(records.length).toBeGreaterThan(0)
      for (const chunk of records) {
        for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at)) {
          const lastOffset = batchHeader.lastOffset(chunk, at)
          expect(batchHeader.baseOffset(chunk, at)).toBeGreaterThanOrEqual(
            seen.size === 0 ? 0 : next === 0 ? 0 : batchHeader.baseOffset(chunk, at),
          )
          expect(lastOffset).toBeGreaterThanOrEqual(next)
          next = lastOffset + 1
          const producerId = batchHeader.producerId(chunk, at)
          for (let first = aborted[0]; first !== undefined && first.firstOffset <= lastOffset; first = aborted[0])
            ongoing.add(aborted.shift()?.producerId ?? first.producerId)
          const decoded = decodeRecords(chunk, at)
          if (batchHeader.isControl(chunk, at)) {
            if (decoded[0]?.key?.readInt16BE(2) === 0) ongoing.delete(producerId)
            continue
          }
          for (const { offset, key, value } of decoded) {
            seen.set(offset, { key: String(key), value: value === null ? null : String(value) })
            if (!batchHeader.isTransactional(chunk, at) || !ongoing.has(producerId)) visible.push(offset)
          }
        }
      }
    }
    return { seen, visible }
  }
}

describe('a compacted log beside a list of what was written', () => {
  it(`tells the same of every key, ${SEED_COUNT} seeds`, { timeout: 1_200_000 }, async () => {
    let [compactionCount, goneBytes] = [0, 0]
    for (let seed = 1; seed <= SEED_COUNT; seed++) {
      try {
        const [count, bytes] = await new Model(seed).run()
        compactionCount += count
        goneBytes += bytes
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
    expect(compactionCount).toBeGreaterThan(SEED_COUNT * 3)
    expect(goneBytes).toBeGreaterThan(SEED_COUNT * 1000)
  })
})
