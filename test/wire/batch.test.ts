import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  addSequence,
  BATCH_HEADER_BYTES,
  BatchError,
  batchHeader,
  ControlType,
  checkBatch,
  decodeControlKey,
  decodeEndTransactionMarker,
  encodeBatch,
  encodeControlBatch,
  encodeEndTransactionMarker,
  forEachBatch,
  patchBatch,
  setMaxTimestamp,
} from '../../hub/wire/batch.ts'
import type { Codec } from '../../hub/wire/compress/index.ts'
import { ErrorCode } from '../../hub/wire/errors.ts'
import { decodeBatch, decodeRecords } from '../../hub/wire/record.ts'

interface KafkaRecord {
  offset: number
  timestamp: number
  sequence: number
  key: string | null
  value: string | null
  headers: [string, string | null][]
  controlType?: keyof typeof ControlType
  coordinatorEpoch?: number
}
interface KafkaBatch {
  baseOffset: number
  lastOffset: number
  sizeInBytes: number
  magic: number
  crc: number
  valid: boolean
  compression: Codec
  timestampType: string
  baseTimestamp: number
  maxTimestamp: number
  partitionLeaderEpoch: number
  producerId: number | string
  producerEpoch: number
  baseSequence: number
  lastSequence: number
  isTransactional: boolean
  isControl: boolean
  deleteHorizonMs: number | null
  count: number
  records: KafkaRecord[]
}
interface Vector {
  desc: string
  codec: Codec | 'mixed'
  hex: string
  validBytes?: number
  decoded: KafkaBatch[]
  error?: string
}
const vectors = readFileSync(new URL('../golden/protocol/vectors/_record_batches.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector)
const current = vectors.filter(({ decoded }) => decoded?.[0]?.magic === 2)

/** Every magic 2 batch of the vectors: its own bytes, and what Kafka read out of them. */
const batches = current.flatMap(({ desc, hex, decoded }) => {
  const bytes = Buffer.from(hex, 'hex')
  let at = 0
  return decoded.map((batch, index) => {
    const own = Buffer.from(bytes.subarray(at, at + batch.sizeInBytes))
    at += batch.sizeInBytes
    return { name: `${desc} (${batch.compression}) ${index}`, bytes: own, batch }
  })
})

function buffer(hex: string | null): Buffer | null {
  return hex === null ? null : Buffer.from(hex, 'hex')
}

function inputOf(record: KafkaRecord, baseOffset: number, timestampMs: number) {
  return {
    key: buffer(record.key),
    value: buffer(record.value),
    headers: record.headers.map(([key, value]) => ({ key, value: buffer(value) })),
    timestampMs,
    offsetDelta: record.offset - baseOffset,
  }
}

describe('batches of Kafka', () => {
  it('has vectors of every kind', () => {
    expect(batches.length).toBe(55)
    expect(new Set(batches.map(({ batch }) => batch.compression)).size).toBe(5)
  })

  it.each(batches)('reads the header: $name', ({ bytes, batch }) => {
    const at = 5
    const shifted = Buffer.concat([Buffer.alloc(at, 0xee), bytes, Buffer.alloc(3)])
    const read = Object.fromEntries(
      Object.entries(batchHeader).flatMap(([name, accessor]) => (name === 'producerId' ? [] : [[name, accessor(shifted, at)]])),
    )
    expect(read).toMatchObject({
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      sizeBytes: batch.sizeInBytes,
      batchLength: batch.sizeInBytes - 12,
      magic: 2,
      crc: batch.crc,
      compression: batch.compression,
      timestampType: batch.timestampType === 'CreateTime' ? 'create' : 'append',
      baseTimestampMs: batch.baseTimestamp,
      maxTimestampMs: batch.maxTimestamp,
      leaderEpoch: batch.partitionLeaderEpoch,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      isTransactional: batch.isTransactional,
      isControl: batch.isControl,
      deleteHorizonMs: batch.deleteHorizonMs,
      hasDeleteHorizon: batch.deleteHorizonMs !== null,
      recordCount: batch.count,
      lastOffsetDelta: batch.lastOffset - batch.baseOffset,
    })
    if (typeof batch.producerId === 'number') expect(batchHeader.producerId(shifted, at)).toBe(batch.producerId)
    // 2^63−1, which no broker gives out: beyond what a number holds, so it is refused where it is read.
    else expect(() => batchHeader.producerId(shifted, at)).toThrow(BatchError)
  })

  it.each(batches)('checks: $name', ({ bytes, batch }) => {
    const checked = checkBatch(bytes, 0)
    if (!batch.valid) expect(checked).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE })
    else if (typeof batch.producerId === 'string') expect(checked).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
    else expect(checked).toEqual({ sizeBytes: batch.sizeInBytes })
  })

  it.each(batches.filter(({ batch }) => batch.valid))('reads the records: $name', ({ bytes, batch }) => {
    const records = decodeRecords(bytes, 0)
    expect(
      records.map((record) => ({
        offset: record.offset,
        timestamp: record.timestampMs,
        sequence: batch.baseSequence < 0 ? -1 : addSequence(batch.baseSequence, record.offset - batch.baseOffset),
        key: record.key?.toString('hex') ?? null,
        value: record.value?.toString('hex') ?? null,
        headers: record.headers.map(({ key, value }) => [key, value?.toString('hex') ?? null]),
      })),
    ).toEqual(
      batch.records.map(({ offset, timestamp, sequence, key, value, headers }) => ({ offset, timestamp, sequence, key, value, headers })),
    )
  })

  it.each(batches.filter(({ batch }) => batch.valid && typeof batch.producerId === 'number'))(
    'writes the same: $name',
    ({ bytes, batch }) => {
      // Under log append time the records' own times are hidden, not gone.
      const revealed = Buffer.from(bytes)
      setMaxTimestamp(revealed, 0, 'create', batch.maxTimestamp)
      const times = decodeRecords(revealed, 0).map(({ timestampMs }) => timestampMs)
      const encoded = encodeBatch({
        baseOffset: batch.baseOffset,
        leaderEpoch: batch.partitionLeaderEpoch,
        compression: batch.compression,
        timestampType: batch.timestampType === 'CreateTime' ? 'create' : 'append',
        producerId: batch.producerId as number,
        producerEpoch: batch.producerEpoch,
        baseSequence: batch.baseSequence,
        transactional: batch.isTransactional,
        control: batch.isControl,
        lastOffsetDelta: batch.lastOffset - batch.baseOffset,
        maxTimestampMs: batch.maxTimestamp,
        ...(batch.deleteHorizonMs === null ? {} : { deleteHorizonMs: batch.deleteHorizonMs }),
        records: batch.records.map((record, index) => inputOf(record, batch.baseOffset, times[index]!)),
      })
      if (batch.compression === 'none') expect(encoded.toString('hex')).toBe(bytes.toString('hex'))
      else {
        expect(checkBatch(encoded, 0)).toEqual({ sizeBytes: encoded.length })
        const [ours, theirs] = [decodeBatch(encoded, 0), decodeBatch(bytes, 0)]
        expect({ ...ours, sizeBytes: 0 }).toEqual({ ...theirs, sizeBytes: 0 })
      }
    },
  )

  it('walks batches and leaves a cut last one out', () => {
    for (const { desc, hex, validBytes, decoded } of vectors.filter((vector) => vector.validBytes !== undefined)) {
      const found: number[] = []
      expect(
        forEachBatch(Buffer.from(hex, 'hex'), (_at, sizeBytes) => void found.push(sizeBytes)),
        desc,
      ).toBe(validBytes)
      expect(found, desc).toEqual(decoded.map((batch) => batch.sizeInBytes))
    }
    const three = Buffer.from(vectors.find(({ desc }) => desc.startsWith('three batches'))!.hex, 'hex')
    let visited = 0
    expect(forEachBatch(three, () => ++visited < 2)).toBe(
      current
        .find(({ desc }) => desc.startsWith('three'))!
        .decoded.slice(0, 2)
        .reduce((sum, batch) => sum + batch.sizeInBytes, 0),
    )
  })

  it('refuses message formats 0 and 1 with INVALID_RECORD, as a broker does, and unknown ones as damage', () => {
    const old = vectors.filter(({ decoded }) => (decoded?.[0]?.magic ?? 2) < 2)
    expect(old.length).toBe(20)
    for (const { desc, hex } of old) {
      expect(checkBatch(Buffer.from(hex, 'hex'), 0), desc).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
      expect(() => decodeRecords(Buffer.from(hex, 'hex'), 0), desc).toThrow(BatchError)
    }
    const unknown = vectors.find(({ error }) => error?.includes('Invalid magic'))!
    expect(checkBatch(Buffer.from(unknown.hex, 'hex'), 0)).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE })
  })
})

