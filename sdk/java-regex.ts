/**
 * @module sdk/java-regex — patterns of `java.util.regex`, which the configurations of Connect, its transforms and Debezium are full of.
 *
 * JavaScript's own RegExp means something else by many of them (what groups hold, `$`, `.`, classes, case, `\w`-like sets, quantifiers it has
 * not), so this is a matcher of its own: pure, without a RegExp made of user input. It follows Java 21 where versions differ (`\b` is ASCII
 * like `\w`). Unicode blocks, `\X`, `\b{g}`, `\N{…}` and canonical equivalence are refused by name.
 *
 * A pattern such as `(a+)+b` can take exponentially many attempts. Java and RegExp then hang; here a search ends after
 * {@link regexLimits}`.stepCountMax` attempts with a DataError that says so.
 *
 * ```ts
 * const regex = javaRegex('(?i)\\Qdb.\\E(?<table>[a-z&&[^x]]++)')
 * regex.matches('DB.orders')                        // true
 * regex.replaceFirst('db.orders', 'lake-${table}')  // 'lake-orders'
 * ```
 */
import { DataError } from './errors.ts'
import { compileProgram, type MatchState, type Program, type Step, TooManySteps } from './java-regex/match.ts'
import { parsePattern } from './java-regex/parse.ts'
import { JavaRegexSyntaxError, type PatternFlag } from './java-regex/pattern-source.ts'
import type { ParsedPattern } from './java-regex/tree.ts'

export { JavaRegexSyntaxError, type PatternFlag } from './java-regex/pattern-source.ts'

/** Bounds of one search. */
export const regexLimits = {
  /** Attempts (rounds of repetitions, alternatives): a plain pattern takes about one per character; 10 million take about 0.2 s. */
  stepCountMax: 10_000_000,
}

/** Where a pattern was found; indexes are those of JavaScript strings. */
export interface JavaRegexMatch {
  readonly start: number
  readonly end: number
  /** Text of each group by number, group 0 is all of it; null for a group that took no part. */
  readonly groups: readonly (string | null)[]
}

/** A compiled pattern; see the module's example. Every method throws a DataError when a search takes too many attempts. */
export interface JavaRegex {
  readonly pattern: string
  /** Whether all of the text matches (`Matcher.matches`). */
  matches(text: string): boolean
  /** Whether a part of the text matches (`Matcher.find`). */
  find(text: string): boolean
  /** The first part that matches, from left to right; null when there is none. */
  search(text: string): JavaRegexMatch | null
  /** All of the text, when it matches, with its groups. */
  matchWhole(text: string): JavaRegexMatch | null
  /**
   * The text with the first match replaced (`Matcher.replaceFirst`): `$1`, `${name}`, `\$`.
   * @throws DataError for a reference to a group that is not there, with Java's class and message
   */
  replaceFirst(text: string, replacement: string): string
}

/**
 * Compiles a pattern, with flags by their inline letters: `i` case, `m` multiline, `s` dot matches all, `x` comments, `d` Unix lines,
 * `u` Unicode case, `U` Unicode classes.
 * @throws JavaRegexSyntaxError with the message of Java's PatternSyntaxException, or naming a construct that is not supported
 */
export function javaRegex(pattern: string, flags: Iterable<PatternFlag> = []): JavaRegex {
  const { parsed, program } = compiled(pattern, flags)
  const search = (text: string): JavaRegexMatch | null => run(pattern, parsed, program, text, 'part')
  const matchWhole = (text: string): JavaRegexMatch | null => run(pattern, parsed, program, text, 'whole')
  return {
    pattern,
    search,
    matchWhole,
    matches: (text) => matchWhole(text) !== null,
    find: (text) => search(text) !== null,
    replaceFirst: (text, replacement) => {
      const match = search(text)
      if (match === null) return text
      return text.slice(0, match.start) + expand(replacement, match, parsed) + text.slice(match.end)
    },
  }
}

function compiled(pattern: string, flags: Iterable<PatternFlag>): { readonly parsed: ParsedPattern; readonly program: Program } {
  try {
    const parsed = parsePattern(pattern, flags)
    return { parsed, program: compileProgram(parsed) }
  } catch (error) {
    // The stack is full.
    if (error instanceof RangeError) throw new JavaRegexSyntaxError('Groups or classes nest too deeply')
    throw error
  }
}

function run(pattern: string, parsed: ParsedPattern, program: Program, text: string, how: 'whole' | 'part'): JavaRegexMatch | null {
  const codePoints = codePointsOf(text)
  const state: MatchState = {
    text: codePoints,
    groups: new Int32Array(2 * (parsed.groupCount + 1)),
    opened: new Int32Array(parsed.groupCount + 1),
    rounds: new Int32Array(program.repeatCount),
    roundStarts: new Int32Array(program.repeatCount),
    end: 0,
    behindEnd: 0,
    stepsLeft: regexLimits.stepCountMax,
  }
  try {
    const start = how === 'whole' ? (attempt(program.whole, state, 0) ? 0 : -1) : firstStart(program.part, state)
    return start < 0 ? null : matchOf(text, state, start)
  } catch (error) {
    throw explained(error, pattern, text)
  }
}

