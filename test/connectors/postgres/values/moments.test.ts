import { describe, expect, it } from 'vitest'
import type { ValueSettings } from '../../../../connectors/postgres/values/index.ts'
import { decode } from './rows.ts'
import { codecOf, decoded } from './columns.ts'

type TimeMode = ValueSettings['timePrecisionMode']
const mode = (timePrecisionMode: TimeMode): Partial<ValueSettings> => ({ timePrecisionMode })

describe('dates far away', () => {
  // What Debezium streams; its snapshots have Julian days before 1582, and other days for infinity.
  it.each([
    ['infinity', -2_147_472_692, '-5877611-06-21Z'],
    ['-infinity', -2_147_472_691, '-5877611-06-22Z'],
    ['0044-03-15 BC', -735_160, '-0043-03-15Z'],
    ['0001-01-01', -719_162, '0001-01-01Z'],
    ['9999-12-31', 2_932_896, '9999-12-31Z'],
    ['5874897-12-31', 2_145_042_905, '+5874897-12-31Z'],
    ['4713-01-01 BC', -2_440_550, '-4712-01-01Z'],
    ['1582-10-10', -141_432, '1582-10-10Z'],
    ['1500-02-28', -171_606, '1500-02-28Z'],
    ['10000-01-01', 2_932_897, '+10000-01-01Z'],
    ['2000-02-29', 11_016, '2000-02-29Z'],
  ])('%s', (text, days, iso) => {
    expect(decoded({ type: 'date' }, text)).toBe(days)
    expect(decoded({ type: 'date', settings: mode('isostring') }, text)).toBe(iso)
  })

  it('a Connect Date is a Date, and beyond its range the days', () => {
    expect(decoded({ type: 'date', settings: mode('connect') }, '9999-12-31')).toEqual(new Date('9999-12-31T00:00:00Z'))
    expect(decoded({ type: 'date', settings: mode('connect') }, 'infinity')).toBe(-2_147_472_692)
  })
})

describe('timestamps far away', () => {
  it.each([
    ['0044-03-15 12:00:00 BC', -63_517_780_800_000_000n, -63_517_780_800_000n, '-0043-03-15T12:00:00Z'],
    ['0001-01-01 00:00:00', -62_135_596_800_000_000n, -62_135_596_800_000n, '0001-01-01T00:00:00Z'],
    ['9999-12-31 23:59:59.999999', 253_402_300_799_999_999n, 253_402_300_799_999n, '9999-12-31T23:59:59.999999Z'],
    ['4713-01-01 00:00:00 BC', -210_863_520_000_000_000n, -210_863_520_000_000n, '-4712-01-01T00:00:00Z'],
    ['10000-01-01 00:00:00', 253_402_300_800_000_000n, 253_402_300_800_000n, '+10000-01-01T00:00:00Z'],
    ['infinity', 9_223_372_036_854_775_807n, 9_223_372_036_854_775n, '+294247-01-10T04:00:54.775807Z'],
    ['-infinity', -9_223_372_036_854_775_808n, -9_223_372_036_854_776n, '-290308-12-21T19:59:05.224192Z'],
  ])('%s', (text, us, ms, iso) => {
    expect(decoded({ type: 'timestamp', settings: mode('microseconds') }, text)).toBe(us)
    expect(decoded({ type: 'timestamp', modifier: 3 }, text)).toBe(ms)
    expect(decoded({ type: 'timestamp', settings: mode('isostring') }, text)).toBe(iso)
  })

  const beyond = /^column c of type timestamp: a value that its schema cannot hold; choose another time\.precision\.mode, or leave/

  it('the last years of the server have milliseconds, but no 64 bits of microseconds', () => {
    const text = '294276-12-31 23:59:59.999999'
    expect(decoded({ type: 'timestamp', modifier: 3 }, text)).toBe(9_224_318_015_999_999n)
    expect(decoded({ type: 'timestamp', settings: mode('connect') }, text)).toBe(9_224_318_015_999_999n)
    // A null would be another value, also where it is allowed.
    for (const isOptional of [true, false]) expect(() => decoded({ type: 'timestamp', isOptional }, text)).toThrow(beyond)
  })

  it('nanoseconds reach from 1677 to 2262', () => {
    const nanos = { type: 'timestamp', settings: mode('nanoseconds') } as const
    expect(decoded(nanos, '1677-09-21 00:12:43.145225')).toBe(-9_223_372_036_854_775_000n)
    expect(() => decoded(nanos, '1677-09-21 00:12:43.145224')).toThrow(beyond)
    expect(decoded(nanos, '2262-04-11 23:47:16.854775')).toBe(9_223_372_036_854_775_000n)
    expect(() => decoded(nanos, '2262-04-11 23:47:16.854776')).toThrow(beyond)
    expect(decoded(nanos, 'infinity')).toBe(9_223_372_036_854_775_807n)
    expect(decoded(nanos, '-infinity')).toBe(-9_223_372_036_854_775_808n)
  })

  it('a Connect Timestamp is a Date, and beyond its range the milliseconds', () => {
    const connect = { type: 'timestamp', settings: mode('connect') } as const
    expect(decoded(connect, '1969-12-31 23:59:59.999999')).toEqual(new Date(-1))
    expect(decoded(connect, 'infinity')).toBe(9_223_372_036_854_775n)
  })
})

