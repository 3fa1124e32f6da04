/**
 * @module connector-postgres/values/moments — date, time, timetz, timestamp, timestamptz in every `time.precision.mode`.
 *
 * Source: Debezium's logical types in `io.debezium.time`, and its conversions of infinity.
 */
import { date, int32, int64, type Schema, string, time, timestamp, type Value } from '@millrace/sdk'
import {
  dayUs,
  daysOfDate,
  isoDate,
  isoTime,
  isoTimestamp,
  type Moment,
  readTimestamp,
  readZonedTimestamp,
  timeOfDayUs,
  zonedTimeUs,
} from './calendar.ts'
import type { ValueSettings } from './contract.ts'
import { asciiText, type TypeCodec, type TypeContext, UnrepresentableValue } from './type-codec.ts'

const dayMs = 86_400_000
/** Beyond it no `Date` reaches (ECMA-262, time values). */
const dateRangeMs = 8.64e15
/** Days whose microseconds are exact in a double, and those whose milliseconds are, which the years from 287,396 on have more of. */
const exactDays = { us: 104_249, ms: 104_249_991 }

function named(make: (options: { name: string; version: number }) => Schema, name: string): Schema {
  return make({ name: `io.debezium.time.${name}`, version: 1 })
}

/** −1, 0 or 1: whether the text is `-infinity`, a date, `infinity`. */
export function infinitySign(bytes: Buffer, start: number, end: number): -1 | 0 | 1 {
  // The y that both end with is in no date.
  if (bytes[end - 1] !== 0x79) return 0
  const text = asciiText(bytes, start, end)
  return text === 'infinity' ? 1 : text === '-infinity' ? -1 : 0
}

/** Debezium's days of infinity: those of the dates that its JDBC driver has for it, the last and the first that fit in 32 bits of days. */
const infinityDays = { positive: -2_147_472_692, negative: -2_147_472_691 }

function readDays(bytes: Buffer, start: number, end: number): number {
  const sign = infinitySign(bytes, start, end)
  return sign === 0 ? daysOfDate(bytes, start, end) : sign > 0 ? infinityDays.positive : infinityDays.negative
}

/** The codec of date. */
export function dateCodec({ settings }: TypeContext): TypeCodec {
  switch (settings.timePrecisionMode) {
    case 'isostring':
      return {
        schema: named(string, 'IsoDate'),
        parse: (bytes, start, end) => `${isoDate(readDays(bytes, start, end))}Z`,
        fallback: '1970-01-01Z',
      }
    case 'connect':
      return { schema: date(), parse: (bytes, start, end) => connectDate(readDays(bytes, start, end)), fallback: new Date(0) }
    default:
      return { schema: named(int32, 'Date'), parse: readDays, fallback: 0 }
  }
}

function connectDate(days: number): Date | number {
  return Math.abs(days) * dayMs > dateRangeMs ? days : new Date(days * dayMs)
}

/** The codec of time. A fraction finer than the unit is cut. */
export function timeCodec({ modifier, settings }: TypeContext): TypeCodec {
  switch (settings.timePrecisionMode) {
    case 'isostring':
      // 24:00:00 is midnight here, as upstream has it.
      return {
        schema: named(string, 'IsoTime'),
        parse: (bytes, start, end) => isoTime(timeOfDayUs(bytes, start, end) % dayUs),
        fallback: '00:00:00Z',
      }
    case 'connect':
      return {
        schema: time(),
        parse: (bytes, start, end) => new Date(Math.floor(timeOfDayUs(bytes, start, end) / 1000)),
        fallback: new Date(0),
      }
    case 'nanoseconds':
      return { schema: named(int64, 'NanoTime'), parse: (bytes, start, end) => BigInt(timeOfDayUs(bytes, start, end) * 1000), fallback: 0n }
    case 'adaptive':
      if (modifier >= 0 && modifier <= 3)
        return {
          schema: named(int32, 'Time'),
          parse: (bytes, start, end) => Math.floor(timeOfDayUs(bytes, start, end) / 1000),
          fallback: 0,
        }
      break
    case 'adaptive_time_microseconds':
    case 'microseconds':
      break
  }
  return { schema: named(int64, 'MicroTime'), parse: (bytes, start, end) => BigInt(timeOfDayUs(bytes, start, end)), fallback: 0n }
}

/** The codec of timetz: the time of day in UTC. */
export function zonedTimeCodec(): TypeCodec {
  return { schema: named(string, 'ZonedTime'), parse: zonedTimeText, fallback: '00:00:00Z' }
}

