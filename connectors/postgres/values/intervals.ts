/**
 * @module connector-postgres/values/intervals — interval, in the style that IntervalStyle `postgres` prints:
 * `1 year 2 mons -3 days +04:05:06.78`.
 *
 * Source: Debezium's MicroDuration (a month is 365.25 ÷ 12 days) and Interval.
 */
import { int64, string, type Value } from '@millrace/sdk'
import { infinitySign } from './moments.ts'
import { asciiText, MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

/** An interval's parts; each has its own sign. `timeUs` is hours, minutes and seconds. */
interface Interval {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly timeUs: bigint
}

const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)
/** 30.4375 days. */
const monthUs = 2_629_800_000_000n
const dayUs = 86_400_000_000n

/** The codec of interval. */
export function intervalCodec({ settings }: TypeContext): TypeCodec {
  if (settings.intervalMode === 'string') {
    const schema = string({ name: 'io.debezium.time.Interval', version: 1 })
    return { schema, parse: (bytes, start, end) => isoText(bytes, start, end), fallback: 'P0Y0M0DT0H0M0S' }
  }
  return { schema: int64({ name: 'io.debezium.time.MicroDuration', version: 1 }), parse: durationUs, fallback: 0n }
}

/** What 64 bits cannot hold is the largest or smallest they can, as a Java cast has it. */
function durationUs(bytes: Buffer, start: number, end: number): Value {
  const sign = infinitySign(bytes, start, end)
  if (sign !== 0) return sign > 0 ? int64Max : int64Min
  const { years, months, days, timeUs } = intervalOf(asciiText(bytes, start, end))
  const value = BigInt(years * 12 + months) * monthUs + BigInt(days) * dayUs + timeUs
  return value > int64Max ? int64Max : value < int64Min ? int64Min : value
}

function isoText(bytes: Buffer, start: number, end: number): string {
  if (infinitySign(bytes, start, end) !== 0) return asciiText(bytes, start, end)
  const { years, months, days, timeUs } = intervalOf(asciiText(bytes, start, end))
  const minutes = timeUs / 60_000_000n
  return `P${years}Y${months}M${days}DT${minutes / 60n}H${minutes % 60n}M${secondsText(timeUs % 60_000_000n)}S`
}

function secondsText(us: bigint): string {
  const magnitude = us < 0n ? -us : us
  const fraction = String(magnitude % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${us < 0n ? '-' : ''}${magnitude / 1_000_000n}${fraction === '' ? '' : `.${fraction}`}`
}

const PART = /^([+-]?\d{1,10}) (year|mon|day)s?(?: |$)/
const CLOCK = /^([+-]?)(\d{1,10}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/

function intervalOf(text: string): Interval {
  const parts = { year: 0, mon: 0, day: 0 }
  let rest = text
  for (let part = PART.exec(rest); part !== null; part = PART.exec(rest)) {
    parts[part[2] as keyof typeof parts] = Number(part[1])
    rest = rest.slice(part[0].length)
  }
  if (rest === '' && text === '') throw new MalformedText()
  return { years: parts.year, months: parts.mon, days: parts.day, timeUs: rest === '' ? 0n : clockUs(rest) }
}

function clockUs(text: string): bigint {
  const [whole, sign, hours = '', minutes = '', seconds = '', fraction = ''] = CLOCK.exec(text) ?? []
  if (whole === undefined) throw new MalformedText()
  const us = ((BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return sign === '-' ? -us : us
}
