/**
 * The comparison judged by itself: a recording whose names are replaced by fitting values passes, and with any one of its values changed it does not.
 */
import { assert, describe, expect, it } from 'vitest'
import { JsonNumber } from '../../../../sdk/index.ts'
import { compareRecordings, describeDifferences, type Replayed, withoutDeliberate } from './comparison.ts'
import { recordingNames, recordingOf, textOf } from './library.ts'
import { isStage, readRecording, type Recording } from './recording.ts'

const nowMs = { from: 1_700_000_000_000, to: 1_700_000_060_000 }
/** The server's clock: instants that follow each other within one millisecond, so that it does not matter which of them names it. */
const FIRST_US = 1_699_999_999_000_000n

/** A value for a name, in the order of the names' numbers. */
function valueFor(kind: string, number: string | undefined, unit: string | undefined): string {
  const ordinal = BigInt(number ?? 0)
  if (kind === 'uuid') return `00000000-0000-4000-8000-${String(number ?? 999_999).padStart(12, '0')}`
  if (kind === 'version') return '0.1.0'
  if (kind === 'lsn') return String(30_000_000n + 56n * ordinal)
  if (kind === 'txid') return String(700n + ordinal)
  const us = kind === 'now' ? BigInt(nowMs.from) * 1000n + 5_123n : FIRST_US + ordinal
  return String(unit === 'ns' ? us * 1000n : unit === 'us' ? us : us / 1000n)
}

/** A recording as a connector would have given it: with values in place of names. */
function concrete(name: string, edit: (text: string) => string = (text) => text): Recording {
  const { lines, schemas } = textOf(name)
  const NAME = '<(lsn|txid|ts|now|uuid|version)(?::(\\d+))?(?:\\.(us|ns|ms))?>'
  const text = lines
    .replace(new RegExp(`(?<!\\\\)"${NAME}"`, 'g'), (_, kind: string, number?: string, unit?: string) => {
      const value = valueFor(kind, number, unit)
      return kind === 'uuid' || kind === 'version' ? `"${value}"` : value
    })
    .replace(new RegExp(NAME, 'g'), (_, kind: string, number?: string, unit?: string) => valueFor(kind, number, unit))
  return readRecording(edit(text), schemas)
}

/** Every place of a value that is no list and no object: the keys that lead to it. */
function* leaves(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) yield path
  else if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* leaves(item, [...path, at])
  else for (const [name, item] of Object.entries(value)) yield* leaves(item, [...path, name])
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown>)[key], value)
}

function other(value: unknown): unknown {
  if (typeof value === 'string') return `${value}x`
  // Of a place in the log only the order is known where it occurs once: a large one goes beyond all others.
  if (typeof value === 'number') return value + (value > 1_000_000 ? 10_000_000 : 1)
  if (typeof value === 'bigint') return value + 1n
  if (typeof value === 'boolean') return !value
  if (value instanceof JsonNumber) return new JsonNumber(`${value.text}1`)
  return 0
}

/** A copy in which one value is another. */
function mutated(recording: Replayed, path: readonly (string | number)[]): Replayed {
  const copy = structuredClone(recording.items, {}) as unknown
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, unknown>
  const last = path.at(-1) ?? ''
  parent[last] = other(at(recording.items, path))
  return { items: copy as Recording['items'] }
}

/** Values of which the recording says nothing. */
function isFree(recording: Recording, path: readonly (string | number)[]): boolean {
  const golden = at(recording.items, path)
  if (path.length === 2 && path[1] === 'stage') return true
  return typeof golden === 'string' && /^<(now\.ns|version)>$/.test(golden)
}

describe('compareRecordings', () => {
  it.each(recordingNames)('%s fits itself', (name) => {
    const differences = compareRecordings(recordingOf(name), concrete(name), nowMs)
    if (differences.length > 0) assert.fail(describeDifferences(differences))
  })

  it.each(['ops-basic', 'restart-offsets', 'truncate.captured'])('%s with any one value changed is another', (name) => {
    const [golden, ours] = [recordingOf(name), concrete(name)]
    let changedCount = 0
    let schemaCount = 0
    for (const path of leaves(ours.items)) {
      if (isFree(golden, path)) continue
      // Schemas are the same in most records: some of their values are enough.
      if (/chema/.test(String(path[1])) && ++schemaCount % 37 !== 0) continue
      const differences = compareRecordings(golden, mutated(ours, path), nowMs)
      expect(differences.length, `${path.join('.')} may be ${String(other(at(ours.items, path)))}`).toBeGreaterThan(0)
      changedCount++
    }
    expect(changedCount).toBeGreaterThan(300)
  })

  const golden = recordingOf('restart-offsets')
  const ours = concrete('restart-offsets')
  const recordPlaces = ours.items.flatMap((item, place) => (isStage(item) ? [] : [place]))

  it('finds a record too few, too many, and two that changed places', () => {
    for (const place of recordPlaces) {
      const fewer = ours.items.filter((_, index) => index !== place)
      expect(compareRecordings(golden, { items: fewer }, nowMs).length).toBeGreaterThan(0)
      const more = ours.items.flatMap((item, index) => (index === place ? [item, item] : [item]))
      expect(compareRecordings(golden, { items: more }, nowMs).length).toBeGreaterThan(0)
      const next = recordPlaces[recordPlaces.indexOf(place) + 1]
      if (next === undefined) continue
      const swapped = ours.items.map((item, index) => (index === place ? ours.items[next] : index === next ? ours.items[place] : item))
      expect(compareRecordings(golden, { items: swapped as Recording['items'] }, nowMs).length).toBeGreaterThan(0)
    }
  })

  it('allows a commit to end before the next change begins, but not after it', () => {
    // lsn_commit of the last record is <lsn:8> where the change itself is <lsn:9>.
    const shifted = (by: number): readonly unknown[] => {
      const edit = (text: string): string =>
        text
          .replaceAll('"lsn_commit":30000448', `"lsn_commit":${30_000_448 + by}`)
          .replaceAll(String.raw`[\"30000448\"`, String.raw`[\"${30_000_448 + by}\"`)
      return compareRecordings(golden, concrete('restart-offsets', edit), nowMs)
    }
    expect(shifted(0)).toEqual([])
    expect(shifted(8)).toEqual([])
    expect(shifted(56)).toEqual([])
    expect(shifted(57).length).toBeGreaterThan(0)
    expect(shifted(-57).length).toBeGreaterThan(0)
  })
})

describe('withoutDeliberate', () => {
  const difference = { place: '3 value.after.t', golden: 1, actual: 2 }
  const known = { scenario: 'types-*', place: '3 value.after.*', ours: 2, reason: 'because' }

  it('takes out what is meant, and says which', () => {
    expect(withoutDeliberate('types-time.connect', [difference], [known])).toEqual({ left: [], used: new Set([known]) })
  })

  it.each([{ scenario: 'ops' }, { place: '33 value.after.t' }, { place: '3 value' }, { ours: 3 }, { ours: '2' }])(
    'leaves what is not: %j',
    (change) => {
      expect(withoutDeliberate('types-time.connect', [difference], [{ ...known, ...change }]).left).toEqual([difference])
    },
  )
})
