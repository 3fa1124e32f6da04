/**
 * Power cuts and kills at random moments, over several lives of one directory. After each: every record that was acknowledged as synced is
 * there, nothing that was never appended is, offsets go on without a gap, and a producer's retry is recognised exactly when its batch stayed.
 */
import { describe, expect, it } from 'vitest'
import { type MemoryDisk, memoryDisk, seededRandom } from '../../hub/io/index.ts'
import type { LogDirectory, PartitionLog } from '../../hub/log/index.ts'
import { batchHeader, checkBatch, decodeRecords } from '../../hub/wire/index.ts'
import { batchOf, CONFIG, client, TOPIC_ID, testWorld } from './world.ts'

const SEED_COUNT = process.env['MILLRACE_LONG'] === undefined ? 25 : 500
const LIVES = 4
const LOGS = 3
const PRODUCERS = 2
const LIMITS = { recoveryPointBytes: 4000, tailBytesPerLog: 3000, tailBytesTotal: 6000, closedSegmentsOpenMax: 2, recoveryChunkBytes: 1024 }

interface Sent {
  readonly baseSequence: number
  readonly values: readonly string[]
  baseOffset: number
}

/** What the outside knows of one log. */
class Model {
  readonly values: string[] = []
  syncedOffset = 0
  readonly sent: Sent[][] = Array.from({ length: PRODUCERS }, () => [])
  /** As of the crash. */
  syncedAtCrash = 0

  batch(producer: number, { baseSequence, values }: Sent): Buffer {
    return batchOf(values, { producerId: producer + 1, producerEpoch: 0, baseSequence, compression: values.length > 3 ? 'lz4' : 'none' })
  }
}

async function contentOf(log: PartitionLog, from: number): Promise<string[]> {
  const values: string[] = []
  for (let offset = from; offset < log.logEndOffset; ) {
    const { records } = await log.read(offset, { maxBytes: 2000, minOneBatch: true, endOffset: log.logEndOffset })
    expect(records.length).toBeGreaterThan(0)
    for (const chunk of records) {
      for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at)) {
        expect(checkBatch(chunk, at)).toHaveProperty('sizeBytes')
        for (const record of decodeRecords(chunk, at)) {
          expect(record.offset).toBe(offset++)
          values.push(String(record.value))
        }
      }
    }
  }
  return values
}

/** After a restart: compares, sends retries, and brings the model to what stayed. */
async function verify(log: PartitionLog, model: Model, synced: number): Promise<void> {
  expect(log.logEndOffset).toBeGreaterThanOrEqual(synced)
  expect(log.logEndOffset).toBeLessThanOrEqual(model.values.length)
  expect(await contentOf(log, 0)).toEqual(model.values.slice(0, log.logEndOffset))
  model.values.length = log.logEndOffset
  for (const [producer, sent] of model.sent.entries()) {
    while (sent.length > 0 && (sent.at(-1)?.baseOffset ?? 0) >= log.logEndOffset) sent.pop()
    for (const batch of sent.slice(-5)) {
      expect(log.append(model.batch(producer, batch), client)).toMatchObject({
        kind: 'appended',
        duplicate: true,
        baseOffset: batch.baseOffset,
      })
    }
  }
  model.syncedOffset = log.logEndOffset
}

function appendSome(log: PartitionLog, model: Model, random: { float(): number }): void {
  const producer = Math.floor(random.float() * PRODUCERS)
  const sent = model.sent[producer] as Sent[]
  const last = sent.at(-1)
  const values = Array.from(
    { length: 1 + Math.floor(random.float() * 5) },
    (_, n) => `${model.values.length + n}:${'x'.repeat(random.float() * 400)}`,
  )
  if (random.float() < 0.05) values.push('y'.repeat(20_000))
  const batch: Sent = {
    baseSequence: last === undefined ? 0 : last.baseSequence + last.values.length,
    values,
    baseOffset: model.values.length,
  }
  const answer = log.append(model.batch(producer, batch), client)
  if (answer.kind === 'refused') return
  expect(answer).toMatchObject({ baseOffset: model.values.length, duplicate: false })
  model.values.push(...values)
  sent.push(batch)
}

