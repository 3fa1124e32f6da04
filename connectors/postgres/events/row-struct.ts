/**
 * @module connector-postgres/events/row-struct — a row's text as the structs of its record: the value, and the key of the same columns.
 */
import { FatalError, type Struct, structMaker, type Value } from '@millrace/sdk'
import { NULL_TEXT, type OldRowKind, type RowText, UNCHANGED_TEXT } from '../model.ts'
import type { ShapeColumn, TableShape } from './table-shape.ts'

/** Makes the structs of a table's rows. */
export interface RowStructs {
  /**
   * The columns that values have. A TOASTed value that the change did not touch is taken from the row before where that has it, else its
   * placeholder stands there.
   * @throws FatalError that names table and column, for a text that its codec refuses, and for such a value where there is no placeholder
   */
  value(row: RowText, old: RowText | null): Struct
  /** The key of the same row, of which `value` was made; null: there is none. Errors as those of `value`. */
  key(value: Struct, row: RowText, old: RowText | null): Struct | null
  /** The key of a row before a change, of which `value` was made; null: there is none. @throws FatalError where the server does not tell it */
  oldKey(kind: OldRowKind, value: Struct, old: RowText): Struct | null
}

/** See {@link RowStructs}. */
export function rowStructs(shape: TableShape): RowStructs {
  const { valueColumns, keyColumns, rowSchema, keySchema } = shape
  const makeValue = structMaker(rowSchema)
  const makeKey = keySchema === null ? null : structMaker(keySchema)
  // Makers copy what they are given, so that one list of each serves all rows.
  const values: Value[] = valueColumns.map(() => null)
  const keys: Value[] = keyColumns.map(() => null)
  return {
    value: (row, old) => {
      try {
        for (let at = 0; at < valueColumns.length; at++) values[at] = columnValue(valueColumns[at]!, row, old)
      } catch (thrown) {
        throw withTable(shape, thrown)
      }
      return makeValue(values)
    },
    key: (value, row, old) => {
      if (makeKey === null) return null
      readKey(shape, keys, value, row, old)
      return makeKey(keys)
    },
    oldKey: (kind, value, old) => {
      if (makeKey === null) return null
      if (kind === 'key') refuseUntold(shape, old)
      readKey(shape, keys, value, old, null)
      return makeKey(keys)
    },
  }
}

function readKey(shape: TableShape, into: Value[], value: Struct, row: RowText, old: RowText | null): void {
  const { keyColumns } = shape
  try {
    for (let at = 0; at < keyColumns.length; at++) {
      const column = keyColumns[at]!
      if (row.bounds[2 * column.index] === UNCHANGED_TEXT && !isTold(column, old)) throw unheldKey(column)
      into[at] = column.isInValue ? value[column.name]! : columnValue(column, row, old)
    }
  } catch (thrown) {
    throw withTable(shape, thrown)
  }
}

/** With a placeholder all rows that have one would be the same to who goes by keys. */
function unheldKey({ name }: ShapeColumn): FatalError {
  return new FatalError(
    'key-unknown',
    `column ${name} of the key: the change left a long value as it was, and the server’s log does not hold it`,
    'choose other columns in message.key.columns; REPLICA IDENTITY FULL keeps later changes from it',
  )
}

/**
 * Of a row before, all but the replica identity is null, and the columns of an identity never are. What a key had in place of such a null
 * would name another row, which a consumer would then delete.
 */
function refuseUntold({ table, keyColumns }: TableShape, old: RowText): void {
  const column = keyColumns.find(({ index }) => old.bounds[2 * index] === NULL_TEXT)
  if (column === undefined) return
  const name = `${table.schema}.${table.name}`
  const told = table.columns.flatMap((one, index) => (old.bounds[2 * index] === NULL_TEXT ? [] : [one.name]))
  throw new FatalError(
    'key-unknown',
    `table ${name}: column ${column.name} of the key is not of the replica identity, so that the server does not tell it of the row before`,
    `set message.key.columns = ${name}:${told.join(',')}; or ALTER TABLE ${name} REPLICA IDENTITY FULL, which helps with later changes only`,
  )
}

function columnValue(column: ShapeColumn, row: RowText, old: RowText | null): Value {
  const at = 2 * column.index
  const start = row.bounds[at]!
  if (start >= 0) return column.codec.decode(row.bytes, start, row.bounds[at + 1]!)
  if (start === NULL_TEXT) return column.absent
  if (start !== UNCHANGED_TEXT) throw new RangeError(`a row of ${row.bounds.length / 2} columns has none at index ${column.index}`)
  if (isTold(column, old)) return column.codec.decode(old.bytes, old.bounds[at]!, old.bounds[at + 1]!)
  if (column.codec.unavailable === undefined) throw unheld(column)
  return column.codec.unavailable
}

/** Null in the row before says nothing where that is the key alone, and what is TOASTed is not null. */
function isTold({ index }: ShapeColumn, old: RowText | null): old is RowText {
  return old !== null && old.bounds[2 * index]! >= 0
}

/** A null would tell that there is no value any more. */
function unheld({ name }: ShapeColumn): FatalError {
  return new FatalError(
    'value-unavailable',
    `column ${name}: the change left a long value as it was, the server’s log does not hold it, and its type has no placeholder`,
    'leave the column out by column.exclude.list; REPLICA IDENTITY FULL keeps later changes from it',
  )
}

/** A codec knows its column, not the table. */
function withTable({ table }: TableShape, thrown: unknown): unknown {
  if (!(thrown instanceof FatalError)) return thrown
  const { code, message, remedy } = thrown
  const why = remedy === '' ? message : message.slice(0, -`; ${remedy}`.length)
  return new FatalError(code, `table ${table.schema}.${table.name}: ${why}`, remedy, { cause: thrown })
}
