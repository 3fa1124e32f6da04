/** @module connector-s3/field-path — a field of a record's value by its name, through structs and maps. Pure. */
import { DataError, isStruct, type Schema, type SinkRecord, type Value } from '@millrace/sdk'

/** A field's value, and its schema where the record has one. */
export interface FieldValue {
  readonly schema: Schema | null
  readonly value: Value
}

/**
 * The field that `path` names (`user.address.city`) in a record's value. A field below something that is null is null.
 * @throws DataError when the value has no fields or not this one
 */
export function fieldAt(record: SinkRecord, path: string): FieldValue {
  let at: FieldValue = { schema: record.valueSchema, value: record.value }
  if (!hasMembers(at.value)) throw new DataError(`the value is neither a struct nor a map, so it has no field ${path}`)
  // A name that has a dot itself is taken as it stands.
  const whole = memberOf(at, path)
  if (whole !== undefined) return whole
  for (const name of path.split('.')) {
    const member = memberOf(at, name)
    if (member === undefined) throw new DataError(`the value has no field ${path}`)
    if (member.value === null) return { schema: member.schema, value: null }
    at = member
  }
  return at
}

function hasMembers(value: Value): boolean {
  return value instanceof Map || isStruct(value)
}

function memberOf({ schema, value }: FieldValue, name: string): FieldValue | undefined {
  if (value instanceof Map) {
    const map = value as ReadonlyMap<Value, Value>
    return map.has(name) ? { schema: schema?.valueSchema ?? null, value: map.get(name) ?? null } : undefined
  }
  if (!isStruct(value)) return undefined
  if (schema?.type !== 'struct') return Object.hasOwn(value, name) ? { schema: null, value: value[name] ?? null } : undefined
  const field = schema.fields?.find((candidate) => candidate.name === name)
  return field === undefined ? undefined : { schema: field.schema, value: value[name] ?? null }
}
