/**
 * @module transforms/mask-field — puts an empty or a fixed value in the place of fields. Upstream: `MaskField$Key`, `MaskField$Value`.
 */
import {
  type ConfigOf,
  type ConnectRecord,
  DataError,
  Decimal,
  defineConfig,
  defineTransform,
  isSized,
  javaClassOf,
  nonEmptyString,
  parseType,
  type Schema,
  Sized,
  type Value,
} from '@millrace/sdk'
import { wholeBits } from './decimal-bits.ts'
import { emptyStruct, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { distinctNames, nameList } from './name-list.ts'
import { requireMap, requireStruct } from './requirements.ts'
import { bySide, names, type Side } from './sides.ts'

const PURPOSE = 'mask fields'

const config = defineConfig({
  fields: nameList('Fields to mask.'),
  replacement: {
    type: 'STRING',
    default: null,
    validator: nonEmptyString,
    importance: 'LOW',
    documentation: 'What masked numbers and texts become; default: 0 and the empty text.',
  },
  'replace.null.with.default': replaceNullWithDefault,
})

/** Widths of the integers by Java's class names. */
const INTEGER_BITS: Readonly<Record<string, number>> = { 'java.lang.Byte': 8, 'java.lang.Short': 16, 'java.lang.Integer': 32 }

function emptyValue(value: Value, className: string): Value {
  if (isSized(value)) return new Sized(value.type, 0)
  if (className in INTEGER_BITS) return 0
  switch (className) {
    case 'java.lang.Float':
    case 'java.lang.Double':
      return 0
    case 'java.lang.Long':
    case 'java.math.BigInteger':
      return 0n
    case 'java.lang.Boolean':
      return false
    case 'java.lang.String':
      return ''
    case 'java.math.BigDecimal':
      return new Decimal(0n, 0)
    case 'java.util.Date':
      return new Date(0)
    case 'java.util.ArrayList':
      return []
    case 'java.util.HashMap':
      return new Map<Value, Value>()
    default:
      throw new DataError(`Cannot mask value of type: class ${className}`)
  }
}

function replacedValue(value: Value, className: string, text: string): Value {
  if (isSized(value)) {
    const bits = INTEGER_BITS[className]
    return new Sized(value.type, bits === undefined ? doubleOf(text, className) : Number(wholeNumberOf(text, bits)))
  }
  const bits = INTEGER_BITS[className]
  if (bits !== undefined) return Number(wholeNumberOf(text, bits))
  switch (className) {
    case 'java.lang.Float':
    case 'java.lang.Double':
      return doubleOf(text, className)
    case 'java.lang.Long':
      return wholeNumberOf(text, 64)
    case 'java.lang.String':
      return text
    case 'java.math.BigDecimal':
      return decimalOf(text) ?? refuse(text, 'number')
    case 'java.math.BigInteger':
      return /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : refuse(text, 'number')
    default:
      throw new DataError(`Cannot mask value of type class ${className} with custom replacement.`)
  }
}

function refuse(text: string, what: string): never {
  throw new DataError(`Unable to convert ${text} (class java.lang.String) to ${what}`)
}

/** `new BigDecimal(text)`; undefined where that throws. */
function decimalOf(text: string): Decimal | undefined {
  const match = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,10}))?$/.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', behind, onlyBehind, exponent = '0'] = match
  const fraction = behind ?? onlyBehind ?? ''
  const magnitude = BigInt(whole + fraction)
  return new Decimal(sign === '-' ? -magnitude : magnitude, fraction.length - Number(exponent))
}

/** The integer part's low bits, as Java narrows numbers. */
function wholeNumberOf(text: string, bits: number): bigint {
  return wholeBits(decimalOf(text) ?? refuse(text, 'a number'), bits)
}

function doubleOf(text: string, className: string): number {
  let parsed: number | null
  try {
    parsed = parseType('replacement', text, 'DOUBLE')
  } catch {
    parsed = null
  }
  if (parsed === null) refuse(text, 'a number')
  return className === 'java.lang.Float' ? Math.fround(parsed) : parsed
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const fields = distinctNames(settings.fields)
  const masks = new Set(fields)
  const { replacement } = settings
  const read = fieldReader(settings['replace.null.with.default'])
  const masked = (value: Value, schema: Schema | null): Value => {
    if (value === null) return null
    const className = javaClassOf(value, schema)
    return replacement === null ? emptyValue(value, className) : replacedValue(value, className, replacement)
  }
  return (record) => {
    const value = side.valueOf(record)
    const schema = side.schemaOf(record)
    if (schema === null) {
      const map = new Map(requireMap(value, PURPOSE))
      for (const name of fields) map.set(name, masked(map.get(name) ?? null, null))
      return side.replaced(record, null, map)
    }
    const struct = requireStruct(value, schema, PURPOSE)
    const result = emptyStruct()
    for (const field of schema.fields ?? []) {
      const member = read(struct, field)
      result[field.name] = masks.has(field.name) ? masked(member, field.schema) : member
    }
    return side.replaced(record, schema, result)
  }
}

/** `org.apache.kafka.connect.transforms.MaskField$Key` and `…$Value` */
export const [maskFieldKey, maskFieldValue] = bySide((side) =>
  defineTransform({
    ...names(`MaskField$${side.name}`),
    documentation: `Replaces the values of fields of the record's ${side.name.toLowerCase()} by empty ones, or by a fixed one.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
