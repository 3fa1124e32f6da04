/**
 * @module sdk/java-names — the Java class that Kafka Connect would name for a value. Its messages speak of these, and tools match them.
 */
import type { Schema } from './schema.ts'
import { isDecimal, isSized, isStruct, type Sized } from './values.ts'

const sizedClasses: Record<Sized['type'], string> = {
  int8: 'java.lang.Byte',
  int16: 'java.lang.Short',
  int32: 'java.lang.Integer',
  float32: 'java.lang.Float',
  float64: 'java.lang.Double',
}

const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n

/** Whether a bigint has room in 64 bits. */
export function isLong(value: bigint): boolean {
  return value >= LONG_MIN && value <= LONG_MAX
}

/**
 * `java.lang.String`, `[B`, `org.apache.kafka.connect.data.Struct` …; `null` for null, `java.lang.Object` for what Java does not have.
 * A `number` is a Double unless `schema` says that whole numbers are meant: then it is the narrowest
 * class from the schema's up that holds it.
 */
export function javaClassOf(value: unknown, schema?: Schema | null): string {
  switch (typeof value) {
    case 'string':
      return 'java.lang.String'
    case 'boolean':
      return 'java.lang.Boolean'
    case 'bigint':
      return isLong(value) ? 'java.lang.Long' : 'java.math.BigInteger'
    case 'number':
      return numberClass(value, schema)
    case 'object':
      return value === null ? 'null' : objectClass(value)
    default:
      return value === undefined ? 'null' : 'java.lang.Object'
  }
}

const integerBits = { int8: 8, int16: 16, int32: 32 } as const

function numberClass(value: number, schema: Schema | null | undefined): string {
  const type = schema?.type
  if (type === 'float32') return 'java.lang.Float'
  if (type === undefined || !type.startsWith('int') || !Number.isInteger(value)) return 'java.lang.Double'
  for (const width of ['int8', 'int16', 'int32'] as const) {
    const isNarrower = type in integerBits && integerBits[width] < integerBits[type as keyof typeof integerBits]
    const limit = 2 ** (integerBits[width] - 1)
    if (!isNarrower && value >= -limit && value < limit) return sizedClasses[width]
  }
  return 'java.lang.Long'
}

function objectClass(value: object): string {
  if (isSized(value)) return sizedClasses[value.type]
  if (isDecimal(value)) return 'java.math.BigDecimal'
  if (value instanceof Date) return 'java.util.Date'
  if (value instanceof Uint8Array) return '[B'
  if (Array.isArray(value)) return 'java.util.ArrayList'
  if (value instanceof Map) return 'java.util.HashMap'
  return isStruct(value) ? 'org.apache.kafka.connect.data.Struct' : 'java.lang.Object'
}
