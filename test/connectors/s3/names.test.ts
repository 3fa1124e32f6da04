/** @module test/connectors/s3/names — names of objects, directories, times: by tables. */
import {
  DataError,
  decimal,
  float64,
  int32,
  int64,
  type Schema,
  type SinkRecord,
  string,
  struct,
  structOf,
  timestamp,
  type Value,
} from '@millrace/sdk'
import { sinkRecords } from '@millrace/sdk/testing'
import { describe, expect, it } from 'vitest'
import { parseIsoTime } from '../../../connectors/s3/iso-time.ts'
import { objectName } from '../../../connectors/s3/object-names.ts'
import { createPartitioner, type PartitionerSettings } from '../../../connectors/s3/partitioner.ts'
import { compilePathFormat, PathFormatError } from '../../../connectors/s3/path-format.ts'
import { timeSource } from '../../../connectors/s3/time-source.ts'
import { nextScheduledMs, TimeZone, UnknownTimeZone } from '../../../connectors/s3/time-zone.ts'

const utc = new TimeZone('UTC')
const berlin = new TimeZone('Europe/Berlin')
const at = (text: string): number => Date.parse(text)

function record(value: Value, valueSchema: Schema | null = null, more: Partial<SinkRecord> = {}): SinkRecord {
  const [made] = sinkRecords('orders', [value], { valueSchema, partition: 3, offset: 42 })
  if (made === undefined) throw new Error('no record')
  return { ...made, ...more }
}

describe('objectName', () => {
  const names = { topicsDir: 'topics', directoryDelim: '/', fileDelim: '+', offsetWidth: 10, extension: 'json' }
  const place = { topic: 'orders', path: 'partition=3', originalTopic: 'orders', originalPartition: 3, startOffset: 42 }
  it.each([
    [{}, {}, 'topics/orders/partition=3/orders+3+0000000042.json'],
    [{ topicsDir: '' }, {}, 'orders/partition=3/orders+3+0000000042.json'],
    [
      { topicsDir: 'a/b', fileDelim: '_', offsetWidth: 0, extension: 'snappy.parquet' },
      {},
      'a/b/orders/partition=3/orders_3_42.snappy.parquet',
    ],
    [{ directoryDelim: '-' }, {}, 'topics-orders-partition=3-orders+3+0000000042.json'],
    [{}, { startOffset: 12_345_678_901 }, 'topics/orders/partition=3/orders+3+12345678901.json'],
    // Two topics that a transform routes into one must not meet in a name.
    [{}, { topic: 'all' }, 'topics/all/partition=3/orders+3+0000000042.json'],
  ])('%o %o', (settings, change, expected) => {
    expect(objectName({ ...names, ...settings }, { ...place, ...change })).toBe(expected)
  })
  it('refuses what S3 does not take, and steps out of the directory', () => {
    expect(() => objectName(names, { ...place, path: `f=${'ü'.repeat(600)}` })).toThrow(DataError)
    expect(() => objectName(names, { ...place, path: 'f=a/../../b' })).toThrow(DataError)
  })
})

describe('compilePathFormat', () => {
  const moment = at('2026-01-02T03:04:05.678Z')
  it.each([
    ["'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", 'year=2026/month=01/day=02/hour=03'],
    ['yyyy-M-d_H.m.s', '2026-1-2_3.4.5'],
    ['yy/YY/xx', '26/26/26'],
    ['SSS SS S SSSSS', '678 67 6 67800'],
    ['kk hh KK a', '03 03 03 AM'],
    ['xxxx-ww-e DDD', '2026-01-5 002'],
    ['E EEEE MMM MMMM G', 'Fri Friday Jan January AD'],
    ["'it''s' '' yyyy", "it's ' 2026"],
    ['Z ZZ ZZZ', '+0000 +00:00 UTC'],
  ])('%s', (pattern, expected) => {
    expect(compilePathFormat(pattern, 'en', utc)(moment, 0)).toBe(expected)
  })
  it('knows the weeks around a new year', () => {
    const format = compilePathFormat("xxxx-'W'ww-e", '', utc)
    const weeks = ['2024-12-29', '2024-12-30', '2027-01-03', '2027-01-04', '2020-12-31'].map((day) => format(at(day), 0))
    expect(weeks).toEqual(['2024-W52-7', '2025-W01-1', '2026-W53-7', '2027-W01-1', '2020-W53-4'])
  })
  it('speaks the language of the locale', () => {
    expect(compilePathFormat('MMMM EEEE', 'de_DE', utc)(moment, 0)).toBe('Januar Freitag')
  })
  it.each(['yyyy/n', "'year", 'year=YYYY'])('refuses %s', (pattern) => {
    expect(() => compilePathFormat(pattern, 'en', utc)).toThrow(PathFormatError)
  })
  it('refuses a locale that is none', () => {
    expect(() => compilePathFormat('yyyy', 'x y', utc)).toThrow(PathFormatError)
  })
})

