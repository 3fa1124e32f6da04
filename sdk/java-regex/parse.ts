/**
 * @module sdk/java-regex/parse — pattern text to tree, with the grammar and the error messages of `java.util.regex.Pattern` (Java 17 to 21).
 */
import { ANCHORS, caret, dollar, wordBoundary } from './anchors.ts'
import { oneCodePoint } from './case-folding.ts'
import { foldingOf, parseClass, parseProperty } from './class-parser.ts'
import { escapedValue } from './escapes.ts'
import { code, END, isAsciiLetter, isDigit, type PatternFlag, PatternSource } from './pattern-source.ts'
import { lengthOf, type ParsedPattern, type PatternNode, type RepeatMode } from './tree.ts'

const INT_MAX = 2_147_483_647
const EMPTY: PatternNode = { kind: 'sequence', nodes: [] }
const FLAG_LETTERS = 'idmsuxU'

/** Numbers and names of the groups met so far. */
interface Groups {
  count: number
  readonly numbers: Map<string, number>
}

/**
 * Parses a pattern.
 * @throws JavaRegexSyntaxError with Java's description and place; also for constructs that have no counterpart here
 */
export function parsePattern(pattern: string, flags: Iterable<PatternFlag>): ParsedPattern {
  const source = new PatternSource(pattern, flags)
  const groups: Groups = { count: 0, numbers: new Map() }
  const root = parseAlternation(source, groups)
  if (source.cursor !== source.codePoints.length) {
    throw source.error(source.peek() === code(')') ? "Unmatched closing ')'" : 'Unexpected internal error')
  }
  return { root, groupCount: groups.count, groupNumbers: groups.numbers }
}

function parseAlternation(source: PatternSource, groups: Groups): PatternNode {
  const branches = [parseSequence(source, groups)]
  while (source.peek() === code('|')) {
    source.next()
    branches.push(parseSequence(source, groups))
  }
  const [only] = branches
  return branches.length === 1 && only !== undefined ? only : { kind: 'alternation', branches }
}

function parseSequence(source: PatternSource, groups: Groups): PatternNode {
  const nodes: PatternNode[] = []
  for (;;) {
    const codePoint = source.peek()
    if (codePoint === code('|') || codePoint === code(')') || (codePoint === END && source.atEnd)) break
    const node = parseAtom(source, groups, codePoint)
    if (node !== undefined) nodes.push(parseRepeat(source, node))
  }
  return { kind: 'sequence', nodes }
}

/** One element without its quantifier; undefined for `(?flags)`, which is none. */
function parseAtom(source: PatternSource, groups: Groups, codePoint: number): PatternNode | undefined {
  switch (String.fromCodePoint(codePoint)) {
    case '(':
      return parseGroup(source, groups)
    case '[':
      return { kind: 'set', test: parseClass(source) }
    case '\\':
      return parseEscape(source, groups)
    case '^':
      source.next()
      return caret(source.flags)
    case '$':
      source.next()
      return dollar(source.flags)
    case '.':
      source.next()
      return { kind: 'set', test: dotTest(source.flags) }
    case '?':
    case '*':
    case '+':
      source.next()
      throw source.error(`Dangling meta character '${String.fromCodePoint(codePoint)}'`)
    case '{':
      // Java repeats the empty text here: `{2}` is a pattern, `{a` is none.
      return EMPTY
    default:
      source.next()
      return { kind: 'set', test: oneCodePoint(codePoint, foldingOf(source)) }
  }
}

function dotTest(flags: ReadonlySet<PatternFlag>): (codePoint: number) => boolean {
  if (flags.has('s')) return () => true
  if (flags.has('d')) return (codePoint) => codePoint !== 0x0a
  return (codePoint) => codePoint !== 0x0a && codePoint !== 0x0d && codePoint !== 0x85 && codePoint !== 0x2028 && codePoint !== 0x2029
}

/** An escape outside a class; the cursor is at the backslash. */
function parseEscape(source: PatternSource, groups: Groups): PatternNode {
  const letter = source.at(source.cursor + 1)
  if (letter === code('p') || letter === code('P')) {
    source.cursor++
    return { kind: 'set', test: parseProperty(source) }
  }
  source.skip()
  const character = String.fromCodePoint(letter)
  const anchor = ANCHORS.get(character)
  if (anchor !== undefined) return anchor(source.flags)
  if (character >= '1' && character <= '9') return numberedReference(source, groups, letter)
  switch (character) {
    case 'b':
    case 'B':
      return boundary(source, character === 'B')
    case 'R':
      return { kind: 'lineBreak' }
    case 'k':
      return namedReference(source, groups)
    case 'X':
      throw source.unsupported('A grapheme cluster (\\X)', 'match its code points')
  }
  const value = escapedValue(source, letter)
  if (value === undefined) throw source.error('Illegal/unsupported escape sequence')
  return { kind: 'set', test: typeof value === 'function' ? value : oneCodePoint(value, foldingOf(source)) }
}

function boundary(source: PatternSource, negative: boolean): PatternNode {
  if (!negative && '{g}'.split('').every((character, index) => source.at(source.cursor + index) === code(character))) {
    throw source.unsupported('A grapheme cluster boundary (\\b{g})', 'use \\b')
  }
  return wordBoundary(source.flags, negative)
}

/** As many digits as name a group that has begun so far; the rest is text. */
function numberedReference(source: PatternSource, groups: Groups, first: number): PatternNode {
  let group = first - code('0')
  for (let next = source.peek(); isDigit(next); next = source.peek()) {
    const longer = group * 10 + next - code('0')
    if (groups.count < longer) break
    group = longer
    source.read()
  }
  return { kind: 'reference', group, folding: foldingOf(source) }
}

