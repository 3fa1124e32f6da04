/**
 * @module converters/header-values — what a header's text is: null, boolean, number of the narrowest width, date, list, map, else a string.
 *
 * A list or map has a schema for its elements where one type holds them all: whole numbers widen, and with a fraction among them
 * all are floats. Anything that does not come out as a list or map is a string, the whole text.
 *
 * Source: `Values.parseString`. Two differences: digits of other scripts than ASCII are no number, and neither is what has more than
 * {@link headerLimits} allow.
 */
import {
  array,
  date,
  type Decimal,
  decimal,
  isSized,
  JsonNumber,
  jsonLimits,
  LogicalName,
  map,
  type Schema,
  type SchemaAndValue,
  type SchemaType,
  Sized,
  string,
  time,
  timestamp,
  type Value,
} from '@millrace/sdk'
import { type DateKind, parseDate } from './header-dates.ts'
import { HeaderTokens, isBlank, javaTrim } from './header-tokens.ts'
import { dateOfDays, dateOfTimestamp, decimalOfNumber } from './logical-values.ts'

/** What a header's text may have and still be read as more than a string. */
export const headerLimits = {
  /** Lists and maps inside each other. */
  depth: 200,
  /** Characters of one number. */
  numberChars: jsonLimits.numberChars,
} as const

const plain = (type: SchemaType): Schema => Object.freeze({ type })
const STRING = string()
const BOOLEAN = plain('boolean')
const LIST_OF_ANYTHING = plain('array')
const MAP_OF_ANYTHING = plain('map')
const dateSchemas: Readonly<Record<DateKind, Schema>> = { Date: date(), Time: time(), Timestamp: timestamp() }
const numberSchemas = {
  int8: plain('int8'),
  int16: plain('int16'),
  int32: plain('int32'),
  int64: plain('int64'),
  float32: plain('float32'),
  float64: plain('float64'),
} as const

/** Reads a header's text. Never throws: what is nothing else is a string. null: the text says null. */
export function parseHeaderValue(text: string): SchemaAndValue | null {
  if (text === '') return { schema: STRING, value: text }
  const parsed = new ValueReader(text).read(false, 0)
  return parsed === null ? null : { schema: parsed.schema, value: fitted(parsed.schema, parsed.value) }
}

/** A value whose numbers are still boxed: what schema they get shows only when the list around them is whole. */
interface Parsed {
  readonly schema: Schema
  readonly value: Value
}

/** What was tried as a list or map is none. */
class NotThis extends Error {}

class ValueReader {
  readonly #tokens: HeaderTokens

  constructor(text: string) {
    this.#tokens = new HeaderTokens(text)
  }

