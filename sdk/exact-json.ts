/**
 * @module sdk/exact-json — JSON that keeps every digit.
 *
 * ```ts
 * parseJson('{"lsn":9223372036854775807,"n":5}')                   // { lsn: 9223372036854775807n, n: 5 }
 * parseJson('[1, 1.0]', { integers: 'int64' })                     // [1n, 1]
 * parseJson('12.30', { decimals: 'exact' })                        // JsonNumber with text '12.30'
 * stringifyJson({ lsn: 9223372036854775807n, rate: 1e21 })         // '{"lsn":9223372036854775807,"rate":1.0E21}'
 * ```
 * Native `JSON.parse` does the work where nothing in the text could lose a digit; a scanner of our own does the rest.
 * Source: RFC 8259. A key that comes twice keeps its last value, as with `JSON.parse` and Jackson.
 */
import { javaDecimalText, javaDoubleText, javaFloatText } from './java-numbers.ts'
import { isShallow, JsonNumber, JsonScanner, jsonLimits, type ParseJsonOptions } from './json-scan.ts'
import { isDecimal, isSized, isStruct } from './values.ts'

export { JsonNumber, JsonSyntaxError, jsonLimits, type ParseJsonOptions } from './json-scan.ts'

/** Sixteen digits are safe up to 9007199254740991; a longer run never is. Digits inside strings only cost the fast way. */
const MAY_LOSE_DIGITS = /9\d{15}|\d{17}/
const MAY_BE_DECIMAL = /\d[.eE]/

/**
 * Reads one value; whitespace around it and a byte order mark before it are allowed.
 * @throws JsonSyntaxError for what is no JSON (an empty text too) or beyond {@link jsonLimits}
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): unknown {
  if (canParseNatively(text, options)) {
    try {
      return JSON.parse(text)
    } catch {
      // The scanner below says what is wrong and where, or allows it.
    }
  }
  return new JsonScanner(text, options).document()
}

function canParseNatively(text: string, options: ParseJsonOptions): boolean {
  if (options.integers === 'int64' || options.objects === 'map') return false
  if (MAY_LOSE_DIGITS.test(text) || (options.decimals === 'exact' && MAY_BE_DECIMAL.test(text))) return false
  return text.length <= jsonLimits.depth || isShallow(text)
}

/** Control characters, the quote, the backslash, halves of surrogate pairs: all but what may stand in a string as it is. */
const NEEDS_ESCAPE = /[^ !#-[\]-\ud7ff\ue000-\uffff]/
const ESCAPED = new RegExp(NEEDS_ESCAPE, 'g')

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** A string in quotes as Jackson writes it: characters beyond 16 bits as two escapes in capitals, others as they are. Always valid UTF-8. */
export function jsonString(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`
  const escaped = text.replace(
    ESCAPED,
    (char) => shortEscapes[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  )
  return `"${escaped}"`
}

/**
 * One line of JSON as Jackson writes it. A `number` that is a safe integer prints as one, any other as a Java double, NaN and the
 * infinities as strings; `bigint`, `Decimal` and {@link JsonNumber} print their own digits, a `Sized` what its type has. A `Map` is an object of
 * its keys' texts. Members that are undefined are left out.
 * @throws TypeError for anything else and beyond the depth limit
 */
export function stringifyJson(value: unknown): string {
  return print(value, 0)
}

function print(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return jsonString(value)
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : jsonDouble(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? 'null' : printObject(value, depth + 1)
    default:
      throw new TypeError(`a ${typeof value} has no form in JSON`)
  }
}

/** A double as Jackson writes it: NaN and the infinities are strings. */
export function jsonDouble(value: number): string {
  return Number.isFinite(value) ? javaDoubleText(value) : `"${value}"`
}

/** A 32-bit float as Jackson writes it. */
export function jsonFloat(value: number): string {
  return Number.isFinite(value) ? javaFloatText(value) : `"${value}"`
}

function printObject(value: object, depth: number): string {
  if (depth > jsonLimits.depth) throw new TypeError(`more than ${jsonLimits.depth} lists and objects inside each other`)
  if (value instanceof JsonNumber) return value.text
  if (isDecimal(value)) return javaDecimalText(value)
  if (isSized(value)) {
    if (value.type === 'float32') return jsonFloat(value.value)
    return value.type === 'float64' ? jsonDouble(value.value) : String(value.value)
  }
  if (Array.isArray(value)) return `[${value.map((element) => print(element ?? null, depth)).join(',')}]`
  if (!isStruct(value) && !(value instanceof Map)) throw new TypeError('only lists, maps and plain objects have a form in JSON')
  const members = value instanceof Map ? [...value] : Object.entries(value)
  const printed = members
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${jsonString(String(key))}:${print(member, depth)}`)
  return `{${printed.join(',')}}`
}
