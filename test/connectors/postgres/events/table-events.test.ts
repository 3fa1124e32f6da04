import { describe, expect, it } from 'vitest'
import {
  columnFilter,
  type EventSettings,
  keyColumnsRule,
  type Place,
  type TableEvents,
  tableEvents,
} from '../../../../connectors/postgres/events/index.ts'
import type { Table } from '../../../../connectors/postgres/model.ts'
import { FatalError, fieldOf, type SourceRecordInput, type Struct, schemaOfMade, sourceRecord } from '../../../../sdk/index.ts'
import { type Cells, defaultSettings, type OldCells, perform, rowText, type Step, somePlace, UNCHANGED } from './replay.ts'
import { baseTypes, tableOf } from './tables.ts'

const wide = tableOf('t', { id: 'int4!', v: 'text', n: 'int4! = 7' })
const eventsOf = (table: Table, settings: Partial<EventSettings> = {}): TableEvents => {
  return tableEvents(table, baseTypes, { ...defaultSettings, ...settings }, 'stream')
}
const made = (table: Table, step: Step, settings: Partial<EventSettings> = {}): readonly SourceRecordInput[] => {
  return perform(eventsOf(table, settings), step, somePlace())
}
const members = (value: unknown): unknown => (value === null ? null : { ...(value as Struct) })
const partOf = (record: SourceRecordInput | undefined, part: string): unknown => members((record!.value as Struct)[part])

describe('records of a table', () => {
  it('have the same schema objects from record to record, and structs that the engine does not copy', () => {
    const events = eventsOf(wide)
    const [first] = events.insert(rowText(['1', 'a', '2']), somePlace())
    const [second] = events.insert(rowText(['2', 'b', '3']), somePlace({ lsn: 9 }))
    expect(second!.valueSchema).toBe(first!.valueSchema)
    expect(second!.keySchema).toBe(first!.keySchema)
    expect([first!.keySchema, first!.valueSchema]).toEqual([events.keySchema, events.valueSchema])
    const record = sourceRecord(first!)
    expect(record.value).toBe(first!.value)
    expect(record.key).toBe(first!.key)
  })

  it('have schemas named after their topic', () => {
    const { topic, keySchema, valueSchema } = eventsOf(wide, { topicDelimiter: '_' })
    const [before, after] = valueSchema.fields!
    const names = ['dbz_public_t', 'dbz_public_t.Key', 'dbz_public_t.Envelope', 'dbz_public_t.Value']
    expect([topic, keySchema!.name, valueSchema.name, before!.schema.name]).toEqual(names)
    expect(after!.schema).toBe(before!.schema)
  })

  it('keep what they say when the row and the buffer are used again', () => {
    const events = eventsOf(wide)
    const row = rowText(['1', 'first', '2'])
    const [first] = events.insert(row, somePlace())
    row.bytes.fill(0x39)
    events.insert(row, somePlace())
    expect(partOf(first, 'after')).toEqual({ id: 1, v: 'first', n: 2 })
    expect(members(first!.key)).toEqual({ id: 1 })
  })

  it('carry the position of the change with the last of them only', () => {
    const update: Step = ['update', wide, ['2', 'a', '1'], { key: ['1', null, null] }]
    expect(made(wide, update).map(({ sourceOffset }) => sourceOffset)).toEqual([{ at: 'before' }, { at: 'before' }, { at: 'end' }])
    const withoutCreate = made(wide, update, { skippedOperations: new Set(['c']) })
    expect(withoutCreate.map(({ value }) => value === null)).toEqual([false, true])
    expect(withoutCreate.map(({ sourceOffset }) => sourceOffset)).toEqual([{ at: 'before' }, { at: 'end' }])
    expect(made(wide, update, { skippedOperations: new Set(['c', 'd']) })).toEqual([])
  })

  it('tell the server that a change came from, by way of another one', () => {
    const events = eventsOf(wide)
    const [record] = events.insert(rowText(['1', 'a', '2']), somePlace({ origin: { name: 'pg_16389', lsn: 2 ** 40 + 1 }, txId: null }))
    expect(partOf(record, 'source')).toMatchObject({ origin: 'pg_16389', origin_lsn: 2n ** 40n + 1n, txId: null })
  })

  it('of a stream leave the mark of snapshots to its default', () => {
    const snapshotOf = (snapshot: Place['snapshot']): unknown => {
      const [record] = eventsOf(wide).read(rowText(['1', 'a', '2']), somePlace({ snapshot }))
      return ((record!.value as Struct)['source'] as Struct)['snapshot']
    }
    expect(['false', 'true', 'last'].map((mark) => snapshotOf(mark as Place['snapshot']))).toEqual([null, 'true', 'last'])
  })

  it('have exact positions up to 2^53 and instants to the microsecond', () => {
    const [record] = eventsOf(wide).insert(
      rowText(['1', 'a', '2']),
      somePlace({ lsn: 2 ** 53 - 1, lastCommitLsn: 2 ** 52, timeUs: 1_700_000_000_123_456n }),
    )
    const sequence = '["4503599627370496","9007199254740991"]'
    expect(partOf(record, 'source')).toMatchObject({
      lsn: 2n ** 53n - 1n,
      sequence,
      ts_us: 1_700_000_000_123_456n,
      ts_ms: 1_700_000_000_123n,
    })
  })
})