  /** null for null, and for the end of the text. */
  read(isInside: boolean, depth: number): Parsed | null {
    const tokens = this.#tokens
    if (!tokens.hasNext) return null
    const word = tokens.peek()
    if (isInside && word === '"') return this.#quoted()
    if (word === 'null' && this.#isWord(word, isInside)) return null
    if (word === 'true' && this.#isWord(word, isInside)) return { schema: BOOLEAN, value: true }
    if (word === 'false' && this.#isWord(word, isInside)) return { schema: BOOLEAN, value: false }
    const start = tokens.position
    try {
      if (word === '[') return this.#list(depth + 1)
      if (word === '{') return this.#map(depth + 1)
    } catch (error) {
      // Inside, the outer list or map is none either: trying each level again as something else would double the work per level.
      if (!(error instanceof NotThis) || isInside) throw error
      tokens.rewind(start)
    }
    // A list that was looked for and not found takes the blanks before it along; one that broke off does not.
    if (word !== '[' && word !== '{') tokens.skipBlank()
    const token = tokens.next()
    return isBlank(token) ? { schema: STRING, value: token } : this.#single(isInside, javaTrim(token))
  }

  /** Outside of lists and maps a word must be all there is. */
  #isWord(word: string, isInside: boolean): boolean {
    const start = this.#tokens.position
    if (this.#tokens.take(word) && (isInside || !this.#tokens.hasNext)) return true
    this.#tokens.rewind(start)
    return false
  }

  #single(isInside: boolean, token: string): Parsed {
    const isDigitFirst = /^[0-9]/.test(token)
    const dated = isDigitFirst ? this.#date(token) : undefined
    if (dated !== undefined) return dated
    const number = isDigitFirst || token.startsWith('+') || token.startsWith('-') ? numberOf(token) : undefined
    if (number !== undefined) return number
    if (isInside) throw new NotThis()
    return { schema: STRING, value: this.#tokens.text }
  }

  /** Times hold colons, so one may be five tokens long. */
  #date(token: string): Parsed | undefined {
    const start = this.#tokens.position
    const rest = this.#tokens.nextOnes(4)
    const longer = rest === undefined ? undefined : dateOf(token + rest)
    if (longer !== undefined) return longer
    this.#tokens.rewind(start)
    return dateOf(token)
  }

  #quoted(): Parsed {
    this.#tokens.take('"')
    let content = ''
    while (this.#tokens.hasNext && !this.#tokens.take('"')) content += this.#tokens.next()
    return dateOf(content) ?? { schema: STRING, value: content }
  }

  #list(depth: number): Parsed {
    const tokens = this.#tokens
    checkDepth(depth)
    tokens.take('[')
    const elements: (Parsed | null)[] = []
    while (tokens.hasNext) {
      if (tokens.take(']')) return listOf(elements)
      if (tokens.take(',')) throw new NotThis()
      elements.push(this.read(true, depth))
      const end = tokens.position
      if (tokens.take(']')) tokens.rewind(end)
      else if (!tokens.take(',')) throw new NotThis()
    }
    throw new NotThis()
  }

  #map(depth: number): Parsed {
    const tokens = this.#tokens
    checkDepth(depth)
    tokens.take('{')
    const keys: Parsed[] = []
    const values: (Parsed | null)[] = []
    while (tokens.hasNext) {
      if (tokens.take('}')) return mapOf(keys, values)
      if (tokens.take(',')) throw new NotThis()
      const key = this.read(true, depth)
      if (key === null || !tokens.take(':')) throw new NotThis()
      keys.push(key)
      values.push(this.read(true, depth))
      tokens.take(',')
    }
    throw new NotThis()
  }
}

function checkDepth(depth: number): void {
  if (depth > headerLimits.depth) throw new NotThis()
}

function listOf(elements: readonly (Parsed | null)[]): Parsed {
  const common = commonSchema(elements)
  if (common === null) return { schema: LIST_OF_ANYTHING, value: elements.map((element) => element?.value ?? null) }
  return { schema: array(common), value: elements.map((element) => aligned(common, element)) }
}

function mapOf(keys: readonly Parsed[], values: readonly (Parsed | null)[]): Parsed {
  const keySchema = commonSchema(keys)
  const valueSchema = keySchema === null ? null : commonSchema(values)
  const result = new Map<Value, Value>()
  const kept = new Map<unknown, Value>()
  keys.forEach((parsed, index) => {
    const value = values[index] ?? null
    const key = keySchema === null ? parsed.value : aligned(keySchema, parsed)
    // Two boxes of one number are two keys to a Map: a key that comes twice must be one.
    const identity = isSized(key) ? `${key.type} ${key.value}` : typeof key === 'string' ? `string ${key}` : key
    if (!kept.has(identity)) kept.set(identity, key)
    result.set(kept.get(identity)!, valueSchema === null ? (value?.value ?? null) : aligned(valueSchema, value))
  })
  if (keySchema === null) return { schema: MAP_OF_ANYTHING, value: result }
  return { schema: valueSchema === null ? Object.freeze({ type: 'map', keySchema }) : map(keySchema, valueSchema), value: result }
}

const ranks: readonly SchemaType[] = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64']

/** One schema that holds all; null where there is none. Nulls have no say. */
function commonSchema(all: readonly (Parsed | null)[]): Schema | null {
  let common: Schema | null = null
  for (const one of all) {
    if (one === null) continue
    if (common === null || common.type === one.schema.type) {
      common = one.schema
      continue
    }
    const rank = ranks.indexOf(common.type)
    const otherRank = ranks.indexOf(one.schema.type)
    if (rank === -1 || otherRank === -1) return null
    if (otherRank > rank) common = one.schema
  }
  return common
}

