/**
 * @module test/golden/connect-values — the golden files' notation of schemas and values, and our own.
 *
 * | notation | value |
 * |---|---|
 * | null, true, "text", […] | the same |
 * | `$i8 $i16 $i32` | a `number` where the schema says this very type, else a `Sized` (so a value that doesn't fit its schema still shows) |
 * | `$i64` | a `bigint` |
 * | `$f32` | a `number` rounded to 32 bits where the schema is float32, else a `Sized` |
 * | `$f64` | a `number` where the schema is float64 or there is none, else a `Sized` |
 * | `$bytes` | a `Buffer` |
 * | `$decimal` | a `Decimal` |
 * | `$date` | a `Date`; beyond its range what sdk/values.ts says: days or milliseconds as number, a Timestamp's as bigint |
 * | `$bigint` | beyond 64 bits a `bigint`, else a {@link JavaObject} |
 * | `$java` | a {@link JavaObject} |
 * | `$map`, `$struct` | a `Map`, an object without a prototype |
 */
import { Decimal, type Field, isDecimal, isSized, LogicalName, type Schema, type SchemaType, Sized, type Value } from '../../sdk/index.ts'

/** Something that Connect's data knows no type for. Not a `Value`: cast where a test smuggles it in. */
export class JavaObject {
  readonly className: string
  readonly text: string

  constructor(className: string, text: string) {
    this.className = className
    this.text = text
  }
}

interface GoldenSchema {
  readonly type: SchemaType
  readonly optional?: boolean
  readonly name?: string
  readonly version?: number
  readonly doc?: string
  readonly default?: unknown
  readonly parameters?: Readonly<Record<string, string>>
  readonly fields?: readonly { readonly name: string; readonly schema: GoldenSchema }[]
  readonly keys?: GoldenSchema | null
  readonly values?: GoldenSchema | null
}

const DATE_MS_MAX = 8.64e15
const DAY_MS = 86_400_000n
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** A schema out of the notation; an array or map of anything has no `valueSchema`/`keySchema`. */
export function schemaFromGolden(json: unknown): Schema | null {
  if (json === null || json === undefined) return null
  const { type, fields, keys, values, default: fallback, ...options } = json as GoldenSchema
  const list = fields?.map((field): Field => ({ name: field.name, schema: schemaFromGolden(field.schema)! }))
  const bare: Schema = {
    type,
    ...(list === undefined ? {} : { fields: Object.freeze(list) }),
    ...(keys ? { keySchema: schemaFromGolden(keys)! } : {}),
    ...(values ? { valueSchema: schemaFromGolden(values)! } : {}),
    ...options,
  }
  return Object.freeze(fallback === undefined ? bare : { ...bare, default: valueFromGolden(bare, fallback) })
}

/** The notation of a schema: what is false, absent or empty is left out. */
export function schemaToGolden(schema: Schema | null): unknown {
  if (schema === null) return null
  return {
    type: schema.type,
    ...(schema.optional === true ? { optional: true } : {}),
    ...(schema.name === undefined ? {} : { name: schema.name }),
    ...(schema.version === undefined ? {} : { version: schema.version }),
    ...(schema.doc === undefined ? {} : { doc: schema.doc }),
    ...(schema.default === undefined ? {} : { default: valueToGolden(schema, schema.default) }),
    ...(schema.parameters === undefined || Object.keys(schema.parameters).length === 0 ? {} : { parameters: { ...schema.parameters } }),
    ...(schema.type === 'map' ? { keys: schemaToGolden(schema.keySchema ?? null) } : {}),
    ...(schema.type === 'map' || schema.type === 'array' ? { values: schemaToGolden(schema.valueSchema ?? null) } : {}),
    ...(schema.type === 'struct' ? { fields: (schema.fields ?? []).map((f) => ({ name: f.name, schema: schemaToGolden(f.schema) })) } : {}),
  }
}

/** A value out of the notation, in the form that goes with `schema`. */
export function valueFromGolden(schema: Schema | null, json: unknown): Value {
  if (json === null || typeof json === 'boolean' || typeof json === 'string') return json
  if (Array.isArray(json)) {
    const element = schema?.type === 'array' ? (schema.valueSchema ?? null) : null
    return json.map((item) => valueFromGolden(element, item))
  }
  const [[tag, content] = ['', null]] = Object.entries(json as Record<string, unknown>)
  const read = readers[tag]
  if (read === undefined) throw new Error(`no such value in the golden notation: ${JSON.stringify(json)}`)
  return read(schema, content)
}