describe('columns', () => {
  it('whose type is not captured are left out of values and keys', () => {
    const table = tableOf('t', { id: 'int4!', c: 'composite', v: 'text' })
    expect(partOf(made(table, ['insert', table, ['1', '(1,2)', 'a']])[0], 'after')).toEqual({ id: 1, v: 'a' })
    const keyless = tableOf('t', { c: 'composite!', v: 'text' })
    const [record] = made(keyless, ['insert', keyless, ['(1,2)', 'a']])
    expect([record!.key, record!.keySchema]).toEqual([null, null])
  })

  it('that values leave out stay in keys', () => {
    const settings = { isColumnCaptured: columnFilter(null, 'public.t.id') }
    const [event, tombstone] = made(wide, ['delete', wide, { key: ['5', null, null] }], settings)
    expect(members(event!.key)).toEqual({ id: 5 })
    expect(partOf(event, 'before')).toEqual({ v: null, n: 7 })
    expect([members(tombstone!.key), tombstone!.value, tombstone!.valueSchema]).toEqual([{ id: 5 }, null, null])
    expect(made(wide, ['update', wide, ['6', 'a', '1'], { key: ['5', null, null] }], settings)).toHaveLength(3)
  })

  it('may all be left out of values', () => {
    const [record] = made(wide, ['insert', wide, ['5', null, '1']], { isColumnCaptured: () => false })
    expect([partOf(record, 'after'), members(record!.key)]).toEqual([{}, { id: 5 }])
  })

  it('stand in their place whatever their names are', () => {
    const names = ['__proto__', 'constructor', '2', '1', 'toString']
    const columns = names.map((name) => ({ ...wide.columns[0]!, name, isOptional: name === 'toString' }))
    const table = { ...wide, columns, keyColumns: ['__proto__'] }
    const [record] = made(table, ['insert', table, ['1', '2', '3', '4', null]])
    const after = (record!.value as Struct)['after'] as Struct
    expect(names.map((name) => after[name])).toEqual([1, 2, 3, 4, null])
    expect(Object.entries(record!.key as Struct)).toEqual([['__proto__', 1]])
    expect(sourceRecord(record!).value).toBe(record!.value)
  })

  it('of a type with a struct of its own keep the schema that its values know', () => {
    for (const mark of ['', '!']) {
      const table = tableOf('t', { id: 'int4!', n: `numeric${mark}` })
      const [record] = made(table, ['insert', table, ['1', '1.5']])
      const { after } = record!.value as Struct
      const field = fieldOf(fieldOf(record!.valueSchema!, 'after')!.schema, 'n')!
      expect(schemaOfMade((after as Struct)['n'] as Struct)).toBe(field.schema)
      expect(field.schema.optional ?? false).toBe(mark === '')
    }
  })

  it('that a row has no value for are told from null', () => {
    const table = { ...wide, columns: [...wide.columns, { ...wide.columns[1]!, name: 'more' }] }
    expect(() => made(table, ['insert', table, ['1', 'a', '2']])).toThrow(RangeError)
  })

  it('of a text that is none of their type are named with the table', () => {
    const failing = (): unknown => made(wide, ['insert', wide, ['1', 'a', 'two']])
    expect(failing).toThrow(FatalError)
    expect(failing).toThrow(/^table public\.t: .*\bn\b/)
  })
})

