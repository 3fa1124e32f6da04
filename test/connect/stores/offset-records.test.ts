import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SourceOffset } from '@millrace/sdk'
import { offsetRecord, partitionKeyOf, readOffsetRecord, type StoredOffset } from '../../../hub/connect/stores/offset-records.ts'
import { OffsetTable } from '../../../hub/connect/stores/offset-table.ts'
import { bytes, bytesOrNull, goldenRecords, shown } from './golden-topics.ts'

function read(key: string | null, value: string | null): StoredOffset {
  const decoded = readOffsetRecord(bytesOrNull(key), bytesOrNull(value))
  if (decoded.kind !== 'record') throw new Error(`${key} is ${decoded.kind}`)
  return decoded.record
}

describe("Kafka Connect's offset records", () => {
  it('are read, and written again byte by byte', () => {
    const records = goldenRecords('connect-offsets')
    expect(records.length).toBeGreaterThan(3)
    for (const { key, value } of records) {
      const { connector, partition, offset } = read(key, value)
      expect(shown(offsetRecord(connector, partition, offset))).toEqual({ key, value })
    }
  })

  it('come to the position that was last stored, until it was reset', () => {
    const table = new OffsetTable()
    const partition = { filename: 'in2.txt' }
    const seen = goldenRecords('connect-offsets').map(({ key, value }) => {
      table.apply(read(key, value), { partition: 0, timestampMs: 0 })
      return table.find('tsrc', partitionKeyOf(partition))
    })
    expect(seen).toEqual([{ position: 8 }, { position: 14 }, { position: 4 }, null])
    expect(table.all('tsrc')).toEqual([])
  })
})

describe('a position', () => {
  it('keeps every digit', () => {
    const offset = {
      lsn: 9_223_372_036_854_775_807n,
      safe: 9_007_199_254_740_991,
      rate: 0.1,
      low: -9_007_199_254_740_993n,
      on: true,
      at: null,
      s: '1',
    }
    const record = offsetRecord('c', { table: 'a.b' }, offset)
    expect(record.value?.toString()).toBe(
      '{"lsn":9223372036854775807,"safe":9007199254740991,"rate":0.1,"low":-9007199254740993,"on":true,"at":null,"s":"1"}',
    )
    expect(read(record.key.toString(), record.value?.toString() ?? null).offset).toEqual(offset)
  })

  it('has one key whatever the order in which the partition was put together', () => {
    const one = offsetRecord('c', { server: 's', database: 'd' }, null)
    const other = offsetRecord('c', { database: 'd', server: 's' }, null)
    expect(one.key.equals(other.key)).toBe(true)
    expect(one.value).toBeNull()
  })

  it('is looked up whatever the order in which its key was written', () => {
    const table = new OffsetTable()
    table.apply(read('["c",{"server":"s","database":"d"}]', '{"n":1}'), { partition: 3, timestampMs: 5 })
    expect(table.find('c', partitionKeyOf({ database: 'd', server: 's' }))).toEqual({ n: 1 })
    expect(table.find('c', partitionKeyOf({ database: 'd' }))).toBeNull()
    expect(table.find('other', partitionKeyOf({ database: 'd', server: 's' }))).toBeNull()
  })

  it('written under two keys is the younger one, also when that is read first', () => {
    const [older, younger] = [read('["c",{"a":1,"b":2}]', '{"n":1}'), read('["c",{"b":2,"a":1}]', '{"n":2}')]
    for (const order of [
      [older, younger],
      [younger, older],
    ]) {
      const table = new OffsetTable()
      for (const one of order) table.apply(one, one === older ? { partition: 0, timestampMs: 10 } : { partition: 1, timestampMs: 20 })
      expect(table.all('c').map(({ offset }) => offset)).toEqual([{ n: 2 }])
    }
    const table = new OffsetTable()
    table.apply({ ...younger, offset: null }, { partition: 1, timestampMs: 20 })
    table.apply(older, { partition: 0, timestampMs: 10 })
    expect(table.all('c')).toEqual([])
  })

  it('tells a text from a number, and text with separators from fields', () => {
    const keys = [{ a: 1 }, { a: '1' }, { a: true }, { a: 'true' }, { a: null }, { 'a":1,"b': 1 }, { a: 1, b: 1 }].map(partitionKeyOf)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('that JSON has no form for is refused by name', () => {
    expect(() => offsetRecord('c', { a: 1 }, { rate: Number.NaN })).toThrow('rate: JSON has no form for NaN')
    expect(() => offsetRecord('c', { a: Number.POSITIVE_INFINITY }, null)).toThrow(TypeError)
  })

  it.each([
    [null, '{}'],
    ['x', '{}'],
    ['{}', '{}'],
    ['["c"]', '{}'],
    ['["c",null]', '{}'],
    ['[1,{}]', '{}'],
    ['["c",{"a":{}}]', '{}'],
    ['["c",{"a":[]}]', '{}'],
    ['["c",{}]', '[]'],
    ['["c",{}]', '{"a":[1]}'],
    ['["c",{}]', '7'],
  ])('%s %s is garbage', (key, value) => {
    expect(readOffsetRecord(bytesOrNull(key), bytesOrNull(value)).kind).toBe('garbage')
  })

  it('survives whatever partitions and offsets hold', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
      fc.boolean(),
      fc.constant(null),
    )
    const map = fc.dictionary(fc.string({ unit: 'grapheme' }), value, { noNullPrototype: true })
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), map, fc.option(map), (connector, partition, offset) => {
        const { key, value: written } = offsetRecord(connector, partition, offset as SourceOffset | null)
        const back = read(key.toString(), written?.toString() ?? null)
        expect(back).toEqual({ connector, partition, partitionKey: partitionKeyOf(partition), offset })
      }),
    )
  })
})

describe('bytes', () => {
  it('that are no text at all are garbage, not an error', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.option(fc.uint8Array()), (key, value) => {
        const decoded = readOffsetRecord(Buffer.from(key), value === null ? null : Buffer.from(value))
        expect(['record', 'garbage']).toContain(decoded.kind)
      }),
    )
    expect(readOffsetRecord(bytes('['.repeat(100_000)), null).kind).toBe('garbage')
  })
})
