/**
 * @module test/connectors/postgres/events/tables — tables in a few words, and the types that they need.
 */
import type { PgType, Table, TableColumn, Types } from '../../../../connectors/postgres/model.ts'

/** OIDs of `pg_type`, which are the same in every database. */
const oids = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  json: 114,
  xml: 142,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
  int4_array: 1007,
  int8_array: 1016,
  text_array: 1009,
  date_array: 1182,
  uuid_array: 2951,
  varchar_array: 1015,
  bit: 1560,
  interval: 1186,
  money: 790,
  inet: 869,
  mood: 90_001,
  composite: 90_002,
  hstore: 90_003,
} as const
type TypeName = keyof typeof oids

/** What is not of the system itself: `create type mood as enum ('sad','ok')`, a row type, an extension's type. */
const kinds: Readonly<Partial<Record<TypeName, PgType['kind']>>> = { mood: 'enum', composite: 'composite', hstore: 'base' }

const typeList: readonly PgType[] = Object.entries(oids).map(([key, oid]) => {
  const element = /^(.*)_array$/.exec(key)?.[1] as TypeName | undefined
  const kind = kinds[key as TypeName]
  return {
    oid,
    name: element === undefined ? key : `_${element}`,
    schema: kind === undefined ? 'pg_catalog' : 'public',
    kind: kind ?? (element === undefined ? 'base' : 'array'),
    elementOid: element === undefined ? 0 : oids[element],
    baseOid: 0,
    baseTypeModifier: -1,
    labels: key === 'mood' ? ['sad', 'ok'] : [],
    delimiter: ',',
  }
})

/** The types of these tables. */
export const baseTypes: Types = new Map(typeList.map((type) => [type.oid, type]))

/**
 * `int4`, `int4!` (NOT NULL), `varchar(20)`, `numeric(6,2)! = 1.5` (with a default as `pg_get_expr` prints it).
 */
function column(name: string, words: string): TableColumn {
  const [, type, first, second, mark, defaultExpression] = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?(!?)(?: = (.*))?$/.exec(words) ?? []
  const typeOid = oids[type as TypeName]
  if (typeOid === undefined) throw new Error(`${words} is no type of these tests`)
  return {
    name,
    typeOid,
    typeModifier: first === undefined ? -1 : modifier(type!, Number(first), Number(second ?? 0)),
    isOptional: mark !== '!',
    defaultExpression: defaultExpression ?? null,
    isGenerated: false,
  }
}

/** Lengths of varchar and char are kept with 4 added; numeric packs precision and scale; bit and timestamps keep the number. */
function modifier(type: string, first: number, second: number): number {
  if (type.startsWith('varchar') || type === 'bpchar') return first + 4
  return type === 'numeric' ? ((first << 16) | second) + 4 : first
}

/** A table: its columns in words, the names of its key. */
export function tableOf(
  name: string,
  columns: Readonly<Record<string, string>>,
  keyColumns: readonly string[] = [Object.keys(columns)[0]!],
  facts: Partial<Table> = {},
): Table {
  return {
    oid: 16_385,
    schema: 'public',
    name,
    columns: Object.entries(columns).map(([key, words]) => column(key, words)),
    keyColumns,
    replicaIdentity: 'default',
    ...facts,
  }
}
