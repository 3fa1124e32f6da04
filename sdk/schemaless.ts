/**
 * @module sdk/schemaless — what plugin code gives without a schema, in its canonical form: a plain object becomes a map, a safe integer
 * a bigint (INT64), undefined null, at every depth. What is canonical already is not copied.
 */
import { isPassword } from './config-types.ts'
import { isLong } from './java-names.ts'
import { inside, kindOf, Misfit, valueDepthMax } from './misfit.ts'
import { isInteger } from './validate-value.ts'
import { isDecimal, isSized, type Sized, type Value } from './values.ts'

/** The canonical form. @throws Misfit for what no record can hold */
export function schemalessValue(value: unknown, depth = 0): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'bigint':
      if (!isLong(value)) throw new Misfit('a bigint beyond 64 bits has no form in a record; give a Decimal or a string')
      return value
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : schemalessObject(value, depth)
    default:
      throw new Misfit(`${kindOf(value)} has no form in a record`)
  }
}

function schemalessObject(value: object, depth: number): Value {
  if (value instanceof Uint8Array || isDecimal(value)) return value
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Misfit('an invalid Date has no form in a record')
    return value
  }
  if (isSized(value)) return unboxed(value)
  if (depth >= valueDepthMax) throw new Misfit(`nested deeper than ${valueDepthMax} levels; perhaps it contains itself`)
  if (Array.isArray(value)) return schemalessList(value, depth + 1)
  if (value instanceof Map) return schemalessMap(value, depth + 1)
  if (isPassword(value)) throw new Misfit('a secret has no place in a record; its text is in `.value`')
  // Rows of drivers are objects of their own classes; what has a tag of its own (Set, RegExp, Promise) would come out empty.
  if (Object.prototype.toString.call(value) !== '[object Object]') throw new Misfit(`${kindOf(value)} has no form in a record`)
  return mapOfObject(value, depth + 1)
}

function unboxed(sized: Sized): Value {
  // From here on a bare number is a FLOAT64, whole or not.
  if (sized.type === 'float64') return sized.value
  if (sized.type === 'float32') return sized
  const bits = { int8: 8, int16: 16, int32: 32 } as const
  if (!isInteger(sized.value, bits[sized.type])) throw new Misfit(`a Sized ${sized.type} holds what does not fit into it`)
  return sized
}

function schemalessList(list: readonly unknown[], depth: number): Value {
  let copy: Value[] | undefined
  for (let at = 0; at < list.length; at++) {
    try {
      const element = schemalessValue(list[at], depth)
      if (copy !== undefined) copy.push(element)
      else if (!Object.is(element, list[at])) copy = [...(list.slice(0, at) as Value[]), element]
    } catch (thrown) {
      throw inside(at, thrown)
    }
  }
  return copy ?? (list as readonly Value[])
}

function schemalessMap(map: ReadonlyMap<unknown, unknown>, depth: number): Value {
  const copy = new Map<Value, Value>()
  let isChanged = false
  for (const [key, entry] of map) {
    try {
      const [newKey, newEntry] = [schemalessValue(key, depth), schemalessValue(entry, depth)]
      isChanged ||= !Object.is(newKey, key) || !Object.is(newEntry, entry)
      copy.set(newKey, newEntry)
    } catch (thrown) {
      throw inside(stepOf(key), thrown)
    }
  }
  return isChanged ? copy : (map as ReadonlyMap<Value, Value>)
}

/** A map's key as a step of a path. */
export function stepOf(key: unknown): string {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' ? String(key) : `<${kindOf(key)}>`
}

function mapOfObject(object: object, depth: number): Value {
  const map = new Map<Value, Value>()
  for (const name of Object.keys(object)) {
    try {
      map.set(name, schemalessValue((object as Record<string, unknown>)[name], depth))
    } catch (thrown) {
      throw inside(name, thrown)
    }
  }
  return map
}
