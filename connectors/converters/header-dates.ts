/**
 * @module converters/header-dates — the three date formats of header values, read and printed as Java's `SimpleDateFormat` in UTC does:
 * leniently (2019-02-30 is 2 March, 25:00 the next day), and by the Julian calendar before 15 October 1582.
 */

const DAY_MS = 86_400_000
/** Days from 1970-01-01 to 1582-10-15, the first day of the Gregorian calendar. */
const GREGORIAN_START_DAY = -141_427

/** What a text of that length may be. */
export type DateKind = 'Date' | 'Time' | 'Timestamp'

const DATE = /^[ \t]*(-?\d+)-[ \t]*(-?\d+)-[ \t]*(-?\d+)/
const TIME = /^[ \t]*(-?\d+):[ \t]*(-?\d+):[ \t]*(-?\d+)\.[ \t]*(-?\d+)Z/
const kindsByLength: ReadonlyMap<number, DateKind> = new Map([
  [10, 'Date'],
  [13, 'Time'],
  [24, 'Timestamp'],
])

/** Milliseconds since 1970 of `2019-08-23`, `14:34:54.346Z` or `2019-08-23T14:34:54.346Z`; undefined for another text. */
export function parseDate(text: string): { readonly kind: DateKind; readonly ms: number } | undefined {
  const kind = kindsByLength.get(text.length)
  const ms = kind === undefined ? undefined : millisecondsOf(text, kind)
  // Fields of so many digits that they leave the calendar are no date.
  return kind === undefined || ms === undefined || !(Math.abs(ms) <= DATE_MS_MAX) ? undefined : { kind, ms }
}

const DATE_MS_MAX = 8.64e15

function millisecondsOf(text: string, kind: DateKind): number | undefined {
  const date = kind === 'Time' ? null : DATE.exec(text)
  if (kind !== 'Time' && date === null) return undefined
  const dayMs = date === null ? 0 : dayOf(Number(date[1]), Number(date[2]), Number(date[3])) * DAY_MS
  if (kind === 'Date') return dayMs
  const rest = kind === 'Time' ? text : text.slice(date?.[0].length)
  if (kind === 'Timestamp' && !rest.startsWith('T')) return undefined
  const time = TIME.exec(kind === 'Time' ? rest : rest.slice(1))
  if (time === null) return undefined
  const [hours = 0, minutes = 0, seconds = 0, millis = 0] = time.slice(1).map(Number)
  return dayMs + ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis
}

/** Days since 1970 of a date whose month and day may be beyond their ranges. */
function dayOf(year: number, month: number, day: number): number {
  const gregorian = gregorianDay(year, month, day)
  return gregorian >= GREGORIAN_START_DAY ? gregorian : Math.min(julianDay(year, month, day), Math.max(gregorian, GREGORIAN_START_DAY + 9))
}

function gregorianDay(year: number, month: number, day: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() / DAY_MS
}

/** The same in the calendar where every fourth year is a leap year. Counted in years that begin in March. */
function julianDay(year: number, month: number, day: number): number {
  const months = year * 12 + month - 3
  const marchYear = Math.floor(months / 12)
  const monthIndex = months - marchYear * 12
  return Math.floor((marchYear * 1461) / 4) + Math.floor((monthIndex * 153 + 2) / 5) + day - 719_471
}

/** Prints milliseconds in one of the formats. */
export function formatDate(ms: number, kind: DateKind): string {
  const day = Math.floor(ms / DAY_MS)
  const time = `${new Date(ms - day * DAY_MS).toISOString().slice(11)}`
  if (kind === 'Time') return time
  const date = day >= GREGORIAN_START_DAY ? gregorianText(day) : julianText(day)
  return kind === 'Date' ? date : `${date}T${time}`
}

function gregorianText(day: number): string {
  const date = new Date(day * DAY_MS)
  return dateText(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())
}

function julianText(day: number): string {
  const days = day + 719_470
  const marchYear = Math.floor((4 * days + 3) / 1461)
  const dayOfYear = days - Math.floor((1461 * marchYear) / 4)
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
  const year = marchYear + (month <= 2 ? 1 : 0)
  return dateText(year, month, dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1)
}

/** Years before 1 count from 1 backwards, without a sign. */
function dateText(year: number, month: number, day: number): string {
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${String(year > 0 ? year : 1 - year).padStart(4, '0')}-${two(month)}-${two(day)}`
}
