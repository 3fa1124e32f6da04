/**
 * @module connector-postgres/values/arrays — arrays: `{1,NULL,"a,\"b"}`, with `[0:1]=` before them where they do not begin at 1.
 *
 * Source: Debezium's rule of which array types are captured. Any element may be null; Debezium's schema forbids it for enums alone, and it
 * gives null for the whole array then.
 */
import { array, type Schema, type Value } from '@millrace/sdk'
import { bitsSchema } from './binary.ts'
import { endOfQuoted, unescaped } from './hstore.ts'
import { textOf } from './text.ts'
import { MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

const QUOTE = 0x22
const OPEN = 0x7b
const CLOSE = 0x7d

/** Elements of arrays that are not captured, whatever is configured. */
export const uncapturedElements: ReadonlySet<string> = new Set(['money', 'name', 'interval', 'varbit', 'xml', 'point', 'refcursor'])

/** The codec of an array. An array inside an array: its text where the elements are strings, else null, since the schema has one level. */
export function arrayCodec({ schema, parse: parseElement, unavailable }: TypeCodec, delimiter: string): TypeCodec {
  const items: Schema = schema.optional === true ? schema : Object.freeze({ ...schema, optional: true })
  const nested = items.type === 'string' ? textOf : () => null
  const separator = delimiter.charCodeAt(0)
  const parse = (bytes: Buffer, start: number, end: number): Value => elementsOf(bytes, start, end, separator, parseElement, nested)
  const isOwn = unavailable !== undefined && (items.type === 'struct' || items.type === 'map')
  return { schema: array(items), parse, fallback: [], ...(isOwn ? { unavailable: [unavailable] } : {}) }
}

/** bit[]: a column of this schema and always null, in Debezium and so here. It has no value for a column that is NOT NULL. */
export function bitArrayCodec({ modifier, isOptional }: TypeContext): TypeCodec | null {
  return isOptional && modifier > 1 ? { schema: bitsSchema(modifier), parse: () => null, fallback: null, unavailable: null } : null
}

type Parse = TypeCodec['parse']

function elementsOf(bytes: Buffer, start: number, end: number, separator: number, parse: Parse, nested: Parse): Value[] {
  let at = bytes[start] === 0x5b ? start + bytes.subarray(start, end).indexOf(0x3d) + 1 : start
  if (end - at < 2 || bytes[at] !== OPEN || bytes[end - 1] !== CLOSE) throw new MalformedText()
  const values: Value[] = []
  at++
  if (at === end - 1) return values
  for (;;) {
    const last = endOfElement(bytes, at, end - 1, separator)
    values.push(elementOf(bytes, at, last, parse, nested))
    if (last === end - 1) return values
    at = last + 1
  }
}

/** The separator that ends the element at `start`, or `end`. @throws MalformedText for none, and for brackets that do not match */
function endOfElement(bytes: Buffer, start: number, end: number, separator: number): number {
  let depth = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfQuoted(bytes, at, end) - 1
    else if (byte === OPEN) depth++
    else if (byte === CLOSE && --depth < 0) throw new MalformedText()
    else if (byte === separator && depth === 0) return at
  }
  if (depth !== 0) throw new MalformedText()
  return end
}

function elementOf(bytes: Buffer, start: number, end: number, parse: Parse, nested: Parse): Value {
  const first = bytes[start]
  if (first === OPEN) return nested(bytes, start, end)
  if (first === QUOTE) {
    if (endOfQuoted(bytes, start, end) !== end) throw new MalformedText()
    const inner = unescaped(bytes, start, end)
    return parse(inner, 0, inner.length)
  }
  if (start === end) throw new MalformedText()
  return isNull(bytes, start, end) ? null : parse(bytes, start, end)
}

function isNull(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 4 && bytes[start] === 0x4e && bytes[start + 1] === 0x55 && bytes[start + 2] === 0x4c && bytes[start + 3] === 0x4c
}
