/**
 * @module connector-postgres/snapshot-tables — which tables a snapshot reads, and in which order. Pure.
 */
import type { CatalogTable } from './catalog/index.ts'
import type { TableFilter } from './events/index.ts'

/** `snapshot.tables.order.by.row.count`. */
export type TableOrder = 'disabled' | 'ascending' | 'descending'

export interface TableChoice {
  /** Changes of partitions come as changes of the partitioned table. */
  readonly isViaRoot: boolean
  /** `snapshot.include.collection.list`. */
  readonly isIncluded: TableFilter
  readonly order: TableOrder
  /** Estimated rows of a table; only asked with an order. */
  readonly rowCountOf: (table: CatalogTable) => number
}

/**
 * The tables under whose names the stream will tell of their rows: partitions, or the table at the top of them, never both, or a row would
 * be in two topics and change in one.
 */
export function isStreamed({ isPartitioned, rootOid }: CatalogTable, isViaRoot: boolean): boolean {
  return isViaRoot ? rootOid === null : !isPartitioned
}

/** Those that are read, in order: as given, which is by schema and name, or by size. */
export function snapshotChoice(tables: readonly CatalogTable[], choice: TableChoice): readonly CatalogTable[] {
  const { isViaRoot, isIncluded, order, rowCountOf } = choice
  const chosen = tables.filter((table) => isStreamed(table, isViaRoot) && isIncluded(table.schema, table.name))
  if (order === 'disabled') return chosen
  const sign = order === 'ascending' ? 1 : -1
  return chosen.toSorted((one, other) => sign * (rowCountOf(one) - rowCountOf(other)))
}
