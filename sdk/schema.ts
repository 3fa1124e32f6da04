/**
 * @module sdk/schema — the shapes of record values: Connect's twelve types, plain frozen objects compared by content.
 *
 * ```ts
 * const user = struct({ id: int64(), name: string(), seen: timestamp({ optional: true }) }, { name: 'com.example.User' })
 * ```
 * Source: `org.apache.kafka.connect.data.Schema`, and its logical types Decimal, Date, Time, Timestamp.
 */

/** A value's type, as it stands in JSON schemas. */
export type SchemaType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'array'
  | 'map'
  | 'struct'

/** What a schema may say beside its type. */
export interface SchemaOptions {
  /** Whether null is a value. Default false. */
  readonly optional?: boolean
  /** A logical type (`org.apache.kafka.connect.data.Decimal`, `io.debezium.time.Timestamp`) or the name of a struct. */
  readonly name?: string
  readonly version?: number
  readonly doc?: string
  /** Taken where a value is absent or null; undefined: there is none. */
  readonly default?: unknown
  readonly parameters?: Readonly<Record<string, string>>
}

/** A shape. `fields` is there for a struct, `valueSchema` for an array and a map, `keySchema` for a map. Never changed once made. */
export interface Schema extends SchemaOptions {
  readonly type: SchemaType
  readonly fields?: readonly Field[]
  readonly keySchema?: Schema
  readonly valueSchema?: Schema
}

/** A member of a struct; its place in `fields` is its index. */
export interface Field {
  readonly name: string
  readonly schema: Schema
}

/** What schemas may be. Beyond: a DataError from who would have to go through them. */
export const schemaLimits = {
  /** Schemas inside each other. */
  levels: 100,
} as const

/** Names of Connect's own logical types. */
export const LogicalName = {
  Decimal: 'org.apache.kafka.connect.data.Decimal',
  Date: 'org.apache.kafka.connect.data.Date',
  Time: 'org.apache.kafka.connect.data.Time',
  Timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const

function primitive(type: SchemaType): (options?: SchemaOptions) => Schema {
  return (options = {}) => Object.freeze({ type, ...options })
}

/** 8 bits signed: a `number`. */
export const int8 = primitive('int8')
/** 16 bits signed: a `number`. */
export const int16 = primitive('int16')
/** 32 bits signed: a `number`. */
export const int32 = primitive('int32')
/** 64 bits signed: a `bigint`. */
export const int64 = primitive('int64')
/** A `number` rounded to 32 bits. */
export const float32 = primitive('float32')
/** A `number`. */
export const float64 = primitive('float64')
export const boolean = primitive('boolean')
export const string = primitive('string')
/** A `Uint8Array` (a `Buffer` where the engine made it). */
export const bytes = primitive('bytes')

/** A list; its values are arrays. */
export function array(valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'array', valueSchema, ...options })
}

/** Keys to values; its values are `Map`s. */
export function map(keySchema: Schema, valueSchema: Schema, options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'map', keySchema, valueSchema, ...options })
}

/** Named members in an order; its values are objects without a prototype, see `structOf`. */
export function struct(fields: Readonly<Record<string, Schema>> | readonly Field[], options: SchemaOptions = {}): Schema {
  const list: readonly Field[] = isFieldList(fields) ? fields : Object.entries(fields).map(([name, schema]) => ({ name, schema }))
  return Object.freeze({ type: 'struct', fields: Object.freeze([...list]), ...options })
}

function isFieldList(fields: Readonly<Record<string, Schema>> | readonly Field[]): fields is readonly Field[] {
  return Array.isArray(fields)
}

/** An exact decimal with `scale` digits behind the point; its values are `Decimal`s. */
export function decimal(scale: number, options: SchemaOptions = {}): Schema {
  const parameters = { scale: String(scale), ...options.parameters }
  return Object.freeze({ type: 'bytes', name: LogicalName.Decimal, version: 1, ...options, parameters })
}

/** A day; its values are `Date`s at midnight UTC. */
export function date(options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'int32', name: LogicalName.Date, version: 1, ...options })
}

/** A time of day to the millisecond; its values are `Date`s of 1970-01-01. */
export function time(options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'int32', name: LogicalName.Time, version: 1, ...options })
}

/** A moment to the millisecond; its values are `Date`s. */
export function timestamp(options: SchemaOptions = {}): Schema {
  return Object.freeze({ type: 'int64', name: LogicalName.Timestamp, version: 1, ...options })
}
