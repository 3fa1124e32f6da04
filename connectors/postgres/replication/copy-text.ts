/** @module connector-postgres/replication/copy-text — a row of COPY's text format, escapes undone where they stand. Pure. */
import { NULL_TEXT } from '../model.ts'

const TAB = 0x09
const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const LETTER_N = 0x4e

/** What a letter behind a backslash stands for (PostgreSQL documentation, COPY, "Text Format"); letters that are not here stand for themselves. */
const escapes = new Uint8Array(256).map((_, letter) => letter)
for (const pair of ['b\b', 'f\f', 'n\n', 'r\r', 't\t', 'v\v']) escapes[pair.charCodeAt(0)] = pair.charCodeAt(1)

/**
 * Finds the values of the row in `bytes[start … end)`, its newline included, and writes their bounds. Escapes are undone in place: a value
 * only gets shorter. Gives how many columns there were: −1 when more than `bounds` has room for.
 */
export function parseCopyRow(bytes: Buffer, start: number, end: number, bounds: Int32Array): number {
  const rowEnd = end > start && bytes[end - 1] === NEWLINE ? end - 1 : end
  if (bounds.length === 0) return rowEnd === start ? 0 : -1
  let column = 0
  let at = start
  for (;;) {
    if (2 * column === bounds.length) return -1
    const valueStart = at
    while (at < rowEnd && bytes[at] !== TAB && bytes[at] !== BACKSLASH) at++
    let valueEnd = at
    let isNull = false
    if (bytes[at] === BACKSLASH && at < rowEnd) {
      isNull = at === valueStart && bytes[at + 1] === LETTER_N && (at + 2 === rowEnd || bytes[at + 2] === TAB)
      if (isNull) at += 2
      else {
        const escaped = at
        while (at < rowEnd && bytes[at] !== TAB) at += bytes[at] === BACKSLASH ? 2 : 1
        valueEnd = undoEscapes(bytes, escaped, Math.min(at, rowEnd))
      }
    }
    bounds[2 * column] = isNull ? NULL_TEXT : valueStart
    bounds[2 * column + 1] = valueEnd
    column++
    if (at >= rowEnd) return column
    at++
  }
}

/** Undoes the escapes of `bytes[from … to)` in place; gives the new end. */
function undoEscapes(bytes: Buffer, from: number, to: number): number {
  let write = from
  for (let read = from; read < to; read++) {
    let letter = bytes[read] as number
    if (letter === BACKSLASH && read + 1 < to) {
      letter = bytes[++read] as number
      letter = escapes[letter] as number
    }
    bytes[write++] = letter
  }
  return write
}
