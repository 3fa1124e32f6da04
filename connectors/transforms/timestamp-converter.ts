/**
 * @module transforms/timestamp-converter — turns timestamps from one form into another: texts, Unix numbers, Connect's Date, Time and
 * Timestamp. Upstream: `TimestampConverter$Key`, `TimestampConverter$Value`.
 */
import {
  ConfigException,
  type ConfigOf,
  type ConnectRecord,
  defineConfig,
  defineTransform,
  invalidValue,
  isStruct,
  oneOf,
  type Schema,
  type Struct,
  type Value,
} from '@millrace/sdk'
import { emptyStruct, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireStruct, withFields } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'
import { DatePatternError, type SimpleDateFormat, simpleDateFormat } from './simple-date-format/index.ts'
import {
  msOf,
  schemaOfType,
  type TimestampForms,
  type TimestampType,
  typeOfSchema,
  typeOfValue,
  UNIX_UNITS,
  valueOfMs,
} from './timestamp-types.ts'

const PURPOSE = 'converting timestamp formats'

const config = defineConfig({
  field: { type: 'STRING', default: '', importance: 'HIGH', documentation: 'The field to convert; without one, the whole key or value.' },
  'target.type': {
    type: 'STRING',
    validator: oneOf('string', 'unix', 'Date', 'Time', 'Timestamp'),
    importance: 'HIGH',
    documentation: 'What to make of it: string, unix, Date, Time or Timestamp.',
  },
  format: {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Pattern of java.text.SimpleDateFormat for texts that are read or made; texts are English, the zone is UTC.',
  },
  'unix.precision': {
    type: 'STRING',
    default: 'milliseconds',
    validator: oneOf('nanoseconds', 'microseconds', 'milliseconds', 'seconds'),
    importance: 'LOW',
    documentation: 'The unit of Unix numbers that are read or made.',
  },
  'replace.null.with.default': replaceNullWithDefault,
})

function formatOf(pattern: string, target: TimestampType): SimpleDateFormat | null {
  if (pattern.trim() === '') {
    if (target !== 'string') return null
    throw new ConfigException('TimestampConverter requires format option to be specified when using string timestamps')
  }
  try {
    return simpleDateFormat(pattern)
  } catch (error) {
    if (!(error instanceof DatePatternError)) throw error
    const name = `TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: ${pattern}`
    throw new ConfigException(invalidValue(name, `${error.className}: ${error.message}`))
  }
}

/** A value in the target form; `type` is its own form, undefined where only the value tells. */
type Convert = (value: Value, type: TimestampType | undefined) => Value

function converterTo(target: TimestampType, forms: TimestampForms): Convert {
  return (value, type) =>
    value === null ? null : valueOfMs(msOf(value, type ?? typeOfValue(value), forms), target, forms, type !== undefined)
}

/** A struct's schema with the field in its new form, and how to get there. */
interface ConvertedStruct {
  readonly schema: Schema
  readonly apply: (struct: Struct) => Struct
}

function convertedStruct(schema: Schema, name: string, target: TimestampType, convert: Convert, replacesNull: boolean): ConvertedStruct {
  const read = fieldReader(replacesNull)
  const fields = (schema.fields ?? []).map((field) => {
    return field.name === name ? { name, schema: schemaOfType(target, field.schema.optional === true) } : field
  })
  const apply = (struct: Struct): Struct => {
    const result = emptyStruct()
    for (const field of schema.fields ?? []) {
      const member = read(struct, field)
      result[field.name] = field.name === name ? convert(member, typeOfSchema(field.schema)) : member
    }
    return result
  }
  const kept = {
    ...(schema.optional === true ? { optional: true } : {}),
    ...(isStruct(schema.default) ? { default: apply(schema.default) } : {}),
  }
  return { schema: Object.freeze({ ...withFields(schema, fields), ...kept }), apply }
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const { field } = settings
  const target = settings['target.type'] as TimestampType
  const unix = UNIX_UNITS[settings['unix.precision'] as keyof typeof UNIX_UNITS]
  const convert = converterTo(target, { format: formatOf(settings.format, target), unix })
  const wholeSchema = cachedBySchema((schema) => schemaOfType(target, schema.optional === true))
  const structs = cachedBySchema((schema) => convertedStruct(schema, field, target, convert, settings['replace.null.with.default']))
  return (record) => {
    const value = side.valueOf(record)
    const schema = side.schemaOf(record)
    if (schema === null) {
      if (value === null || field === '') return side.replaced(record, null, convert(value, undefined))
      const map = new Map(requireMap(value, PURPOSE))
      map.set(field, convert(map.get(field) ?? null, undefined))
      return side.replaced(record, null, map)
    }
    if (field === '') return side.replaced(record, wholeSchema(schema), convert(value, typeOfSchema(schema)))
    const struct = value === null ? null : requireStruct(value, schema, PURPOSE)
    const converted = structs(schema)
    return side.replaced(record, converted.schema, struct === null ? null : converted.apply(struct))
  }
}

/** `org.apache.kafka.connect.transforms.TimestampConverter$Key` and `…$Value` */
export const [timestampConverterKey, timestampConverterValue] = bySide((side) =>
  defineTransform({
    ...names(`TimestampConverter$${side.name}`),
    documentation: `Converts a timestamp in the record's ${side.name.toLowerCase()} between texts, Unix numbers and Connect's types.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
