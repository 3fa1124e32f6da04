/**
 * @module sdk/json-scan — reading JSON character by character, for texts in which `JSON.parse` would lose digits; see exact-json.ts.
 */

/** What a document may have. Beyond: a {@link JsonSyntaxError}. */
export const jsonLimits = {
  /** Lists and objects inside each other. Readers of what is parsed recurse: four frames a level must fit a stack of 1 MB twice. */
  depth: 500,
  /** Characters of one number: reading a number of n digits exactly costs n². */
  numberChars: 1000,
} as const

/** How numbers and objects come out. */
export interface ParseJsonOptions {
  /**
   * Numbers without point and exponent. `safe` (default): `number` within ±(2^53−1), `bigint` beyond. `int64`: always `bigint`, the low 64
   * bits of what is beyond, as Java's `longValue`.
   */
  readonly integers?: 'safe' | 'int64'
  /** Numbers with point or exponent. `number` (default): the nearest double, ±Infinity where it is too large. `exact`: a {@link JsonNumber}. */
  readonly decimals?: 'number' | 'exact'
  /** `object` (default): plain objects, whose integer-like keys come first. `map`: `Map`s in the order of the text. */
  readonly objects?: 'object' | 'map'
  /** Reads the first value and lets alone what follows; allows leading zeros, as Kafka's JsonConverter does. Default false. */
  readonly lenient?: boolean
}

/** A number in its own digits: what `parseJson` gives for `decimals: 'exact'`, and what `stringifyJson` prints as it stands. */
export class JsonNumber {
  /** As RFC 8259 has it: `12.30`, `-1E+3`. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A text that is no JSON, or beyond {@link jsonLimits}. The message gives cause, line and column. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
  /** Index into the text, in UTF-16 units. */
  readonly offset: number

  constructor(problem: string, text: string, offset: number) {
    const before = text.slice(Math.max(0, offset - POSITION_CHARS_MAX), offset)
    const line = before.split('\n').length
    const column = before.length - before.lastIndexOf('\n')
    super(offset > POSITION_CHARS_MAX ? `${problem} at character ${offset}` : `${problem} at line ${line}, column ${column}`)
    this.offset = offset
  }
}

/** Up to here errors count lines; further in they give the plain index. */
const POSITION_CHARS_MAX = 1_000_000
const BRACKET = 0x5b
const BRACKET_END = 0x5d
const BRACE = 0x7b
const BRACE_END = 0x7d
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
/** With 0x20 set, capitals are small letters: e and E. */
const LETTER_E = 0x65

/** What comes before the space: no string may hold it bare. */
const CONTROL = /[^ -\uffff]/

