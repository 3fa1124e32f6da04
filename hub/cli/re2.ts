/**
 * @module cli/re2 — whether a regular expression is one that brokers take for subscriptions: RE2's syntax (KIP-848), which is
 * JavaScript's without look-around and back-references, with a few forms of its own.
 */

/** What JavaScript says of a bad expression, and how RE2 words it. */
const PROBLEMS: readonly (readonly [ours: RegExp, theirs: string])[] = [
  [/Unterminated group/, 'missing closing )'],
  [/Unmatched '\)'/, 'unexpected )'],
  [/Unterminated character class|Lone quantifier brackets|missing \]/, 'missing closing ]'],
  [/Nothing to repeat/, 'missing argument to repetition operator'],
  [/Range out of order|Invalid character class/, 'invalid character class range'],
  [/numbers out of order/, 'invalid repeat count'],
  [/at end of pattern/, 'trailing backslash at end of expression'],
  [/escape/i, 'invalid escape sequence'],
  [/Invalid group|named/i, 'invalid or unsupported Perl syntax'],
]

/** RE2's word for what is wrong; undefined when nothing is. */
export function re2Problem(pattern: string): string | undefined {
  // Outside of \Q…\E, which RE2 takes literally, and of escapes.
  const bare = pattern.replace(/\\Q[\s\S]*?(?:\\E|$)/g, '').replace(/\\[^1-9]/g, 'x')
  if (/\(\?<?[=!]/.test(bare)) return 'invalid or unsupported Perl syntax'
  if (/\\[1-9]/.test(bare)) return 'invalid escape sequence'
  try {
    // Flags for the rest of the expression and Python's names of groups are RE2's own.
    new RegExp(bare.replace(/\(\?[imsU-]+\)/g, '').replace(/\(\?P</g, '(?<'))
    return undefined
  } catch (error) {
    const { message } = error as Error
    return (
      PROBLEMS.find(([ours]) => ours.test(message))?.[1] ??
      message.replace(/^Invalid regular expression: \/[\s\S]*\/\w*: /, '').toLowerCase()
    )
  }
}
