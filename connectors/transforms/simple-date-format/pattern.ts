/**
 * @module transforms/simple-date-format/pattern — patterns of `java.text.SimpleDateFormat`: letters, quoted texts, everything else as it is.
 */

/** Letters in a row, or a text. */
export type PatternPart =
  | { readonly kind: 'field'; readonly letter: string; readonly count: number }
  | { readonly kind: 'text'; readonly text: string }

const LETTERS = 'GyMdkHmsSEDFwWahKzZYuXL'
const ISO_ZONE_LETTERS_MAX = 3

/** A pattern is wrong; the message is that of Java's IllegalArgumentException. */
export class DatePatternError extends Error {
  override readonly name = 'DatePatternError'
  readonly className = 'java.lang.IllegalArgumentException'
}

/** Reads a pattern. @throws DatePatternError */
export function parseDatePattern(pattern: string): readonly PatternPart[] {
  const parts: PatternPart[] = []
  const addText = (text: string): void => {
    const last = parts.at(-1)
    if (last?.kind === 'text') parts[parts.length - 1] = { kind: 'text', text: last.text + text }
    else if (text !== '') parts.push({ kind: 'text', text })
  }
  for (let at = 0; at < pattern.length; ) {
    const character = pattern.charAt(at)
    if (character === "'") {
      const quoted = quotedText(pattern, at)
      addText(quoted.text)
      at = quoted.next
    } else if (/[a-zA-Z]/.test(character)) {
      const count = runLength(pattern, at)
      parts.push(field(character, count))
      at += count
    } else {
      addText(character)
      at++
    }
  }
  return parts
}

function field(letter: string, count: number): PatternPart {
  if (!LETTERS.includes(letter)) throw new DatePatternError(`Illegal pattern character '${letter}'`)
  if (letter === 'X' && count > ISO_ZONE_LETTERS_MAX) throw new DatePatternError(`invalid ISO 8601 format: length=${count}`)
  return { kind: 'field', letter, count }
}

function runLength(pattern: string, from: number): number {
  let to = from
  while (pattern[to] === pattern[from]) to++
  return to - from
}

/** Two quotes in a row are one, inside and outside of a quoted text. */
function quotedText(pattern: string, from: number): { readonly text: string; readonly next: number } {
  if (pattern[from + 1] === "'") return { text: "'", next: from + 2 }
  let text = ''
  for (let at = from + 1; at < pattern.length; at++) {
    if (pattern[at] !== "'") text += pattern.charAt(at)
    else if (pattern[at + 1] === "'") {
      text += "'"
      at++
    } else return { text, next: at + 1 }
  }
  throw new DatePatternError('Unterminated quote')
}
