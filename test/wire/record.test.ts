import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BATCH_HEADER_BYTES, BatchError, batchHeader, checkBatch, encodeBatch } from '../../hub/wire/batch.ts'
import type { Codec } from '../../hub/wire/compress/index.ts'
import type { RecordInput } from '../../hub/wire/record.ts'
import {
  decodeBatch,
  decodeRecords,
  everyRecordHasKey,
  findByTimestamp,
  forEachRecord,
  maxTimestampRecord,
  readHeaders,
} from '../../hub/wire/record.ts'
import { readVarint, readVarlong, varintBytes, varintEnd, varlongBytes, writeVarint, writeVarlong } from '../../hub/wire/record-varint.ts'

const long = process.env['MILLRACE_LONG'] !== undefined
const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array))
const nullable = fc.option(bytes, { nil: null })
const timestampMs = fc.oneof(
  fc.integer({ min: -1, max: 2_000_000_000_000 }),
  fc.constantFrom(-1, 0, 1_700_000_000_000, 2 ** 51, -(2 ** 51)),
)
const record: fc.Arbitrary<RecordInput> = fc.record({
  key: nullable,
  value: nullable,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'binary', maxLength: 12 }), value: nullable }), { maxLength: 3 }),
  timestampMs,
})
const gaps = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 12, maxLength: 12 })
const batch = fc
  .record({
    codec: fc.constantFrom(...codecs),
    records: fc.array(record, { minLength: 1, maxLength: 12 }),
    gaps,
    baseOffset: fc.nat({ max: 2 ** 48 }),
  })
  .map(({ codec, records, gaps: steps, baseOffset }) => {
    let offsetDelta = -1
    return {
      compression: codec,
      baseOffset,
      records: records.map((one, index) => ({ ...one, offsetDelta: (offsetDelta += steps[index]!) })),
    }
  })

describe('records', () => {
  it('come back as they were given, by every codec', () => {
    fc.assert(
      fc.property(batch, (input) => {
        const encoded = encodeBatch(input)
        expect(checkBatch(encoded, 0)).toEqual({ sizeBytes: encoded.length })
        const decoded = decodeBatch(Buffer.concat([Buffer.alloc(7), encoded]), 7)
        expect(decoded.records).toEqual(
          input.records.map(({ offsetDelta, ...given }) => ({ ...given, offset: input.baseOffset + offsetDelta })),
        )
        expect(decoded.maxTimestampMs).toBe(Math.max(-1, ...input.records.map((given) => given.timestampMs)))
        expect(decoded.recordCount).toBe(input.records.length)
      }),
      { numRuns: long ? 5000 : 300 },
    )
  })

  it('are a value within the bound or a BatchError when bytes change', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(batch, changes, (input, edits) => {
        const damaged = Buffer.from(encodeBatch(input))
        for (const [at, byte] of edits) damaged[at % damaged.length] = byte
        const greatest = (buffer: Buffer, at: number, maxBytes: number): unknown => maxTimestampRecord(buffer, at, 0, maxBytes)
        for (const read of [decodeRecords, everyRecordHasKey, greatest, decodeBatch]) {
          try {
            const result = read(damaged, 0, 1 << 16)
            if (Array.isArray(result)) expect(result.length).toBeLessThanOrEqual((1 << 16) / 7)
          } catch (error) {
            expect(error).toBeInstanceOf(BatchError)
          }
        }
      }),
      { numRuns: long ? 50_000 : 1500 },
    )
  })

  it('are views, not copies', () => {
    const encoded = encodeBatch({
      records: [{ key: Buffer.from('key'), value: Buffer.from('value'), headers: [{ key: 'h', value: Buffer.from('x') }], timestampMs: 1 }],
    })
    const [only] = decodeRecords(encoded, 0)
    for (const view of [only!.key!, only!.value!, only!.headers[0]!.value!]) {
      expect(Buffer.isBuffer(view)).toBe(true)
      expect(view.buffer).toBe(encoded.buffer)
    }
  })

  it('are visited as positions, until the visitor says stop', () => {
    const records = ['a', 'b', 'c'].map((key) => ({
      key: Buffer.from(key),
      value: key === 'b' ? null : Buffer.from('v'),
      headers: [{ key, value: null }],
      timestampMs: 9,
    }))
    for (const compression of codecs) {
      const seen: unknown[] = []
      forEachRecord(
        encodeBatch({ compression, baseOffset: 40, records }),
        0,
        (offset, time, keyStart, keyLength, _valueStart, valueLength, headersStart, headerCount, source) => {
          seen.push([
            offset,
            time,
            source.toString('latin1', keyStart, keyStart + keyLength),
            valueLength,
            readHeaders(source, headersStart, headerCount),
          ])
          return offset < 41
        },
      )
      expect(seen).toEqual([
        [40, 9, 'a', 1, [{ key: 'a', value: null }]],
        [41, 9, 'b', -1, [{ key: 'b', value: null }]],
      ])
    }
  })
})

