/**
 * @module transforms/simple-date-format/parse — texts as moments, lenient as Java is: fields out of range carry over, what follows the last
 * field is ignored. Without a zone the text is in UTC.
 */
import { calendarDay, DAY_MS, dayNumber, dayOfYearNumber } from './calendar.ts'
import { ERAS, HALVES, MONTHS, WEEKDAYS } from './names.ts'
import type { PatternPart } from './pattern.ts'

type Field =
  | 'era'
  | 'year'
  | 'month'
  | 'dayOfMonth'
  | 'dayOfYear'
  | 'dayOfWeek'
  | 'half'
  | 'hourOfDay'
  | 'hour'
  | 'minute'
  | 'second'
  | 'millisecond'

/** What a text said so far; a field that was said later takes precedence over one that means the same. */
class Reading {
  readonly text: string
  position = 0
  zoneMinutes = 0
  /** Start of the hundred years of which two digits give the year, where they may be those of its first or of its last months. */
  centuryStart: bigint | undefined
  readonly #values = new Map<Field, number>()

  constructor(text: string) {
    this.text = text
  }

  set(field: Field, value: number): void {
    this.#values.delete(field)
    this.#values.set(field, value)
  }

  get(field: Field, otherwise: number): number {
    return this.#values.get(field) ?? otherwise
  }

  has(field: Field): boolean {
    return this.#values.has(field)
  }