async function live(
  directory: LogDirectory,
  models: readonly Model[],
  disk: MemoryDisk,
  random: { float(): number },
  clock: { advance(ms: number): Promise<void> },
  isOver: () => boolean,
) {
  const logs = await Promise.all(
    models.map((_, n) => directory.openLog('t', n, TOPIC_ID, { ...CONFIG, segmentBytes: 30_000, indexIntervalBytes: 300 })),
  )
  for (let step = 0; step < 60 && !isOver(); step++) {
    // A round that found no space took everything unwritten back, of whichever log it was.
    for (const [index, each] of models.entries()) {
      const { logEndOffset } = logs[index] as PartitionLog
      each.values.length = Math.min(each.values.length, logEndOffset)
      for (const sent of each.sent) while ((sent.at(-1)?.baseOffset ?? -1) >= logEndOffset) sent.pop()
    }
    const n = Math.floor(random.float() * models.length)
    const [log, model] = [logs[n] as PartitionLog, models[n] as Model]
    appendSome(log, model, random)
    const end = model.values.length
    void log.whenSynced(end).then(
      () => (model.syncedOffset = Math.max(model.syncedOffset, end)),
      () => undefined,
    )
    if (random.float() < 0.02) disk.failNextWrite('ENOSPC', Math.floor(random.float() * 300))
    if (random.float() < 0.4) await log.whenSynced(end).catch(() => undefined)
    if (random.float() < 0.15) await clock.advance(1100)
  }
}

/** The last thing before a kill: records are written, and their sync fails. */
async function writeUnsynced(directory: LogDirectory, models: readonly Model[], disk: MemoryDisk, random: { float(): number }) {
  disk.intercept = ({ kind, path }) => {
    if (kind === 'sync' && path.endsWith('.log')) throw Object.assign(new Error('EIO: broken'), { code: 'EIO' })
  }
  for (const [n, model] of models.entries()) {
    const log = directory.logs.get(`t-${n}`) as PartitionLog
    await log.whenSynced(log.logEndOffset).catch(() => undefined)
    if (log.fenced !== undefined) continue
    appendSome(log, model, random)
    await log.whenWritten(log.logEndOffset).catch(() => undefined)
  }
}

async function run(seed: number, how: 'power cut' | 'kill' | 'both'): Promise<void> {
  const random = seededRandom(seed)
  let disk = memoryDisk()
  const models = Array.from({ length: LOGS }, () => new Model())
  for (let life = 0; life < LIVES; life++) {
    // What a kill left unsynced, and the next life showed, must outlive the power cut after that.
    const kind = how === 'both' ? (['kill', 'power cut'] as const)[life % 2] : how
    const world = testWorld(disk)
    const directory = await world.open(LIMITS)
    for (const [n, model] of models.entries()) {
      const log = await directory.openLog('t', n, TOPIC_ID, { ...CONFIG, segmentBytes: 30_000, indexIntervalBytes: 300 })
      await verify(log, model, model.syncedAtCrash)
    }
    let left: MemoryDisk | undefined
    let operations = Math.floor(random.float() * 400)
    const crash = (): void => {
      for (const model of models) model.syncedAtCrash = model.syncedOffset
      left = disk.crash(random.float() < 0.3 ? undefined : () => random.float())
    }
    disk.intercept = () => {
      if (kind === 'power cut' && left === undefined && operations-- <= 0) crash()
    }
    const isUnsynced = kind === 'kill' && how === 'both' && random.float() < 0.7
    // What is appended after the moment of a power cut is lost for sure: the model must not know it.
    const frozen = () => left !== undefined
    await live(directory, models, disk, random, world.clock, frozen)
    if (isUnsynced) await writeUnsynced(directory, models, disk, random)
    if (kind === 'kill') for (const [n, model] of models.entries()) model.syncedAtCrash = directory.logs.get(`t-${n}`)?.writtenOffset ?? 0
    else if (left === undefined) crash()
    if (kind === 'kill' && random.float() < 0.2) await directory.close()
    else await directory.abandon()
    disk.intercept = undefined
    disk = left ?? disk
  }
}

describe('after a restart nothing acknowledged is missing', () => {
  it.each(['power cut', 'kill', 'both'] as const)(`%s, ${SEED_COUNT} seeds`, async (kind) => {
    for (let seed = 1; seed <= SEED_COUNT; seed++) {
      try {
        await run(seed, kind)
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
  })
})