describe('scans', () => {
  const times = [50, 10, 90, 90, 20]
  const records = times.map((time, index) => ({ key: Buffer.from(`${index}`), value: null, timestampMs: time }))

  it('tell whether every record has a key', () => {
    for (const compression of codecs) {
      expect(everyRecordHasKey(encodeBatch({ compression, records }), 0)).toBe(true)
      expect(everyRecordHasKey(encodeBatch({ compression, records: [{ ...records[0]!, key: Buffer.alloc(0) }] }), 0)).toBe(true)
      expect(everyRecordHasKey(encodeBatch({ compression, records: [...records, { ...records[0]!, key: null }] }), 0)).toBe(false)
      expect(everyRecordHasKey(encodeBatch({ compression, records: [{ ...records[0]!, key: null }, ...records] }), 0)).toBe(false)
    }
  })

  it('find the first record of the greatest time', () => {
    expect(maxTimestampRecord(encodeBatch({ baseOffset: 7, records }), 0)).toEqual({ offset: 9, timestampMs: 90 })
    expect(maxTimestampRecord(encodeBatch({ baseOffset: 7, records }), 0, 10)).toEqual({ offset: 10, timestampMs: 90 })
    expect(maxTimestampRecord(encodeBatch({ baseOffset: 7, records }), 0, 99)).toBeNull()
    expect(maxTimestampRecord(encodeBatch({ records: [{ ...records[0]!, timestampMs: -1 }] }), 0)).toEqual({ offset: 0, timestampMs: -1 })
    expect(maxTimestampRecord(encodeBatch({ records: [], lastOffsetDelta: 2 }), 0)).toBeNull()
    expect(maxTimestampRecord(encodeBatch({ records, timestampType: 'append', maxTimestampMs: 500 }), 0)).toEqual({
      offset: 0,
      timestampMs: 500,
    })
  })

  it('find the first record at or after a time, from an offset on', () => {
    const encoded = encodeBatch({ baseOffset: 7, compression: 'snappy', records })
    expect(findByTimestamp(encoded, 0, 0)).toEqual({ offset: 7, timestampMs: 50 })
    expect(findByTimestamp(encoded, 0, 51)).toEqual({ offset: 9, timestampMs: 90 })
    expect(findByTimestamp(encoded, 0, 51, 10)).toEqual({ offset: 10, timestampMs: 90 })
    expect(findByTimestamp(encoded, 0, 51, 11)).toBeNull()
    expect(findByTimestamp(encoded, 0, 91)).toBeNull()
    expect(findByTimestamp(encoded, 0, 0, 12)).toBeNull()
  })
})

