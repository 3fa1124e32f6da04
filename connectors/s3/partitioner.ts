/** @module connector-s3/partitioner — the directory that a record goes to. Pure. */
import { DataError, isSized, LogicalName, type Schema, type SinkRecord, type Value } from '@millrace/sdk'
import type { PartitionerKind } from './class-names.ts'
import { fieldAt } from './field-path.ts'
import { compilePathFormat, type PathFormat } from './path-format.ts'
import type { TimeZone } from './time-zone.ts'

const HOUR_MS = 3_600_000
/** Milliseconds since 1970 that a date can have, a day less: local times must be dates too. */
const dateMsMax = 8.64e15 - 24 * HOUR_MS

/** What `partitioner.class` and the keys beside it say. */
export interface PartitionerSettings {
  readonly kind: PartitionerKind
  readonly fields: readonly string[]
  /** For time; daily and hourly have their own. */
  readonly durationMs: number
  readonly pathFormat: string
  readonly locale: string
  readonly zone: TimeZone
  readonly directoryDelim: string
}

/** Gives the path of a record; `timeMs` is its time where the partitioner goes by time. @throws DataError when it has none */
export type Partitioner = (record: SinkRecord, timeMs: number) => string

/** Whether a partitioner goes by time. */
export function goesByTime(kind: PartitionerKind): boolean {
  return kind === 'time' || kind === 'daily' || kind === 'hourly'
}

/** @throws PathFormatError for a path format that cannot be read */
export function createPartitioner(settings: PartitionerSettings): Partitioner {
  const { kind, fields, directoryDelim, durationMs, pathFormat } = settings
  const daily = ["'year'=YYYY", "'month'=MM", "'day'=dd"]
  switch (kind) {
    case 'default':
      return (record) => `partition=${record.originalPartition}`
    case 'field':
      return (record) => fields.map((field) => `${field}=${fieldText(record, field)}`).join(directoryDelim)
    case 'daily':
      return byTime(settings, 24 * HOUR_MS, daily.join(directoryDelim))
    case 'hourly':
      return byTime(settings, HOUR_MS, [...daily, "'hour'=HH"].join(directoryDelim))
    case 'time':
      return byTime(settings, durationMs, pathFormat.endsWith(directoryDelim) ? pathFormat.slice(0, -directoryDelim.length) : pathFormat)
  }
}

/** All times of one span of local time have the same path. */
function byTime({ locale, zone }: PartitionerSettings, durationMs: number, pattern: string): Partitioner {
  const format: PathFormat = compilePathFormat(pattern, locale, zone)
  let latestMs = Number.NaN
  let latestOffsetMs = Number.NaN
  let latestPath = ''
  return (_, timeMs) => {
    // Micro- or nanoseconds, most likely: a directory of the year 50,000,000 would help nobody.
    if (!(Math.abs(timeMs) <= dateMsMax)) throw new DataError(`the record's time, ${timeMs} ms since 1970, is beyond all dates`)
    const offsetMs = zone.offsetMs(timeMs)
    const spanMs = Math.max(Math.floor((timeMs + offsetMs) / durationMs) * durationMs, -dateMsMax)
    if (spanMs !== latestMs || offsetMs !== latestOffsetMs) {
      latestPath = format(spanMs, offsetMs)
      latestMs = spanMs
      latestOffsetMs = offsetMs
    }
    return latestPath
  }
}

function fieldText(record: SinkRecord, field: string): string {
  const { schema, value } = fieldAt(record, field)
  const text = textOf(value, schema)
  if (text === undefined) {
    throw new DataError(`field ${field} is of a type that makes no directory: text, whole numbers, booleans, dates and times do`)
  }
  return text
}

function textOf(value: Value, schema: Schema | null): string | undefined {
  if (value === null) return 'null'
  if (value instanceof Date) {
    const text = value.toISOString()
    if (schema?.name === LogicalName.Date) return text.slice(0, 10)
    return schema?.name === LogicalName.Time ? text.slice(11, -1) : text
  }
  if (isSized(value)) return value.type.startsWith('int') ? String(value.value) : undefined
  // Without a schema a number is a floating one.
  if (typeof value === 'number') return schema?.type.startsWith('int') === true ? String(value) : undefined
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : undefined
}
