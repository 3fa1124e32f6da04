/**
 * @module connector-postgres/events/table-events — the records of one table in one of its shapes.
 */
import { type Schema, type SourceRecordInput, type Struct, string, structMaker, valuesEqual } from '@millrace/sdk'
import type { OldRowKind, RowText, Table, Types } from '../model.ts'
import type { Phase } from '../values/index.ts'
import { rowStructs } from './row-struct.ts'
import type { EventSettings, Operation, Place } from './settings.ts'
import { instants, sourceBlocks } from './source-block.ts'
import { type ShapeColumn, type TableShape, tableShape } from './table-shape.ts'

/**
 * Makes the records of a table. Rows are read at once and may be reused by the caller; a list may be empty (a skipped operation), and all
 * its records belong to one change: the last one carries the place's offset, those before it `offsetBefore`. Every method with a row throws
 * a FatalError for a value that its codec refuses, and where a key or a value cannot be known.
 */
export interface TableEvents {
  readonly table: Table
  readonly topic: string
  /** Of every record with a key; null: the table has none. */
  readonly keySchema: Schema | null
  /** Of every record with a value. */
  readonly valueSchema: Schema
  /** A row of a snapshot. */
  read(row: RowText, place: Place): readonly SourceRecordInput[]
  insert(row: RowText, place: Place): readonly SourceRecordInput[]
  /** `old` is there if the replica identity has the server tell it; without it a change of the key cannot be seen, and `before` is null. */
  update(oldKind: OldRowKind | null, old: RowText | null, row: RowText, place: Place): readonly SourceRecordInput[]
  delete(oldKind: OldRowKind, old: RowText, place: Place): readonly SourceRecordInput[]
  truncate(place: Place): readonly SourceRecordInput[]
}

type Headers = NonNullable<SourceRecordInput['headers']>

/** The events of one shape. Compiled once; reading a row then costs little more than decoding its values. Schemas are the same objects in all records. */
export function shapeEvents(table: Table, types: Types, settings: EventSettings, phase: Phase): TableEvents {
  const shape = tableShape(table, types, settings, phase)
  const { topic, keySchema, envelopeSchema, keyColumns, valueColumns } = shape
  const structs = rowStructs(shape)
  const records = recordMakers(shape, settings)
  const isSkipped = (operation: Operation): boolean => settings.skippedOperations.has(operation)
  const created = (op: 'r' | 'c', row: RowText, place: Place): readonly SourceRecordInput[] => {
    const after = structs.value(row, null)
    return [records.event(op, structs.key(after, row, null), null, after, place)]
  }
  return {
    table,
    topic,
    keySchema,
    valueSchema: envelopeSchema,
    read: (row, place) => created('r', row, place),
    insert: (row, place) => (isSkipped('c') ? [] : created('c', row, place)),
    update: (oldKind, old, row, place) => {
      if (isSkipped('u')) return []
      const after = structs.value(row, old)
      const before = old === null ? null : structs.value(old, null)
      const newKey = structs.key(after, row, old)
      const oldKey = before === null ? null : structs.oldKey(oldKind!, before, old!)
      if (before === null || oldKey === null || newKey === null || isSame(keyColumns, oldKey, newKey)) {
        if (settings.skipMessagesWithoutChange && oldKind === 'full' && isSame(valueColumns, before!, after)) return []
        return [records.event('u', newKey, before, after, place)]
      }
      const isCreated = !isSkipped('c')
      const removal = isSkipped('d') ? [] : records.removal(oldKey, before, place, !isCreated, newKey)
      return isCreated ? [...removal, records.event('c', newKey, null, after, place, true, records.keyHeader('oldkey', oldKey))] : removal
    },
    delete: (oldKind, old, place) => {
      if (isSkipped('d')) return []
      const before = structs.value(old, null)
      return records.removal(structs.oldKey(oldKind, before, old), before, place)
    },
    truncate: (place) => (isSkipped('t') ? [] : [{ ...records.event('t', null, null, null, place), keySchema: null }]),
  }
}

/** Records out of the structs of rows. `isLast`: of its change. */
interface RecordMakers {
  event(
    op: 'r' | Operation,
    key: Struct | null,
    before: Struct | null,
    after: Struct | null,
    place: Place,
    isLast?: boolean,
    headers?: Headers,
  ): SourceRecordInput
  /** A delete, and the tombstone if there are tombstones; `newKey`: the key that the row has now, if it is still there. */
  removal(key: Struct | null, before: Struct, place: Place, isLast?: boolean, newKey?: Struct): readonly SourceRecordInput[]
  /** `__debezium.oldkey`, `__debezium.newkey`: the other key of a row whose key has changed. */
  keyHeader(which: 'oldkey' | 'newkey', key: Struct): Headers
}

function recordMakers({ table, topic, keySchema, envelopeSchema }: TableShape, settings: EventSettings): RecordMakers {
  const makeEnvelope = structMaker(envelopeSchema)
  const sourceOf = sourceBlocks(table, settings)
  const instantOf = instants()
  const context = contextHeaders(settings)
  const keyHeader = (which: string, key: Struct): Headers => [{ key: `__debezium.${which}`, schema: keySchema, value: key }, ...context]
  const record = (key: Struct | null, value: Struct | null, place: Place, isLast: boolean, headers: Headers): SourceRecordInput => ({
    topic,
    keySchema,
    key,
    valueSchema: value === null ? null : envelopeSchema,
    value,
    headers,
    sourcePartition: place.sourcePartition,
    sourceOffset: isLast ? place.offset : place.offsetBefore,
  })
  const event: RecordMakers['event'] = (op, key, before, after, place, isLast = true, headers = context) => {
    const now = instantOf(settings.nowUs())
    const value = makeEnvelope([before, after, sourceOf(place), null, op, now.ms, now.us, now.ns])
    return record(key, value, place, isLast, headers)
  }
  return {
    event,
    removal: (key, before, place, isLast = true, newKey) => {
      const headers = newKey === undefined ? context : keyHeader('newkey', newKey)
      if (!settings.tombstonesOnDelete) return [event('d', key, before, null, place, isLast, headers)]
      return [event('d', key, before, null, place, false, headers), record(key, null, place, isLast, headers)]
    },
    keyHeader,
  }
}

function isSame(columns: readonly ShapeColumn[], a: Struct, b: Struct): boolean {
  return columns.every(({ name }) => valuesEqual(a[name], b[name]))
}

const stringSchema = string()

/** `__debezium.context.*`: which connector, task and run made a record. */
function contextHeaders(settings: EventSettings): Headers {
  const { extendedHeaders, topicPrefix } = settings
  if (extendedHeaders === null) return []
  const facts = [
    ['connectorLogicalName', topicPrefix],
    ['taskId', extendedHeaders.taskId],
    ['connectorName', 'postgresql'],
    ['runId', extendedHeaders.runId],
  ] as const
  return facts.map(([name, value]) => ({ key: `__debezium.context.${name}`, schema: stringSchema, value }))
}
