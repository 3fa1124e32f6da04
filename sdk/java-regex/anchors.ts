/**
 * @module sdk/java-regex/anchors — places: beginnings, ends, line borders, word borders.
 */
import type { PatternFlag } from './pattern-source.ts'
import { wordTest } from './properties.ts'
import type { AnchorTest, PatternNode } from './tree.ts'

type Flags = ReadonlySet<PatternFlag>

const NEWLINE = 0x0a
const RETURN = 0x0d

function isLineEnd(codePoint: number | undefined): boolean {
  return codePoint === NEWLINE || codePoint === RETURN || codePoint === 0x85 || codePoint === 0x2028 || codePoint === 0x2029
}

function anchor(test: AnchorTest): PatternNode {
  return { kind: 'anchor', test }
}

/** Between a return and its newline there is no border of lines. */
function splitsReturnNewline(text: ArrayLike<number>, index: number): boolean {
  return text[index] === NEWLINE && text[index - 1] === RETURN
}

const atStart: AnchorTest = (_text, index) => index === 0
const atEnd: AnchorTest = (text, index) => index === text.length

/** Behind a line end, but not at the very end of the text. */
const atLineStart: AnchorTest = (text, index) =>
  index === 0 || (index < text.length && isLineEnd(text[index - 1]) && !splitsReturnNewline(text, index))

const atUnixLineStart: AnchorTest = (text, index) => index === 0 || (index < text.length && text[index - 1] === NEWLINE)

const atLineEnd: AnchorTest = (text, index) => index === text.length || (isLineEnd(text[index]) && !splitsReturnNewline(text, index))

const atUnixLineEnd: AnchorTest = (text, index) => index === text.length || text[index] === NEWLINE

/** At the end or before the one line end that ends the text. */
const atFinalLineEnd: AnchorTest = (text, index) => {
  const rest = text.length - index
  if (rest === 0) return true
  if (rest === 2) return text[index] === RETURN && text[index + 1] === NEWLINE
  return rest === 1 && isLineEnd(text[index]) && !splitsReturnNewline(text, index)
}

const atFinalUnixLineEnd: AnchorTest = (text, index) => index === text.length || (index === text.length - 1 && text[index] === NEWLINE)

/** `^` */
export function caret(flags: Flags): PatternNode {
  return anchor(!flags.has('m') ? atStart : flags.has('d') ? atUnixLineStart : atLineStart)
}

/** `$` */
export function dollar(flags: Flags): PatternNode {
  if (flags.has('m')) return anchor(flags.has('d') ? atUnixLineEnd : atLineEnd)
  return anchor(flags.has('d') ? atFinalUnixLineEnd : atFinalLineEnd)
}

/** Escapes that are places, by their letters. `\G` is the start: every search here is the first one on its text. */
export const ANCHORS: ReadonlyMap<string, (flags: Flags) => PatternNode> = new Map([
  ['A', () => anchor(atStart)],
  ['G', () => anchor(atStart)],
  ['Z', (flags: Flags) => anchor(flags.has('d') ? atFinalUnixLineEnd : atFinalLineEnd)],
  ['z', () => anchor(atEnd)],
])

/** `\b` and `\B` */
export function wordBoundary(flags: Flags, negative: boolean): PatternNode {
  const isWord = wordTest(flags.has('U'))
  const wordAt = (text: ArrayLike<number>, index: number): boolean => {
    const codePoint = text[index]
    return codePoint !== undefined && isWord(codePoint)
  }
  return anchor((text, index) => (wordAt(text, index - 1) !== wordAt(text, index)) !== negative)
}
