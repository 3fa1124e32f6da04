/**
 * @module transforms/replace-field — keeps, drops and renames the fields of a struct or a map. Upstream: `ReplaceField$Key`, `ReplaceField$Value`.
 */
import { type ConfigOf, type ConnectRecord, defineConfig, defineTransform, type Field, rule, type Schema, type Value } from '@millrace/sdk'
import { emptyStruct, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireName, requireStruct, withFields } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const PURPOSE = 'field replacement'

const config = defineConfig({
  exclude: {
    type: 'LIST',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Fields to drop; takes precedence over the fields to include.',
  },
  include: {
    type: 'LIST',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Fields to keep; when there are any, all others are dropped.',
  },
  renames: {
    type: 'LIST',
    default: '',
    validator: rule('list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>', (value) => wrongRename(value as readonly string[])),
    importance: 'MEDIUM',
    documentation: 'New names of fields, as pairs old:new.',
  },
  'replace.null.with.default': replaceNullWithDefault,
})

/** The two names of a pair; empty names at the end don't count, as in Java's split. */
function renameParts(pair: string): readonly string[] {
  return pair.replace(/:+$/, '').split(':')
}

function wrongRename(pairs: readonly string[]): string | undefined {
  const wrong = pairs.find((pair) => renameParts(pair).length !== 2)
  return wrong === undefined ? undefined : `Invalid rename mapping: ${wrong}`
}

interface Selection {
  readonly keeps: (name: string) => boolean
  /** undefined: the name stays. */
  readonly renames: ReadonlyMap<string, string>
}

function selectionOf(settings: ConfigOf<typeof config>): Selection {
  const exclude = new Set(settings.exclude)
  const include = new Set(settings.include)
  const pairs = settings.renames.map((pair) => renameParts(pair) as readonly [string, string])
  return { keeps: (name) => !exclude.has(name) && (include.size === 0 || include.has(name)), renames: new Map(pairs) }
}

/** A field that takes over the name of another one replaces it. */
function selectedEntries(map: ReadonlyMap<Value, Value>, { keeps, renames }: Selection): Map<Value, Value> {
  const selected = new Map<Value, Value>()
  const taken = new Set<string>()
  for (const [key, value] of map) {
    const name = requireName(key, PURPOSE)
    if (!keeps(name)) continue
    const renamed = renames.get(name)
    if (renamed !== undefined) taken.add(renamed)
    else if (taken.has(name)) continue
    selected.set(renamed ?? name, value)
  }
  return selected
}

interface Selected {
  readonly schema: Schema
  readonly sources: readonly Field[]
}

function selectedFields(schema: Schema, { keeps, renames }: Selection): Selected {
  const sources = (schema.fields ?? []).filter((field) => keeps(field.name))
  const fields = sources.map((field) => ({ name: renames.get(field.name) ?? field.name, schema: field.schema }))
  return { schema: withFields(schema, fields), sources }
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const selection = selectionOf(settings)
  const read = fieldReader(settings['replace.null.with.default'])
  const selectedOf = cachedBySchema((schema) => selectedFields(schema, selection))
  return (record) => {
    const value = side.valueOf(record)
    if (value === null) return record
    const schema = side.schemaOf(record)
    if (schema === null) return side.replaced(record, null, selectedEntries(requireMap(value, PURPOSE), selection))
    const struct = requireStruct(value, schema, PURPOSE)
    const selected = selectedOf(schema)
    const result = emptyStruct()
    selected.schema.fields?.forEach((field, at) => {
      const source = selected.sources[at]
      if (source !== undefined) result[field.name] = read(struct, source)
    })
    return side.replaced(record, selected.schema, result)
  }
}

/** `org.apache.kafka.connect.transforms.ReplaceField$Key` and `…$Value` */
export const [replaceFieldKey, replaceFieldValue] = bySide((side) =>
  defineTransform({
    ...names(`ReplaceField$${side.name}`),
    documentation: `Keeps, drops and renames fields of the record's ${side.name.toLowerCase()}.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
