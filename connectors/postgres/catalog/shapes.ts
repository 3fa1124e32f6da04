/** @module connector-postgres/catalog/shapes — whether tables still have the columns that they had. */
import type { Table } from '../model.ts'
import type { Row, Session } from '../replication/index.ts'

interface ColumnRow extends Row {
  readonly relation: number
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
}

// Without defaults: printing one waits for the table where somebody wants to alter it, who may in turn wait for us.
const COLUMNS = `
  SELECT attrelid AS relation, attname::text AS name, atttypid AS "typeOid", atttypmod AS "typeModifier"
  FROM pg_catalog.pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum`

/** Names and types of the columns, in order: equal for equal shapes. */
export function shapeOf({ columns }: Pick<Table, 'columns'>): string {
  return JSON.stringify(columns.map(({ name, typeOid, typeModifier }) => [name, typeOid, typeModifier]))
}

/** The shapes of tables as they are now, by OID; those that are gone, or have no columns, have none. Takes no lock of a table. Rejects with an error of the sdk. */
export async function readShapes(session: Session, oids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const rows = await session.query<ColumnRow>(COLUMNS, [`{${oids.join(',')}}`], 'looking whether tables were altered')
  const columns = Map.groupBy(rows, ({ relation }) => relation)
  return new Map(oids.map((oid) => [oid, shapeOf({ columns: (columns.get(oid) ?? []) as unknown as Table['columns'] })]))
}
