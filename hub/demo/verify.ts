/** @module demo/verify — whether every change arrived: PostgreSQL against the topics, the topics against the objects. Pure. */
import type { ChangeEvent } from './change-event.ts'

/** Rows changed in a table, as PostgreSQL counted them when it changed them. */
export interface ChangeCounts {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** A record of a topic: a change event, or (null) a tombstone. */
export interface TopicRecord {
  readonly key: string
  readonly event: ChangeEvent | null
}

/** A table with what has been captured of it. */
export interface TableEvidence {
  readonly table: string
  readonly committed: ChangeCounts
  /** Rows that stood there when the snapshot was taken. */
  readonly firstRowCount: number
  /** The rows at the end, each value as its text. */
  readonly rows: readonly Readonly<Record<string, string>>[]
  /** All records of its topic, in order. */
  readonly records: readonly TopicRecord[]
}

/** Something that had to hold. */
export interface Check {
  readonly text: string
  /** Undefined: it holds. */
  readonly problem: string | undefined
}

/** All that had to hold, each with what is wrong. `objectIdentities` are the events of all objects together. */
export function verify(tables: readonly TableEvidence[], objectIdentities: readonly string[]): readonly Check[] {
  const sum = (count: (table: TableEvidence) => number): number => tables.reduce((total, table) => total + count(table), 0)
  const rows = tables.map(({ table, rows: { length } }) => `${table} ${length}`).join(', ')
  return [
    {
      text: `each of the ${sum(({ committed }) => totalOf(committed))} changes and each of the ${sum(({ firstRowCount }) => firstRowCount)} first rows is one record of its topic`,
      problem: firstProblem(tables.map(countProblem)),
    },
    { text: `each topic, compacted by key, equals its table (rows: ${rows})`, problem: firstProblem(tables.map(tableProblem)) },
    {
      text: 'each record stands in the objects exactly once',
      problem: objectProblem(
        tables.flatMap(({ records }) => records.flatMap(({ event }) => (event === null ? [] : [event.identity]))),
        objectIdentities,
      ),
    },
  ]
}

/** All rows of a table that were changed. */
export function totalOf({ inserted, updated, deleted }: ChangeCounts): number {
  return inserted + updated + deleted
}

function firstProblem(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined)
}

function countProblem({ table, committed, firstRowCount, records }: TableEvidence): string | undefined {
  const counted = (operation: string): number => records.filter(({ event }) => event?.operation === operation).length
  const pairs: readonly (readonly [what: string, wanted: number, found: number])[] = [
    ['rows of the snapshot', firstRowCount, counted('r')],
    ['inserts', committed.inserted, counted('c')],
    ['updates', committed.updated, counted('u')],
    ['deletes', committed.deleted, counted('d')],
    ['tombstones', committed.deleted, records.filter(({ event }) => event === null).length],
  ]
  const wrong = pairs.find(([, wanted, found]) => wanted !== found)
  return wrong === undefined ? undefined : `${table}: ${wrong[1]} ${wrong[0]} in PostgreSQL, ${wrong[2]} in the topic`
}

function tableProblem({ table, rows, records }: TableEvidence): string | undefined {
  const compacted = new Map<string, string>()
  for (const { key, event } of records) {
    if (event?.after == null) compacted.delete(key)
    else compacted.set(key, rowText(event.after))
  }
  const wanted = new Map(rows.map((row) => [JSON.stringify({ id: Number(row['id']) }), rowText(row)]))
  for (const [key, text] of wanted) {
    const found = compacted.get(key)
    if (found === undefined) return `${table}: the row ${key} is not in the topic`
    if (found !== text) return `${table}: the row ${key} is ${text} in PostgreSQL and ${found} in the topic`
  }
  const extra = [...compacted.keys()].find((key) => !wanted.has(key))
  return extra === undefined ? undefined : `${table}: the topic holds a row ${extra} that the table does not`
}

/** A row as text, the same for PostgreSQL's text of its values and for those of an event: a fraction of a second without trailing zeros. */
function rowText(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    Object.entries(row).map(([name, value]) => [
      name,
      String(value).replace(
        /^(\d{4}-\d\d-\d\dT[\d:]+)(?:\.(\d*?)0*)?Z$/,
        (_, whole: string, fraction = '') => `${whole}${fraction === '' ? '' : `.${fraction}`}Z`,
      ),
    ]),
  )
}

function objectProblem(recordIdentities: readonly string[], objectIdentities: readonly string[]): string | undefined {
  const left = new Map<string, number>()
  for (const identity of recordIdentities) {
    if (left.has(identity)) return `the topic holds an event twice: ${identity}`
    left.set(identity, 1)
  }
  for (const identity of objectIdentities) {
    const count = left.get(identity)
    if (count === undefined) return `an object holds what no topic does: ${identity}`
    if (count === 0) return `the objects hold a record twice: ${identity}`
    left.set(identity, 0)
  }
  const missing = [...left].filter(([, count]) => count === 1)
  return missing.length === 0 ? undefined : `${missing.length} records are in no object, the first of them ${missing[0]?.[0]}`
}
