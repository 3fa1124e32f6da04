/**
 * @module test/connectors/postgres/golden/matching — compares what a connector gave with a recording in which volatile values are names such as `<lsn:3>`
 * (golden/cdc/README.md, Notation).
 *
 * Instead of renaming our values after the recording's rules, each name is bound to the value that stands in its place, and in the end the bindings must
 * fit: one name, one value, and values in the order of the names' numbers. This finds the first record that is wrong, where renaming would shift all later
 * numbers. A commit's LSN and that of the next change may coincide or not, which depends on what the server writes between them: there only the order counts.
 */
import { isDeepStrictEqual } from 'node:util'
import { JsonNumber } from '../../../../sdk/index.ts'
import { Bindings, type Difference, type LsnRole, type Volatile } from './bindings.ts'
import type { Exact } from './recording.ts'

const NAME = /<(lsn|txid|pos|ts|now|uuid)(?::(\d+|\?[^.>]*))?(?:\.(us|ns|ms|s))?>|<version>/g
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
/** Members of one object that are one instant in several units, the finest first. */
const INSTANTS = [
  ['ts_ns', 'ts_us'],
  ['ts_us', 'ts_ms'],
] as const

/** Compares values place by place; `differences` and what `finish` adds tell what does not fit. */
export class Matching {
  readonly #bindings: Bindings
  readonly #differences: Difference[] = []

  /** `nowMs` are the bounds of the connector's own clock. */
  constructor(nowMs: { readonly from: number; readonly to: () => number }) {
    this.#bindings = new Bindings(nowMs)
  }

  /** Compares one value. Names in texts stand for texts, names alone for numbers, unless `isText` says that all is text. */
  match(golden: Exact, actual: Exact, place: string, isText = false): void {
    if (typeof golden === 'string') this.#matchString(golden, actual, place, isText)
    else if (Array.isArray(golden)) this.#matchList(golden, actual, place, isText)
    else if (isObject(golden)) this.#matchObject(golden, actual, place, isText)
    else if (!isDeepStrictEqual(golden, actual)) this.#differ(place, golden, actual)
  }

  /** Judges the bindings; gives all differences, in the order in which they were found. */
  finish(): readonly Difference[] {
    return [...this.#differences, ...this.#bindings.judge()]
  }

  #matchList(golden: readonly Exact[], actual: Exact, place: string, isText: boolean): void {
    if (!Array.isArray(actual) || actual.length !== golden.length) this.#differ(place, golden, actual)
    else for (const [at, item] of golden.entries()) this.match(item, actual[at], `${place}.${at}`, isText)
  }

  #matchObject(golden: Readonly<Record<string, Exact>>, actual: Exact, place: string, isText: boolean): void {
    if (!isObject(actual)) {
      this.#differ(place, golden, actual)
      return
    }
    const [wanted, given] = [Object.keys(golden), Object.keys(actual)]
    if (wanted.join('\n') !== given.join('\n')) this.#differ(`${place}#members`, wanted, given)
    for (const name of wanted.filter((name) => name in actual)) {
      const fine = INSTANTS.find(([finer, coarser]) => coarser === name && isName(golden[finer]) && isName(golden[coarser]))?.[0]
      if (fine === undefined) this.match(golden[name], actual[name], `${place}.${name}`, isText)
      else this.#matchInstant(actual, fine, name, place)
    }
  }

  /** Beside its finer self a coarser time is that time, truncated: its name may be that of another instant of the same millisecond. */
  #matchInstant(actual: Readonly<Record<string, Exact>>, fine: string, coarse: string, place: string): void {
    const [finer, coarser] = [integerOf(actual[fine]), integerOf(actual[coarse])]
    if (finer === undefined || coarser === undefined || finer / 1000n !== coarser) {
      this.#differ(`${place}.${coarse}`, `${fine} of ${String(finer)}, truncated`, actual[coarse])
    }
  }

  #matchString(golden: string, actual: Exact, place: string, isText: boolean): void {
    const names = [...golden.matchAll(NAME)].map((match) => volatileOf(match))
    if (names.length === 0) {
      if (golden !== actual) this.#differ(place, golden, actual)
      return
    }
    const [first] = names
    const isAlone = golden === first?.text
    if (isAlone && !isText && isNumeric(first)) {
      const value = integerOf(actual)
      if (value === undefined) this.#differ(place, golden, actual)
      else this.#bind(first, String(value), place, 0)
      return
    }
    const values = typeof actual === 'string' ? patternOf(golden).exec(actual)?.slice(1) : undefined
    if (values === undefined) this.#differ(place, golden, actual)
    else for (const [at, name] of names.entries()) this.#bind(name, values[at] ?? '', place, at)
  }

  #bind(name: Volatile, value: string, place: string, index: number): void {
    const difference = this.#bindings.add(name, value, place, roleOf(place, index))
    if (difference !== undefined) this.#differences.push(difference)
  }

  #differ(place: string, golden: Exact, actual: Exact): void {
    this.#differences.push({ place, golden, actual })
  }
}

/** `lsn_commit` and the first of two in `sequence` are where the last transaction ended; every other LSN is that of a change. */
function roleOf(place: string, index: number): LsnRole {
  if (place.endsWith('.lsn_commit') || (place.endsWith('.sequence') && index === 0)) return 'commit'
  return 'change'
}

function volatileOf([text, kind = 'version', number, unit]: RegExpExecArray): Volatile {
  return { text, kind: kind as Volatile['kind'], number: /^\d+$/.test(number ?? '') ? Number(number) : undefined, unit: unit ?? '' }
}

function isNumeric({ kind }: Volatile): boolean {
  return kind !== 'uuid' && kind !== 'version'
}

function isName(value: Exact): boolean {
  return typeof value === 'string' && value.startsWith('<')
}

/** A text with names as a regular expression with a group for each. */
function patternOf(golden: string): RegExp {
  let source = ''
  let end = 0
  for (const match of golden.matchAll(NAME)) {
    const name = volatileOf(match)
    const form = name.kind === 'uuid' ? UUID : name.kind === 'version' ? '[^"]+' : '-?\\d+'
    source += `${literal(golden.slice(end, match.index))}(${form})`
    end = match.index + name.text.length
  }
  return new RegExp(`^${source}${literal(golden.slice(end))}$`, 's')
}

/** A text as a regular expression for itself. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function integerOf(value: Exact): bigint | undefined {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined
}

function isObject(value: Exact): value is Readonly<Record<string, Exact>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
}
