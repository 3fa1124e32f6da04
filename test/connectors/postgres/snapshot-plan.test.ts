import { describe, expect, it } from 'vitest'
import { storedOf } from '../../../connectors/postgres/position.ts'
import { snapshotMarker } from '../../../connectors/postgres/snapshot-markers.ts'
import { planStart, type Situation, type SlotState, type SnapshotMode, type Start } from '../../../connectors/postgres/snapshot-plan.ts'
import { isStreamed, snapshotChoice } from '../../../connectors/postgres/snapshot-tables.ts'
import type { CatalogTable } from '../../../connectors/postgres/catalog/index.ts'

const at = (lsn: number): SlotState => ({ name: 's', confirmedLsn: lsn, isLost: false, activePid: null })
const stored = {
  nothing: null,
  open: storedOf({
    lsn: 50,
    snapshot: 'INITIAL',
    snapshot_completed: false,
    last_snapshot_record: false,
    millrace_commit_lsn: 50,
    millrace_ordinal: 0,
  }),
  position: storedOf({ lsn: 95, millrace_commit_lsn: 100, millrace_ordinal: 2 }),
  debezium: storedOf({ lsn_proc: 95, lsn: 95, lsn_commit: 90, txId: 7, messageType: 'INSERT', ts_usec: 1 }),
} as const
const slots = { none: null, there: at(50), behind: at(100), beyond: at(101), lost: { ...at(50), isLost: true } } as const

const modes: readonly SnapshotMode[] = ['initial', 'when_needed', 'always', 'no_data', 'initial_only']

/** `slot use, S: with a snapshot, where the stream begins`. */
function text(start: Start): string {
  if (start.action === 'rest') return 'rest'
  if (start.action === 'refuse') return `refuse ${start.code}`
  const from = start.stream === null ? 'no stream' : start.stream === 'slot' ? 'from slot' : `resume ${start.stream.kind}`
  return `${start.slot}${start.isSnapshot ? ' S' : ''} ${from}`
}

const resume = 'keep resume position'
const table: readonly (readonly [keyof typeof stored, keyof typeof slots, ...(readonly string[])])[] = [
  ['nothing', 'none', 'create S from slot', 'create S from slot', 'create S from slot', 'create from slot', 'none S no stream'],
  ['nothing', 'there', 'keep S from slot', 'keep S from slot', 'keep S from slot', 'keep from slot', 'none S no stream'],
  ['nothing', 'lost', 'refuse slot-lost', 'replace S from slot', 'replace S from slot', 'refuse slot-lost', 'none S no stream'],
  ['open', 'there', 'keep S from slot', 'keep S from slot', 'keep S from slot', 'keep from slot', 'none S no stream'],
  ['open', 'beyond', 'refuse slot-ahead', 'keep S from slot', 'keep S from slot', 'refuse slot-ahead', 'none S no stream'],
  ['open', 'none', 'refuse slot-missing', 'create S from slot', 'create S from slot', 'refuse slot-missing', 'none S no stream'],
  ['open', 'lost', 'refuse slot-lost', 'replace S from slot', 'replace S from slot', 'refuse slot-lost', 'none S no stream'],
  ['position', 'there', resume, resume, 'keep S resume position', resume, 'rest'],
  ['position', 'behind', resume, resume, 'keep S resume position', resume, 'rest'],
  ['position', 'beyond', 'refuse slot-ahead', 'keep S from slot', 'keep S from slot', 'refuse slot-ahead', 'rest'],
  ['position', 'none', 'refuse slot-missing', 'create S from slot', 'create S from slot', 'refuse slot-missing', 'rest'],
  ['position', 'lost', 'refuse slot-lost', 'replace S from slot', 'replace S from slot', 'refuse slot-lost', 'rest'],
  ['debezium', 'there', 'keep resume debezium', 'keep resume debezium', 'keep S from slot', 'keep resume debezium', 'rest'],
  ['debezium', 'behind', 'refuse slot-ahead', 'keep S from slot', 'keep S from slot', 'refuse slot-ahead', 'rest'],
]

describe('the plan of a start', () => {
  const cases = table.flatMap(([what, slot, ...outcomes]) => modes.map((mode, index) => [what, slot, mode, outcomes[index]] as const))

  it.each(cases)('stored: %s, slot: %s, %s → %s', (what, slot, mode, expected) => {
    const situation: Situation = { mode, slotName: 's', stored: stored[what], slot: slots[slot], currentLsn: 1_000 }
    expect(text(planStart(situation))).toBe(expected)
  })

  it('refuses a position that the server has not reached, and names both', () => {
    const start = planStart({ mode: 'initial', slotName: 's', stored: stored.position, slot: at(50), currentLsn: 99 })
    expect(start).toMatchObject({ action: 'refuse', code: 'position-beyond-server' })
    expect((start as { message: string }).message).toMatch(/0\/64 .* 0\/63/)
  })

  it('says what is lost and what to do', () => {
    const start = planStart({ mode: 'initial', slotName: 'cdc', stored: stored.position, slot: null, currentLsn: 1_000 })
    expect(start).toMatchObject({ message: expect.stringMatching(/"cdc" is gone.*0\/64/), remedy: expect.stringMatching(/when_needed/) })
  })
})

describe('markers of rows', () => {
  const row = (letters: string) => ({
    isFirst: letters.includes('F'),
    isFirstOfTable: letters.includes('f'),
    isLastOfTable: letters.includes('l'),
    isLast: letters.includes('L'),
  })

  // As golden/cdc/postgres snapshot-markers, truncate and publication-modes have them.
  it.each([
    ['', 'true'],
    ['Ff', 'first'],
    ['f', 'first_in_data_collection'],
    ['l', 'last_in_data_collection'],
    ['fl', 'last_in_data_collection'],
    ['Ffl', 'first'],
    ['lL', 'last'],
    ['FflL', 'last'],
  ])('%s: %s', (letters, marker) => {
    expect(snapshotMarker(row(letters))).toBe(marker)
  })
})

describe('tables of a snapshot', () => {
  const named = (name: string, facts: Partial<CatalogTable> = {}): CatalogTable => ({
    oid: name.charCodeAt(0),
    schema: 'public',
    name,
    columns: [],
    keyColumns: [],
    replicaIdentity: 'default',
    isPartitioned: false,
    rootOid: null,
    ...facts,
  })
  const tables = [
    named('a'),
    named('p', { isPartitioned: true }),
    named('q', { rootOid: 112, isPartitioned: true }),
    named('r', { rootOid: 112 }),
  ]
  const names = (isViaRoot: boolean) => tables.filter((table) => isStreamed(table, isViaRoot)).map(({ name }) => name)

  it('are those under whose names the stream comes', () => {
    expect(names(false)).toEqual(['a', 'r'])
    expect(names(true)).toEqual(['a', 'p'])
  })

  it('are read as given, or by size', () => {
    const choose = (order: 'disabled' | 'ascending' | 'descending') =>
      snapshotChoice(tables, { isViaRoot: false, isIncluded: () => true, order, rowCountOf: ({ oid }) => -oid }).map(({ name }) => name)
    expect(choose('disabled')).toEqual(['a', 'r'])
    expect(choose('ascending')).toEqual(['r', 'a'])
    expect(choose('descending')).toEqual(['a', 'r'])
  })

  it('are only those of the list', () => {
    const choice = {
      isViaRoot: true,
      isIncluded: (_schema: string, name: string) => name === 'p',
      order: 'disabled',
      rowCountOf: () => 0,
    } as const
    expect(snapshotChoice(tables, choice).map(({ name }) => name)).toEqual(['p'])
  })
})
