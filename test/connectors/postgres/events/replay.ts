/**
 * @module test/connectors/postgres/events/replay — recordings of Debezium, made again from rows: each step gives one message to `tableEvents`, in the
 * place that the recording says, and the records that come out must be the next ones of the recording.
 */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type EventSettings, type Place, type TableEvents, tableEvents } from '../../../../connectors/postgres/events/index.ts'
import { NULL_TEXT, type RowText, type SnapshotMarker, type Table, UNCHANGED_TEXT } from '../../../../connectors/postgres/model.ts'
import { type SourceRecordInput, sourceRecord } from '../../../../sdk/index.ts'
import { isStage, type RecordedRecord, readRecording, recordOf } from '../golden/recording.ts'
import { defaultSettings as defaultValueSettings } from '../values/rows.ts'
import { baseTypes } from './tables.ts'

const golden = new URL('../../../golden/cdc/postgres/', import.meta.url)

/** In a row of a test: a TOASTed value that the change did not touch. */
export const UNCHANGED = Symbol('unchanged')
/** A row as the server's text: null, text, or {@link UNCHANGED}. */
export type Cells = readonly (string | null | typeof UNCHANGED)[]

/** What is told of a row before: the columns of the replica identity, or all. */
export type OldCells = { readonly key: Cells } | { readonly full: Cells }

/** One message. */
export type Step =
  | readonly ['read' | 'insert', Table, Cells]
  | readonly ['update', Table, Cells, OldCells?]
  | readonly ['delete', Table, OldCells]
  | readonly ['truncate', Table]

/** What settings are where a test does not say otherwise: Debezium's defaults. */
export const defaultSettings: EventSettings = {
  connectorVersion: '9.8.7',
  topicPrefix: 'dbz',
  topicDelimiter: '.',
  databaseName: 'golden',
  values: defaultValueSettings,
  tombstonesOnDelete: true,
  skippedOperations: new Set(['t']),
  extendedHeaders: { runId: '0e0b5c6e-5a59-4dcb-8a5a-0d6c1bd2e64b', taskId: '0' },
  isColumnCaptured: () => true,
  keyColumnsOf: null,
  skipMessagesWithoutChange: false,
  nowUs: () => 1_700_000_000_123_456n,
}

/** A row in one buffer with something before and behind each value, so that no slice is right by chance. */
export function rowText(cells: Cells): RowText {
  const chunks: Buffer[] = []
  const bounds: number[] = []
  let at = 0
  for (const cell of cells) {
    if (cell === null || cell === UNCHANGED) {
      bounds.push(cell === null ? NULL_TEXT : UNCHANGED_TEXT, 0)
      continue
    }
    const text = Buffer.from(cell)
    chunks.push(Buffer.from('7x'), text)
    bounds.push(at + 2, at + 2 + text.length)
    at += 2 + text.length
  }
  return { bytes: Buffer.concat([...chunks, Buffer.from('8y')]), bounds: Int32Array.from(bounds) }
}

/** A place for steps whose records stand in no recording. */
export function somePlace(changes: Partial<Place> = {}): Place {
  return {
    lsn: 1,
    lastCommitLsn: null,
    txId: 1,
    timeUs: 1n,
    snapshot: 'false',
    sourcePartition: { server: 'dbz' },
    offset: { at: 'end' },
    offsetBefore: { at: 'before' },
    ...changes,
  }
}

/** Gives one message to the events of its table. */
export function perform(events: TableEvents, step: Step, place: Place): readonly SourceRecordInput[] {
  const old = step[0] === 'update' ? step[3] : step[0] === 'delete' ? step[2] : undefined
  const oldRow = old === undefined ? null : rowText('key' in old ? old.key : old.full)
  const oldKind = old === undefined ? null : 'key' in old ? 'key' : 'full'
  switch (step[0]) {
    case 'read':
      return events.read(rowText(step[2]), place)
    case 'insert':
      return events.insert(rowText(step[2]), place)
    case 'update':
      return events.update(oldKind, oldRow, rowText(step[2]), place)
    case 'delete':
      return events.delete(oldKind!, oldRow!, place)
    case 'truncate':
      return events.truncate(place)
  }
}

/** The records of a recording, the schemas in the place of their names. */
export function recordsOf(name: string): readonly RecordedRecord[] {
  const read = (ending: string): string => readFileSync(new URL(`${name}.${ending}`, golden), 'utf8')
  return readRecording(read('jsonl'), read('schemas.json')).items.filter((item): item is RecordedRecord => !isStage(item))
}

/**
 * Replays a recording.
 * @param edit changes what was recorded where we differ on purpose
 */
