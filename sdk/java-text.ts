/**
 * @module sdk/java-text — a value as Java's `String.valueOf` prints it, for converters and sinks that write text as upstream does.
 *
 * One difference: bytes are base64, where Java prints the identity of the array (`[B@1b2c6ec2`), which is of no use to anybody.
 */
import { javaDecimalText, javaDoubleText, javaFloatText } from './java-numbers.ts'
import type { Schema } from './schema.ts'
import { isDecimal, isSized, type Value } from './values.ts'

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `null`, `42`, `1.0E10`, `[1, 2]`, `{a=1, b=2}`, `Struct{id=1,name=x}`, `Tue Jan 03 08:00:00 UTC 2017`. The schema tells numbers apart. */
export function javaText(schema: Schema | null | undefined, value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return numberText(schema, value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Date) return dateText(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  if (isDecimal(value)) return javaDecimalText(value)
  if (isSized(value)) return numberText({ type: value.type }, value.value)
  if (isList(value)) return `[${value.map((element) => javaText(schema?.valueSchema, element)).join(', ')}]`
  if (isMap(value)) {
    const entries = [...value].map(([key, entry]) => `${javaText(schema?.keySchema, key)}=${javaText(schema?.valueSchema, entry)}`)
    return `{${entries.join(', ')}}`
  }
  return structText(schema, value)
}

function numberText(schema: Schema | null | undefined, value: number): string {
  if (schema?.type === 'float32') return javaFloatText(value)
  return schema?.type.startsWith('int') === true ? String(value) : javaDoubleText(value)
}

/** Members that are null are left out, as `Struct.toString` does. */
function structText(schema: Schema | null | undefined, struct: Readonly<Record<string, Value>>): string {
  const fields = schema?.fields ?? Object.keys(struct).map((name) => ({ name, schema: undefined }))
  const members = fields.flatMap((field) => {
    const value = struct[field.name] ?? (field.schema?.default as Value | undefined) ?? null
    return value === null ? [] : [`${field.name}=${javaText(field.schema, value)}`]
  })
  return `Struct{${members.join(',')}}`
}

/** `java.util.Date.toString` in UTC. */
function dateText(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0')
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  return `${weekdays[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${two(date.getUTCDate())} ${clock} UTC ${date.getUTCFullYear()}`
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}