/** A backslash and what follows; without the group it is none of the escapes there are. */
const ESCAPE = /\\(u[0-9a-fA-F]{4}|["\\/bfnrt])?/g

/** Recursive descent over a text, for one use; recursion is bounded by the depth limit. */
export class JsonScanner {
  readonly #text: string
  readonly #options: ParseJsonOptions
  #at = 0
  #depth = 0

  constructor(text: string, options: ParseJsonOptions) {
    this.#text = text
    this.#options = options
  }

  /** @throws JsonSyntaxError */
  document(): unknown {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1
    const first = this.#skipSpace()
    const value = this.#value(first)
    const isLenient = this.#options.lenient === true
    // What follows a number must be set off from it even where nobody reads it, else 12abc would be 12.
    if (isLenient && (!isNumberStart(first) || this.#at >= this.#text.length || isSpace(this.#text.charCodeAt(this.#at)))) return value
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('expected the end')
    return value
  }

  /** The next character's code that is no whitespace; NaN at the end. */
  #skipSpace(): number {
    const text = this.#text
    let code = text.charCodeAt(this.#at)
    while (isSpace(code)) code = text.charCodeAt(++this.#at)
    return code
  }

  #value(code: number): unknown {
    if (code === QUOTE) return this.#string()
    if (code === BRACE) return this.#options.objects === 'map' ? this.#map() : this.#object()
    if (code === BRACKET) return this.#list()
    if (isNumberStart(code)) return this.#number(code)
    const word = /[\w$]*/y
    word.lastIndex = this.#at
    const [token = ''] = word.exec(this.#text) ?? []
    this.#at += token.length
    if (token === 'true') return true
    if (token === 'false') return false
    if (token === 'null') return null
    this.#at -= token.length
    if (token !== '') this.#fail(`expected a value, found ${token.length > 20 ? `${token.slice(0, 20)}…` : token}`)
    return this.#fail('expected a value')
  }

  #list(): unknown[] {
    const list: unknown[] = []
    this.#enter()
    let code = this.#skipSpace()
    if (code === BRACKET_END) return this.#leave(list)
    for (;;) {
      list.push(this.#value(code))
      code = this.#skipSpace()
      if (code === BRACKET_END) return this.#leave(list)
      if (code !== COMMA) this.#fail('expected , or ]')
      this.#at++
      code = this.#skipSpace()
    }
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    this.#members((key, value) => {
      if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      else object[key] = value
    })
    return object
  }

  #map(): Map<string, unknown> {
    const map = new Map<string, unknown>()
    this.#members((key, value) => map.set(key, value))
    return map
  }

  #members(set: (key: string, value: unknown) => void): boolean {
    this.#enter()
    let code = this.#skipSpace()
    if (code === BRACE_END) return this.#leave(true)
    for (;;) {
      if (code !== QUOTE) this.#fail('expected " before a name')
      const key = this.#string()
      if (this.#skipSpace() !== COLON) this.#fail('expected : after a name')
      this.#at++
      set(key, this.#value(this.#skipSpace()))
      code = this.#skipSpace()
      if (code === BRACE_END) return this.#leave(true)
      if (code !== COMMA) this.#fail('expected , or }')
      this.#at++
      code = this.#skipSpace()
    }
  }

  #enter(): void {
    this.#at++
    if (++this.#depth > jsonLimits.depth) this.#fail(`more than ${jsonLimits.depth} lists and objects inside each other`)
  }

  #leave<T>(value: T): T {
    this.#at++
    this.#depth--
    return value
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    let at = start
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        return text.slice(start, at)
      }
      if (code === BACKSLASH) return this.#escapedString(start)
      if (!(code >= 0x20)) this.#failAt(at, at >= text.length ? 'unexpected end inside a string' : 'a control character inside a string')
      at++
    }
  }

  #escapedString(start: number): string {
    const text = this.#text
    const end = stringEnd(text, start - 1)
    if (end >= text.length) this.#failAt(text.length, 'unexpected end inside a string')
    this.#at = end + 1
    try {
      return JSON.parse(text.slice(start - 1, end + 1)) as string
    } catch {
      return this.#failInString(start, end)
    }
  }

  /** What is wrong between two quotes: a bare control character, or a backslash before what it cannot stand before. */
  #failInString(start: number, end: number): never {
    const raw = this.#text.slice(start, end)
    const control = raw.search(CONTROL)
    if (control !== -1) this.#failAt(start + control, 'a control character inside a string')
    ESCAPE.lastIndex = 0
    for (let found = ESCAPE.exec(raw); found !== null; found = ESCAPE.exec(raw)) {
      if (found[1] === undefined) return this.#failAt(start + found.index, 'no such escape')
    }
    return this.#failAt(start, 'no string')
  }

  #number(first: number): unknown {
    const text = this.#text
    const start = this.#at
    let at = first === MINUS ? start + 1 : start
    let firstDigit = at
    if (this.#options.lenient === true) while (text.charCodeAt(at) === ZERO && isDigit(text.charCodeAt(at + 1))) firstDigit = ++at
    let whole = 0
    let code = text.charCodeAt(at)
    for (; isDigit(code); code = text.charCodeAt(++at)) whole = whole * 10 + (code - ZERO)
    if (at === firstDigit) this.#failAt(at, 'expected a digit')
    if (at > firstDigit + 1 && text.charCodeAt(firstDigit) === ZERO) this.#failAt(firstDigit, 'a number with a leading zero')
    if (code === POINT || (code | 0x20) === LETTER_E) return this.#decimal(start, firstDigit, at)
    this.#checkNumber(start, at)
    const isExact = at - firstDigit < 16
    if (this.#options.integers === 'int64') {
      const exact = isExact ? BigInt(whole) : BigInt(text.slice(firstDigit, at))
      return BigInt.asIntN(64, first === MINUS ? -exact : exact)
    }
    if (isExact || whole <= Number.MAX_SAFE_INTEGER) return first === MINUS ? -whole : whole
    const exact = BigInt(text.slice(firstDigit, at))
    return first === MINUS ? -exact : exact
  }

  #decimal(start: number, firstDigit: number, wholeEnd: number): unknown {
    const text = this.#text
    let at = wholeEnd
    if (text.charCodeAt(at) === POINT) at = this.#digits(at + 1)
    if ((text.charCodeAt(at) | 0x20) === LETTER_E) {
      const sign = text.charCodeAt(at + 1)
      at = this.#digits(sign === PLUS || sign === MINUS ? at + 2 : at + 1)
    }
    this.#checkNumber(start, at)
    const digits = `${text.charCodeAt(start) === MINUS ? '-' : ''}${text.slice(firstDigit, at)}`
    return this.#options.decimals === 'exact' ? new JsonNumber(digits) : Number(digits)
  }

  #digits(from: number): number {
    let at = from
    while (isDigit(this.#text.charCodeAt(at))) at++
    if (at === from) this.#failAt(at, 'expected a digit')
    return at
  }

  #checkNumber(start: number, end: number): void {
    if (end - start > jsonLimits.numberChars) this.#failAt(start, `a number of more than ${jsonLimits.numberChars} characters`)
    if (isWordPart(this.#text.charCodeAt(end))) this.#failAt(end, 'unexpected character after a number')
    this.#at = end
  }

  #fail(problem: string): never {
    return this.#failAt(this.#at, this.#at >= this.#text.length ? `unexpected end: ${problem}` : problem)
  }

  #failAt(offset: number, problem: string): never {
    throw new JsonSyntaxError(problem, this.#text, offset)
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

/** Letters, digits, underscore, dollar and point: what may not stand right behind a number. */
function isWordPart(code: number): boolean {
  const small = code | 0x20
  return (small >= 0x61 && small <= 0x7a) || isDigit(code) || code === 0x5f || code === 0x24 || code === POINT
}

function isNumberStart(code: number): boolean {
  return isDigit(code) || code === MINUS
}

/** Whether nothing nests deeper than the limit; strings are stepped over. Says true for a broken text too, which JSON.parse refuses. */
export function isShallow(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BRACKET || code === BRACE) {
      if (++depth > jsonLimits.depth) return false
    } else if (code === BRACKET_END || code === BRACE_END) depth--
    else if (code === QUOTE) at = stringEnd(text, at)
  }
  return true
}

/** Index of the quote that closes the string which opens at `from`; the text's length where there is none. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashCount = 0
    while (text.charCodeAt(at - 1 - slashCount) === BACKSLASH) slashCount++
    if (slashCount % 2 === 0) return at
  }
  return text.length
}