export async function replay(
  name: string,
  steps: readonly Step[],
  settings: Partial<EventSettings> = {},
  edit: (record: RecordedRecord, index: number) => RecordedRecord = (record) => record,
): Promise<void> {
  const all = { ...defaultSettings, ...settings }
  const shapes = new Map<string, TableEvents>()
  const eventsOf = (table: Table, phase: 'snapshot' | 'stream'): TableEvents => {
    const key = `${phase} ${JSON.stringify(table)}`
    const events = shapes.get(key) ?? tableEvents(table, baseTypes, all, phase)
    shapes.set(key, events)
    return events
  }
  const recorded = recordsOf(name)
  let at = 0
  for (const step of steps) {
    const next = recorded[at]
    const place = next === undefined ? somePlace() : placeOf(next)
    const made = perform(eventsOf(step[1], step[0] === 'read' ? 'snapshot' : 'stream'), step, place)
    for (const [index, input] of made.entries()) {
      const expected = recorded[at]
      expect(input.sourceOffset).toBe(index === made.length - 1 ? place.offset : place.offsetBefore)
      expect(expected, `record ${at} of ${name}`).toBeDefined()
      expect(notation(await recordOf(sourceRecord(input))), `record ${at} of ${name}`).toEqual(comparable(edit(expected!, at)))
      at++
    }
  }
  expect(at, `records of ${name}`).toBe(recorded.length)
}

/** Offsets are the source's, and checked by identity. */
function withoutOffset(record: RecordedRecord): unknown {
  return { ...record, offset: null }
}

/** The recorder leaves out a list of no headers, and counts instants of one millisecond as one where they are shown as milliseconds. */
function comparable(record: RecordedRecord): unknown {
  const { value, headers = [], headerSchemas = [] } = record as Partial<RecordedRecord>
  const event = value as { readonly source: Readonly<Record<string, unknown>> } | null | undefined
  const source = event && { ...event.source, ts_ms: String(event.source['ts_us']).replace('.us', '.ms') }
  return { ...(withoutOffset(record) as RecordedRecord), headers, headerSchemas, value: event ? { ...event, source } : null }
}

const STEP_US = 1_000_001n
const rank = (text: unknown): number => Number(/:(\d+)/.exec(String(text))![1])

/** Numbers that stand for the marks of the recording: `<lsn:7>` is 7, `<ts:7.us>` is 7 · 1,000,001 µs. */
function placeOf(record: RecordedRecord): Place {
  const value = record.value as { readonly source: Readonly<Record<string, unknown>> } | null
  const source = value!.source
  const sequence = JSON.parse(String(source['sequence'])) as readonly [string | null, string]
  return somePlace({
    lsn: rank(source['lsn']),
    lastCommitLsn: sequence[0] === null ? null : rank(sequence[0]),
    txId: rank(source['txId']),
    timeUs: BigInt(rank(source['ts_us'])) * STEP_US,
    snapshot: source['snapshot'] as SnapshotMarker,
  })
}

/** One of our records with those marks. */
function notation(record: RecordedRecord): unknown {
  const { value, headers } = record
  const uuid = defaultSettings.extendedHeaders!.runId
  return {
    ...(withoutOffset(record) as RecordedRecord),
    headers: headers.map(([name, text]) => [name, text === uuid ? '<uuid>' : text]),
    value: value === null ? null : valueNotation(value as Readonly<Record<string, unknown>>),
  }
}

function valueNotation(value: Readonly<Record<string, unknown>>): unknown {
  const source = value['source'] as Readonly<Record<string, unknown>>
  const ts = Math.round(Number(source['ts_us']) / Number(STEP_US))
  const us = BigInt(ts) * STEP_US
  const mark = (found: unknown, expected: bigint, text: string): unknown => (String(found) === String(expected) ? text : found)
  const now = defaultSettings.nowUs()
  return {
    ...value,
    source: {
      ...source,
      version: source['version'] === defaultSettings.connectorVersion ? '<version>' : source['version'],
      ts_ms: mark(source['ts_ms'], us / 1000n, `<ts:${ts}.ms>`),
      ts_us: mark(source['ts_us'], us, `<ts:${ts}.us>`),
      ts_ns: mark(source['ts_ns'], us * 1000n, `<ts:${ts}.ns>`),
      sequence: String(source['sequence']).replaceAll(/"(\d+)"/g, '"<lsn:$1>"'),
      txId: `<txid:${String(source['txId'])}>`,
      lsn: `<lsn:${String(source['lsn'])}>`,
    },
    ts_ms: mark(value['ts_ms'], now / 1000n, '<now.ms>'),
    ts_us: mark(value['ts_us'], now, '<now.us>'),
    ts_ns: mark(value['ts_ns'], now * 1000n, '<now.ns>'),
  }
}