function firstStart(step: Step, state: MatchState): number {
  for (let start = 0; start <= state.text.length; start++) if (attempt(step, state, start)) return start
  return -1
}

function attempt(step: Step, state: MatchState, start: number): boolean {
  state.groups.fill(-1)
  return step(state, start)
}

function codePointsOf(text: string): ArrayLike<number> {
  const units = new Uint32Array(text.length)
  let count = 0
  for (let index = 0; index < text.length; count++) {
    const codePoint = text.codePointAt(index) ?? 0
    units[count] = codePoint
    index += codePoint > 0xffff ? 2 : 1
  }
  return count === text.length ? units : units.subarray(0, count)
}

function matchOf(text: string, state: MatchState, start: number): JavaRegexMatch {
  state.groups[0] = start
  state.groups[1] = state.end
  const index = state.text.length === text.length ? (at: number) => at : unitIndex(state.text)
  const groups: (string | null)[] = []
  for (let group = 0; group < state.groups.length; group += 2) {
    const from = state.groups[group] ?? -1
    groups.push(from < 0 ? null : text.slice(index(from), index(state.groups[group + 1] ?? from)))
  }
  return { start: index(start), end: index(state.end), groups }
}

/** Index of a code point as index of the string. */
function unitIndex(codePoints: ArrayLike<number>): (at: number) => number {
  return (at) => {
    let units = 0
    for (let index = 0; index < at; index++) units += (codePoints[index] ?? 0) > 0xffff ? 2 : 1
    return units
  }
}

function explained(error: unknown, pattern: string, text: string): unknown {
  const where = `the pattern ${JSON.stringify(pattern)} on a text of ${text.length} characters`
  if (error instanceof TooManySteps) {
    const remedy = 'simplify repetitions within repetitions, or make them possessive (a++)'
    return new DataError(`Gave up ${where} after ${regexLimits.stepCountMax} attempts; ${remedy}`)
  }
  // Java's own engine overflows its stack on such texts, too.
  if (error instanceof RangeError)
    return new DataError(`Gave up ${where}: it nests too deeply`, { className: 'java.lang.StackOverflowError' })
  return error
}

function refused(message: string, className = 'java.lang.IllegalArgumentException'): DataError {
  return new DataError(message, { className })
}

/** Java's replacement syntax. A group that took no part gives nothing. */
function expand(replacement: string, match: JavaRegexMatch, parsed: ParsedPattern): string {
  let result = ''
  for (let index = 0; index < replacement.length; index++) {
    const character = replacement.charAt(index)
    if (character === '\\') {
      index++
      if (index === replacement.length) throw refused('character to be escaped is missing')
      result += replacement.charAt(index)
    } else if (character === '$') {
      const reference = referenceAt(replacement, index + 1, parsed)
      result += match.groups[reference.group] ?? ''
      index = reference.end - 1
    } else result += character
  }
  return result
}

interface GroupReference {
  readonly group: number
  /** Index behind the reference. */
  readonly end: number
}

function referenceAt(replacement: string, start: number, parsed: ParsedPattern): GroupReference {
  const first = replacement.charAt(start)
  if (first === '') throw refused('Illegal group reference: group index is missing')
  if (first === '{') return namedReferenceAt(replacement, start + 1, parsed)
  if (first < '0' || first > '9') throw refused('Illegal group reference')
  let group = Number(first)
  let end = start + 1
  for (; /^\d$/.test(replacement.charAt(end)); end++) {
    const longer = group * 10 + Number(replacement.charAt(end))
    if (longer > parsed.groupCount) break
    group = longer
  }
  if (group > parsed.groupCount) throw refused(`No group ${group}`, 'java.lang.IndexOutOfBoundsException')
  return { group, end }
}

function namedReferenceAt(replacement: string, start: number, parsed: ParsedPattern): GroupReference {
  const name = /^[a-zA-Z0-9]*/.exec(replacement.slice(start))?.[0] ?? ''
  if (name === '') throw refused('named capturing group has 0 length name')
  if (replacement.charAt(start + name.length) !== '}') throw refused("named capturing group is missing trailing '}'")
  if (/^\d/.test(name)) throw refused(`capturing group name {${name}} starts with digit character`)
  const group = parsed.groupNumbers.get(name)
  if (group === undefined) throw refused(`No group with name {${name}}`)
  return { group, end: start + name.length + 1 }
}
