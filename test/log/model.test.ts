/**
 * Random work on one log beside a plain list of its records: batches of several records with times out of order, rolls, retention,
 * DeleteRecords, full disks, leader epochs, restarts in order and after a kill or a power cut. What the log finds by time or epoch must be
 * what a walk over the list finds.
 */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../hub/io/index.ts'
import type { LogConfig, LogDirectory, OffsetAndTimestamp, PartitionLog } from '../../hub/log/index.ts'
import { encodeBatch } from '../../hub/wire/index.ts'
import { CONFIG, START_MS, TOPIC_ID, type TestWorld, testWorld } from './world.ts'

const SEED_COUNT = process.env['MILLRACE_LONG'] === undefined ? 25 : 2000
const STEP_COUNT = 50
const CODECS = ['none', 'gzip', 'lz4', 'snappy', 'zstd'] as const
const LIMITS = { tailBytesPerLog: 2000, tailBytesTotal: 4000, closedSegmentsOpenMax: 2, recoveryChunkBytes: 512, recoveryPointBytes: 2000 }

class Model {
  readonly #random: { float(): number }
  readonly #config: LogConfig
  /** The record at each offset, deleted ones too. */
  readonly #records: { readonly timestampMs: number; readonly leaderEpoch: number }[] = []
  readonly #begun: { readonly epoch: number; readonly startOffset: number }[] = []
  #world: TestWorld
  #directory: LogDirectory | undefined
  #open: PartitionLog | undefined

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#world = testWorld()
    this.#config = {
      ...CONFIG,
      segmentBytes: 1200 + this.#below(3000),
      indexIntervalBytes: 1 + this.#below(600),
      retentionBytes: this.#below(3) > 0 ? -1 : 8000,
      messageTimestampType: this.#below(5) > 0 ? 'CreateTime' : 'LogAppendTime',
      messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
    }
  }

  async run(): Promise<void> {
    await this.#begin()
    for (let step = 0; step < STEP_COUNT; step++) await this.#step(step)
    await this.#directory?.close()
  }

  get #log(): PartitionLog {
    return this.#open as PartitionLog
  }

  get #epoch(): number {
    return this.#begun.at(-1)?.epoch ?? -1
  }

  #below(count: number): number {
    return Math.floor(this.#random.float() * count)
  }

  async #begin(): Promise<void> {
    this.#directory = await this.#world.open(LIMITS)
    this.#open = await this.#directory.openLog('t', 0, TOPIC_ID, this.#config)
    this.#beginEpoch()
  }

  #beginEpoch(): void {
    const epoch = this.#epoch + 1 + this.#below(2)
    this.#begun.push({ epoch, startOffset: this.#records.length })
    this.#log.beginEpoch(epoch)
  }

  async #step(step: number): Promise<void> {
    const kind = this.#below(14)
    if (kind < 6) {
      for (let count = 1 + this.#below(8); count > 0; count--) this.#append(step)
      if (this.#below(2) > 0) await this.#synced()
      return
    }
    await this.#synced()
    const { logStartOffset, logEndOffset } = this.#log
    if (kind === 6) await this.#log.advanceLogStart(logStartOffset + this.#below(logEndOffset - logStartOffset + 1))
    else if (kind === 7) await this.#log.retain(logEndOffset)
    else if (kind === 8) await this.#world.clock.advance(1100)
    else if (kind === 9) this.#beginEpoch()
    else if (kind === 10) await this.#fillDisk(step)
    else if (kind === 11) await this.#restart()
    else await this.#check(step)
  }

  async #synced(): Promise<void> {
    await this.#log.whenSynced(this.#log.logEndOffset)
  }

  #append(step: number): void {
    const isAppendTime = this.#config.messageTimestampType === 'LogAppendTime'
    const times = Array.from({ length: 1 + this.#below(5) }, () => START_MS + this.#below(50) * 100 + step * 50)
    const records = times.map((timestampMs) => ({ key: null, value: Buffer.alloc(this.#below(150)), timestampMs }))
    const batch = encodeBatch({ compression: CODECS[this.#below(CODECS.length)] ?? 'none', records })
    const answer = this.#log.append(batch, { origin: 'client', leaderEpoch: this.#epoch })
    expect(answer).toMatchObject({ kind: 'appended', baseOffset: this.#records.length })
    const nowMs = this.#world.clock.nowMs()
    for (const ms of times) this.#records.push({ timestampMs: isAppendTime ? nowMs : ms, leaderEpoch: this.#epoch })
  }

  /** The round is taken back whole: none of it is written, or the first of several segments is. */
  async #fillDisk(step: number): Promise<void> {
    const syncedOffset = this.#log.logEndOffset
    for (let count = 1 + this.#below(8); count > 0; count--) this.#append(step)
    let whole = this.#below(2)
    this.#world.disk.intercept = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.log') && whole-- <= 0) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
    }
    if (this.#below(3) === 0) this.#beginEpoch()
    const isTakenBack = await this.#log.whenSynced(this.#records.length).then(
      () => false,
      () => true,
    )
    this.#world.disk.intercept = undefined
    await this.#world.clock.advance(2500)
    expect(this.#log.logEndOffset).toBe(isTakenBack ? syncedOffset : this.#records.length)
    this.#records.length = this.#log.logEndOffset
    const last = this.#begun.pop()
    if (last !== undefined) this.#begun.push({ epoch: last.epoch, startOffset: Math.min(last.startOffset, this.#records.length) })
  }

  async #restart(): Promise<void> {
    const { logStartOffset, logEndOffset } = this.#log
    const how = this.#below(3)
    if (how === 0) await this.#directory?.close()
    else await this.#directory?.abandon()
    const disk = how === 2 ? this.#world.disk.crash(() => this.#random.float()) : this.#world.disk
    this.#world = testWorld(disk, this.#world.clock)
    await this.#begin()
    expect(this.#log.logEndOffset).toBe(logEndOffset)
    if (how < 2) expect(this.#log.logStartOffset).toBe(logStartOffset)
  }

  async #check(step: number): Promise<void> {
    const log = this.#log
    expect(log.logEndOffset).toBe(this.#records.length)
    expect(await log.maxTimestamp()).toEqual(this.#greatest())
    for (let count = 0; count < 6; count++) {
      const ms = START_MS + this.#below(60) * 100 + this.#below(step + 10) * 50 - this.#below(2)
      expect(await log.offsetForTimestamp(ms)).toEqual(this.#from((timestampMs) => timestampMs >= ms))
    }
    for (let offset = log.logStartOffset; offset < log.logEndOffset; offset += 1 + this.#below(20))
      expect(log.epochForOffset(offset)).toBe(this.#records[offset]?.leaderEpoch)
    expect(log.latestEpoch).toBe(this.#epoch)
    for (let epoch = 0; epoch <= this.#epoch + 1; epoch++)
      expect({ asked: epoch, ...log.endOffsetForEpoch(epoch) }).toEqual({ asked: epoch, ...this.#endOf(epoch) })
  }

  /** The first record at or beyond the log's start that is wanted. */
  #from(isWanted: (timestampMs: number) => boolean): OffsetAndTimestamp | undefined {
    for (let offset = this.#log.logStartOffset; offset < this.#records.length; offset++) {
      const record = this.#records[offset]
      if (record !== undefined && isWanted(record.timestampMs)) return { offset, ...record }
    }
    return undefined
  }

  #greatest(): OffsetAndTimestamp | undefined {
    const greatestMs = Math.max(...this.#records.slice(this.#log.logStartOffset).map((record) => record.timestampMs))
    return this.#from((timestampMs) => timestampMs === greatestMs)
  }

  /** KIP-101: the largest epoch ≤ the asked one that has records, and where the next one that has some, or is the latest, begins. */
  #endOf(asked: number): { readonly leaderEpoch: number; readonly endOffset: number } {
    const { logStartOffset, logEndOffset } = this.#log
    const known = this.#begun.filter(({ startOffset }, index) => {
      const end = this.#begun[index + 1]?.startOffset
      return end === undefined || (end > startOffset && end > logStartOffset)
    })
    if (asked === this.#epoch) return { leaderEpoch: asked, endOffset: logEndOffset }
    const higher = known.find(({ epoch }) => epoch > asked)
    if (higher === undefined) return { leaderEpoch: -1, endOffset: -1 }
    const floor = known.findLast(({ epoch }) => epoch <= asked)
    return { leaderEpoch: floor?.epoch ?? asked, endOffset: Math.max(higher.startOffset, logStartOffset) }
  }
}

describe('a log beside a list of its records', () => {
  it(`finds the same by time and epoch, ${SEED_COUNT} seeds`, { timeout: 600_000 }, async () => {
    for (let seed = 1; seed <= SEED_COUNT; seed++) {
      try {
        await new Model(seed).run()
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
  })
})
