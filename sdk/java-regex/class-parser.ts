/**
 * @module sdk/java-regex/class-parser — `[…]` with ranges, nesting (union), `&&` (intersection) and `^`, and `\p{…}`.
 */
import { codePointRange, oneCodePoint } from './case-folding.ts'
import { escapeInClass } from './escapes.ts'
import { code, END, type PatternSource } from './pattern-source.ts'
import { anyOf, outside, propertyByName } from './properties.ts'
import type { CodePointTest, Folding } from './tree.ts'

const ASCII_COUNT = 128

/** How literals compare under the flags that hold now. */
export function foldingOf(source: PatternSource): Folding {
  if (!source.flags.has('i')) return 'none'
  return source.flags.has('u') || source.flags.has('U') ? 'unicode' : 'ascii'
}

/** A class; the cursor is at `[` and moves behind `]`. */
export function parseClass(source: PatternSource): CodePointTest {
  const test = parseMembers(source, true)
  const ascii = Uint8Array.from({ length: ASCII_COUNT }, (_unused, codePoint) => (test(codePoint) ? 1 : 0))
  return (codePoint) => (codePoint < ASCII_COUNT ? ascii[codePoint] === 1 : test(codePoint))
}

/** Members up to `]`, which is left there when the members are the right side of `&&`: those have no bracket of their own. */
function parseMembers(source: PatternSource, closes: boolean): CodePointTest {
  let members: CodePointTest | undefined
  let negative = false
  const add = (test: CodePointTest): void => {
    members = members === undefined ? test : anyOf(members, test)
  }
  let last: CodePointTest | undefined
  let codePoint = source.next()
  for (;;) {
    if (codePoint === code('^') && source.at(source.cursor - 1) === code('[')) {
      codePoint = source.next()
      negative = true
      continue
    }
    if (codePoint === code('[')) {
      last = parseMembers(source, true)
      add(last)
    } else if (codePoint === code('&') && source.next() === code('&')) {
      const right = parseIntersection(source)
      if (members === undefined && right === undefined) throw source.error('Bad class syntax')
      const [left, other] = [members, right ?? last]
      members = left === undefined ? right : other === undefined ? left : (point) => left(point) && other(point)
      last = right ?? last
    } else if (codePoint === END && source.atEnd) {
      throw source.error('Unclosed character class')
    } else if (codePoint === code(']') && members !== undefined) {
      if (closes) source.next()
      return negative ? outside(members) : members
    } else {
      if (codePoint === code('&')) source.unread()
      last = parseRange(source)
      add(last)
    }
    codePoint = source.peek()
  }
}

/** The right side of `&&`, up to the next `&` or the bracket; undefined when there is nothing. */
function parseIntersection(source: PatternSource): CodePointTest | undefined {
  let right: CodePointTest | undefined
  let codePoint = source.next()
  while (codePoint !== code(']') && codePoint !== code('&')) {
    const nested = codePoint === code('[')
    if (!nested) source.unread()
    const part = parseMembers(source, nested)
    right = right === undefined ? part : anyOf(right, part)
    codePoint = source.peek()
  }
  return right
}

/** One code point, a range, or a set by its escape. */
function parseRange(source: PatternSource): CodePointTest {
  const folding = foldingOf(source)
  const first = parseBound(source)
  if (typeof first === 'function') return first
  if (source.peek() !== code('-')) return oneCodePoint(first, folding)
  const follower = source.at(source.cursor + 1)
  if (follower === code('[') || follower === code(']')) return oneCodePoint(first, folding)
  source.next()
  const last = parseUpperBound(source)
  if (typeof last === 'function' || last < first) throw source.error('Illegal character range')
  return codePointRange(first, last, folding)
}

function parseUpperBound(source: PatternSource): number | CodePointTest {
  const codePoint = source.peek()
  if (codePoint === code('\\')) return escapeInClass(source)
  source.next()
  return codePoint
}

function parseBound(source: PatternSource): number | CodePointTest {
  const codePoint = source.peek()
  if (codePoint !== code('\\')) {
    source.next()
    return codePoint
  }
  const letter = source.at(source.cursor + 1)
  if (letter !== code('p') && letter !== code('P')) return escapeInClass(source)
  source.cursor++
  return parseProperty(source)
}

/** `\p{name}`, `\pL`, `\P…`; the cursor is at the `p`. */
export function parseProperty(source: PatternSource): CodePointTest {
  const complement = source.at(source.cursor) === code('P')
  const name = propertyName(source)
  const flags = source.flags
  const found = propertyByName(name, { unicodeClasses: flags.has('U'), anyCase: flags.has('i') })
  if ('test' in found) return complement ? outside(found.test) : found.test
  throw found.remedy === undefined ? source.error(found.why) : source.unsupported(`${found.why} (\\p{${name}})`, found.remedy)
}

function propertyName(source: PatternSource): string {
  if (source.next() !== code('{')) return String.fromCodePoint(source.read())
  source.next()
  const from = source.cursor
  const to = source.codePoints.indexOf(code('}'), from)
  source.cursor = (to === -1 ? source.codePoints.length : to) + 1
  if (to === -1) throw source.error('Unclosed character family')
  if (to === from) throw source.error('Empty character family')
  return String.fromCodePoint(...source.codePoints.slice(from, to))
}