function namedReference(source: PatternSource, groups: Groups): PatternNode {
  if (source.read() !== code('<')) throw source.error("\\k is not followed by '<' for named capturing group")
  const name = groupName(source, source.read())
  const group = groups.numbers.get(name)
  if (group === undefined) throw source.error(`named capturing group <${name}> does not exist`)
  return { kind: 'reference', group, folding: foldingOf(source) }
}

function groupName(source: PatternSource, first: number): string {
  if (!isAsciiLetter(first)) throw source.error('capturing group name does not start with a Latin letter')
  let name = ''
  let codePoint = first
  for (; isAsciiLetter(codePoint) || isDigit(codePoint); codePoint = source.read()) name += String.fromCodePoint(codePoint)
  if (codePoint !== code('>')) throw source.error("named capturing group is missing trailing '>'")
  return name
}

/** Flags set inside a group end with it. */
function parseGroup(source: PatternSource, groups: Groups): PatternNode | undefined {
  const outer = [...source.flags]
  const wrap = source.next() === code('?') ? specialGroup(source, groups) : capture(groups)
  if (wrap === undefined) return undefined
  const body = parseAlternation(source, groups)
  source.accept(')', 'Unclosed group')
  source.flags.clear()
  for (const flag of outer) source.flags.add(flag)
  return wrap(body)
}

type Wrap = (body: PatternNode) => PatternNode

function capture(groups: Groups): Wrap {
  const group = ++groups.count
  return (body) => ({ kind: 'capture', group, body })
}

/** What stands behind `(?`, up to the body; undefined for `(?flags)`. */
function specialGroup(source: PatternSource, groups: Groups): Wrap | undefined {
  const mark = String.fromCodePoint(source.skip())
  switch (mark) {
    case ':':
      return (body) => body
    case '=':
    case '!':
      return (body) => ({ kind: 'ahead', negative: mark === '!', body })
    case '>':
      return (body) => ({ kind: 'atomic', body })
    case '<':
      return behindOrName(source, groups)
    case '$':
    case '@':
      throw source.error('Unknown group type')
    default:
      source.unread()
      return flagGroup(source)
  }
}

function behindOrName(source: PatternSource, groups: Groups): Wrap {
  const mark = source.read()
  if (mark !== code('=') && mark !== code('!')) {
    const name = groupName(source, mark)
    if (groups.numbers.has(name)) throw source.error(`Named capturing group <${name}> is already defined`)
    groups.numbers.set(name, groups.count + 1)
    return capture(groups)
  }
  // Java refuses some bodies without a bound and takes others; here each is taken: all starts that can reach are tried.
  return (body) => ({ kind: 'behind', negative: mark === code('!'), body, length: lengthOf(body) })
}

function flagGroup(source: PatternSource): Wrap | undefined {
  let on = true
  for (let codePoint = source.peek(); ; codePoint = source.next()) {
    const letter = String.fromCodePoint(codePoint)
    if (letter === 'c') throw source.unsupported('Canonical equivalence (?c)', 'normalise pattern and text')
    if (letter === '-' && on) on = false
    else if (!FLAG_LETTERS.includes(letter)) break
    else setFlag(source.flags, letter as PatternFlag, on)
  }
  const end = source.read()
  if (end === code(')')) return undefined
  if (end !== code(':')) throw source.error('Unknown inline modifier')
  return (body) => body
}

function setFlag(flags: Set<PatternFlag>, letter: PatternFlag, on: boolean): void {
  const letters: readonly PatternFlag[] = letter === 'U' ? ['U', 'u'] : [letter]
  for (const one of letters) {
    if (on) flags.add(one)
    else flags.delete(one)
  }
}

/** The quantifier behind an element, if there is one. */
function parseRepeat(source: PatternSource, body: PatternNode): PatternNode {
  switch (String.fromCodePoint(source.peek())) {
    case '?':
      return repeat(source, body, 0, 1)
    case '*':
      return repeat(source, body, 0, Infinity)
    case '+':
      return repeat(source, body, 1, Infinity)
    case '{':
      return countedRepeat(source, body)
    default:
      return body
  }
}

function repeat(source: PatternSource, body: PatternNode, min: number, max: number): PatternNode {
  const suffix = source.next()
  const mode: RepeatMode = suffix === code('?') ? 'lazy' : suffix === code('+') ? 'possessive' : 'greedy'
  if (mode !== 'greedy') source.next()
  return { kind: 'repeat', body, min, max, mode }
}

function countedRepeat(source: PatternSource, body: PatternNode): PatternNode {
  let digit = source.skip()
  if (!isDigit(digit)) throw source.error('Illegal repetition')
  const min = decimal(source, digit)
  let max = min
  digit = source.at(source.cursor - 1)
  if (digit === code(',')) {
    digit = source.read()
    max = Infinity
    if (digit !== code('}')) {
      max = decimal(source, digit)
      digit = source.at(source.cursor - 1)
    }
  }
  if (digit !== code('}')) throw source.error('Unclosed counted closure')
  if (max < min) throw source.error('Illegal repetition range')
  source.unread()
  return repeat(source, body, min, max)
}

/** A number that begins with this digit; the cursor ends up behind the first code point that is no digit. */
function decimal(source: PatternSource, first: number): number {
  let value = 0
  for (let digit = first; isDigit(digit); digit = source.read()) {
    value = value * 10 + digit - code('0')
    if (value > INT_MAX) throw source.error('Illegal repetition range')
  }
  return value
}
