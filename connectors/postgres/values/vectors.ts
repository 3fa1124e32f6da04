/**
 * @module connector-postgres/values/vectors — the types of the extension pgvector.
 *
 * Source: Debezium's DoubleVector, FloatVector and SparseDoubleVector.
 */
import { array, float32, float64, int16, map, struct, structMaker, type Value } from '@millrace/sdk'
import { doubleOf } from './floats.ts'
import { wholeNumber } from './integers.ts'
import { MalformedText, type TypeCodec, type TypeContext, UnrepresentableValue } from './type-codec.ts'
import { signed } from './unavailable.ts'

const COMMA = 0x2c

/** The codec of vector: `[1,2.5,3]` as doubles. */
export function vectorCodec(): TypeCodec {
  return { schema: array(float64(), { name: 'io.debezium.data.DoubleVector', version: 1 }), parse: numbersOf, fallback: [] }
}

/** The codec of halfvec: the same as floats. */
export function halfvecCodec(): TypeCodec {
  const parse = (bytes: Buffer, start: number, end: number): Value => numbersOf(bytes, start, end).map((value) => Math.fround(value))
  return { schema: array(float32(), { name: 'io.debezium.data.FloatVector', version: 1 }), parse, fallback: [] }
}

function numbersOf(bytes: Buffer, start: number, end: number): number[] {
  if (end - start < 2 || bytes[start] !== 0x5b || bytes[end - 1] !== 0x5d) throw new MalformedText()
  const numbers: number[] = []
  eachPart(bytes, start + 1, end - 1, (first, last) => numbers.push(doubleOf(bytes, first, last)))
  return numbers
}

function eachPart(bytes: Buffer, start: number, end: number, take: (start: number, end: number) => void): void {
  if (start === end) return
  let first = start
  for (let at = start; at <= end; at++) {
    if (at !== end && bytes[at] !== COMMA) continue
    take(first, at)
    first = at + 1
  }
}

/** The codec of sparsevec: `{1:1.5,3:2}/5`, indices and dimensions of 16 bits. */
export function sparsevecCodec({ isOptional, settings }: TypeContext): TypeCodec {
  const schema = struct(
    { dimensions: int16(), vector: map(int16(), float64()) },
    { name: 'io.debezium.data.SparseDoubleVector', version: 1, doc: 'Sparse double vector', ...(isOptional ? { optional: true } : {}) },
  )
  const make = structMaker(schema)
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    const slash = start + bytes.subarray(start, end).lastIndexOf('}/')
    if (bytes[start] !== 0x7b || slash <= start) throw new MalformedText()
    const vector = new Map<number, number>()
    eachPart(bytes, start + 1, slash, (first, last) => {
      const colon = bytes.indexOf(0x3a, first)
      if (colon < 0 || colon >= last) throw new MalformedText()
      vector.set(small(bytes, first, colon), doubleOf(bytes, colon + 1, last))
    })
    return make([small(bytes, slash + 2, end), vector])
  }
  const placeholder = settings.unavailablePlaceholder
  const unavailable = make([placeholder.length, new Map(Array.from(placeholder, (byte, index) => [index + 1, signed(byte)]))])
  return { schema, parse, fallback: make([0, new Map()]), unavailable }
}

function small(bytes: Buffer, start: number, end: number): number {
  const value = wholeNumber(bytes, start, end)
  if ((value << 16) >> 16 !== value) throw new UnrepresentableValue()
  return value
}
