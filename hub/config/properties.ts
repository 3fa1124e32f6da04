/**
 * @module config/properties — Java's .properties text, by the grammar of `java.util.Properties.load` (Java SE API).
 *
 * A logical line ends at a line end that is not behind an odd number of backslashes; leading white space of each
 * natural line is dropped; `#` and `!` begin comment lines. The key ends at the first unescaped `=`, `:` or white space.
 * The text is read as UTF-8, as Kafka's tools do in practice; `\uXXXX` works as well.
 */

const WHITE = /[ \t\f]/
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/** The pairs of a text; of a repeated key the last. @throws Error on a broken \u escape */
export function parseProperties(text: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const [keyEnd, valueStart] = separatorOf(line)
    pairs.set(unescaped(line.slice(0, keyEnd)), unescaped(line.slice(valueStart)))
  }
  return pairs
}

function* logicalLines(text: string): Iterable<string> {
  let pending: string | undefined
  for (const natural of text.split(/\r\n|\n|\r/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (pending === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const whole: string = (pending ?? '') + line
    if (endsInOddBackslashes(line)) {
      pending = whole.slice(0, -1)
    } else {
      pending = undefined
      yield whole
    }
  }
  if (pending !== undefined && pending !== '') yield pending
}

function endsInOddBackslashes(line: string): boolean {
  const trailing = /\\+$/.exec(line)
  return trailing !== null && trailing[0].length % 2 === 1
}

/** Where the key ends and where the value begins. */
function separatorOf(line: string): [keyEnd: number, valueStart: number] {
  let at = 0
  while (at < line.length && !/[=: \t\f]/.test(line.charAt(at))) at += line.charAt(at) === '\\' ? 2 : 1
  const keyEnd = Math.min(at, line.length)
  while (WHITE.test(line.charAt(at))) at++
  if (line.charAt(at) === '=' || line.charAt(at) === ':') at++
  while (WHITE.test(line.charAt(at))) at++
  return [keyEnd, at]
}

function unescaped(text: string): string {
  return text.replace(/\\(u([0-9a-fA-F]{4})|u|.)/gsu, (_match, escaped: string, hex: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (escaped === 'u') throw new Error('Malformed \\uxxxx encoding.')
    return ESCAPES[escaped] ?? escaped
  })
}