const readers: Readonly<Record<string, (schema: Schema | null, content: unknown) => Value>> = {
  $i8: (schema, content) => sizedOrNumber(schema, 'int8', content as number),
  $i16: (schema, content) => sizedOrNumber(schema, 'int16', content as number),
  $i32: (schema, content) => sizedOrNumber(schema, 'int32', content as number),
  $i64: (_schema, content) => BigInt(content as string),
  $f32: (schema, content) => sizedOrNumber(schema, 'float32', Math.fround(Number(content))),
  $f64: (schema, content) => (schema === null ? Number(content) : sizedOrNumber(schema, 'float64', Number(content))),
  $bytes: (_schema, content) => Buffer.from(content as string, 'hex'),
  $decimal: (_schema, content) => {
    const { unscaled, scale } = content as { readonly unscaled: string; readonly scale: number }
    return new Decimal(BigInt(unscaled), scale)
  },
  $date: (schema, content) => dateOf(schema, BigInt(content as number)),
  $bigint: (_schema, content) => {
    const whole = BigInt(content as string)
    if (whole > INT64_MAX || whole < INT64_MIN) return whole
    return new JavaObject('java.math.BigInteger', String(content)) as unknown as Value
  },
  $java: (_schema, content) => new JavaObject(content as string, `${String(content)}@0`) as unknown as Value,
  $map: (schema, content) => {
    const isMap = schema?.type === 'map'
    const keys = isMap ? (schema.keySchema ?? null) : null
    const values = isMap ? (schema.valueSchema ?? null) : null
    return new Map((content as [unknown, unknown][]).map(([key, value]) => [valueFromGolden(keys, key), valueFromGolden(values, value)]))
  },
  $struct: (schema, content) => {
    const struct = Object.create(null) as Record<string, Value>
    for (const [name, value] of Object.entries(content as Record<string, unknown>)) {
      struct[name] = valueFromGolden(schema?.fields?.find((field) => field.name === name)?.schema ?? null, value)
    }
    return struct
  },
}

const dateNames: readonly (string | undefined)[] = [LogicalName.Date, LogicalName.Time, LogicalName.Timestamp]

function sizedOrNumber(schema: Schema | null, type: Sized['type'], value: number): number | Sized {
  return schema?.type === type && !dateNames.includes(schema.name) ? value : new Sized(type, value)
}

function dateOf(schema: Schema | null, ms: bigint): Value {
  if (Math.abs(Number(ms)) <= DATE_MS_MAX) return new Date(Number(ms))
  if (schema?.name === LogicalName.Date) return Number(ms / DAY_MS)
  return schema?.name === LogicalName.Time ? Number(ms) : ms
}

/**
 * A value in the notation, with its numbers in the shortest form. The files were written by a Java before 19, which printed some floats with
 * more digits than they need (JDK-4511638); expectations that are compared as notation go through here.
 */
export function shortestGolden(schema: Schema | null, json: unknown): unknown {
  return valueToGolden(schema, valueFromGolden(schema, json))
}

/** The notation of a value under its schema; maps are sorted by the text of their keys. Numbers are the shortest that name the value. */
export function valueToGolden(schema: Schema | null, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return numberToGolden(schema, value)
  if (typeof value === 'bigint') return bigintToGolden(schema, value)
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') }
  if (value instanceof Date) return { $date: value.getTime() }
  if (isDecimal(value)) return { $decimal: { unscaled: String(value.unscaled), scale: value.scale } }
  if (isSized(value)) return { [shortTags[value.type]]: value.type === 'float32' ? float32(value.value) : float(value.value) }
  if (value instanceof JavaObject) {
    return value.className === 'java.math.BigInteger' ? { $bigint: value.text } : { $java: value.className }
  }
  if (Array.isArray(value)) return value.map((item) => valueToGolden(schema?.type === 'array' ? (schema.valueSchema ?? null) : null, item))
  if (value instanceof Map) return mapToGolden(schema, value)
  const isStruct = Object.getPrototypeOf(value) === null || schema?.type === 'struct'
  if (!isStruct) return mapToGolden(schema, new Map(Object.entries(value)))
  const fields = schema?.fields ?? []
  const members = Object.entries(value).map(([name, member]) => {
    return [name, valueToGolden(fields.find((field) => field.name === name)?.schema ?? null, member)]
  })
  return { $struct: Object.fromEntries(members) }
}

const shortTags = { int8: '$i8', int16: '$i16', int32: '$i32', float32: '$f32', float64: '$f64' } as const

function numberToGolden(schema: Schema | null, value: number): unknown {
  // A number within Date's range that stands where a Date belongs does not fit its schema: shown as what it is.
  if (schema?.name === LogicalName.Date && Math.abs(value) > DATE_MS_MAX / Number(DAY_MS)) return { $date: Number(BigInt(value) * DAY_MS) }
  switch (schema?.type) {
    case 'int8':
    case 'int16':
    case 'int32':
      return { [shortTags[schema.type]]: value }
    case 'float32':
      return { $f32: float32(value) }
    default:
      return { $f64: float(value) }
  }
}

function bigintToGolden(schema: Schema | null, value: bigint): unknown {
  // The golden files hold such dates as bare digits, which JSON.parse rounds: the same rounding here.
  if (schema?.name === LogicalName.Timestamp && Math.abs(Number(value)) > DATE_MS_MAX) return { $date: Number(value) }
  return value > INT64_MAX || value < INT64_MIN ? { $bigint: String(value) } : { $i64: String(value) }
}

function float(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** The shortest digits that name this 32-bit number, as Java prints it: at least two of them. */
function float32(value: number): number | string {
  if (!Number.isFinite(value)) return String(value)
  for (let digitCount = 2; digitCount < 9; digitCount++) {
    const short = Number(value.toPrecision(digitCount))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}

function mapToGolden(schema: Schema | null, value: ReadonlyMap<unknown, unknown>): unknown {
  const isMap = schema?.type === 'map'
  const keys = isMap ? (schema.keySchema ?? null) : null
  const values = isMap ? (schema.valueSchema ?? null) : null
  const entries = [...value].map(([key, item]): [string, unknown] => [
    keyText(key),
    [valueToGolden(keys, key), valueToGolden(values, item)],
  ])
  return { $map: entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, pair]) => pair) }
}

function keyText(key: unknown): string {
  return key instanceof Uint8Array ? Buffer.from(key).toString('hex') : String(key)
}