describe('values that the log does not hold', () => {
  const table = tableOf('t', { id: 'text!', v: 'text' }, ['id'], { replicaIdentity: 'full' })
  const placeholder = '__debezium_unavailable_value'
  const cases: readonly (readonly [what: string, row: Cells, old: OldCells | undefined, after: unknown])[] = [
    ['come from the whole row before', ['1', UNCHANGED], { full: ['1', 'long'] }, { id: '1', v: 'long' }],
    ['come from the old key', [UNCHANGED, 'a'], { key: ['1', null] }, { id: '1', v: 'a' }],
    ['have a placeholder beside an old key', ['1', UNCHANGED], { key: ['1', null] }, { id: '1', v: placeholder }],
    ['have a placeholder without a row before', ['1', UNCHANGED], undefined, { id: '1', v: placeholder }],
    ['have a placeholder where the row before has none either', ['1', UNCHANGED], { full: ['1', UNCHANGED] }, { id: '1', v: placeholder }],
  ]
  for (const [what, row, old, after] of cases) {
    it(what, () => {
      const records = made(table, old === undefined ? ['update', table, row] : ['update', table, row, old])
      expect(records).toHaveLength(1)
      expect(partOf(records[0], 'after')).toEqual(after)
    })
  }
})

describe('updates', () => {
  const full = { ...wide, replicaIdentity: 'full' } as const
  const skipping = { skipMessagesWithoutChange: true }

  it('without change are left out only where the whole row before is known', () => {
    const row: Cells = ['1', 'a', '2']
    expect(made(full, ['update', full, row, { full: row }], skipping)).toEqual([])
    expect(made(full, ['update', full, row, { full: row }])).toHaveLength(1)
    expect(made(wide, ['update', wide, row], skipping)).toHaveLength(1)
    expect(made(full, ['update', full, row, { full: ['1', 'b', '2'] }], skipping)).toHaveLength(1)
    expect(made(full, ['update', full, ['1', UNCHANGED, '2'], { full: row }], skipping)).toEqual([])
  })

  it('are told from changes of the key by what it holds', () => {
    const exact = tableOf('t', { amount: 'numeric(6,2)!', by: 'bytea!', v: 'text' }, ['amount', 'by'], { replicaIdentity: 'full' })
    const row: Cells = ['1.50', '\\x00ff', 'b']
    const [only, ...more] = made(exact, ['update', exact, row, { full: ['1.50', '\\x00ff', 'a'] }])
    expect([(only!.value as Struct)['op'], more]).toEqual(['u', []])
    expect(made(exact, ['update', exact, row, { full: row }], skipping)).toEqual([])
    expect(made(exact, ['update', exact, row, { full: ['1.51', '\\x00ff', 'b'] }])).toHaveLength(3)
    expect(made(exact, ['update', exact, row, { full: ['1.50', '\\x01ff', 'b'] }])).toHaveLength(3)
  })

  it('of a key that values do not show are a change', () => {
    const settings = { ...skipping, isColumnCaptured: columnFilter(null, 'public.t.id') }
    expect(made(full, ['update', full, ['2', 'a', '2'], { full: ['1', 'a', '2'] }], settings)).toHaveLength(3)
  })

  it('of a key that is not the table’s are a delete and a create, too', () => {
    const settings = { keyColumnsOf: keyColumnsRule('public.t:v') }
    const records = made(full, ['update', full, ['1', 'b', '2'], { full: ['1', 'a', '2'] }], settings)
    expect(records.map(({ key }) => members(key))).toEqual([{ v: 'a' }, { v: 'a' }, { v: 'b' }])
    expect(made(full, ['update', full, ['9', 'a', '2'], { full: ['1', 'a', '2'] }], settings)).toHaveLength(1)
  })
})

