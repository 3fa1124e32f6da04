/**
 * @module connector-postgres/values/contract — the types of this room. Types only.
 */
import type { Schema, Value } from '@millrace/sdk'

/** How values are shown; each key is Debezium's configuration key of the same meaning. */
export interface ValueSettings {
  /** `decimal.handling.mode`: numeric and money as exact decimals, as doubles, or as text. */
  readonly decimalMode: 'precise' | 'double' | 'string'
  /** `time.precision.mode`: the units of date, time and timestamp. */
  readonly timePrecisionMode: 'adaptive' | 'adaptive_time_microseconds' | 'connect' | 'isostring' | 'microseconds' | 'nanoseconds'
  /** `binary.handling.mode`. */
  readonly binaryMode: 'bytes' | 'base64' | 'base64-url-safe' | 'hex'
  /** `interval.handling.mode`: microseconds (a month is 30.4375 days), or ISO 8601 text. */
  readonly intervalMode: 'numeric' | 'string'
  /** `hstore.handling.mode`. */
  readonly hstoreMode: 'json' | 'map'
  /** `money.fraction.digits`. */
  readonly moneyFractionDigits: number
  /** `include.unknown.datatypes`: whether a type without a meaning of its own is given as the bytes of its text, instead of left out. */
  readonly includeUnknown: boolean
  /** `unavailable.value.placeholder` as bytes. */
  readonly unavailablePlaceholder: Buffer
}

/** Where a row comes from: a COPY of the table, or the replication stream. */
export type Phase = 'snapshot' | 'stream'

/** What makes values of a column out of their text. */
export interface ColumnCodec {
  /**
   * The schema of the values, without a default. `optional` is left to who builds the row's schema, save for structs (their values know
   * their schema by identity) and where Debezium calls a type optional whatever its column is (box, circle, line and their like).
   */
  readonly schema: Schema
  /**
   * The value whose text, in UTF-8 and in the form of the session settings of this connector, stands in `bytes[start … end)`. Nothing of
   * `bytes` is kept. null for NaN and the infinities as an exact decimal, in a column that may be null.
   * @throws FatalError that names column and type, for a text that is none of the type, and for a value that the schema cannot hold
   */
  decode(bytes: Buffer, start: number, end: number): Value
  /** In place of a TOASTed value that the change left as it was; undefined where the schema has no room for a placeholder. */
  readonly unavailable: Value | undefined
  /** In place of a value that is not known, in a column that is NOT NULL; null: the type has none. */
  readonly fallback: Value
}
