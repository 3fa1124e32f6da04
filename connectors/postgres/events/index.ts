/**
 * @module connector-postgres/events — rows as Debezium's records: topics, keys, envelopes, the source block, tombstones, headers. Pure.
 *
 * | message | records |
 * |---|---|
 * | row of a snapshot | `r` |
 * | insert | `c` |
 * | update | `u`; where the key changed: `d` and tombstone of the old key, `c` of the new one |
 * | delete | `d`, tombstone |
 * | truncate | `t`, without key |
 *
 * ```ts
 * const orders = tableEvents(table, types, settings, 'stream') // once per shape of a table
 * yield orders.insert(row, place)
 * ```
 * Facts: Debezium 3.7 (`SchemaFactory`, `TableSchemaBuilder`, `RelationalChangeRecordEmitter`, `PostgresSourceInfoStructMaker`).
 */

export {
  type ColumnFilter,
  columnFilter,
  type KeyColumnsRule,
  keyColumnsRule,
  regexList,
  type TableFilter,
  type TableLists,
  tableFilter,
} from './filters.ts'
export { tableEvents } from './fitting-events.ts'
export type { EventSettings, HeaderFacts, Operation, Place } from './settings.ts'
export type { TableEvents } from './table-events.ts'
export { topicName } from './topic-name.ts'
