/**
 * @module sdk/config-types — the types of configuration values: what text of each is accepted, and how a value is shown.
 *
 * Semantics are those of Kafka's `ConfigDef.parseType` and `convertToString` (KIP-26), message by message, since
 * tools show these messages and people search for them.
 */
import { javaDoubleText } from './java-numbers.ts'

/** A value's type, by Kafka's name. A CLASS is a plugin or class name, kept as text. */
export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'

/** What each type is after parsing; see {@link parseType} for LONG. */
export interface ConfigValueByType {
  BOOLEAN: boolean
  STRING: string
  INT: number
  SHORT: number
  LONG: number
  DOUBLE: number
  LIST: readonly string[]
  CLASS: string
  PASSWORD: Password
}

const BRAND = Symbol.for('millrace.Password')
const HIDDEN = '[hidden]'

/** A secret. Printing, logging and JSON show `[hidden]`; only `value` tells it. */
export class Password {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  get [BRAND](): true {
    return true
  }

  /** The secret itself. */
  get value(): string {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN
  }
}

/** Whether a value is a {@link Password}, also one of another copy of this package. */
export function isPassword(value: unknown): value is Password {
  return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true
}

const EXCEPTION_BRAND = Symbol.for('millrace.ConfigException')

/** A configuration was refused: a wrong value, a missing key, a bad definition. */
export class ConfigException extends Error {
  override readonly name = 'ConfigException'

  get [EXCEPTION_BRAND](): true {
    return true
  }
}

/** Whether an error is a {@link ConfigException}, also one that a plugin's own copy of this package threw. */
export function isConfigException(error: unknown): error is ConfigException {
  return typeof error === 'object' && error !== null && EXCEPTION_BRAND in error
}

/** "Invalid value v for configuration k: why", Kafka's sentence. */
export function invalidValue(name: string, shown: string, why?: string): string {
  return `Invalid value ${shown} for configuration ${name}${why === undefined ? '' : `: ${why}`}`
}

const INTEGER_RANGES: Record<'INT' | 'SHORT' | 'LONG', { readonly min: bigint; readonly max: bigint; readonly text: string }> = {
  SHORT: { min: -(2n ** 15n), max: 2n ** 15n - 1n, text: 'a 16-bit integer (short)' },
  INT: { min: -(2n ** 31n), max: 2n ** 31n - 1n, text: 'a 32-bit integer' },
  LONG: { min: -(2n ** 63n), max: 2n ** 63n - 1n, text: 'a 64-bit integer (long)' },
}

export interface ParseOptions {
  /** Says whether a CLASS value names something that exists. Default: every name is accepted. */
  readonly isKnownClass?: (name: string) => boolean
}

/**
 * Parses a value of configuration `name`. Text is trimmed (a PASSWORD too); a value that already has the type is taken
 * as it is; null and undefined give null.
 *
 * A LONG is a `number`. One beyond ±(2^53−1), such as Long.MAX_VALUE for "never" or "no limit", becomes
 * ±`Number.MAX_SAFE_INTEGER`: 285,000 years in milliseconds, 9 PB in bytes, so no comparison comes out differently.
 * {@link canonicalText} shows what was written.
 * @throws ConfigException with Kafka's message
 */
export function parseType<T extends ConfigType>(
  name: string,
  value: unknown,
  type: T,
  options: ParseOptions = {},
): ConfigValueByType[T] | null {
  if (value === null || value === undefined) return null
  return parsers[type](name, value, options) as ConfigValueByType[T]
}