  /** The one of these that was said last. */
  latest(...fields: readonly Field[]): Field | undefined {
    return [...this.#values.keys()].findLast((field) => fields.includes(field))
  }

  skipBlanks(): void {
    while (this.text[this.position] === ' ' || this.text[this.position] === '\t') this.position++
  }

  /** The match of a sticky pattern here; moves behind it. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.text)
    if (match !== null) this.position = pattern.lastIndex
    return match
  }
}

/** Where a field begins with the blanks before it, how many letters it has, and where digits must end because others follow at once. */
interface Extent {
  readonly start: number
  readonly count: number
  readonly end: number | undefined
}

type FieldParser = (reading: Reading, extent: Extent) => boolean

function takeNumber(reading: Reading, end: number | undefined): number | undefined {
  if (end !== undefined && end > reading.text.length) return undefined
  const digits = reading.take(/-?\d+/y)
  if (digits === null) return undefined
  const surplus = end === undefined ? 0 : Math.max(0, reading.position - end)
  reading.position -= surplus
  const text = digits[0].slice(0, digits[0].length - surplus)
  return /\d/.test(text) ? Number(text) : undefined
}

/** A number; integers wrap as Java's int does. */
function numeric(field: Field, meaning: (value: number) => number = (value) => value): FieldParser {
  return (reading, { end }) => {
    const value = takeNumber(reading, end)
    if (value === undefined) return false
    reading.set(field, meaning(value | 0))
    return true
  }
}

/** The longest of the names, in full or by three letters, in any case. Unlike numbers, names don't bear blanks before them. */
function takeName(reading: Reading, list: readonly string[], start: number): number | undefined {
  if (start !== reading.position) return undefined
  const rest = reading.text.slice(reading.position).toLowerCase()
  let best: { readonly index: number; readonly length: number } | undefined
  for (const [index, name] of list.entries()) {
    for (const form of [name, name.slice(0, 3)]) {
      if (form.length > (best?.length ?? 0) && rest.startsWith(form.toLowerCase())) best = { index, length: form.length }
    }
  }
  if (best === undefined) return undefined
  reading.position += best.length
  return best.index
}

function named(field: Field, list: readonly string[]): FieldParser {
  return (reading, { start }) => {
    const index = takeName(reading, list, start)
    if (index === undefined) return false
    reading.set(field, index)
    return true
  }
}

/** Two digits by `yy` lie between 80 years ago and 20 years from now, to the millisecond, as Java takes them. */
const year: FieldParser = (reading, { count, end }) => {
  const start = reading.position
  const value = takeNumber(reading, end)
  if (value === undefined) return false
  const isShort = count <= 2 && reading.position - start === 2 && reading.text[start] !== '-'
  reading.set('year', isShort ? inCentury(reading, value) : value | 0)
  return true
}

function inCentury(reading: Reading, value: number): number {
  const start = new Date()
  const firstYear = start.getUTCFullYear() - 80
  start.setUTCFullYear(firstYear)
  reading.centuryStart = value === firstYear % 100 ? BigInt(start.getTime()) : undefined
  return value + Math.floor(firstYear / 100) * 100 + (value < firstYear % 100 ? 100 : 0)
}

const month: FieldParser = (reading, extent) => {
  const parse = extent.count <= 2 ? numeric('month', (value) => value - 1) : named('month', MONTHS)
  return parse(reading, extent)
}

/** `+0100`, `GMT+1:00`, `UTC`, `GMT`. */
const generalZone: FieldParser = (reading) => {
  const numbers = reading.take(/([+-])(\d{2})(\d{2})|GMT([+-])(\d{1,2}):(\d{2})/iy)
  if (numbers !== null) return setZone(reading, numbers[1] ?? numbers[4], numbers[2] ?? numbers[5], numbers[3] ?? numbers[6])
  return reading.take(/GMT(?![+-])|UTC/iy) !== null && setZone(reading, '+', '0', '0')
}

/** `Z`, `+01`, `+0100`, `+01:00`, by the number of letters. */
const isoZone: FieldParser = (reading, { count }) => {
  if (reading.take(/Z/y) !== null) return setZone(reading, '+', '0', '0')
  const form = count === 1 ? /([+-])(\d{2})/y : count === 2 ? /([+-])(\d{2})(\d{2})/y : /([+-])(\d{2}):(\d{2})/y
  const numbers = reading.take(form)
  return numbers !== null && setZone(reading, numbers[1], numbers[2], numbers[3])
}

function setZone(reading: Reading, sign: string | undefined, hours: string | undefined, minutes = '0'): boolean {
  if (Number(hours) > 23 || Number(minutes) > 59) return false
  reading.zoneMinutes = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  return true
}

const fields: Readonly<Record<string, FieldParser>> = {
  G: named('era', ERAS),
  y: year,
  M: month,
  L: month,
  D: numeric('dayOfYear'),
  d: numeric('dayOfMonth'),
  E: named('dayOfWeek', WEEKDAYS),
  a: named('half', HALVES),
  H: numeric('hourOfDay'),
  k: numeric('hourOfDay', (value) => (value === 24 ? 0 : value)),
  K: numeric('hour'),
  h: numeric('hour', (value) => (value === 12 ? 0 : value)),
  m: numeric('minute'),
  s: numeric('second'),
  S: numeric('millisecond'),
  z: generalZone,
  Z: generalZone,
  X: isoZone,
}

/** Letters of a pattern that can be shown but not read: weeks, and days within them. */
export function unreadableLetters(parts: readonly PatternPart[]): string {
  return parts.map((part) => (part.kind === 'field' && fields[part.letter] === undefined ? part.letter : '')).join('')
}

/** Whether digits may follow at once: then the number before must not run into them. */
function isNumeric(part: PatternPart | undefined): boolean {
  if (part?.kind !== 'field') return false
  return 'ML'.includes(part.letter) ? part.count <= 2 : !'GEazZX'.includes(part.letter)
}

/** Milliseconds since 1970; undefined where the text does not match. */
export function parseDate(parts: readonly PatternPart[], text: string): bigint | undefined {
  const reading = new Reading(text)
  for (const [at, part] of parts.entries()) {
    if (part.kind === 'text') {
      if (!text.startsWith(part.text, reading.position)) return undefined
      reading.position += part.text.length
      continue
    }
    const end = isNumeric(parts[at + 1]) ? reading.position + part.count : undefined
    const start = reading.position
    reading.skipBlanks()
    if (reading.position >= text.length || fields[part.letter]?.(reading, { start, count: part.count, end }) !== true) return undefined
  }
  const moment = momentOf(reading)
  if (reading.centuryStart === undefined || moment >= reading.centuryStart) return moment
  reading.set('year', reading.get('year', 0) + 100)
  return momentOf(reading)
}

function momentOf(reading: Reading): bigint {
  const yearOfEra = reading.get('year', 1970)
  const day = dayOf(reading, reading.get('era', 1) === 0 ? 1 - yearOfEra : yearOfEra)
  const minutes = hourOf(reading) * 60 + reading.get('minute', 0) - reading.zoneMinutes
  const ms = (minutes * 60 + reading.get('second', 0)) * 1000 + reading.get('millisecond', 0)
  return BigInt(day) * DAY_MS + BigInt(ms)
}

/** A day of the week alone is the first such day of the month; beside a day of month or year it says nothing. */
function dayOf(reading: Reading, fullYear: number): number {
  const latest = reading.latest('dayOfYear', 'dayOfMonth')
  if (latest === 'dayOfYear') return dayOfYearNumber(fullYear, reading.get('dayOfYear', 1))
  const day = dayNumber(fullYear, reading.get('month', 0), reading.get('dayOfMonth', 1))
  if (latest !== undefined || !reading.has('dayOfWeek')) return day
  return day + ((reading.get('dayOfWeek', 0) - calendarDay(day).dayOfWeek + 7) % 7)
}

function hourOf(reading: Reading): number {
  const both = reading.has('hour') && reading.has('half')
  if (reading.has('hourOfDay') && !(both && reading.latest('hourOfDay', 'hour', 'half') !== 'hourOfDay')) return reading.get('hourOfDay', 0)
  return reading.get('hour', 0) + 12 * reading.get('half', 0)
}
