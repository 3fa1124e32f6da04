import { describe, expect, it } from 'vitest'
import { columnFilter, type EventSettings, keyColumnsRule } from '../../../../connectors/postgres/events/index.ts'
import { stringifyJson } from '../../../../sdk/index.ts'
import { type Exact, exactJson, type RecordedRecord } from '../golden/recording.ts'
import { replay, type Step } from './replay.ts'
import {
  allOperations,
  columnFilters,
  defaults,
  extendedHeadersOff,
  keyColumns,
  multiRow,
  names,
  noPk,
  opsBasic,
  removals,
  replicaIdentity,
  restart,
  schemaChange,
  skipUnchanged,
  snapshotMarkers,
  toast,
  truncate,
} from './scenarios.ts'

/** Debezium forgets of a column that values leave out that it is NOT NULL, and sends 0 for it in a snapshot: keys that name another row. */
function trueKey(id: number): (record: RecordedRecord) => RecordedRecord {
  const keySchema = (name: string): unknown => {
    return { type: 'struct', fields: [{ type: 'int32', optional: false, field: 'id' }], optional: false, name }
  }
  return (record) => ({ ...record, key: { id }, keySchema: keySchema(`${record.topic}.Key`) })
}

const scenarios: readonly (readonly [name: string, steps: readonly Step[], settings?: Partial<EventSettings>])[] = [
  ['ops-basic', opsBasic],
  ['multi-row', multiRow],
  ['no-pk', noPk],
  ['names.default', names],
  ['snapshot-markers', snapshotMarkers],
  ['schema-change', schemaChange],
  ['truncate.default', truncate],
  ['truncate.captured', truncate, { skippedOperations: new Set() }],
  ['tombstones-off', removals, { tombstonesOnDelete: false }],
  ['restart-offsets', restart],
  ['extended-headers-off', extendedHeadersOff, { extendedHeaders: null }],
  ['skipped-operations.default', allOperations],
  ['skipped-operations.none', allOperations, { skippedOperations: new Set() }],
  ['skipped-operations.c-u', allOperations, { skippedOperations: new Set(['c', 'u']) }],
  ['skipped-operations.d', allOperations, { skippedOperations: new Set(['d', 't']) }],
  ['message-key-columns', keyColumns, { keyColumnsOf: keyColumnsRule('public.t:a,b;public.nopk:x;(.*).generic_.*:id2') }],
  ['skip-unchanged', skipUnchanged, { skipMessagesWithoutChange: true, isColumnCaptured: columnFilter('public.t.id,public.t.name', null) }],
  ['column-filters.exclude', columnFilters, { isColumnCaptured: columnFilter(null, 'public.t.ssn,public.u.v') }],
  ['toast.default', toast],
]

describe('events of recorded scenarios', () => {
  for (const [name, steps, settings] of scenarios) it(name, () => replay(name, steps, settings))

  it('defaults, with a difference', () => {
    // Debezium adds beyond 64 bits for a default of 'infinity', and has a moment before the year −290000 for it.
    const infinity = (record: RecordedRecord): RecordedRecord => {
      return exactJson(stringifyJson(record).replaceAll('-9223372036853775810', '9223372036854775807')) as RecordedRecord
    }
    return replay('defaults', defaults, {}, infinity)
  })

  it('replica-identity, with a key that the replica identity tells', async () => {
    // Debezium goes on with 0 in a key that the server does not tell, which names another row.
    const keySchema = {
      type: 'struct',
      fields: [{ type: 'int32', optional: false, field: 'u' }],
      optional: false,
      name: 'dbz.public.idx.Key',
    }
    const otherKeys = new Map([
      ['__debezium.newkey', '{"u":11}'],
      ['__debezium.oldkey', '{"u":10}'],
    ])
    let latest: Exact = null
    const edit = (record: RecordedRecord): RecordedRecord => {
      if (record.topic !== 'dbz.public.idx') return record
      const { before, after } = (record.value ?? {}) as Readonly<Record<string, Readonly<Record<string, Exact>> | null>>
      // A tombstone has the key of the record before it.
      latest = (after ?? before)?.['u'] ?? latest
      const headers = record.headers.map(([name, text]) => [name, otherKeys.get(name) ?? text] as const)
      const headerSchemas = record.headers.map(([name], at) => (otherKeys.has(name) ? keySchema : record.headerSchemas[at]!))
      return { ...record, key: { u: latest }, keySchema, headers, headerSchemas }
    }
    const settings = { keyColumnsOf: keyColumnsRule('public.idx:u') }
    await replay('replica-identity', replicaIdentity, settings, edit)
    await expect(replay('replica-identity', replicaIdentity)).rejects.toThrow(
      /^table public\.idx: column id of the key .* message\.key\.columns = public\.idx:u;/,
    )
  })

  it('column-filters.include, with a difference', () => {
    const isColumnCaptured = columnFilter('public.t.id,public.t.name,public.t.ssn', null)
    const edit = (record: RecordedRecord, at: number): RecordedRecord => (at === 6 ? trueKey(2)(record) : record)
    return replay('column-filters.include', columnFilters, { isColumnCaptured }, edit)
  })

  it('column-filters.exclude-key, with a difference', () => {
    const ids = [1, 2, 1, 1, 2, 2, 2, 1]
    const isColumnCaptured = columnFilter(null, 'public.t.id')
    return replay('column-filters.exclude-key', columnFilters, { isColumnCaptured }, (record, at) => trueKey(ids[at]!)(record))
  })
})
