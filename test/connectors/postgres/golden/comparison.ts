/**
 * @module test/connectors/postgres/golden/comparison — a recording of Debezium and one of ours, record by record, and the differences that are meant.
 */
import { isDeepStrictEqual } from 'node:util'
import { stringifyJson } from '../../../../sdk/index.ts'
import type { Difference } from './bindings.ts'
import { literal, Matching } from './matching.ts'
import { type Exact, isStage, type RecordedRecord, type RecordedStage, type Recording } from './recording.ts'

/** A difference that is meant: golden/cdc/differences.json. */
export interface DeliberateDifference {
  /** Scenario and variant, `types-time.isostring`; `*` stands for any text. */
  readonly scenario: string
  /** As {@link Difference} names it, without the record's topic: `3 value.after.id`; `*` stands for any text. */
  readonly place: string
  /** What ours is; it must be that, not only something else. Left out: any value, where it differs from run to run. */
  readonly ours?: Exact
  readonly reason: string
}

/** What is compared of ours: records in order, and stages where they were. */
export type Replayed = Pick<Recording, 'items'>

/** Compares; gives what differs, most telling first. `nowMs`: bounds of the connector's clock. */
export function compareRecordings(
  golden: Recording,
  ours: Replayed,
  nowMs: { readonly from: number; readonly to: number },
): readonly Difference[] {
  const matching = new Matching({ from: nowMs.from, to: () => nowMs.to })
  const records = (items: Recording['items']): RecordedRecord[] => items.flatMap((item) => (isStage(item) ? [] : [item]))
  const [wanted, given] = [records(golden.items), records(ours.items)]
  for (const [at, record] of wanted.entries()) {
    const mine = given[at]
    if (mine !== undefined) matchRecord(matching, record, mine, String(at + 1))
  }
  const counts: Difference[] = []
  if (wanted.length !== given.length) {
    counts.push({ place: 'records', golden: `${wanted.length} records`, actual: `${given.length} records` })
    for (const [at, extra] of given.slice(wanted.length).entries())
      counts.push({ place: `${wanted.length + at + 1}`, golden: undefined, actual: brief(extra) })
    for (const [at, missing] of wanted.slice(given.length).entries())
      counts.push({ place: `${given.length + at + 1}`, golden: brief(missing), actual: undefined })
  }
  const mine = stagesOf(ours.items)
  for (const [at, stage] of stagesOf(golden.items).entries()) matchStage(matching, stage, mine[at])
  return [...matching.finish(), ...counts]
}

function brief({ topic, key, value }: RecordedRecord): string {
  return stringifyJson({ topic, key, value })
}

function matchRecord(matching: Matching, golden: RecordedRecord, ours: RecordedRecord, place: string): void {
  const { headers, ...rest } = golden
  const { headers: mine, ...others } = ours
  // Members that a record need not have: a partition, a timestamp.
  const names = [...new Set([...Object.keys(rest), ...Object.keys(others)])] as (keyof typeof rest)[]
  for (const name of names) matching.match(rest[name], others[name], `${place} ${name}`)
  matching.match(headers, mine, `${place} headers`, true)
}

/** A stage, and the position of the last record that came before it. */
interface Stage {
  readonly stage: RecordedStage
  readonly offset: Exact
}

function stagesOf(items: Recording['items']): readonly Stage[] {
  let offset: Exact
  const stages: Stage[] = []
  for (const item of items) {
    if (isStage(item)) stages.push({ stage: item, offset })
    else offset = item.offset
  }
  return stages
}

function matchStage(matching: Matching, { stage: golden, offset }: Stage, ours: Stage | undefined): void {
  const place = `after "${golden.stage}"`
  for (const name of ['sqlErrors', 'rows', 'connectorState', 'taskState'] as const) {
    matching.match(golden[name], ours?.stage[name], `${place} ${name}`, true)
  }
  const mine = ours?.stage.stored
  // Where what is stored is the position of the last record, it must be that of our last one: how soon records come after a restart is a matter of time.
  if (mine?.length === 1 && golden.stored !== undefined && isDeepStrictEqual(golden.stored?.[0]?.value, offset)) {
    matching.match(golden.stored?.[0]?.key, mine[0]?.key, `${place} stored.key`)
    matching.match(ours?.offset, mine[0]?.value, `${place} stored.value`)
  } else matching.match(golden.stored, mine, `${place} stored`)
}

/** Takes out of the differences those that are meant, and gives back which were. */
export function withoutDeliberate(
  name: string,
  differences: readonly Difference[],
  deliberate: readonly DeliberateDifference[],
): { readonly left: readonly Difference[]; readonly used: ReadonlySet<DeliberateDifference> } {
  const used = new Set<DeliberateDifference>()
  const left = differences.filter(({ place, actual }) => {
    const found = deliberate.filter((known) => fits(known.scenario, name) && fits(known.place, place))
    const meant = found.find((known) => !('ours' in known) || isDeepStrictEqual(actual, known.ours))
    if (meant !== undefined) used.add(meant)
    return meant === undefined
  })
  return { left, used }
}

function fits(pattern: string, text: string): boolean {
  return new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`, 's').test(text)
}

/** Differences as lines to read, the first few of them. */
export function describeDifferences(differences: readonly Difference[]): string {
  const shown = differences
    .slice(0, 12)
    .map(({ place, golden, actual }) => `  ${place}\n    recorded: ${shortJson(golden)}\n    ours:     ${shortJson(actual)}`)
  const more = differences.length > shown.length ? [`  … and ${differences.length - shown.length} more`] : []
  return [`${differences.length} differences:`, ...shown, ...more].join('\n')
}

function shortJson(value: unknown): string {
  if (value === undefined) return '(nothing)'
  const text = stringifyJson(value)
  return text.length <= 600 ? text : `${text.slice(0, 600)}… (${text.length} characters)`
}
