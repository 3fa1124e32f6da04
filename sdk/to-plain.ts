/**
 * @module sdk/to-plain — values as plain data, for sinks that hand them to a driver or to `JSON.stringify`.
 *
 * | value | becomes |
 * |---|---|
 * | null, boolean, string, `number`, `Sized` | the same, without its box |
 * | `bigint` | `number` within ±(2^53−1), else its digits as a string: nothing is rounded, and `JSON.stringify` never throws |
 * | `Decimal` | its plain digits as a string |
 * | `Uint8Array` | base64 |
 * | `Date` | ISO 8601 in UTC, `2026-01-31T12:00:00.000Z` |
 * | list, struct | array, object |
 * | map | object where every key is a string, else an array of `[key, value]` as Kafka's JsonConverter writes it |
 */
import { isDecimal, isSized, type Value } from './values.ts'

/** What {@link toPlain} gives. NaN and the infinities stay numbers: `JSON.stringify` prints null for them. */
export type PlainValue = null | boolean | number | string | readonly PlainValue[] | { readonly [name: string]: PlainValue }

/** A value as plain data; see the module's table. */
export function toPlain(value: Value): PlainValue {
  if (typeof value === 'bigint') return plainBigint(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  if (isSized(value)) return value.value
  if (isDecimal(value)) return value.toString()
  if (isList(value)) return value.map(toPlain)
  if (isMap(value)) return plainMap(value)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toPlain(member)]))
}

function plainBigint(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function plainMap(map: ReadonlyMap<Value, Value>): PlainValue {
  const entries = [...map]
  return entries.every(([key]) => typeof key === 'string')
    ? Object.fromEntries(entries.map(([key, value]) => [key, toPlain(value)]))
    : entries.map(([key, value]) => [toPlain(key), toPlain(value)])
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}
