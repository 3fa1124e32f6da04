/**
 * @module connector-s3/formats/parquet-shredder — records as columns: one column per value in a schema that has none inside, with levels
 * that say how far a value is there (definition) and where a list goes on (repetition).
 *
 * A shredder is made once per schema. Lists and maps have the three levels of parquet-format's LogicalTypes (`list.element`,
 * `key_value.key` and `.value`), so that null, an empty list and a list of null are three things.
 * Source: Dremel (Melnik and others, 2010), and parquet-format.
 */
import { DataError, isStruct, javaClassOf, type Schema, type Struct, schemaLimits, schemaOfMade } from '@millrace/sdk'
import type { SchemaElement } from 'hyparquet-writer'
import type { Leaf, Physical } from './parquet-leaf.ts'
import { leafOf } from './parquet-logical.ts'

/** What was collected of one leaf of the schema. */
export interface Column {
  readonly path: readonly string[]
  readonly leaf: Leaf
  readonly isRequired: boolean
  readonly maxDefinition: number
  readonly maxRepetition: number
  /** A place for every value and for every null; levels only where there is more than one. */
  values: (Physical | null)[]
  definitions: number[]
  repetitions: number[]
  /** Whether a −0 is among the values, which a dictionary would take for 0. */
  hasNegativeZero: boolean
}

/** Takes records apart. */
export interface Shredder {
  /** The schema as it stands in the footer, each group before what is in it. */
  readonly elements: readonly SchemaElement[]
  readonly columns: readonly Column[]
  /** Rows since the last {@link clear}. */
  readonly rowCount: number
  /** Memory of what the columns hold, an estimate. */
  readonly byteCount: number
  /** Adds a record's value. @throws DataError for what is not of the schema; the columns are then as they were */
  add(value: unknown): void
  /** Empties the columns. */
  clear(): void
}

/** Memory of a place in a column: a reference, two levels, and what the reference leads to. */
const placeBytes = { slot: 24, number: 8, bigint: 24, text: 24, bytes: 96 } as const

/** Makes the shredder of a struct's schema. @throws DataError for a schema that Parquet has no form for */
export function createShredder(schema: Schema): Shredder {
  const plan = new Plan()
  const root = plan.group(schema, schema.name ?? 'record', { path: [], definition: 0, repetition: 0 }, undefined)
  return {
    elements: plan.elements,
    columns: plan.columns,
    get rowCount() {
      return plan.rowCount
    },
    get byteCount() {
      return plan.byteCount
    },
    add: (value) => plan.add(root, value),
    clear: () => plan.clear(),
  }
}

/** A part of the schema with what it does to its columns. */
interface Node {
  /** Takes a value that is not null. */
  present(value: unknown, repetition: number): void
  /** Notes in all columns below that there is none from this level on. */
  absent(definition: number, repetition: number): void
}

/** Where a node stands: levels of its parent. */
interface Place {
  readonly path: readonly string[]
  readonly definition: number
  readonly repetition: number
}

type Repetition = 'OPTIONAL' | 'REQUIRED' | undefined

class Plan {
  readonly elements: SchemaElement[] = []
  readonly columns: Column[] = []
  rowCount = 0
  byteCount = 0
  #marks: number[] = []

  add(root: Node, value: unknown): void {
    const bytesBefore = this.byteCount
    for (let at = 0; at < this.columns.length; at++) this.#marks[at] = this.columns[at]!.values.length
    try {
      if (value === null || value === undefined) throw new DataError('a record without a value')
      root.present(value, 0)
      this.rowCount++
    } catch (error) {
      for (const [at, column] of this.columns.entries()) truncate(column, this.#marks[at]!)
      this.byteCount = bytesBefore
      throw error
    }
  }

  clear(): void {
    this.rowCount = 0
    this.byteCount = 0
    for (const column of this.columns) {
      column.values = []
      column.definitions = []
      column.repetitions = []
      column.hasNegativeZero = false
    }
  }

  /** A node for a schema's values and, where it is optional or has a default, for null. */
  member(schema: Schema | undefined, name: string, parent: Place): Node {
    const path = [...parent.path, name]
    if (schema === undefined) throw new DataError(`${path.join('.')} has values of any type; Parquet needs a schema for each`)
    if (path.length > schemaLimits.levels * 2) throw new DataError(`a schema of more than ${schemaLimits.levels} levels`)
    const isOptional = schema.optional === true
    const place = { path, definition: parent.definition + (isOptional ? 1 : 0), repetition: parent.repetition }
    const node = this.#node(schema, name, place, isOptional ? 'OPTIONAL' : 'REQUIRED')
    return withNull(schema, node, parent.definition, path)
  }

  group(schema: Schema, name: string, place: Place, repetition: Repetition): Node {
    const fields = schema.fields ?? []
    if (fields.length === 0) {
      throw new DataError(`${nameOf(place.path)} is a struct without fields, which Parquet has no form for; use format.class=json`)
    }
    this.#element({ name, num_children: fields.length }, repetition)
    return structNode(
      schema,
      fields.map((field) => this.member(field.schema, field.name, place)),
      place.path,
    )
  }

  #node(schema: Schema, name: string, place: Place, repetition: Repetition): Node {
    switch (schema.type) {
      case 'struct':
        return this.group(schema, name, place, repetition)
      case 'array': {
        this.#element({ name, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } }, repetition)
        this.elements.push({ name: 'list', repetition_type: 'REPEATED', num_children: 1 })
        return listNode(this.member(schema.valueSchema, 'element', inside(place, 'list')), place)
      }
      case 'map': {
        this.#element({ name, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } }, repetition)
        this.elements.push({ name: 'key_value', repetition_type: 'REPEATED', num_children: 2 })
        const inner = inside(place, 'key_value')
        // A key is never null in Parquet; one that is all the same is refused as any null where none may be.
        const keySchema = schema.keySchema === undefined ? undefined : { ...schema.keySchema, optional: false }
        return mapNode(this.member(keySchema, 'key', inner), this.member(schema.valueSchema, 'value', inner), place)
      }
      default:
        return this.#leaf(leafOf(schema), name, place, repetition)
    }
  }