describe('hostile records', () => {
  /** A batch that claims `count` records and holds these bytes. */
  function holding(hex: string, count = 1): Buffer {
    const body = Buffer.from(hex, 'hex')
    const header = encodeBatch({ records: [], lastOffsetDelta: 100 })
    header.writeInt32BE(BATCH_HEADER_BYTES - 12 + body.length, 8)
    header.writeInt32BE(count, 57)
    return Buffer.concat([header, body])
  }

  it('reads the plain one that the others are variations of', () => {
    expect(decodeRecords(holding('1000000002610231' + '00'), 0)).toEqual([
      { offset: 0, timestampMs: -1, key: Buffer.from('a'), value: Buffer.from('1'), headers: [] },
    ])
  })

  it.each([
    ['record longer than the batch', '1200000002610231' + '00'],
    ['record shorter than its fields', '0e00000002610231' + '00'],
    ['bytes between fields and end', '1200000002610231' + '0000'],
    ['negative record length', '01000000026102310' + '0'],
    ['record length of 2 GiB', 'feffffff0f0000000261023100'],
    ['varint of six bytes', '808080808000' + '0000000000'],
    ['key longer than its record', '1000000010610231' + '00'],
    ['value longer than its record', '1000000002611031' + '00'],
    ['key of 2 GiB', '180000' + '00feffffff0f' + '610231' + '00'],
    ['header count without bytes', '1000000002610231' + '02'],
    ['header count of 2^31−1', '1800000002610231' + 'feffffff0f'],
    ['negative header count', '1000000002610231' + '01'],
    ['header name that is null', '1400000002610231' + '020101'],
    ['header name longer than its record', '1400000002610231' + '020601'],
    ['header value longer than its record', '1600000002610231' + '02026106'],
    ['timestamp delta of eleven bytes', '2400' + 'ffffffffffffffffffff01' + '00' + '02610231' + '00'],
    ['timestamp delta beyond 2^53', '2200' + 'feffffffffffffffff01' + '00' + '02610231' + '00'],
    ['cut in the last varint', '100000000261023180'],
    ['nothing', ''],
  ])('refuses %s', (_name, hex) => {
    expect(() => decodeRecords(holding(hex), 0)).toThrow(BatchError)
  })

  it('refuses counts that the bytes cannot hold before it walks', () => {
    let visited = 0
    const count = (): void => void (visited += 1)
    expect(() => forEachRecord(holding('100000000261023100', 2), 0, count)).toThrow(BatchError)
    expect(() => forEachRecord(holding('100000000261023100', 0x7fffffff), 0, count)).toThrow(BatchError)
    expect(() => forEachRecord(holding('100000000261023100', -1), 0, count)).toThrow(BatchError)
    expect(() => forEachRecord(holding('100000000261023100', 0), 0, count)).toThrow(BatchError)
    expect(visited).toBe(0)
  })

  it('refuses an unknown codec and a compressed batch without a stream', () => {
    const unknown = encodeBatch({ records: [{ key: null, value: null, timestampMs: 0 }] })
    unknown[22] = 6
    expect(() => decodeRecords(unknown, 0)).toThrow(BatchError)
    for (const codec of [1, 2, 3, 4]) {
      const bare = holding('', 1)
      bare[22] = codec
      expect(() => decodeRecords(bare, 0), `${codec}`).toThrow(BatchError)
      bare.writeInt32BE(0, 57)
      expect(decodeRecords(bare, 0)).toEqual([])
    }
  })

  it('unpacks no more than it is told to', () => {
    const value = Buffer.alloc(100_000)
    for (const compression of codecs.slice(1)) {
      const encoded = encodeBatch({ compression, records: [{ key: null, value, timestampMs: 0 }] })
      expect(() => decodeRecords(encoded, 0, 100_000)).toThrow(BatchError)
      expect(decodeRecords(encoded, 0, 100_100)[0]!.value!.equals(value)).toBe(true)
    }
    expect(batchHeader.compression(encodeBatch({ compression: 'zstd', records: [], lastOffsetDelta: 0 }), 0)).toBe('zstd')
  })
})

describe('varints', () => {
  it('write and read every int32 and every safe integer', () => {
    const target = Buffer.alloc(12)
    const check = (value: number, write: typeof writeVarint, read: typeof readVarint, size: typeof varintBytes): void => {
      const end = write(target, 1, value)
      expect(end - 1).toBe(size(value))
      expect(read(target, 1)).toBe(value)
      expect(varintEnd()).toBe(end)
    }
    const edges = Array.from({ length: 53 }, (_, bit) => 2 ** bit).flatMap((power) => [power - 1, power, -power, -power - 1])
    for (const edge of [...edges, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      if (edge === (edge | 0)) check(edge, writeVarint, readVarint, varintBytes)
      check(edge, writeVarlong, readVarlong, varlongBytes)
    }
    fc.assert(fc.property(fc.integer(), (value) => check(value, writeVarint, readVarint, varintBytes)))
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => check(value, writeVarlong, readVarlong, varlongBytes)))
  })
})
