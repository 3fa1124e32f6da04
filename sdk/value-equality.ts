/**
 * @module sdk/value-equality — whether two values are the same by content, as Java's `equals` has it: NaN equals itself, 0.0 is not −0.0,
 * a number and a bigint are never equal, decimals of other scales differ.
 */
import { isDecimal, isSized, isStruct, type Value } from './values.ts'

/** Compares by content; order counts in lists and structs, not in maps. */
export function valuesEqual(a: Value | undefined, b: Value | undefined): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, at) => byte === b[at])
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime())
  if (isDecimal(a)) return isDecimal(b) && a.unscaled === b.unscaled && a.scale === b.scale
  if (isSized(a)) return isSized(b) && a.type === b.type && Object.is(a.value, b.value)
  if (isList(a)) return isList(b) && a.length === b.length && a.every((element, at) => valuesEqual(element, b[at]))
  if (isMap(a)) return isMap(b) && mapsEqual(a, b)
  if (!isStruct(a) || !isStruct(b)) return false
  const names = Object.keys(a)
  const others = Object.keys(b)
  return names.length === others.length && names.every((name, at) => name === others[at] && valuesEqual(a[name], b[name]))
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: Value): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}

function mapsEqual(a: ReadonlyMap<Value, Value>, b: ReadonlyMap<Value, Value>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    // Keys that are objects are found by content, not by identity.
    const partner = b.has(key) ? ([key, b.get(key)] as const) : [...b].find(([other]) => valuesEqual(key, other))
    if (partner === undefined || !valuesEqual(value, partner[1])) return false
  }
  return true
}