describe('TimeZone', () => {
  it('knows offsets over changes of the clock', () => {
    const hours = ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-10-25T00:59:59Z', '2026-10-25T01:00:00Z'].map(
      (text) => berlin.offsetMs(at(text)) / 3_600_000,
    )
    expect(hours).toEqual([1, 2, 2, 1])
    expect(new TimeZone('+05:30').offsetMs(0)).toBe(5.5 * 3_600_000)
    expect(new TimeZone(' ').id).toBe('UTC')
    expect(() => new TimeZone('Mars/Base')).toThrow(UnknownTimeZone)
  })
  it('finds the instant of a local time', () => {
    for (const text of ['2026-01-01T12:00:00Z', '2026-07-01T00:00:00Z', '2026-03-29T00:30:00Z', '2026-10-25T00:30:00Z']) {
      expect(berlin.instantMs(berlin.localMs(at(text)))).toBe(at(text))
    }
  })
})

describe('nextScheduledMs', () => {
  const hour = 3_600_000
  it.each([
    ['UTC', hour, '2026-11-25T03:10:00Z', '2026-11-25T04:00:00Z'],
    ['UTC', hour, '2026-11-25T03:00:00Z', '2026-11-25T04:00:00Z'],
    ['UTC', 24 * hour, '2026-11-25T03:00:00Z', '2026-11-26T00:00:00Z'],
    // Counted from midnight, which is always an end.
    ['UTC', 7 * hour, '2026-11-25T22:00:00Z', '2026-11-26T00:00:00Z'],
    ['Europe/Berlin', 24 * hour, '2026-11-25T03:00:00Z', '2026-11-25T23:00:00Z'],
    // A day of 23 hours, and one of 25, which has an end more.
    ['Europe/Berlin', 24 * hour, '2026-03-29T12:00:00Z', '2026-03-29T22:00:00Z'],
    ['Europe/Berlin', 24 * hour, '2026-10-25T12:00:00Z', '2026-10-25T22:00:00Z'],
    ['Europe/Berlin', 24 * hour, '2026-10-25T22:00:00Z', '2026-10-25T23:00:00Z'],
  ])('%s every %d ms at %s', (zone, intervalMs, now, expected) => {
    expect(new Date(nextScheduledMs(at(now), intervalMs, new TimeZone(zone))).toISOString()).toBe(new Date(expected).toISOString())
  })
})

describe('parseIsoTime', () => {
  it.each([
    ['2026-11-25T03:07:12.5+01:00', '2026-11-25T02:07:12.500Z'],
    ['2026-11-25T03:07:12Z', '2026-11-25T03:07:12Z'],
    ['2026-11-25T03:07', '2026-11-25T03:07:00Z'],
    ['2026-11-25T03,5Z', '2026-11-25T03:30:00Z'],
    ['2026-11-25T03:07:12.123456789-0330', '2026-11-25T06:37:12.123Z'],
    ['2026-11-25', '2026-11-25T00:00:00Z'],
    ['2026-11', '2026-11-01T00:00:00Z'],
    ['2026', '2026-01-01T00:00:00Z'],
    ['2026-329', '2026-11-25T00:00:00Z'],
    ['2026-W48-3', '2026-11-25T00:00:00Z'],
    ['2026-11-25TZ', '2026-11-25T00:00:00Z'],
  ])('%s', (text, expected) => {
    expect(parseIsoTime(text)).toBe(at(expected))
  })
  it.each([
    '',
    'now',
    '2026-02-30',
    '2026-13-01',
    '2026-11-25T25:00',
    '2026-11-25 03:07',
    '2026-W54-1',
    '2026-11-25T03:07+99:00',
    '2026-000',
  ])('knows that "%s" is none', (text) => {
    expect(parseIsoTime(text)).toBeUndefined()
  })
})

