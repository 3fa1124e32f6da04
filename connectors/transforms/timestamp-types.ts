/**
 * @module transforms/timestamp-types — the five forms of a moment that TimestampConverter knows. In between all are milliseconds since 1970.
 */
import {
  DataError,
  date,
  int64,
  javaClassOf,
  LogicalName,
  type Schema,
  type SchemaOptions,
  string,
  time,
  timestamp,
  type Value,
} from '@millrace/sdk'
import type { SimpleDateFormat } from './simple-date-format/index.ts'

/** By the words of `target.type`. */
export type TimestampType = 'string' | 'unix' | 'Date' | 'Time' | 'Timestamp'

/** How texts and numbers are to be understood. */
export interface TimestampForms {
  /** null where none is configured: texts can be neither read nor made. */
  readonly format: SimpleDateFormat | null
  /** Units of a `unix` number in a millisecond, or milliseconds in a unit. */
  readonly unix: UnixUnit
}

export interface UnixUnit {
  readonly perMs: bigint
  readonly ms: bigint
}

/** By the words of `unix.precision`. */
export const UNIX_UNITS = {
  nanoseconds: { perMs: 1_000_000n, ms: 1n },
  microseconds: { perMs: 1000n, ms: 1n },
  milliseconds: { perMs: 1n, ms: 1n },
  seconds: { perMs: 1n, ms: 1000n },
} as const satisfies Record<string, UnixUnit>

const DAY_MS = 86_400_000n
const DATE_MS_MAX = 8_640_000_000_000_000n
const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

const makers: Readonly<Record<TimestampType, (options?: SchemaOptions) => Schema>> = {
  string,
  unix: int64,
  Date: date,
  Time: time,
  Timestamp: timestamp,
}

/** The schema of a form. */
export function schemaOfType(type: TimestampType, optional: boolean): Schema {
  return makers[type](optional ? { optional } : {})
}

/** The form that a schema says. @throws DataError (ConnectException) for others */
export function typeOfSchema(schema: Schema): TimestampType {
  switch (schema.name) {
    case LogicalName.Timestamp:
      return 'Timestamp'
    case LogicalName.Date:
      return 'Date'
    case LogicalName.Time:
      return 'Time'
  }
  if (schema.type === 'string') return 'string'
  if (schema.type === 'int64') return 'unix'
  const shown = schema.name === undefined ? schema.type.toUpperCase() : `${schema.name}:${schema.type.toUpperCase()}`
  throw new DataError(`Schema Schema{${shown}} does not correspond to a known timestamp type format`, {
    className: 'org.apache.kafka.connect.errors.ConnectException',
  })
}

/** The form that a value without a schema shows. */
export function typeOfValue(value: Value): TimestampType {
  if (value instanceof Date) return 'Timestamp'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'bigint') return 'unix'
  throw new DataError(`TimestampConverter does not support class ${javaClassOf(value)} objects as timestamps`)
}

/** A value of a form as milliseconds. @throws DataError for texts that are none of the format */
export function msOf(value: Value, type: TimestampType, forms: TimestampForms): bigint {
  if (value instanceof Date) return BigInt(value.getTime())
  if (typeof value === 'string' && type === 'string') return parsed(value, forms.format)
  if (typeof value === 'bigint') return type === 'unix' ? saturated((value * forms.unix.ms) / forms.unix.perMs) : value
  // Dates and times beyond what a Date holds are numbers of days or milliseconds.
  if (typeof value === 'number' && type === 'Date') return BigInt(value) * DAY_MS
  if (typeof value === 'number' && type === 'Time') return BigInt(value)
  throw new DataError(`Expected ${type} timestamp, but found ${javaClassOf(value)}`)
}

function parsed(text: string, format: SimpleDateFormat | null): bigint {
  // Upstream fails here without a word; the class stays.
  if (format === null) throw new DataError('A text cannot be a timestamp without format', { className: 'java.lang.NullPointerException' })
  const ms = format.parse(text)
  if (ms !== undefined) return ms
  const cause = format.unreadable === '' ? '' : `, whose letters ${format.unreadable} can only be shown`
  throw new DataError(`Could not parse timestamp: value (${text}) does not match pattern (${format.pattern})${cause}`)
}

/**
 * Milliseconds in a form. Days and times of day are what is left of them. A moment beyond what a Date holds is a number: of days for a Date
 * with a schema, else of milliseconds.
 */
export function valueOfMs(ms: bigint, type: TimestampType, forms: TimestampForms, hasSchema: boolean): Value {
  const timeOfDay = ((ms % DAY_MS) + DAY_MS) % DAY_MS
  switch (type) {
    case 'string':
      return forms.format?.format(ms) ?? null
    case 'unix':
      return saturated((ms * forms.unix.perMs) / forms.unix.ms)
    case 'Date':
      return dateOrNumber(ms - timeOfDay, hasSchema ? Number((ms - timeOfDay) / DAY_MS) : ms - timeOfDay)
    case 'Time':
      return new Date(Number(timeOfDay))
    case 'Timestamp':
      return dateOrNumber(ms, ms)
  }
}

function dateOrNumber(ms: bigint, beyond: Value): Value {
  return ms >= -DATE_MS_MAX && ms <= DATE_MS_MAX ? new Date(Number(ms)) : beyond
}

/** As Java's TimeUnit: what does not fit is the largest there is. */
function saturated(value: bigint): bigint {
  return value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : value
}
