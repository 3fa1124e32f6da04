/**
 * @module converters/base64 — base64 read strictly: Node's own decoder passes over what is none, and bytes would be lost without a word.
 */
import { DataError } from '@millrace/sdk'

/**
 * The bytes of a base64 text with padding; blanks may stand between groups of four characters.
 * @throws DataError (class of Jackson's InvalidFormatException) for anything else
 */
export function base64Bytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  const padCount = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  // Where a character was passed over the length tells. The URL-safe letters are other ones, which Node reads too.
  const isWhole = text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padCount && !text.includes('-') && !text.includes('_')
  if (isWhole) return bytes
  const withoutBlanks = groupsOf(text)
  return withoutBlanks === text
    ? refuse('a last group that is not padded to four characters, or padding where none may be')
    : base64Bytes(withoutBlanks)
}

/** Takes out blanks between groups of four. */
function groupsOf(text: string): string {
  const pieces: string[] = []
  let start = 0
  let inGroup = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0x20) {
      if (!isLetter(code)) refuse(`character ${JSON.stringify(text.charAt(at))} at index ${at}`)
      inGroup = (inGroup + 1) % 4
      continue
    }
    if (inGroup !== 0) refuse(`a blank at index ${at}, inside a group of four characters`)
    if (start < at) pieces.push(text.slice(start, at))
    start = at + 1
  }
  pieces.push(text.slice(start))
  return pieces.join('')
}

/** A to Z, a to z, 0 to 9, plus, slash, and the padding. */
function isLetter(code: number): boolean {
  const small = code | 0x20
  return (small >= 0x61 && small <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2f || code === 0x3d
}

function refuse(problem: string): never {
  throw new DataError(`broken base64: ${problem}`, { className: 'com.fasterxml.jackson.databind.exc.InvalidFormatException' })
}
