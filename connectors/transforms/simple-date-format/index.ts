/**
 * @module transforms/simple-date-format — `java.text.SimpleDateFormat` for English and UTC, as Kafka's transforms use it.
 *
 * ```ts
 * const format = simpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSSX")
 * format.format(0n)                          // 1970-01-01T00:00:00.000Z
 * format.parse('2017-01-03T09:00:00.1+01')   // 1483430400001n
 * ```
 * All letters can be shown; week years, weeks and days of weeks by number (Y, w, W, F, u) cannot be read, nor zones by other names than UTC
 * and GMT.
 */
import { formatDate } from './format.ts'
import { parseDate, unreadableLetters } from './parse.ts'
import { parseDatePattern } from './pattern.ts'

export { DatePatternError } from './pattern.ts'

export interface SimpleDateFormat {
  readonly pattern: string
  /** Letters of the pattern that {@link parse} cannot read; with any of them it gives undefined. */
  readonly unreadable: string
  /** `ms`: milliseconds since 1970. */
  format(ms: bigint): string
  /** Milliseconds since 1970; undefined where the text does not match. */
  parse(text: string): bigint | undefined
}

/** Compiles a pattern. @throws DatePatternError with Java's message */
export function simpleDateFormat(pattern: string): SimpleDateFormat {
  const parts = parseDatePattern(pattern)
  const unreadable = unreadableLetters(parts)
  return {
    pattern,
    unreadable,
    format: (ms) => formatDate(parts, ms),
    parse: (text) => (unreadable === '' ? parseDate(parts, text) : undefined),
  }
}