describe('moments with a zone', () => {
  it.each([
    ['infinity', 'infinity'],
    ['-infinity', '-infinity'],
    ['0044-03-15 12:00:00+00 BC', '-0043-03-15T12:00:00.000000Z'],
    ['294276-12-31 23:59:59.999999+00', '+294276-12-31T23:59:59.999999Z'],
    // A session that is not in UTC, and a zone of the time before zones.
    ['2024-01-01 00:30:00+01', '2023-12-31T23:30:00.000000Z'],
    ['1890-01-01 00:00:00-00:17:30', '1890-01-01T00:17:30.000000Z'],
  ])('%s', (text, iso) => expect(decoded({ type: 'timestamptz' }, text)).toBe(iso))

  it.each([
    [0, '2024-02-29T12:34:56Z'],
    [1, '2024-02-29T12:34:56.0Z'],
    [6, '2024-02-29T12:34:56.000000Z'],
  ])('precision %i shows as many digits', (modifier, iso) => {
    expect(decoded({ type: 'timestamptz', modifier }, '2024-02-29 12:34:56+00')).toBe(iso)
  })

  it.each([
    ['24:00:00+00', '24:00:00Z'],
    ['24:00:00-02', '02:00:00Z'],
    ['00:00:00.000001+15:59:59', '08:00:01.000001Z'],
  ])('time %s', (text, iso) => expect(decoded({ type: 'timetz' }, text)).toBe(iso))
})

describe('text that is no moment', () => {
  const never: readonly [string, string][] = [
    ['date', '2024-2-29'],
    ['date', '2024-02-29x'],
    ['date', '12-02-29'],
    ['date', '2024-13-01'],
    ['date', 'infinite'],
    ['date', ''],
    ['time', '12:34'],
    ['time', '25:00:00'],
    ['time', '12:34:56.'],
    ['time', '12:34:56.1234567'],
    ['timestamp', '2024-02-29T12:34:56'],
    ['timestamp', '2024-02-29 12:34:56+00'],
    ['timestamp', '2024-02-29 '],
    ['timestamptz', '2024-02-29 12:34:56'],
    ['timestamptz', '2024-02-29 12:34:56+0'],
    ['timestamptz', '2024-02-29 12:34:56+00:0'],
    ['timetz', '12:34:56'],
  ]
  it.each(never)('%s %s', (type, text) => {
    expect(() => decode(codecOf({ type })!, text)).toThrow(
      new RegExp(`^column c of type ${type}: the server sent ${text.length} bytes that are no value`),
    )
  })
})
