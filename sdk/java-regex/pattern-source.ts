/**
 * @module sdk/java-regex/pattern-source — a pattern's text under the parser's cursor. Errors name places the way `java.util.regex` does:
 * tools show these messages, people search for them.
 */

/** The pattern is wrong. The message is the first line of what Java's `PatternSyntaxException` says. */
export class JavaRegexSyntaxError extends Error {
  override readonly name = 'JavaRegexSyntaxError'
  /** Upstream's class. */
  readonly className = 'java.util.regex.PatternSyntaxException'
}

/** Inline flags by their letters in Java; `U` implies `u`. */
export type PatternFlag = 'i' | 'd' | 'm' | 's' | 'u' | 'x' | 'U'

const BACKSLASH = 0x5c
/** What reading gives behind the end. */
export const END = 0

export function code(character: string): number {
  return character.codePointAt(0) ?? END
}

export function isDigit(codePoint: number): boolean {
  return codePoint >= 0x30 && codePoint <= 0x39
}

export function isAsciiLetter(codePoint: number): boolean {
  const lower = codePoint | 0x20
  return lower >= 0x61 && lower <= 0x7a && codePoint < 0x80
}

export function isHexDigit(codePoint: number): boolean {
  const lower = codePoint | 0x20
  return isDigit(codePoint) || (codePoint < 0x80 && lower >= 0x61 && lower <= 0x66)
}

function isSpace(codePoint: number): boolean {
  return codePoint === 0x20 || (codePoint >= 0x09 && codePoint <= 0x0d)
}

/** Where the parser stands. */
export class PatternSource {
  readonly codePoints: readonly number[]
  readonly flags: Set<PatternFlag>
  cursor = 0

  constructor(pattern: string, flags: Iterable<PatternFlag>) {
    this.codePoints = withoutQuotes(Array.from(pattern, code))
    this.flags = new Set(flags)
  }

  get atEnd(): boolean {
    return this.cursor >= this.codePoints.length
  }

  at(index: number): number {
    return this.codePoints[index] ?? END
  }

  /** The code point under the cursor, after white space and comments in mode x. */
  peek(): number {
    return this.#pastComments(this.at(this.cursor))
  }

  /** Moves on by one and gives what stands there then. */
  next(): number {
    return this.#pastComments(this.at(++this.cursor))
  }

  /** Gives what stands under the cursor and moves behind it. */
  read(): number {
    const codePoint = this.at(this.cursor++)
    if (!this.flags.has('x') || !(isSpace(codePoint) || codePoint === code('#'))) return codePoint
    this.cursor--
    const found = this.#pastComments(codePoint)
    this.cursor++
    return found
  }

  /** Jumps over the cursor's code point, gives the next one and moves behind it; white space counts. */
  skip(): number {
    const codePoint = this.at(this.cursor + 1)
    this.cursor += 2
    return codePoint
  }

  unread(): void {
    this.cursor--
  }

  accept(expected: string, otherwise: string): void {
    if (this.read() !== code(expected)) throw this.error(otherwise)
  }

  /** The place is the code point before the cursor; before the first one there is none to name. */
  error(description: string): JavaRegexSyntaxError {
    const index = this.cursor - 1
    return new JavaRegexSyntaxError(index >= 0 ? `${description} near index ${index}` : description)
  }

  /** For what Java has and this engine has not: better refused than taken for something else. */
  unsupported(construct: string, remedy: string): JavaRegexSyntaxError {
    return this.error(`${construct} is not supported: ${remedy}`)
  }

  #pastComments(codePoint: number): number {
    if (!this.flags.has('x')) return codePoint
    let current = codePoint
    while (isSpace(current) || current === code('#')) {
      if (current === code('#')) {
        do current = this.at(++this.cursor)
        while (!this.atEnd && !this.#isLineEnd(current))
      } else current = this.at(++this.cursor)
    }
    return current
  }

  #isLineEnd(codePoint: number): boolean {
    if (this.flags.has('d')) return codePoint === 0x0a
    return codePoint === 0x0a || codePoint === 0x0d || codePoint === 0x85 || codePoint === 0x2028 || codePoint === 0x2029
  }
}

/**
 * Writes `\Q…\E` as single escapes, so that nothing else need know of it. A quoted digit that opens a quote becomes `\x3n`: as a plain
 * digit it could belong to an escape before the quote.
 */
function withoutQuotes(codePoints: readonly number[]): readonly number[] {
  const [quote, unquote] = [code('Q'), code('E')]
  const result: number[] = []
  let quoted = false
  let opens = false
  for (let index = 0; index < codePoints.length; index++) {
    const codePoint = codePoints[index] ?? END
    const follower = codePoints[index + 1]
    if (codePoint === BACKSLASH && follower === (quoted ? unquote : quote)) {
      quoted = !quoted
      opens = quoted
      index++
      continue
    }
    if (!quoted) {
      result.push(codePoint)
      if (codePoint === BACKSLASH && follower !== undefined) result.push(codePoints[++index] ?? END)
    } else if (isDigit(codePoint) && opens) result.push(BACKSLASH, code('x'), code('3'), codePoint)
    else if (codePoint >= 0x80 || isAsciiLetter(codePoint) || isDigit(codePoint)) result.push(codePoint)
    else result.push(BACKSLASH, codePoint)
    opens = false
  }
  return result
}
