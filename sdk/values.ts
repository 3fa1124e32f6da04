/**
 * @module sdk/values — what a record's key, value and headers hold.
 *
 * | schema | value |
 * |---|---|
 * | int8, int16, int32 | `number` |
 * | int64 | `bigint` |
 * | float32, float64 | `number` |
 * | boolean, string | `boolean`, `string` |
 * | bytes | `Uint8Array` |
 * | array | array · map: `Map` · struct: {@link Struct} |
 * | Decimal | {@link Decimal} |
 * | Date, Time, Timestamp | `Date`; beyond its range (±8.64e15 ms) the number of the underlying type |
 *
 * Without a schema a `bigint` is an INT64, a `number` a FLOAT64, and a {@link Sized} says any other width. A plugin need not know:
 * where it gives a schemaless safe integer as `number` the engine takes it as INT64 ({@link float64Value} says otherwise), and a plain
 * object as a map.
 */

import type { Schema } from './schema.ts'

const SIZED = Symbol.for('millrace.Sized')
const DECIMAL = Symbol.for('millrace.Decimal')
/** Under it the prototype of what a `structMaker` makes has its schema. */
export const STRUCT_SCHEMA: unique symbol = Symbol.for('millrace.StructSchema')

/** What a key, a value or a header may be. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | Decimal
  | Sized
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | Struct

/**
 * A struct's value: nothing but its members, in the order of its schema; no prototype to look names up in. Made by {@link structOf}, and by
 * a `structMaker` where there are many of one schema.
 */
export interface Struct {
  readonly [field: string]: Value
}

/** A schemaless number of a width that JavaScript's own types don't tell. */
export class Sized {
  readonly type: 'int8' | 'int16' | 'int32' | 'float32' | 'float64'
  readonly value: number

  constructor(type: Sized['type'], value: number) {
    this.type = type
    this.value = value
  }

  get [SIZED](): true {
    return true
  }

  valueOf(): number {
    return this.value
  }
}

/** Whether a value is a {@link Sized}, also one of another copy of this package. */
export function isSized(value: unknown): value is Sized {
  return typeof value === 'object' && value !== null && SIZED in value
}

/** A schemaless FLOAT64, where a plain safe integer would be taken as INT64. */
export function float64Value(value: number): Sized {
  return new Sized('float64', value)
}

/** Zeros that the scale of a Decimal may add to its digits in plain text: a few bytes of JSON can name a scale of two thousand million. */
const plainZerosMax = 10_000

/** An exact decimal: `unscaled` × 10^−`scale`. */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  get [DECIMAL](): true {
    return true
  }

  /** Plain digits, as Java's `BigDecimal.toPlainString`: `new Decimal(12345n, 2)` is `123.45`. Beyond a scale of ±10,000 `12345E-20000`. */
  toString(): string {
    const negative = this.unscaled < 0n
    const digits = String(negative ? -this.unscaled : this.unscaled)
    const sign = negative ? '-' : ''
    if (Math.abs(this.scale) > plainZerosMax) return `${sign}${digits}E${this.scale > 0 ? '-' : '+'}${Math.abs(this.scale)}`
    if (this.scale <= 0) return this.unscaled === 0n ? '0' : `${sign}${digits}${'0'.repeat(-this.scale)}`
    const padded = digits.padStart(this.scale + 1, '0')
    return `${sign}${padded.slice(0, -this.scale)}.${padded.slice(-this.scale)}`
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Whether a value is a {@link Decimal}, also one of another copy of this package. */
export function isDecimal(value: unknown): value is Decimal {
  return typeof value === 'object' && value !== null && DECIMAL in value
}

/** A {@link Struct} with these members in this order. */
export function structOf(members: Readonly<Record<string, Value>>): Struct {
  return Object.assign(Object.create(null) as Record<string, Value>, members)
}

/**
 * Whether a value has the shape of a {@link Struct}: an object without a prototype, a plain one (`{ ...struct, more }`), or one of a
 * `structMaker`.
 */
export function isStruct(value: unknown): value is Struct {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || schemaOfMade(value) !== undefined
}

/** The schema of a struct that a `structMaker` made (of any copy of this package); undefined for every other value. */
export function schemaOfMade(value: object): Schema | undefined {
  return (value as { readonly [STRUCT_SCHEMA]?: Schema })[STRUCT_SCHEMA]
}
