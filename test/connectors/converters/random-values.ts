/** Random schemas and values that fit them, for properties. */
import fc from 'fast-check'
import {
  array,
  bytes,
  date,
  Decimal,
  decimal,
  type Field,
  map,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  struct,
  string,
  structOf,
  time,
  timestamp,
  type Value,
} from '../../../sdk/index.ts'

/** A schema and what fits it. */
export interface Sample {
  readonly schema: Schema
  readonly value: Value
}

const DAY_MS = 86_400_000
const text = fc.string({ unit: 'binary', maxLength: 12 })
const names = fc.oneof(text, fc.constantFrom('constructor', '__proto__', 'toString', '1', 'field'))

const plainValues: Readonly<Record<Exclude<SchemaType, 'array' | 'map' | 'struct' | 'string' | 'bytes'>, fc.Arbitrary<Value>>> = {
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  boolean: fc.boolean(),
}

const leaves = fc.oneof(
  fc.constantFrom(...(Object.keys(plainValues) as (keyof typeof plainValues)[])).map((type) => {
    return { schema: { type } satisfies Schema as Schema, values: plainValues[type] }
  }),
  fc.constant({ schema: string(), values: text as fc.Arbitrary<Value> }),
  fc.constant({ schema: bytes(), values: fc.uint8Array({ maxLength: 9 }).map((raw): Value => Buffer.from(raw)) }),
  fc.integer({ min: -3, max: 12 }).map((scale) => {
    const values = fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n }).map((unscaled): Value => new Decimal(unscaled, scale))
    return { schema: decimal(scale), values }
  }),
  fc.constant({ schema: date(), values: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(dateValue) }),
  fc.constant({ schema: time(), values: fc.integer({ min: 0, max: DAY_MS }).map((ms): Value => new Date(ms)) }),
  fc.constant({ schema: timestamp(), values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(timestampValue) }),
  fc.constant({ schema: timestamp(), values: fc.integer({ min: -4e12, max: 4e12 }).map((ms): Value => new Date(ms)) }),
)

function dateValue(days: number): Value {
  return Math.abs(days) > 1e8 ? days : new Date(days * DAY_MS)
}

function timestampValue(ms: bigint): Value {
  return ms > 8_640_000_000_000_000n || ms < -8_640_000_000_000_000n ? ms : new Date(Number(ms))
}

interface Shape {
  readonly schema: Schema
  readonly values: fc.Arbitrary<Value>
}

const options: fc.Arbitrary<SchemaOptions> = fc.record(
  { optional: fc.constant(true), version: fc.integer({ min: 1, max: 9 }), doc: text, parameters: fc.constant({ k: 'v' }) },
  { requiredKeys: [] },
)

function decorated(shape: Shape, extra: SchemaOptions): Shape {
  // A logical type's own version and parameters stay.
  const schema = Object.freeze({ ...extra, ...shape.schema })
  return { schema, values: extra.optional === true ? fc.option(shape.values, { freq: 4 }) : shape.values }
}

const shapes = fc.letrec<{ readonly shape: Shape }>((tie) => ({
  shape: fc
    .oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaves,
      tie('shape').map((inner): Shape => {
        return { schema: array(inner.schema), values: fc.array(inner.values, { maxLength: 3 }) }
      }),
      fc.tuple(leaves.filter(isKey), tie('shape')).map(([key, inner]): Shape => {
        const entries = fc.uniqueArray(fc.tuple(key.values, inner.values), {
          maxLength: 3,
          selector: ([name]) => name,
          comparator: 'SameValueZero',
        })
        return { schema: map(key.schema, inner.schema), values: entries.map((pairs) => new Map(pairs)) }
      }),
      fc.uniqueArray(fc.tuple(names, tie('shape')), { maxLength: 5, selector: ([name]) => name }).map((fields) => structShape(fields)),
    )
    .chain((shape) => options.map((extra) => decorated(shape, extra))),
})).shape

/** Keys that a Map finds again, and a float32 or float64 whose zero has no sign: a map has one zero. */
function isKey({ schema }: Shape): boolean {
  return schema.name === undefined && schema.type !== 'bytes' && !schema.type.startsWith('float')
}

function structShape(members: readonly (readonly [string, Shape])[]): Shape {
  // Kafka refuses a field without a name.
  const fields = members.map(([name, shape]): readonly [Field, Shape] => [
    { name: name === '' ? 'empty' : name, schema: shape.schema },
    shape,
  ])
  const unique = fields.filter(([{ name }], at) => fields.findIndex(([other]) => other.name === name) === at)
  const values = fc.tuple(...unique.map(([, shape]) => shape.values)).map((list) => {
    const value = structOf({}) as Record<string, Value>
    unique.forEach(([{ name }], at) => {
      value[name] = list[at] ?? null
    })
    return value
  })
  return { schema: struct(unique.map(([field]) => field)), values }
}

/** Any schema with a value. */
export const samples: fc.Arbitrary<Sample> = shapes.chain(({ schema, values }) => values.map((value) => ({ schema, value })))

/** Any value without a schema that reads back as itself. */
export const schemalessValues: fc.Arbitrary<Value> = fc.letrec<{ readonly value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof<fc.Arbitrary<Value>[]>(fc.constant(null), fc.boolean(), text, plainValues.int64, plainValues.float64),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((entries): Value => new Map(entries)),
  ),
})).value