const parsers: { readonly [T in ConfigType]: (name: string, value: unknown, options: ParseOptions) => ConfigValueByType[T] } = {
  BOOLEAN: (name, value) => {
    if (typeof value === 'boolean') return value
    const word = typeof value === 'string' ? trimmed(value).toLowerCase() : ''
    if (word === 'true' || word === 'false') return word === 'true'
    throw refused(name, value, 'Expected value to be either true or false')
  },
  STRING: (name, value) => {
    if (typeof value === 'string') return trimmed(value)
    throw refused(name, value, `Expected value to be a string, but it was a ${kindOf(value)}`)
  },
  SHORT: (name, value) => parseInteger(name, value, 'SHORT'),
  INT: (name, value) => parseInteger(name, value, 'INT'),
  LONG: (name, value) => parseInteger(name, value, 'LONG'),
  DOUBLE: (name, value) => {
    if (typeof value === 'number') return value
    if (typeof value !== 'string') throw refused(name, value, `Expected value to be a double, but it was a ${kindOf(value)}`)
    const match = /^([+-]?)(NaN|Infinity|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$/.exec(trimmed(value))
    if (match === null) throw refused(name, value, 'Not a number of type DOUBLE')
    return Number(`${match[1] === '+' ? '' : match[1]}${match[2]}`)
  },
  LIST: (name, value) => {
    if (Array.isArray(value)) return value.map(String)
    if (typeof value !== 'string') throw refused(name, value, 'Expected a comma separated list.')
    const text = trimmed(value)
    return text === '' ? [] : text.split(',').map((element) => stripped(element, isRegexSpace))
  },
  CLASS: (name, value, options) => {
    if (typeof value !== 'string') throw refused(name, value, 'Expected a Class instance or class name.')
    if (options.isKnownClass?.(trimmed(value)) === false) throw refused(name, value, `Class ${value} could not be found.`)
    return trimmed(value)
  },
  PASSWORD: (name, value) => {
    if (isPassword(value)) return value
    if (typeof value === 'string') return new Password(trimmed(value))
    // Kafka shows the value here; what was meant to be a secret is none of the reader's business.
    throw refused(name, new Password(''), `Expected value to be a string, but it was a ${kindOf(value)}`)
  },
}

function parseInteger(name: string, value: unknown, type: 'INT' | 'SHORT' | 'LONG'): number {
  const range = INTEGER_RANGES[type]
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') {
    throw refused(name, value, `Expected value to be ${range.text}, but it was a ${kindOf(value)}`)
  }
  const whole = wholeNumber(value)
  if (whole === undefined || whole < range.min || whole > range.max) throw refused(name, value, `Not a number of type ${type}`)
  if (whole > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER
  if (whole < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER
  return Number(whole)
}

function wholeNumber(value: string | number | bigint): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  const match = /^([+-]?)(\d+)$/.exec(trimmed(value))
  if (match === null) return undefined
  const magnitude = BigInt(match[2] ?? '0')
  return match[1] === '-' ? -magnitude : magnitude
}

function refused(name: string, value: unknown, why: string): ConfigException {
  return new ConfigException(invalidValue(name, shownValue(value), why))
}

/** A parsed value as text: lists joined by commas, doubles as Java prints them, passwords hidden, null as null. */
export function convertToString(value: unknown, type: ConfigType): string | null {
  if (value === null || value === undefined) return null
  if (type === 'PASSWORD') return HIDDEN
  if (type === 'LIST' && Array.isArray(value)) return value.join(',')
  if (type === 'DOUBLE' && typeof value === 'number') return javaDoubleText(value)
  return textOf(value)
}

/**
 * The text of a written value as Kafka would show it after parsing ("+05" → "5", " a , b " → "a,b"), without the
 * rounding of LONGs beyond 2^53. Null for null, and for a text that does not parse the text itself.
 */
export function canonicalText(value: unknown, type: ConfigType): string | null {
  if (type === 'PASSWORD') return value === null || value === undefined ? null : HIDDEN
  if (type === 'LONG' && typeof value === 'string') return wholeNumber(value)?.toString() ?? value
  try {
    return convertToString(parseType('', value, type), type)
  } catch {
    return textOf(value)
  }
}

/** A value inside a message: lists as [a, b], maps as {}, null as null; with type DOUBLE numbers as Java prints them. */
export function shownValue(value: unknown, type?: ConfigType): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return `[${value.map((element) => shownValue(element)).join(', ')}]`
  if (typeof value === 'number') return type === 'DOUBLE' || !Number.isInteger(value) ? javaDoubleText(value) : String(value)
  if (typeof value !== 'object' || isPassword(value)) return textOf(value)
  return `{${Object.entries(value)
    .map(([key, entry]) => `${key}=${shownValue(entry)}`)
    .join(', ')}}`
}

/** Text of a value that is no list, map or nothing. */
function textOf(value: unknown): string {
  if (isPassword(value)) return HIDDEN
  return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value as number | boolean | bigint)
}

/** Java's `trim`: everything up to and including the space, and nothing else. */
function trimmed(text: string): string {
  return stripped(text, (code) => code <= 0x20)
}

/** `\s` of Java's regular expressions, by which lists are split. */
function isRegexSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

/** Without what is blank at both ends. By hand: a pattern would look at each blank inside as often as blanks follow it. */
function stripped(text: string, isBlank: (code: number) => boolean): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** What kind of thing a value of a wrong type is, in words of JavaScript. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (isPassword(value)) return 'password'
  return typeof value === 'object' ? 'map' : typeof value
}