  #leaf(leaf: Leaf, name: string, { path, definition, repetition }: Place, repetitionType: Repetition): Node {
    const column: Column = {
      path,
      leaf,
      isRequired: repetitionType === 'REQUIRED',
      maxDefinition: definition,
      maxRepetition: repetition,
      values: [],
      definitions: [],
      repetitions: [],
      hasNegativeZero: false,
    }
    this.columns.push(column)
    this.#element({ name, ...leaf.annotation }, repetitionType)
    return leafNode(this, column)
  }

  #element(element: SchemaElement, repetition: Repetition): void {
    this.elements.push(repetition === undefined ? element : { ...element, repetition_type: repetition })
  }
}

function inside(place: Place, group: string): Place {
  return { path: [...place.path, group], definition: place.definition + 1, repetition: place.repetition + 1 }
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? 'the value' : path.join('.')
}

function truncate(column: Column, length: number): void {
  column.values.length = length
  if (column.maxDefinition > 0) column.definitions.length = length
  if (column.maxRepetition > 0) column.repetitions.length = length
}

/** As JsonConverter: null takes the default where there is one. */
function withNull(schema: Schema, node: Node, parentDefinition: number, path: readonly string[]): Node {
  const { default: fallback } = schema
  const hasDefault = fallback !== undefined && fallback !== null
  const isOptional = schema.optional === true
  return {
    present(value, repetition) {
      if (value !== null && value !== undefined) node.present(value, repetition)
      else if (hasDefault) node.present(fallback, repetition)
      else if (isOptional) node.absent(parentDefinition, repetition)
      else throw new DataError(`${path.join('.')} is null, which its schema does not allow`)
    },
    absent: (definition, repetition) => node.absent(definition, repetition),
  }
}

function structNode(schema: Schema, members: readonly Node[], path: readonly string[]): Node {
  const names = (schema.fields ?? []).map(({ name }) => name)
  const known = new Set(names)
  return {
    present(value, repetition) {
      if (!isStruct(value)) throw misfit('STRUCT', value, path)
      const isWhole = schemaOfMade(value) === schema || knownCount(value, known, path) === names.length
      for (let at = 0; at < names.length; at++) {
        const name = names[at]!
        members[at]!.present(isWhole || Object.hasOwn(value, name) ? value[name] : null, repetition)
      }
    },
    absent(definition, repetition) {
      for (const member of members) member.absent(definition, repetition)
    },
  }
}

function knownCount(struct: Struct, known: ReadonlySet<string>, path: readonly string[]): number {
  let count = 0
  for (const name in struct) {
    if (!known.has(name)) throw new DataError(`the schema of ${nameOf(path)} has no field ${name}`)
    count++
  }
  return count
}

function listNode(element: Node, { path, definition, repetition: outer }: Place): Node {
  return {
    present(value, repetition) {
      if (!Array.isArray(value)) throw misfit('ARRAY', value, path)
      if (value.length === 0) element.absent(definition, repetition)
      for (let at = 0; at < value.length; at++) element.present(value[at], at === 0 ? repetition : outer + 1)
    },
    absent: (level, repetition) => element.absent(level, repetition),
  }
}

function mapNode(key: Node, value: Node, { path, definition, repetition: outer }: Place): Node {
  const absent = (level: number, repetition: number): void => {
    key.absent(level, repetition)
    value.absent(level, repetition)
  }
  return {
    present(map, repetition) {
      if (!(map instanceof Map)) throw misfit('MAP', map, path)
      if (map.size === 0) absent(definition, repetition)
      let level = repetition
      for (const [entryKey, entryValue] of map as ReadonlyMap<unknown, unknown>) {
        key.present(entryKey, level)
        value.present(entryValue, level)
        level = outer + 1
      }
    },
    absent,
  }
}

function leafNode(plan: Plan, column: Column): Node {
  const { leaf, path, maxDefinition, maxRepetition } = column
  const put = (value: Physical | null, definition: number, repetition: number): void => {
    column.values.push(value)
    if (maxDefinition > 0) column.definitions.push(definition)
    if (maxRepetition > 0) column.repetitions.push(repetition)
  }
  return {
    present(value, repetition) {
      let physical: Physical
      try {
        physical = leaf.convert(value)
      } catch (error) {
        throw error instanceof DataError ? new DataError(`${path.join('.')}: ${error.message}`, { cause: error }) : error
      }
      if (Object.is(physical, -0)) column.hasNegativeZero = true
      plan.byteCount += placeBytes.slot + bytesOf(physical)
      put(physical, maxDefinition, repetition)
    },
    absent(definition, repetition) {
      plan.byteCount += placeBytes.slot
      put(null, definition, repetition)
    },
  }
}

function bytesOf(value: Physical): number {
  switch (typeof value) {
    case 'bigint':
      return placeBytes.bigint
    case 'string':
      return placeBytes.text + value.length
    case 'object':
      return placeBytes.bytes + value.byteLength
    default:
      return placeBytes.number
  }
}

function misfit(type: string, value: unknown, path: readonly string[]): DataError {
  return new DataError(`${nameOf(path)}: Invalid type for ${type}: class ${javaClassOf(value)}`)
}
