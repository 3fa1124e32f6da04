/**
 * @module connector-postgres/events/fitting-events — events of rows that may be older than what the catalog says of their table, or newer.
 *
 * The catalog is asked now; a row in the log may be from before `SET NOT NULL`, and PostgreSQL 18 has NOT NULL constraints that are not valid
 * for all rows. A null in a column that is said to have none is told as null, in a shape whose column may be null: a default in its place
 * would be a value that the row never had.
 */
import { NULL_TEXT, type RowText, type Table, type Types } from '../model.ts'
import type { Phase } from '../values/index.ts'
import type { EventSettings } from './settings.ts'
import { shapeEvents, type TableEvents } from './table-events.ts'

/** Compiled once per shape; reading a row then costs little more than decoding its values. Schemas are the same objects in all records. */
export function tableEvents(table: Table, types: Types, settings: EventSettings, phase: Phase): TableEvents {
  let current = shapeEvents(table, types, settings, phase)
  let required = requiredColumns(table)
  const fitting = (row: RowText): TableEvents => {
    for (let at = 0; at < required.length; at++) {
      if (row.bounds[2 * required[at]!] !== NULL_TEXT) continue
      const relaxed = withNulls(current.table, row)
      current = shapeEvents(relaxed, types, settings, phase)
      required = requiredColumns(relaxed)
      return current
    }
    return current
  }
  return {
    get table() {
      return current.table
    },
    get topic() {
      return current.topic
    },
    get keySchema() {
      return current.keySchema
    },
    get valueSchema() {
      return current.valueSchema
    },
    read: (row, place) => fitting(row).read(row, place),
    insert: (row, place) => fitting(row).insert(row, place),
    update: (oldKind, old, row, place) => {
      if (old !== null && oldKind === 'full') fitting(old)
      return fitting(row).update(oldKind, old, row, place)
    },
    // Of a key alone the other columns are null whatever they were.
    delete: (oldKind, old, place) => (oldKind === 'full' ? fitting(old) : current).delete(oldKind, old, place),
    truncate: (place) => current.truncate(place),
  }
}

/** Places in a row. */
function requiredColumns({ columns }: Table): readonly number[] {
  return columns.flatMap(({ isOptional }, index) => (isOptional ? [] : [index]))
}

function withNulls(table: Table, { bounds }: RowText): Table {
  const columns = table.columns.map((column, index) => (bounds[2 * index] === NULL_TEXT ? { ...column, isOptional: true } : column))
  return { ...table, columns }
}
