/** Bounds of row groups, by which readers pass over what they need not read: wrong ones hide rows. */
import { bytes, Decimal, decimal, float64, int64, type Schema, type SinkRecord, string, struct, structOf, type Value } from '@millrace/sdk'
import { sinkRecords } from '@millrace/sdk/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordFormat } from '../../../../connectors/s3/formats/index.ts'
import { openParquetReader, type ParquetReader } from './parquet-reader.ts'

let reader: ParquetReader
beforeAll(async () => {
  reader = await openParquetReader()
})
afterAll(() => reader.close())

async function objectOf(schema: Schema, values: readonly Value[]): Promise<Buffer> {
  const valueSchema = struct({ x: schema })
  const made = values.map((x) => structOf({ x }))
  const records = sinkRecords('t', made, { valueSchema })
  const format = recordFormat({
    format: 'parquet',
    decimalFormat: 'base64',
    compression: 'none',
    compressionLevel: -1,
    parquetCodec: 'none',
  })
  const writer = format.open(records[0] as SinkRecord)
  for (const record of records) writer.write(record)
  return Buffer.concat(await writer.finish())
}

describe('a row is found by its value', () => {
  it.each<[string, Schema, readonly Value[], string]>([
    ['text beyond 16 bits beside the last ones within', string(), ['a', '\uffff', '😀'], `x = '😀'`],
    ['the same, as the beginning of long texts', string(), ['a', `\uffff${'b'.repeat(100)}`, `😀${'c'.repeat(100)}`], `x LIKE '😀%'`],
    ['the least of those', string(), ['😀', '\uffff', '\uffff\uffff'], `x = '\uffff'`],
    ['bytes from 0x80 on', bytes(), [Buffer.from([1]), Buffer.from([0x80]), Buffer.from([0xff])], `x = '\\xFF'::BLOB`],
    ['not a number', float64(), [1, Number.NaN, 2], `x = 'NaN'::DOUBLE`],
    ['a number beside not a number', float64(), [Number.NaN, 2], 'x = 2'],
    ['minus nothing', float64(), [-0, 1], 'x = 0'],
    ['the least int64', int64(), [-(2n ** 63n), 0n], 'x = -9223372036854775808'],
    ['a negative decimal', decimal(2), [new Decimal(-9999999999999999999999n, 2), new Decimal(1n, 2)], 'x < -1'],
    [
      'a negative decimal of few digits',
      decimal(2, { parameters: { 'connect.decimal.precision': '6' } }),
      [new Decimal(-9999n, 2), new Decimal(1n, 2)],
      'x < -1',
    ],
  ])('%s', async (_, schema, values, where) => {
    const object = await objectOf(schema, values)
    const [found] = await reader.query(object, `SELECT count(*)::INTEGER AS n FROM $object WHERE ${where}`)
    expect(found?.['n']).toBe(1)
  })
})

describe('an object with many columns', () => {
  it('is counted with what it takes before there is a row', () => {
    const fields = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`c${at}`, int64()]))
    const value = structOf(Object.fromEntries(Object.keys(fields).map((name) => [name, 1n])))
    const [record] = sinkRecords('t', [value], { valueSchema: struct(fields) }) as [SinkRecord]
    const settings = {
      format: 'parquet',
      decimalFormat: 'base64',
      compression: 'none',
      compressionLevel: -1,
      parquetCodec: 'none',
    } as const
    // About 2 MB as measured: a hundred of them must not go unseen.
    expect(recordFormat(settings).open(record).bufferedBytes).toBeGreaterThan(2_000_000)
  })
})
