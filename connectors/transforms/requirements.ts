/**
 * @module transforms/requirements — what a transform needs a value to be, with the words of upstream's `Requirements` and `SchemaBuilder`.
 */
import { DataError, type Field, isStruct, javaClassOf, type Schema, type Struct, type Value } from '@millrace/sdk'

/** A struct. @throws DataError "Only Struct objects supported for [purpose], found: …" */
export function requireStruct(value: Value, schema: Schema, purpose: string): Struct {
  if (isStruct(value)) return value
  throw new DataError(`Only Struct objects supported for [${purpose}], found: ${javaClassOf(value, schema)}`)
}

/** A map without a schema. @throws DataError "Only Map objects supported in absence of schema for [purpose], found: …" */
export function requireMap(value: Value, purpose: string): ReadonlyMap<Value, Value> {
  if (value instanceof Map) return value
  throw new DataError(`Only Map objects supported in absence of schema for [${purpose}], found: ${javaClassOf(value)}`)
}

/** The name that a map's key is. @throws DataError (ClassCastException, as upstream) for keys that are no texts */
export function requireName(key: Value, purpose: string): string {
  if (typeof key === 'string') return key
  const message = `Only maps with String keys supported for [${purpose}], found: ${javaClassOf(key)}`
  throw new DataError(message, { className: 'java.lang.ClassCastException' })
}

/**
 * A struct's schema with other fields; name, version, doc and parameters stay. As upstream, what is made is neither optional nor has it a
 * default.
 * @throws DataError (SchemaBuilderException) for a field without a name and for two of one name
 */
export function withFields(schema: Schema, fields: readonly Field[]): Schema {
  return Object.freeze({
    type: 'struct',
    fields: distinct(fields),
    ...(schema.name === undefined ? {} : { name: schema.name }),
    ...(schema.version === undefined ? {} : { version: schema.version }),
    ...(schema.doc === undefined ? {} : { doc: schema.doc }),
    ...(schema.parameters === undefined ? {} : { parameters: schema.parameters }),
  })
}

/** Fields as a struct's schema can have them. */
export function distinct(fields: readonly Field[]): readonly Field[] {
  const seen = new Set<string>()
  for (const { name } of fields) {
    if (name === '') throw builderError('fieldName cannot be null.')
    if (seen.has(name)) throw builderError(`Cannot create field because of field name duplication ${name}`)
    seen.add(name)
  }
  return Object.freeze([...fields])
}

function builderError(message: string): DataError {
  return new DataError(message, { className: 'org.apache.kafka.connect.errors.SchemaBuilderException' })
}
