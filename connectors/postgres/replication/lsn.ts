/** @module connector-postgres/replication/lsn — places in the log as the server writes them: two hexadecimal halves, `16/B374D848`. */
import type { Lsn } from '../model.ts'

const HALF = 0x1_0000_0000

/** Reads `hi/lo`. Throws RangeError for another text, and beyond 2^53. */
export function lsnOf(text: string): Lsn {
  const halves = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (halves === null) throw new RangeError(`not a log position: ${JSON.stringify(text)}`)
  const lsn = Number.parseInt(halves[1] as string, 16) * HALF + Number.parseInt(halves[2] as string, 16)
  if (!Number.isSafeInteger(lsn)) throw new RangeError(`a log position beyond 2^53: ${text}`)
  return lsn
}

/** The text that the server would write. */
export function lsnText(lsn: Lsn): string {
  return `${hex(Math.floor(lsn / HALF))}/${hex(lsn % HALF)}`
}

function hex(half: number): string {
  return half.toString(16).toUpperCase()
}