describe('control batches', () => {
  const control = batches.filter(({ batch }) => batch.isControl)

  it.each(control)('reads and writes: $name', ({ bytes, batch }) => {
    const [record] = decodeRecords(bytes, 0)
    const [expected] = batch.records
    const type = ControlType[expected!.controlType!]
    expect(decodeControlKey(record!.key)).toEqual({ version: 0, type })
    const common = { baseOffset: batch.baseOffset, leaderEpoch: batch.partitionLeaderEpoch, timestampMs: expected!.timestamp }
    expect(
      encodeControlBatch({
        ...common,
        type,
        value: record!.value!,
        producerId: batch.producerId as number,
        producerEpoch: batch.producerEpoch,
        transactional: batch.isTransactional,
      }).equals(bytes),
    ).toBe(true)
    if (expected!.coordinatorEpoch === undefined) {
      expect(() => decodeEndTransactionMarker(record!.key, record!.value)).toThrow(BatchError)
      return
    }
    const marker = decodeEndTransactionMarker(record!.key, record!.value)
    expect(marker).toEqual({ commit: expected!.controlType === 'COMMIT', coordinatorEpoch: expected!.coordinatorEpoch })
    const again = encodeEndTransactionMarker({
      ...common,
      ...marker,
      producerId: batch.producerId as number,
      producerEpoch: batch.producerEpoch,
    })
    expect(again.equals(bytes)).toBe(true)
  })

  it('refuses keys and values that are too short or null', () => {
    const commit = Buffer.from('00000001', 'hex')
    for (const key of [null, Buffer.alloc(3), Buffer.from('ffff0001', 'hex')]) expect(() => decodeControlKey(key)).toThrow(BatchError)
    for (const value of [null, Buffer.alloc(5), Buffer.from('ffff00000000', 'hex')]) {
      expect(() => decodeEndTransactionMarker(commit, value)).toThrow(BatchError)
    }
  })
})