/** A value under the schema that a whole list has. A null has no place under it: the text is then no list. */
function aligned(schema: Schema, parsed: Parsed | null): Value {
  if (parsed === null) throw new NotThis()
  const { value } = parsed
  const { type } = schema
  if (value instanceof Date || schema.name !== undefined) return alignedDate(schema, parsed)
  if (type === 'int64') return isSized(value) ? BigInt(value.value) : value
  if (type === 'int8' || type === 'int16' || type === 'int32' || type === 'float32' || type === 'float64') {
    return new Sized(type, isSized(value) ? value.value : Number(value))
  }
  return value
}

/** Dates of all kinds mix, and whole numbers among them are what lies under the kind of date. */
function alignedDate({ name }: Schema, { schema, value }: Parsed): Value {
  if (name === undefined) throw new NotThis()
  if (schema.name !== undefined) return value
  if (name === LogicalName.Timestamp) return dateOfTimestamp(isSized(value) ? value.value : (value as bigint))
  const whole = (value as Sized).value
  if (name === LogicalName.Date) return dateOfDays(whole)
  if (whole < 0 || whole > DAY_MS) throw new NotThis()
  return new Date(whole)
}

const DAY_MS = 86_400_000

/** Numbers out of their boxes where the schema says their width. */
function fitted(schema: Schema | null | undefined, value: Value): Value {
  if (isSized(value)) return schema?.type === value.type || (value.type === 'float64' && !schema) ? value.value : value
  if (Array.isArray(value)) return value.map((element: Value) => fitted(schema?.valueSchema, element))
  if (!(value instanceof Map)) return value
  const entries = [...(value as ReadonlyMap<Value, Value>)]
  return new Map(entries.map(([key, item]) => [fitted(schema?.keySchema, key), fitted(schema?.valueSchema, item)]))
}

function dateOf(token: string): Parsed | undefined {
  // Colons may have been escaped.
  const found = parseDate(token.replaceAll('\\:', ':'))
  return found === undefined ? undefined : { schema: dateSchemas[found.kind], value: new Date(found.ms) }
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function numberOf(token: string): Parsed | undefined {
  if (token.length > headerLimits.numberChars || !NUMBER.test(token)) return undefined
  const digits = token.replace(/^\+/, '').replace(/^(-?)\./, '$10.')
  const exact = decimalOfNumber(new JsonNumber(digits))
  if (exact === undefined) return undefined
  const whole = longOf(exact)
  if (whole !== undefined) return wholeNumber(whole)
  const double = Number(digits)
  const float = Math.fround(double)
  if (exact.scale !== 0 && Number.isFinite(float)) return { schema: numberSchemas.float32, value: new Sized('float32', float) }
  if (exact.scale !== 0 && Number.isFinite(double)) return { schema: numberSchemas.float64, value: new Sized('float64', double) }
  return { schema: decimal(exact.scale), value: exact }
}

/** The value as a whole number of 64 bits; undefined where it is none. Looks at sizes first: 1E999999999 is never written out. */
function longOf({ unscaled, scale }: Decimal): bigint | undefined {
  if (unscaled === 0n) return 0n
  const precision = String(unscaled < 0n ? -unscaled : unscaled).length
  const exponent = precision - 1 - scale
  if (exponent < 0 || exponent > 19) return undefined
  const power = 10n ** BigInt(Math.abs(scale))
  if (scale > 0 && unscaled % power !== 0n) return undefined
  const whole = scale > 0 ? unscaled / power : unscaled * power
  return BigInt.asIntN(64, whole) === whole ? whole : undefined
}

function wholeNumber(whole: bigint): Parsed {
  for (const [type, bits] of [['int8', 8] as const, ['int16', 16] as const, ['int32', 32] as const]) {
    if (BigInt.asIntN(bits, whole) === whole) return { schema: numberSchemas[type], value: new Sized(type, Number(whole)) }
  }
  return { schema: numberSchemas.int64, value: whole }
}
