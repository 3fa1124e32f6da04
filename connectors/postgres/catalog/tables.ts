/** @module connector-postgres/catalog/tables — tables with their columns, keys and replica identities. */
import type { ReplicaIdentity, Table, TableColumn } from '../model.ts'
import type { Row, Session } from '../replication/index.ts'

/** A table and its place among partitions. */
export interface CatalogTable extends Table {
  /** Whether its rows stand in partitions. */
  readonly isPartitioned: boolean
  /** Of a partition: the table at the top, whose name its changes have with publish_via_partition_root; else null. */
  readonly rootOid: number | null
}

export interface TableSelection {
  /** Which tables are looked at further; default: all. */
  readonly keep?: (schema: string, table: string) => boolean
}

const replicaIdentities: Readonly<Record<string, ReplicaIdentity>> = { d: 'default', n: 'nothing', f: 'full', i: 'index' }

interface RelationRow extends Row {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly identity: string
  readonly rootOid: number | null
}

/** Temporary and unlogged tables leave nothing in the log, and foreign ones have none. */
const RELATIONS = `
  WITH RECURSIVE above(oid, parent) AS (
    SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits JOIN pg_catalog.pg_class p ON p.oid = inhparent AND p.relkind = 'p'
    UNION ALL
    SELECT above.oid, i.inhparent FROM above JOIN pg_catalog.pg_inherits i ON i.inhrelid = above.parent
  )
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, c.relreplident::text AS identity,
    (SELECT a.parent FROM above a WHERE a.oid = c.oid AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = a.parent))
      AS "rootOid"
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname !~ '^pg_(catalog|toast|temp)' AND n.nspname <> 'information_schema'`

interface ColumnRow extends Row {
  readonly relation: number
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
  readonly isOptional: boolean
  readonly defaultExpression: string | null
  readonly isGenerated: boolean
}

/** A domain may forbid null where its column does not. The expression of a generated column is no default. */
function columnsQuery(serverVersion: number): string {
  const isGenerated = serverVersion >= 120_000 ? `a.attgenerated <> ''` : 'false'
  return `
  SELECT a.attrelid AS relation, a.attname::text AS name, a.atttypid AS "typeOid", a.atttypmod AS "typeModifier",
    NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS "isOptional",
    CASE WHEN ${isGenerated} THEN NULL ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS "defaultExpression",
    ${isGenerated} AS "isGenerated"
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`
}

interface KeyRow extends Row {
  readonly relation: number
  readonly columns: readonly string[]
}

/**
 * The primary key, else the first unique index over plain columns and all rows: the clustered one first, then by name, which is the order
 * in which Debezium's driver lists them. Its columns may be null, as with Debezium; a partial index is passed over, since its columns
 * name no row of the rest.
 */
function keysQuery(serverVersion: number): string {
  const keyCount = serverVersion >= 110_000 ? 'i.indnkeyatts' : 'i.indnatts'
  return `
  SELECT DISTINCT ON (i.indrelid) i.indrelid AS relation, (
    SELECT array_agg(a.attname::text ORDER BY k.place)
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.place <= ${keyCount}
  ) AS columns
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
    AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place) WHERE k.number <= 0 AND k.place <= ${keyCount})
  ORDER BY i.indrelid, i.indisprimary DESC, i.indisclustered DESC, c.relname::text COLLATE "C"`
}

/**
 * The tables of a database that can be captured, ordinary and partitioned, in the order of schema and name by their bytes. Rejects with an
 * error of the sdk.
 */
export async function readTables(session: Session, { keep = () => true }: TableSelection = {}): Promise<readonly CatalogTable[]> {
  const text = `${RELATIONS} ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"`
  const relations = await session.query<RelationRow>(text, [], 'reading the tables')
  return withColumns(
    session,
    relations.filter(({ schema, name }) => keep(schema, name)),
  )
}

/** One table; null: there is none with that OID (any more). Rejects with an error of the sdk. */
export async function readTable(session: Session, oid: number): Promise<CatalogTable | null> {
  const relations = await session.query<RelationRow>(`${RELATIONS} AND c.oid = $1::oid`, [oid], 'reading a table')
  const [table] = await withColumns(session, relations)
  return table ?? null
}

async function withColumns(session: Session, relations: readonly RelationRow[]): Promise<readonly CatalogTable[]> {
  if (relations.length === 0) return []
  const oids = `{${relations.map(({ oid }) => oid).join(',')}}`
  const columnRows = await session.query<ColumnRow>(columnsQuery(session.serverVersion), [oids], 'reading the columns of the tables')
  const keyRows = await session.query<KeyRow>(keysQuery(session.serverVersion), [oids], 'reading the keys of the tables')
  const columns = new Map<number, TableColumn[]>()
  for (const { relation, ...column } of columnRows) {
    const known = columns.get(relation)
    if (known === undefined) columns.set(relation, [column as TableColumn])
    else known.push(column as TableColumn)
  }
  const keys = new Map(keyRows.map(({ relation, columns: names }) => [relation, names]))
  return relations.map(({ oid, schema, name, kind, identity, rootOid }) => ({
    oid,
    schema,
    name,
    columns: columns.get(oid) ?? [],
    keyColumns: keys.get(oid) ?? [],
    replicaIdentity: replicaIdentities[identity] ?? 'default',
    isPartitioned: kind === 'p',
    rootOid,
  }))
}