describe('a row that is not told whole', () => {
  const told = { ...wide, keyColumns: ['id', 'v'] }

  it('has no key where the replica identity has not all of its columns', () => {
    const message =
      /^table public\.t: column v of the key is not of the replica identity.*; set message\.key\.columns = public\.t:id; or ALTER TABLE/
    for (const step of [
      ['delete', told, { key: ['1', null, null] }],
      ['update', told, ['2', 'a', '1'], { key: ['1', null, null] }],
    ] satisfies Step[]) {
      expect(() => made(told, step)).toThrow(FatalError)
      expect(() => made(told, step)).toThrow(message)
    }
    // Of a whole row a null is what it says.
    expect(made(told, ['delete', told, { full: ['1', null, '2'] }]).map(({ key }) => members(key))).toEqual(
      Array(2).fill({ id: 1, v: null }),
    )
    expect(made(told, ['delete', told, { key: ['1', null, null] }], { skippedOperations: new Set(['d']) })).toEqual([])
  })

  it('has no key where the log does not hold a long value of it', () => {
    const message = /^table public\.t: column v of the key: the change left a long value as it was/
    expect(() => made(told, ['update', told, ['1', UNCHANGED, '2']])).toThrow(message)
    const [record] = made(told, ['update', told, ['1', UNCHANGED, '2'], { key: ['1', 'long', null] }])
    expect(members(record!.key)).toEqual({ id: 1, v: 'long' })
  })

  it('is refused where a long value has no placeholder', () => {
    const narrow = tableOf('t', { id: 'int4!', n: 'numeric(6,2)' })
    const update: Step = ['update', narrow, ['1', UNCHANGED]]
    expect(() => made(narrow, update)).toThrow(FatalError)
    expect(() => made(narrow, update)).toThrow(
      /^table public\.t: column n: the change left a long value as it was.*; leave the column out by column/,
    )
    expect(partOf(made(narrow, ['update', narrow, ['1', UNCHANGED], { full: ['1', '1.50'] }])[0], 'after')).toMatchObject({ id: 1 })
  })
})

describe('a key of which a part has a type that is not captured', () => {
  const table = tableOf('t', { id: 'int4!', c: 'composite!', v: 'text' }, ['id', 'c'])

  it('is refused, since the rest of it names several rows', () => {
    expect(() => eventsOf(table)).toThrow(FatalError)
    expect(() => eventsOf(table)).toThrow(/^table public\.t: the type of column c of the key is not captured/)
    const values = { ...defaultSettings.values, includeUnknown: true }
    expect(members(made(table, ['insert', table, ['1', '(1,2)', 'a']], { values })[0]!.key)).toMatchObject({ id: 1 })
    expect(members(made(table, ['insert', table, ['1', '(1,2)', 'a']], { keyColumnsOf: keyColumnsRule('public.t:id') })[0]!.key)).toEqual({
      id: 1,
    })
  })
})

describe('a null in a column that the catalog says has none', () => {
  const n = (record: SourceRecordInput | undefined, part: string): unknown => ((record!.value as Struct)[part] as Struct)['n']

  it('is told as null, from then on in a schema that allows it', () => {
    const full = { ...wide, replicaIdentity: 'full' } as const
    const steps: readonly (readonly [Step, string])[] = [
      [['read', full, ['1', 'a', null]], 'after'],
      [['insert', full, ['1', 'a', null]], 'after'],
      [['update', full, ['1', 'a', null], { full: ['1', 'a', '1'] }], 'after'],
      [['update', full, ['1', 'a', '1'], { full: ['1', 'a', null] }], 'before'],
      [['delete', full, { full: ['1', 'a', null] }], 'before'],
    ]
    for (const [step, part] of steps) {
      const events = eventsOf(full)
      const [before] = events.insert(rowText(['1', 'a', '5']), somePlace())
      const [record] = perform(events, step, somePlace())
      const [after] = events.insert(rowText(['1', 'a', '5']), somePlace())
      expect([n(before, 'after'), n(record, part), n(after, 'after')]).toEqual([5, null, 5])
      const [strict, relaxed, kept] = [before, record, after].map(
        (one) => fieldOf(fieldOf(one!.valueSchema!, 'after')!.schema, 'n')!.schema,
      )
      expect([strict!.optional ?? false, relaxed!.optional, kept]).toEqual([false, true, relaxed])
      expect(events.valueSchema).toBe(after!.valueSchema)
    }
  })

  it('says nothing where only the key of a row is told', () => {
    const events = eventsOf(wide)
    const [record] = events.delete('key', rowText(['1', null, null]), somePlace())
    expect(n(record, 'before')).toBe(7)
    expect(fieldOf(fieldOf(record!.valueSchema!, 'before')!.schema, 'n')!.schema.optional ?? false).toBe(false)
  })
})
