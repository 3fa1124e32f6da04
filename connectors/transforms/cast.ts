/**
 * @module transforms/cast — fields, or the whole key or value, in other types. Upstream: `Cast$Key`, `Cast$Value`.
 */
import {
  type ConfigOf,
  type ConnectRecord,
  DataError,
  defineConfig,
  defineTransform,
  invalidValue,
  type Schema,
  shownValue,
  type Struct,
  type Validator,
  type Value,
} from '@millrace/sdk'
import { CAST_TARGETS, type CastTarget, castTo, typeList } from './cast-values.ts'
import { emptyStruct, type FieldReader, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireStruct, withFields } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const PURPOSE = 'cast types'
const OTHER_TYPES = ['bytes', 'array', 'map', 'struct']

/** One element of the list: `field:type`, or a type for all. */
interface CastSpec {
  readonly field: string | undefined
  readonly typeText: string
}

/** As Java's split, empty parts at the end don't count. */
function castSpec(text: string): CastSpec {
  const [first = '', second, ...more] = text.replace(/:+$/, '').split(':')
  if (more.length > 0) return { field: undefined, typeText: '' }
  return second === undefined ? { field: undefined, typeText: first.trim() } : { field: first.trim(), typeText: second.trim() }
}

const specRule: Validator = {
  text: 'list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>',
  check: (_name, value) => {
    const list = value as readonly string[] | null
    if (list === null || list.length === 0) return 'Must specify at least one field to cast.'
    const wrong = list.map((text) => wrongSpec(text, list)).find((message) => message !== undefined)
    if (wrong !== undefined) return wrong
    if (list.length === 1 || list.every((text) => castSpec(text).field !== undefined)) return undefined
    return 'Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec'
  },
}

function wrongSpec(text: string, list: readonly string[]): string | undefined {
  if (text.replace(/:+$/, '').split(':').length > 2) return invalidValue('renames', shownValue(list), `Invalid rename mapping: ${text}`)
  const { typeText } = castSpec(text)
  const type = typeText.toLowerCase()
  if ((CAST_TARGETS as readonly string[]).includes(type)) return undefined
  if (OTHER_TYPES.includes(type)) {
    return `Cast transformation does not support casting to ${type.toUpperCase()}; supported types are ${typeList(CAST_TARGETS)}`
  }
  const cause = `java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type.${typeText.toUpperCase()}`
  return invalidValue(`Invalid type found in casting spec: ${typeText}`, cause)
}

const config = defineConfig({
  spec: {
    type: 'LIST',
    validator: specRule,
    importance: 'HIGH',
    documentation:
      'Fields and their new types as field:type, or one type for the whole key or value: int8 to int64, float32, float64, boolean, string.',
  },
  'replace.null.with.default': replaceNullWithDefault,
})

type Casts = ReadonlyMap<string | undefined, CastTarget>

function castsOf({ spec }: ConfigOf<typeof config>): Casts {
  return new Map(spec.map(castSpec).map(({ field, typeText }) => [field, typeText.toLowerCase() as CastTarget]))
}

function optionalAndDefault(schema: Schema, target: CastTarget): Pick<Schema, 'optional' | 'default'> {
  const fallback = schema.default as Value | undefined
  return {
    ...(schema.optional === true ? { optional: true } : {}),
    ...(fallback === undefined || fallback === null ? {} : { default: castTo(schema, fallback, target) }),
  }
}

/** All that the schema says stays, except its type. */
function wholeSchema(schema: Schema, target: CastTarget): Schema {
  const {
    type: _type,
    fields: _fields,
    keySchema: _keySchema,
    valueSchema: _valueSchema,
    optional: _optional,
    default: _default,
    ...rest
  } = schema
  return Object.freeze({ ...rest, type: target, ...optionalAndDefault(schema, target) })
}

interface CastStruct {
  readonly schema: Schema
  readonly apply: (struct: Struct) => Struct
}

/** Fields that are cast lose name, doc and parameters. */
function castStruct(schema: Schema, casts: Casts, read: FieldReader): CastStruct {
  if (schema.type !== 'struct') throw new DataError('Cannot list fields on non-struct type')
  const fields = (schema.fields ?? []).map((field) => ({ field, target: casts.get(field.name) }))
  const cast = fields.map(({ field, target }) => {
    if (target === undefined) return field
    return { name: field.name, schema: Object.freeze({ type: target, ...optionalAndDefault(field.schema, target) }) }
  })
  const apply = (struct: Struct): Struct => {
    const result = emptyStruct()
    for (const { field, target } of fields) {
      const member = read(struct, field)
      result[field.name] = target === undefined ? member : castTo(field.schema, member, target)
    }
    return result
  }
  return { schema: Object.freeze({ ...withFields(schema, cast), ...(schema.optional === true ? { optional: true } : {}) }), apply }
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const casts = castsOf(settings)
  const whole = casts.get(undefined)
  const read = fieldReader(settings['replace.null.with.default'])
  const wholeSchemas = cachedBySchema((schema) => wholeSchema(schema, whole ?? 'string'))
  const structs = cachedBySchema((schema) => castStruct(schema, casts, read))
  return (record) => {
    const value = side.valueOf(record)
    if (value === null) return record
    const schema = side.schemaOf(record)
    if (whole !== undefined) {
      return side.replaced(record, schema === null ? null : wholeSchemas(schema), castTo(schema, value, whole))
    }
    if (schema === null) {
      const map = new Map(requireMap(value, PURPOSE))
      for (const [field, target] of casts) map.set(field ?? '', castTo(null, map.get(field ?? '') ?? null, target))
      return side.replaced(record, null, map)
    }
    const cast = structs(schema)
    return side.replaced(record, cast.schema, cast.apply(requireStruct(value, schema, PURPOSE)))
  }
}

/** `org.apache.kafka.connect.transforms.Cast$Key` and `…$Value` */
export const [castKey, castValue] = bySide((side) =>
  defineTransform({
    ...names(`Cast$${side.name}`),
    documentation: `Casts fields of the record's ${side.name.toLowerCase()}, or all of it, to other types.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