describe('patching in place', () => {
  it('sets base offset and leader epoch without touching what the checksum covers', () => {
    const batch = encodeBatch({ records: [{ key: null, value: Buffer.from('v'), timestampMs: 5 }] })
    for (const baseOffset of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12345, Number.MAX_SAFE_INTEGER - 1]) {
      patchBatch(batch, 0, { baseOffset, leaderEpoch: 0x7ffffffe })
      expect(checkBatch(batch, 0)).toEqual({ sizeBytes: batch.length })
      expect(batch.readBigInt64BE(0)).toBe(BigInt(baseOffset))
      expect(batchHeader.lastOffset(batch, 0)).toBe(baseOffset)
      expect(batchHeader.leaderEpoch(batch, 0)).toBe(0x7ffffffe)
      expect(decodeRecords(batch, 0)[0]!.offset).toBe(baseOffset)
    }
  })

  it('sets the append time of all records and renews the checksum', () => {
    const batch = encodeBatch({ compression: 'lz4', records: [1, 2, 3].map((timestampMs) => ({ key: null, value: null, timestampMs })) })
    setMaxTimestamp(batch, 0, 'append', 1_700_000_000_777)
    expect(checkBatch(batch, 0)).toEqual({ sizeBytes: batch.length })
    expect(decodeRecords(batch, 0).map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_777, 1_700_000_000_777, 1_700_000_000_777])
    setMaxTimestamp(batch, 0, 'create', 3)
    expect(decodeRecords(batch, 0).map(({ timestampMs }) => timestampMs)).toEqual([1, 2, 3])
  })
})

describe('encodeBatch', () => {
  it('refuses what its callers must not do', () => {
    const record = { key: null, value: null, timestampMs: 0 }
    expect(() => encodeBatch({ records: [] })).toThrow(RangeError)
    expect(() => encodeBatch({ records: [{ ...record, timestampMs: 0.5 }] })).toThrow(RangeError)
    expect(() => encodeBatch({ records: [{ ...record, timestampMs: 2 ** 53 }] })).toThrow(RangeError)
    expect(() =>
      encodeBatch({
        records: [
          { ...record, offsetDelta: 1 },
          { ...record, offsetDelta: 1 },
        ],
      }),
    ).toThrow(RangeError)
    expect(() => encodeBatch({ records: [{ ...record, offsetDelta: 2 }], lastOffsetDelta: 1 })).toThrow(RangeError)
  })

  it('writes a batch without records, which compaction leaves behind', () => {
    const empty = encodeBatch({ records: [], compression: 'zstd', lastOffsetDelta: 3, producerId: 1, producerEpoch: 2, baseSequence: 4 })
    expect(empty.length).toBe(BATCH_HEADER_BYTES)
    expect(checkBatch(empty, 0)).toEqual({ sizeBytes: BATCH_HEADER_BYTES })
    expect(decodeBatch(empty, 0)).toMatchObject({ records: [], lastOffset: 3, lastSequence: 7 })
  })

  it('wraps sequences from 2^31−1 to 0', () => {
    expect(addSequence(0x7ffffffe, 1)).toBe(0x7fffffff)
    expect(addSequence(0x7fffffff, 1)).toBe(0)
    expect(addSequence(0x7ffffffe, 3)).toBe(1)
  })
})
