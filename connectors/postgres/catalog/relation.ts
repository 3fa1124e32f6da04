/** @module connector-postgres/catalog/relation — a table as a relation message tells of it. Pure. */
import type { RelationMessage, Table, TableColumn } from '../model.ts'

/**
 * The shape in which the rows behind a relation message come. The columns and the replica identity are the message's; nullability and
 * default are the catalog's where a column of that name and type still is, else the column is optional without default. `catalogTable`:
 * the table as it is now; null: it is gone.
 *
 * The key: with the replica identity DEFAULT the message marks the columns of the primary key as it was then, and they win over the
 * catalog, which only gives their order. Otherwise it is the catalog's as far as its columns are all there.
 */
export function tableOfRelation(relation: RelationMessage, catalogTable: Table | null): Table {
  const { oid, schema, name, replicaIdentity } = relation
  const known = new Map(catalogTable?.columns.map((column) => [column.name, column]))
  const keyColumns = keyOf(relation, catalogTable?.keyColumns ?? [])
  const isPrimaryKey = replicaIdentity === 'default'
  const columns = relation.columns.map(({ name: columnName, typeOid, typeModifier, isKey }): TableColumn => {
    const column = known.get(columnName)
    const facts = column?.typeOid === typeOid ? column : null
    return {
      name: columnName,
      typeOid,
      typeModifier,
      isOptional: isPrimaryKey && isKey ? false : (facts?.isOptional ?? true),
      defaultExpression: facts?.defaultExpression ?? null,
      isGenerated: facts?.isGenerated ?? false,
    }
  })
  return { oid, schema, name, columns, keyColumns, replicaIdentity }
}

function keyOf({ columns, replicaIdentity }: RelationMessage, catalogKey: readonly string[]): readonly string[] {
  const marked = columns.filter(({ isKey }) => isKey).map(({ name }) => name)
  const names = new Set(columns.map(({ name }) => name))
  const isCatalogKeyThere = catalogKey.every((name) => names.has(name))
  if (replicaIdentity === 'default' && marked.length > 0) {
    const isSame = catalogKey.length === marked.length && marked.every((name) => catalogKey.includes(name))
    return isSame ? catalogKey : marked
  }
  if (isCatalogKeyThere) return catalogKey
  return replicaIdentity === 'index' ? marked : []
}
