/**
 * @module sdk/java-regex/escapes — what a backslash makes of the letter behind it, where that is one code point or a set of them.
 */
import { code, isDigit, isHexDigit, type PatternSource } from './pattern-source.ts'
import { escapedSet, outside } from './properties.ts'
import type { CodePointTest } from './tree.ts'

const CONTROLS: Readonly<Record<string, number>> = { a: 0x07, e: 0x1b, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09 }
const CODE_POINT_MAX = 0x10ffff
const UNKNOWN = 'Illegal/unsupported escape sequence'

/** An escape inside a class; the cursor is at the backslash. */
export function escapeInClass(source: PatternSource): number | CodePointTest {
  return escapedValue(source, source.skip()) ?? refuse(source)
}

function refuse(source: PatternSource): never {
  throw source.error(UNKNOWN)
}

/** The code point or set of an escape, the cursor behind its letter; undefined for letters that mean neither. */
export function escapedValue(source: PatternSource, letter: number): number | CodePointTest | undefined {
  const character = String.fromCodePoint(letter)
  switch (character) {
    case '0':
      return octal(source)
    case 'x':
      return hexadecimal(source)
    case 'u':
      return utf16(source)
    case 'c':
      if (source.atEnd) throw source.error('Illegal control escape sequence')
      return source.read() ^ 64
    case 'N':
      if (source.read() !== code('{')) throw source.error('Illegal character name escape sequence')
      throw source.unsupported('A character by its name (\\N{…})', 'write it as \\x{h…h}')
  }
  const control = CONTROLS[character]
  if (control !== undefined) return control
  const lower = character.toLowerCase()
  const set = escapedSet(lower, source.flags.has('U'))
  if (set !== undefined) return lower === character ? set : outside(set)
  return /[a-zA-Z1-9]/.test(character) ? undefined : letter
}

function digitOf(codePoint: number): number {
  return Number.parseInt(String.fromCodePoint(codePoint), 16)
}

function isOctal(codePoint: number): boolean {
  return isDigit(codePoint) && codePoint < 0x38
}

/** `\0n`, `\0nn`, `\0mnn` with m up to 3. */
function octal(source: PatternSource): number {
  const first = source.read()
  if (!isOctal(first)) throw source.error('Illegal octal escape sequence')
  let value = digitOf(first)
  for (let rest = digitOf(first) <= 3 ? 2 : 1; rest > 0; rest--) {
    const next = source.read()
    if (!isOctal(next)) {
      source.unread()
      break
    }
    value = value * 8 + digitOf(next)
  }
  return value
}

/** `\xhh`, `\x{h…h}` */
function hexadecimal(source: PatternSource): number {
  const first = source.read()
  if (isHexDigit(first)) {
    const second = source.read()
    if (isHexDigit(second)) return digitOf(first) * 16 + digitOf(second)
  } else if (first === code('{') && isHexDigit(source.peek())) {
    let value = 0
    let next = source.read()
    for (; isHexDigit(next); next = source.read()) {
      value = value * 16 + digitOf(next)
      if (value > CODE_POINT_MAX) throw source.error('Hexadecimal codepoint is too big')
    }
    if (next !== code('}')) throw source.error('Unclosed hexadecimal escape sequence')
    return value
  }
  throw source.error('Illegal hexadecimal escape sequence')
}

/** `\uhhhh`; two of them that are a surrogate pair are one code point. */
function utf16(source: PatternSource): number {
  const high = utf16Unit(source)
  if (high < 0xd800 || high > 0xdbff) return high
  const back = source.cursor
  if (source.read() === code('\\') && source.read() === code('u')) {
    const low = utf16Unit(source)
    if (low >= 0xdc00 && low <= 0xdfff) return (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000
  }
  source.cursor = back
  return high
}

function utf16Unit(source: PatternSource): number {
  let value = 0
  for (let count = 0; count < 4; count++) {
    const next = source.read()
    if (!isHexDigit(next)) throw source.error('Illegal Unicode escape sequence')
    value = value * 16 + digitOf(next)
  }
  return value
}
