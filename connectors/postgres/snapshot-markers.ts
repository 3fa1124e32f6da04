/**
 * @module connector-postgres/snapshot-markers — `source.snapshot` of a row that was read, from its place among all. Pure.
 */
import type { SnapshotMarker } from './model.ts'

/** Where a row stands; what is last is known when the next row, or the end, has been seen. */
export interface RowPlace {
  readonly isFirst: boolean
  readonly isFirstOfTable: boolean
  readonly isLastOfTable: boolean
  readonly isLast: boolean
}

/** The ends of the whole count more than those of a table, and ends more than beginnings but for the very first row. */
export function snapshotMarker({ isFirst, isFirstOfTable, isLastOfTable, isLast }: RowPlace): SnapshotMarker {
  if (isLast) return 'last'
  if (isFirst) return 'first'
  if (isLastOfTable) return 'last_in_data_collection'
  return isFirstOfTable ? 'first_in_data_collection' : 'true'
}
