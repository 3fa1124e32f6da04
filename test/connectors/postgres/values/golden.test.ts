import { describe, expect, it } from 'vitest'
import { recordingNames, recordingOf } from '../golden/library.ts'
import { type Exact, exactJson } from '../golden/recording.ts'
import { printRow, type PrintedRow, recordedRows, settingsOf, typesOf } from './rows.ts'
import { type RecordedChange, type RecordedTexts, recordedTexts } from './texts.ts'

/**
 * What is ours on purpose (test/golden/cdc/differences.json says why): by recording, table and column, in which rows what is recorded and
 * what is ours. `schema`: what the default in the field's schema is.
 */
interface Deliberate {
  readonly recordings: RegExp
  readonly part: 'before' | 'after'
  readonly column: string
  readonly rows: readonly (readonly [row: number, recorded: string, ours: string])[]
  readonly schemaDefault?: readonly [recorded: string, ours: string]
  /** Elements may be null, and are recorded as if they could not be. */
  readonly hasOptionalItems?: true
}

const floatOfOldJava = ['1.17549435E-38', '1.1754944E-38'] as const
const infinityDefault = ['-9223372036853775810', '9223372036854775807'] as const
const placeholder = '"__debezium_unavailable_value"'
const deliberate: readonly Deliberate[] = [
  {
    recordings: /^types-char$/,
    part: 'after',
    column: 'nm',
    rows: [
      [4, 'null', '"a_name"'],
      [5, 'null', '""'],
      [7, 'null', '"n"'],
    ],
  },
  {
    recordings: /^types-arrays\.(?:default|unknown)$/,
    part: 'after',
    column: 'ti',
    rows: [
      [0, '[45296789000]', '[45296789012]'],
      [3, '[45296789000]', '[45296789012]'],
    ],
  },
  {
    recordings: /^types-arrays\.string-iso$/,
    part: 'after',
    column: 'ti',
    rows: [
      [0, '["12:34:56.789Z"]', '["12:34:56.789012Z"]'],
      [3, '["12:34:56.789Z"]', '["12:34:56.789012Z"]'],
    ],
  },
  { recordings: /^types-arrays\./, part: 'after', column: 'e', rows: [], hasOptionalItems: true },
  { recordings: /^types-arrays\.unknown$/, part: 'after', column: 'pi', rows: [], hasOptionalItems: true },
  { recordings: /^defaults$/, part: 'after', column: 'inf', rows: [], schemaDefault: infinityDefault },
  { recordings: /^defaults$/, part: 'before', column: 'inf', rows: [[0, ...infinityDefault]], schemaDefault: infinityDefault },
  { recordings: /^toast\.base64$/, part: 'after', column: 'by', rows: [1, 2, 3].map((row) => [row, 'null', placeholder] as const) },
  {
    recordings: /^types-numeric\./,
    part: 'after',
    column: 'f4',
    rows: [
      [2, ...floatOfOldJava],
      [13, ...floatOfOldJava],
    ],
  },
]

const scenarios = /^(?:types-|defaults$|toast\.|replica-identity$)/
// Config of its own column rules, and of a post-processor: not of values.
const names = recordingNames.filter((name) => scenarios.test(name) && !/propagated|reselect|columns_diff/.test(name))

describe('every recorded row comes out of the server’s text', () => {
  it('there are recordings', () => expect(names.length).toBeGreaterThan(35))

  it.each(names)('%s', async (name) => {
    const recording = recordingOf(name)
    const texts = recordedTexts(name.split('.')[0]!)
    const settings = settingsOf(recording.config)
    for (const part of ['after', 'before'] as const) {
      const golden = recordedRows(recording, part)
      const ours = await printedRows(texts, part, settings)
      expect([...ours.keys()].sort()).toEqual([...golden.keys()].sort())
      for (const [table, rows] of golden) {
        expect(ours.get(table), `${table}, ${part}`).toEqual(withDeliberate(name, part, table, rows))
      }
    }
  })
})

async function printedRows(
  texts: RecordedTexts,
  part: 'before' | 'after',
  settings: Parameters<typeof printRow>[3],
): Promise<Map<string, PrintedRow[]>> {
  const rows = new Map<string, PrintedRow[]>()
  for (const [stage, { shape, changes }] of texts.stages.entries()) {
    const types = typesOf(shape)
    for (const change of changes) {
      const row = part === 'before' ? change.before : withOld(change)
      if (row === null) continue
      const printed = await printRow(row, shape.tables[change.table]!, types, settings, stage === 0 ? 'snapshot' : 'stream')
      const known = rows.get(change.table)
      if (known === undefined) rows.set(change.table, [printed])
      else known.push(printed)
    }
  }
  return rows
}

/** With replica identity full the old row has what a change left as it was. */
function withOld({ before, after }: RecordedChange): RecordedChange['after'] {
  if (after === null || before === null) return after
  return Object.fromEntries(
    Object.entries(after).map(([name, text]) => [name, typeof text === 'object' && text !== null ? (before[name] ?? text) : text]),
  )
}

/** What is recorded with ours in the places where it differs on purpose; a place where nothing else is recorded than we say fails. */
function withDeliberate(name: string, part: 'before' | 'after', table: string, rows: readonly PrintedRow[]): readonly PrintedRow[] {
  let wanted = rows
  for (const one of deliberate.filter((known) => known.recordings.test(name) && known.part === part)) {
    if (table !== 't') continue
    const { column, rows: places } = one
    wanted = wanted.map(({ fields, payload }, at) => {
      const [, recorded, ours] = places.find(([row]) => row === at) ?? []
      const value = (payload as Readonly<Record<string, Exact>>)[column]
      if (recorded !== undefined) expect(value, `${column} of row ${at}`).toEqual(exactJson(recorded))
      return {
        fields: fields.map((field) => ourField(field, one)),
        payload: ours === undefined ? payload : { ...(payload as object), [column]: exactJson(ours) },
      }
    })
  }
  return wanted
}

function ourField(field: Exact, { column, schemaDefault, hasOptionalItems }: Deliberate): Exact {
  const printed = field as Readonly<Record<string, Exact>>
  if (printed['field'] !== column) return field
  if (hasOptionalItems === true) {
    expect(printed['items'], `elements of ${column}`).toMatchObject({ optional: false })
    return { ...printed, items: { ...(printed['items'] as object), optional: true } }
  }
  if (schemaDefault === undefined) return field
  const [recorded, ours] = schemaDefault
  expect(printed['default'], `default of ${column}`).toEqual(exactJson(recorded))
  return { ...printed, default: exactJson(ours) }
}
