/** @module connect/validation/patterns — settings that are regular expressions of Java. Pure. */
import { JavaRegexSyntaxError, javaRegex } from '@millrace/sdk'

/** What is wrong with a pattern, in the words of Java's exception; undefined when nothing is. */
export function patternRefusal(pattern: string): string | undefined {
  try {
    javaRegex(pattern)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return 'it nests too deeply'
    if (!(error instanceof JavaRegexSyntaxError)) throw error
    return withPattern(error.message, pattern)
  }
}

/** Java's whole message: under its first line the pattern, and under that a mark where it is wrong. */
function withPattern(message: string, pattern: string): string {
  const place = Number(/ near index (\d+)$/.exec(message)?.[1] ?? pattern.length)
  return [message, pattern, ...(place < pattern.length ? [`${' '.repeat(place)}^`] : [])].join('\n')
}