describe('createPartitioner', () => {
  const settings: PartitionerSettings = {
    kind: 'default',
    fields: ['region', 'user.id'],
    durationMs: 3_600_000,
    pathFormat: "'d'=dd/HH/",
    locale: '',
    zone: berlin,
    directoryDelim: '/',
  }
  const user = struct({ id: int64({ optional: true }) }, { optional: true })
  const schema = struct({ region: string({ optional: true }), user })
  it('by Kafka partition', () => {
    expect(createPartitioner(settings)(record('x'), Number.NaN)).toBe('partition=3')
  })
  it.each([
    [{ region: 'north', user: structOf({ id: 7n }) }, 'region=north/user.id=7'],
    [{ region: null, user: structOf({ id: null }) }, 'region=null/user.id=null'],
    [{ region: 'a b', user: null }, 'region=a b/user.id=null'],
  ])('by fields of a struct: %o', (members, expected) => {
    expect(createPartitioner({ ...settings, kind: 'field' })(record(structOf(members), schema), Number.NaN)).toBe(expected)
  })
  it('by fields of a map without a schema', () => {
    const value = new Map<Value, Value>([
      ['region', true],
      ['user', new Map([['id', 12n]])],
    ])
    expect(createPartitioner({ ...settings, kind: 'field' })(record(value), Number.NaN)).toBe('region=true/user.id=12')
  })
  it.each([
    ['no field', 'text', null],
    ['a missing field', structOf({ region: 'x' }), struct({ region: string() })],
    ['a floating number', structOf({ region: 1.5, user: null }), struct({ region: float64(), user })],
    ['a struct', structOf({ region: structOf({ a: 1 }), user: null }), struct({ region: struct({ a: int32() }), user })],
  ])('rejects %s', (_, value, valueSchema) => {
    expect(() => createPartitioner({ ...settings, kind: 'field' })(record(value, valueSchema), Number.NaN)).toThrow(DataError)
  })
  it.each([
    ['time', '2026-03-29T00:30:00Z', 'd=29/01'],
    ['time', '2026-03-29T01:30:00Z', 'd=29/03'],
    ['hourly', '2026-11-24T23:10:00Z', 'year=2026/month=11/day=25/hour=00'],
    ['daily', '2026-11-24T22:59:59Z', 'year=2026/month=11/day=24'],
  ] as const)('by %s in Berlin at %s', (kind, text, expected) => {
    expect(createPartitioner({ ...settings, kind })(record('x'), at(text))).toBe(expected)
  })
  it('puts all of a span into one directory', () => {
    const byDay = createPartitioner({ ...settings, kind: 'time', durationMs: 6 * 3_600_000, pathFormat: 'dd-HH', zone: utc })
    expect(['00:00', '05:59', '06:00', '23:59'].map((time) => byDay(record('x'), at(`2026-11-25T${time}:00Z`)))).toEqual([
      '25-00',
      '25-00',
      '25-06',
      '25-18',
    ])
  })
})

describe('timeSource', () => {
  const ms = at('2026-11-25T03:00:00Z')
  const field = timeSource('RecordField', 'at')
  it('takes the clock, or the record', () => {
    expect(timeSource('Wallclock', '')(record('x'), 5)).toBe(5)
    expect(timeSource('Record', '')(record('x', null, { timestampMs: 7 }), 5)).toBe(7)
    expect(() => timeSource('Record', '')(record('x', null, { timestampMs: null }), 5)).toThrow(DataError)
  })
  it.each([
    ['int64 in milliseconds', int64(), BigInt(ms), ms],
    ['Connect Timestamp', timestamp(), new Date(ms), ms],
    ['digits', string(), String(ms), ms],
    ['ISO', string(), '2026-11-25T04:00:00+01:00', ms],
    ['Debezium microseconds', int64({ name: 'io.debezium.time.MicroTimestamp' }), BigInt(ms) * 1000n + 999n, ms],
    ['Debezium nanoseconds', int64({ name: 'io.debezium.time.NanoTimestamp' }), BigInt(ms) * 1_000_000n, ms],
    ['Debezium days', int32({ name: 'io.debezium.time.Date' }), 20_000, 20_000 * 86_400_000],
  ])('reads a field: %s', (_, schema, value, expected) => {
    expect(field(record(structOf({ at: value }), struct({ at: schema })), 0)).toBe(expected)
  })
  it.each([
    ['null', string({ optional: true }), null],
    ['no time', string(), 'yesterday'],
    ['a boolean', decimal(2), true],
  ])('rejects %s', (_, schema, value) => {
    expect(() => field(record(structOf({ at: value }), struct({ at: schema })), 0)).toThrow(DataError)
  })
})
