/**
 * @module transforms/flatten — makes nested structs or maps one flat struct or map, with joined names. Upstream: `Flatten$Key`, `Flatten$Value`.
 */
import {
  type ConfigOf,
  type ConnectRecord,
  DataError,
  defineConfig,
  defineTransform,
  type Field,
  isStruct,
  javaClassOf,
  type Schema,
  type Struct,
  type Value,
} from '@millrace/sdk'
import { emptyStruct, type FieldReader, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireName, requireStruct, withFields } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const PURPOSE = 'flattening'

const config = defineConfig({
  delimiter: {
    type: 'STRING',
    default: '.',
    importance: 'MEDIUM',
    documentation: 'What stands between the names of outer and inner fields.',
  },
  'replace.null.with.default': replaceNullWithDefault,
})

/** A field that holds no struct, and the way to it. */
interface Leaf {
  readonly flat: Field
  readonly path: readonly Field[]
}

/** What the structs around a field say about it. */
interface Around {
  readonly prefix: string
  readonly path: readonly Field[]
  /** One of them may be null. */
  readonly optional: boolean
  /** Their default, of which the field's is a part. */
  readonly fallback: Struct | undefined
}

function leavesOf(schema: Schema, around: Around, delimiter: string): readonly Leaf[] {
  return (schema.fields ?? []).flatMap((field): readonly Leaf[] => {
    const name = around.path.length === 0 ? field.name : around.prefix + delimiter + field.name
    const path = [...around.path, field]
    const optional = around.optional || field.schema.optional === true
    const fallback = (field.schema.default ?? around.fallback?.[field.name] ?? undefined) as Value | undefined
    if (field.schema.type === 'map') {
      throw new DataError(`Flatten transformation does not support MAP for record with schemas (for field ${name}).`)
    }
    if (field.schema.type === 'struct') {
      const inner = isStruct(fallback) ? fallback : undefined
      return leavesOf(field.schema, { prefix: name, path, optional, fallback: inner }, delimiter)
    }
    return [{ flat: { name, schema: leafSchema(field.schema, optional, fallback) }, path }]
  })
}

function leafSchema(schema: Schema, optional: boolean, fallback: Value | undefined): Schema {
  const { optional: _optional, default: _default, ...rest } = schema
  return Object.freeze({ ...rest, ...(optional ? { optional } : {}), ...(fallback === undefined ? {} : { default: fallback }) })
}

/** A field in a struct that is null is null, whatever its default; the defaults of structs on the way don't count either. */
function valueAt(struct: Struct, path: readonly Field[], read: FieldReader): Value {
  let current = struct
  for (const [at, field] of path.entries()) {
    if (at === path.length - 1) return read(current, field)
    const inner = current[field.name]
    if (!isStruct(inner)) return null
    current = inner
  }
  return null
}

function flattenMap(map: ReadonlyMap<Value, Value>, prefix: string, delimiter: string, flat: Map<Value, Value>): void {
  for (const [key, value] of map) {
    const own = requireName(key, PURPOSE)
    const name = prefix === '' ? own : prefix + delimiter + own
    if (value instanceof Map) flattenMap(value, name, delimiter, flat)
    else flat.set(name, supported(value))
  }
}

const unsupported = ['java.util.Date', 'java.math.BigDecimal', 'java.math.BigInteger', 'java.lang.Object']

function supported(value: Value): Value {
  const className = javaClassOf(value)
  if (!unsupported.includes(className)) return value
  throw new DataError(`Flatten transformation was passed a value of type class ${className} which is not supported by Connect's data API`)
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const { delimiter } = settings
  const read = fieldReader(settings['replace.null.with.default'])
  const flattened = cachedBySchema((schema) => {
    const fallback = isStruct(schema.default) ? schema.default : undefined
    const leaves = leavesOf(schema, { prefix: '', path: [], optional: schema.optional === true, fallback }, delimiter)
    return {
      leaves,
      schema: withFields(
        schema,
        leaves.map((leaf) => leaf.flat),
      ),
    }
  })
  return (record) => {
    const value = side.valueOf(record)
    if (value === null) return record
    const schema = side.schemaOf(record)
    if (schema === null) {
      const flat = new Map<Value, Value>()
      flattenMap(requireMap(value, PURPOSE), '', delimiter, flat)
      return side.replaced(record, null, flat)
    }
    const struct = requireStruct(value, schema, PURPOSE)
    const made = flattened(schema)
    const result = emptyStruct()
    for (const { flat, path } of made.leaves) result[flat.name] = valueAt(struct, path, read)
    return side.replaced(record, made.schema, result)
  }
}

/** `org.apache.kafka.connect.transforms.Flatten$Key` and `…$Value` */
export const [flattenKey, flattenValue] = bySide((side) =>
  defineTransform({
    ...names(`Flatten$${side.name}`),
    documentation: `Makes the nested structs or maps of the record's ${side.name.toLowerCase()} one flat struct or map.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