function zonedTimeText(bytes: Buffer, start: number, end: number): string {
  // The end of the day at offset 0 is kept apart from its beginning.
  if (end - start === 11 && bytes[start] === 0x32 && bytes[start + 1] === 0x34 && asciiText(bytes, start, end) === '24:00:00+00')
    return '24:00:00Z'
  return isoTime(zonedTimeUs(bytes, start, end))
}

/** The codec of timestamptz: the moment in UTC with as many digits behind the point as the column has. */
export function zonedTimestampCodec({ modifier }: TypeContext): TypeCodec {
  const moment: Moment = { days: 0, timeUs: 0 }
  const fractionDigits = modifier < 0 ? 6 : modifier
  const parse = (bytes: Buffer, start: number, end: number): string => {
    if (infinitySign(bytes, start, end) !== 0) return asciiText(bytes, start, end)
    readZonedTimestamp(bytes, start, end, moment)
    return isoTimestamp(moment, fractionDigits)
  }
  return { schema: named(string, 'ZonedTimestamp'), parse, fallback: '1970-01-01T00:00:00Z' }
}

/** How one unit of timestamp is made: out of a moment, and for the infinities, which Debezium takes as the ends of 64 bits of microseconds. */
interface TimestampForm {
  readonly schema: Schema
  of(moment: Moment): Value
  readonly positiveInfinity: Value
  readonly negativeInfinity: Value
  readonly fallback: Value
}

const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)

function timestampForm({ timePrecisionMode }: ValueSettings, modifier: number): TimestampForm {
  switch (timePrecisionMode) {
    case 'connect':
      return {
        schema: timestamp(),
        of: connectTimestamp,
        positiveInfinity: 9_223_372_036_854_775n,
        negativeInfinity: -9_223_372_036_854_776n,
        fallback: new Date(0),
      }
    case 'isostring':
      return {
        schema: named(string, 'IsoTimestamp'),
        of: (moment) => isoTimestamp(moment, -1),
        positiveInfinity: '+294247-01-10T04:00:54.775807Z',
        negativeInfinity: '-290308-12-21T19:59:05.224192Z',
        fallback: '1970-01-01T00:00:00Z',
      }
    case 'nanoseconds':
      return {
        schema: named(int64, 'NanoTimestamp'),
        of: nanoseconds,
        positiveInfinity: int64Max,
        negativeInfinity: int64Min,
        fallback: 0n,
      }
    case 'adaptive':
    case 'adaptive_time_microseconds':
      if (modifier >= 0 && modifier <= 3) {
        return {
          schema: named(int64, 'Timestamp'),
          of: milliseconds,
          positiveInfinity: 9_223_372_036_854_775n,
          negativeInfinity: -9_223_372_036_854_776n,
          fallback: 0n,
        }
      }
      break
    case 'microseconds':
      break
  }
  return { schema: named(int64, 'MicroTimestamp'), of: microseconds, positiveInfinity: int64Max, negativeInfinity: int64Min, fallback: 0n }
}

function connectTimestamp(moment: Moment): Value {
  const ms = milliseconds(moment)
  const near = Number(ms)
  return Math.abs(near) > dateRangeMs ? ms : new Date(near)
}

function milliseconds({ days, timeUs }: Moment): bigint {
  const timeMs = Math.floor(timeUs / 1000)
  return days <= exactDays.ms ? BigInt(days * dayMs + timeMs) : BigInt(days) * BigInt(dayMs) + BigInt(timeMs)
}

function microseconds({ days, timeUs }: Moment): bigint {
  if (days <= exactDays.us && days >= -exactDays.us) return BigInt(days * dayUs + timeUs)
  return within64Bits(BigInt(days) * BigInt(dayUs) + BigInt(timeUs))
}

function nanoseconds({ days, timeUs }: Moment): bigint {
  return within64Bits((BigInt(days) * BigInt(dayUs) + BigInt(timeUs)) * 1000n)
}

function within64Bits(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new UnrepresentableValue()
  return value
}

/** The codec of timestamp. */
export function timestampCodec({ modifier, settings }: TypeContext): TypeCodec {
  const form = timestampForm(settings, modifier)
  const moment: Moment = { days: 0, timeUs: 0 }
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    const sign = infinitySign(bytes, start, end)
    if (sign !== 0) return sign > 0 ? form.positiveInfinity : form.negativeInfinity
    readTimestamp(bytes, start, end, moment)
    return form.of(moment)
  }
  return { schema: form.schema, parse, fallback: form.fallback }
}
