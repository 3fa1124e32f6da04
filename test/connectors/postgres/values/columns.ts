/** @module test/connectors/postgres/values/columns — columns of types that no recording has. */
import type { PgType, TableColumn } from '../../../../connectors/postgres/model.ts'
import { type ColumnCodec, columnCodec, type ValueSettings } from '../../../../connectors/postgres/values/index.ts'
import { isDecimal, isStruct, type Value } from '../../../../sdk/index.ts'
import { decode, defaultSettings } from './rows.ts'

const ELEMENT_OID = 2
const COLUMN_OID = 1

/** What is said of a column: its type's name with `[]` for an array; the rest is as in most columns. */
export interface ColumnFacts {
  readonly type: string
  readonly modifier?: number
  readonly isOptional?: boolean
  readonly schema?: string
  readonly kind?: PgType['kind']
  readonly labels?: readonly string[]
  readonly settings?: Partial<ValueSettings>
  readonly defaultExpression?: string
  readonly isGenerated?: boolean
}

export function typeOf(oid: number, name: string, facts: Partial<PgType> = {}): PgType {
  return {
    oid,
    name,
    schema: 'pg_catalog',
    kind: 'base',
    elementOid: 0,
    baseOid: 0,
    baseTypeModifier: -1,
    labels: [],
    delimiter: ',',
    ...facts,
  }
}

/** The column and the types of its database. */
export function columnOf(facts: ColumnFacts): {
  readonly column: TableColumn
  readonly types: ReadonlyMap<number, PgType>
  readonly settings: ValueSettings
} {
  const name = facts.type.replace('[]', '')
  const own: Partial<PgType> = { schema: facts.schema ?? 'pg_catalog', kind: facts.kind ?? 'base', labels: facts.labels ?? [] }
  const isArray = facts.type.endsWith('[]')
  const list = typeOf(COLUMN_OID, `_${name}`, { kind: 'array', elementOid: ELEMENT_OID, delimiter: name === 'box' ? ';' : ',' })
  const types = isArray ? [list, typeOf(ELEMENT_OID, name, own)] : [typeOf(COLUMN_OID, name, own)]
  const column: TableColumn = {
    name: 'c',
    typeOid: COLUMN_OID,
    typeModifier: facts.modifier ?? -1,
    isOptional: facts.isOptional ?? true,
    defaultExpression: facts.defaultExpression ?? null,
    isGenerated: facts.isGenerated ?? false,
  }
  return { column, types: new Map(types.map((type) => [type.oid, type])), settings: { ...defaultSettings, ...facts.settings } }
}

/** The codec of such a column. */
export function codecOf(facts: ColumnFacts): ColumnCodec | null {
  const { column, types, settings } = columnOf(facts)
  return columnCodec(column, types, settings, 'stream')
}

/** The value of a text, plain: structs and maps as objects, decimals as text, bytes as hexadecimal. */
export function decoded(facts: ColumnFacts, text: string): unknown {
  return plain(decode(codecOf(facts)!, text))
}

/** A value as an object to compare with a literal. */
export function plain(value: Value): unknown {
  if (isDecimal(value)) return `${value.unscaled}e-${value.scale}`
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item as Value)]))
  if (isStruct(value)) return Object.fromEntries(Object.keys(value).map((name) => [name, plain(value[name]!)]))
  return value
}
