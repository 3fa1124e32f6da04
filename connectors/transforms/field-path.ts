/**
 * @module transforms/field-path — names of fields, and paths to nested ones (KIP-821).
 *
 * V1: the text is the name of one field. V2: names joined by dots; a name that has dots stands in backticks (`` `a.b`.c ``), in which a
 * backtick before a dot is escaped by a backslash.
 */
import {
  ConfigException,
  type ConfigKey,
  type Field,
  fieldOf,
  isStruct,
  oneOfIgnoringCase,
  type Schema,
  type Struct,
  type Value,
} from '@millrace/sdk'
import type { FieldReader } from './field-values.ts'
import { requireMap, requireStruct } from './requirements.ts'

const PURPOSE = 'nested field access'

/** The key that says how paths are written. */
export const fieldSyntaxVersion = {
  type: 'STRING',
  default: 'V1',
  validator: oneOfIgnoringCase('V1', 'V2'),
  importance: 'HIGH',
  documentation:
    'How a field is named: V1, by its name; V2, by a path of names with dots between them, backticks around a name that has dots.',
} as const satisfies ConfigKey

/** Names from the outside in; at least one. */
export type FieldPath = readonly string[]

/** Reads a path. @throws ConfigException for a backtick without its partner */
export function fieldPath(text: string, version: string): FieldPath {
  if (version.toUpperCase() === 'V1' || text === '') return [text]
  const steps: string[] = []
  let from = 0
  while (from < text.length) {
    const { step, next } = text[from] === '`' ? quotedStep(text, from) : plainStep(text, from)
    steps.push(step)
    from = next
  }
  return text.endsWith('.') ? [...steps, ''] : steps
}

interface Taken {
  readonly step: string
  /** Behind the dot that ends the step. */
  readonly next: number
}

function plainStep(text: string, from: number): Taken {
  const dot = text.indexOf('.', from)
  return dot === -1 ? { step: text.slice(from), next: text.length } : { step: text.slice(from, dot), next: dot + 1 }
}

/** Only a backtick before a dot or at the end can close; others belong to the name. */
function quotedStep(text: string, from: number): Taken {
  let step = ''
  let start = from + 1
  for (let at = text.indexOf('`', start); at !== -1; at = text.indexOf('`', at + 1)) {
    const isLast = at === text.length - 1
    if (!isLast && text[at + 1] !== '.') continue
    if (text[at - 1] !== '\\') return { step: step + text.slice(start, at), next: at + 2 }
    if (isLast) break
    step += `${text.slice(start, at - 1)}\``
    start = at + 1
  }
  const remedy = `consider adding a backslash before backtick at position ${from} to escape it`
  throw new ConfigException(`Incomplete backtick pair in path: [${text}], ${remedy}`)
}

/** The fields along a path; undefined when one of them is not there. @throws DataError where a step leads into something that is no struct */
export function fieldsAlong(schema: Schema, path: FieldPath): readonly Field[] | undefined {
  const fields: Field[] = []
  let current = schema
  for (const step of path) {
    const field = fieldOf(current, step)
    if (field === undefined) return undefined
    fields.push(field)
    current = field.schema
  }
  return fields
}

/** The value at the end of these fields; null where something on the way is. */
export function structValueAt(struct: Struct, fields: readonly Field[], read: FieldReader): Value {
  let current: Value = struct
  for (const [at, field] of fields.entries()) {
    if (current === null) return null
    const holder: Struct = isStruct(current) ? current : requireStruct(current, fields[at - 1]?.schema ?? field.schema, PURPOSE)
    current = read(holder, field)
  }
  return current
}

/** The value at a path of maps; null where something on the way is missing or null. */
export function mapValueAt(map: ReadonlyMap<Value, Value>, path: FieldPath): Value {
  let current: Value = map
  for (const step of path) {
    if (current === null) return null
    current = requireMap(current, PURPOSE).get(step) ?? null
  }
  return current
}
