/**
 * @module connector-s3/path-format — directories named by time: the pattern letters of Joda-Time's `DateTimeFormat`, which `path.format`
 * is written in. Pure.
 *
 * ```
 *   'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH   →   year=2026/month=11/day=25/hour=03
 * ```
 */
import type { TimeZone } from './time-zone.ts'

/** The pattern cannot be read. */
export class PathFormatError extends Error {
  override readonly name = 'PathFormatError'
}

/** The path of a local time (see time-zone.ts); `offsetMs` is the zone's at that moment. */
export type PathFormat = (localMs: number, offsetMs: number) => string

type Piece = (local: Date, offsetMs: number) => string

const DAY_MS = 86_400_000
/** A language tag, with `_` in place of `-` as Java's locales are often written. */
const isTag = /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/

/** @throws PathFormatError for a letter that is none, a quote without its end, a locale that is none */
export function compilePathFormat(pattern: string, locale: string, zone: TimeZone): PathFormat {
  const pieces = parse(pattern, textOf(locale), zone)
  return (localMs, offsetMs) => {
    const local = new Date(localMs)
    let path = ''
    for (const piece of pieces) path += piece(local, offsetMs)
    return path
  }
}

function parse(pattern: string, text: TextFields, zone: TimeZone): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < pattern.length; ) {
    const letter = pattern.charAt(at)
    if (letter === "'") {
      const { literal, next } = quoted(pattern, at)
      pieces.push(() => literal)
      at = next
    } else if (/[A-Za-z]/.test(letter)) {
      let end = at + 1
      while (pattern.charAt(end) === letter) end++
      pieces.push(pieceOf(letter, end - at, text, zone))
      at = end
    } else {
      pieces.push(() => letter)
      at++
    }
  }
  return pieces
}

/** What stands between quotes; two of them are one that is meant. */
function quoted(pattern: string, start: number): { literal: string; next: number } {
  if (pattern.charAt(start + 1) === "'") return { literal: "'", next: start + 2 }
  let literal = ''
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern.charAt(at) !== "'") literal += pattern.charAt(at)
    else if (pattern.charAt(at + 1) === "'") literal += pattern.charAt(at++)
    else return { literal, next: at + 1 }
  }
  throw new PathFormatError(`the quote at position ${start + 1} of ${pattern} has no end`)
}

const numbers: Readonly<Record<string, (local: Date) => number>> = {
  C: (local) => Math.floor(Math.abs(local.getUTCFullYear()) / 100),
  D: (local) => 1 + Math.floor((local.getTime() - startOfYear(local.getUTCFullYear())) / DAY_MS),
  d: (local) => local.getUTCDate(),
  e: (local) => local.getUTCDay() || 7,
  w: (local) => isoWeek(local).week,
  K: (local) => local.getUTCHours() % 12,
  h: (local) => local.getUTCHours() % 12 || 12,
  H: (local) => local.getUTCHours(),
  k: (local) => local.getUTCHours() || 24,
  m: (local) => local.getUTCMinutes(),
  s: (local) => local.getUTCSeconds(),
}

const years: Readonly<Record<string, (local: Date) => number>> = {
  y: (local) => local.getUTCFullYear(),
  Y: (local) => (local.getUTCFullYear() > 0 ? local.getUTCFullYear() : 1 - local.getUTCFullYear()),
  x: (local) => isoWeek(local).year,
}

function pieceOf(letter: string, count: number, text: TextFields, zone: TimeZone): Piece {
  const year = Object.hasOwn(years, letter) ? years[letter] : undefined
  if (year !== undefined) {
    return count === 2 ? (local) => padded(Math.abs(year(local)) % 100, 2) : (local) => padded(year(local), count)
  }
  const number = Object.hasOwn(numbers, letter) ? numbers[letter] : undefined
  if (number !== undefined) return (local) => padded(number(local), count)
  switch (letter) {
    case 'M':
      return count < 3 ? (local) => padded(local.getUTCMonth() + 1, count) : text('month', count === 3 ? 'short' : 'long')
    case 'E':
      return text('weekday', count < 4 ? 'short' : 'long')
    case 'a':
      return text('dayPeriod', 'short')
    case 'G':
      return text('era', 'short')
    case 'S':
      return (local) => padded(local.getUTCMilliseconds(), 3).padEnd(count, '0').slice(0, count)
    case 'Z':
      return count > 2 ? () => zone.id : (_, offsetMs) => offsetText(offsetMs, count === 2 ? ':' : '')
    case 'z':
      return zoneName(zone, count < 4 ? 'short' : 'long')
    default:
      throw new PathFormatError(`"${letter}" is no letter of a time pattern; put words between quotes: 'year'=YYYY`)
  }
}

type TextFields = (field: 'month' | 'weekday' | 'dayPeriod' | 'era', style: 'short' | 'long') => Piece

/** Names of months, days and so on in a language. */
function textOf(locale: string): TextFields {
  const tag = locale.trim() === '' ? 'en' : locale.trim()
  if (!isTag.test(tag)) throw new PathFormatError(`"${tag}" is no locale; it is written as en or de-DE`)
  const language = tag.replaceAll('_', '-')
  const options = {
    month: (style: 'short' | 'long') => ({ month: style }) as const,
    weekday: (style: 'short' | 'long') => ({ weekday: style }) as const,
    dayPeriod: () => ({ hour: 'numeric', hourCycle: 'h12' }) as const,
    era: () => ({ era: 'short', year: 'numeric' }) as const,
  }
  return (field, style) => {
    const format = new Intl.DateTimeFormat(language, { timeZone: 'UTC', ...options[field](style) })
    return (local) => format.formatToParts(local).find(({ type }) => type === field)?.value ?? ''
  }
}

function zoneName(zone: TimeZone, style: 'short' | 'long'): Piece {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone.id, timeZoneName: style })
  return (local, offsetMs) => format.formatToParts(local.getTime() - offsetMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

function offsetText(offsetMs: number, colon: string): string {
  const minutes = Math.trunc(Math.abs(offsetMs) / 60_000)
  return `${offsetMs < 0 ? '-' : '+'}${padded(Math.floor(minutes / 60), 2)}${colon}${padded(minutes % 60, 2)}`
}

function padded(number: number, count: number): string {
  return number < 0 ? `-${String(-number).padStart(count, '0')}` : String(number).padStart(count, '0')
}

function startOfYear(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1)
}

/** Week and its year by ISO 8601: the week belongs to the year of its Thursday. */
function isoWeek(local: Date): { year: number; week: number } {
  const thursday = new Date(local.getTime() + (4 - (local.getUTCDay() || 7)) * DAY_MS)
  const year = thursday.getUTCFullYear()
  return { year, week: 1 + Math.floor((thursday.getTime() - startOfYear(year)) / (7 * DAY_MS)) }
}
