/** @module connector-s3/time-source — when a record happened: `timestamp.extractor`. Pure. */
import { DataError, isDecimal, isSized, LogicalName, type SinkRecord } from '@millrace/sdk'
import type { ExtractorKind } from './class-names.ts'
import { type FieldValue, fieldAt } from './field-path.ts'
import { parseIsoTime } from './iso-time.ts'

/** Milliseconds since 1970 of a record; `nowMs` is the wall clock's. @throws DataError when the record does not tell */
export type TimeSource = (record: SinkRecord, nowMs: number) => number

/** Ticks per millisecond, or milliseconds per tick, of the int32 and int64 that are no milliseconds by themselves. */
const msOfTick: Readonly<Record<string, number>> = {
  'io.debezium.time.MicroTimestamp': 1 / 1_000,
  'io.debezium.time.NanoTimestamp': 1 / 1_000_000,
  'io.debezium.time.Date': 86_400_000,
  [LogicalName.Date]: 86_400_000,
}

/** The source that a kind names; `field` is for RecordField. */
export function timeSource(kind: ExtractorKind, field: string): TimeSource {
  if (kind === 'Wallclock') return (_, nowMs) => nowMs
  if (kind === 'RecordField') return (record) => timeOf(fieldAt(record, field), field)
  return ({ timestampMs }) => {
    if (timestampMs === null) throw new DataError('the record has no timestamp, which timestamp.extractor=Record needs')
    return timestampMs
  }
}

function timeOf({ schema, value }: FieldValue, field: string): number {
  const ms = msOf(schema?.name, value)
  if (ms === undefined || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15) {
    throw new DataError(`field ${field} holds no time that timestamp.extractor=RecordField can read`)
  }
  return ms
}

function msOf(logicalName: string | undefined, value: FieldValue['value']): number | undefined {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'string') return /^-?\d{1,19}$/.test(value) ? Number(value) : parseIsoTime(value)
  const number = isSized(value) ? value.value : isDecimal(value) ? Number(value.toString()) : value
  if (typeof number !== 'number' && typeof number !== 'bigint') return undefined
  const scale = logicalName !== undefined && Object.hasOwn(msOfTick, logicalName) ? msOfTick[logicalName] : undefined
  return Math.floor(Number(number) * (scale ?? 1))
}
