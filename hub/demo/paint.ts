/** @module demo/paint — lines of text in colour, as values: made by pure code, turned into a terminal's escape sequences at the very end. */

/** How a piece of a line looks. */
export type Style = 'plain' | 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan' | 'heading'

/** A piece of a line; plain unless it has a style. */
export interface Span {
  readonly text: string
  readonly style?: Style
}

export type Line = readonly Span[]

const CODES: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '1',
  dim: '2',
  green: '32',
  yellow: '33',
  red: '31',
  cyan: '36',
  heading: '1;36',
}

/** What came from outside as one line that a terminal takes for text alone: no control characters, no escape sequences, no line ends. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '·')
}

/** Columns that a text takes on a terminal: wide scripts and pictures take two a character, combining marks none. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (/\p{Mn}|\p{Me}/u.test(character)) return 0
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  return isWide ? 2 : 1
}

/** The text in at most `width` columns; a cut ends with `…`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let left = width - 1
  for (const character of text) {
    left -= widthOfCharacter(character)
    if (left < 0) break
    kept += character
  }
  return width <= 0 ? '' : `${kept}…`
}

/** The text in exactly `width` columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const shown = cut(text, width)
  const space = ' '.repeat(Math.max(0, width - widthOf(shown)))
  return side === 'left' ? shown + space : space + shown
}

/** A line as a terminal shows it, cut to `width` columns, with its colours or without. */
export function paintLine(line: Line, width: number, hasColor: boolean): string {
  let left = width
  let painted = ''
  for (const { text, style = 'plain' } of line) {
    if (left <= 0) break
    const shown = cut(text, left)
    left -= widthOf(shown)
    const code = CODES[style]
    painted += hasColor && code !== '' && shown !== '' ? `\x1b[${code}m${shown}\x1b[0m` : shown
  }
  return painted
}
