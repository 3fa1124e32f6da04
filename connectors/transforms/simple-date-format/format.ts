/**
 * @module transforms/simple-date-format/format — moments as texts, in UTC.
 */
import { type CalendarDay, calendarDay, DAY_MS, weekOfMonth, weekOfYear } from './calendar.ts'
import { ERAS, HALVES, MONTHS, nameOf, WEEKDAYS } from './names.ts'
import type { PatternPart } from './pattern.ts'

interface Moment extends CalendarDay {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

function momentOf(ms: bigint): Moment {
  const day = ms / DAY_MS - (ms % DAY_MS < 0n ? 1n : 0n)
  const rest = Number(ms - day * DAY_MS)
  return {
    ...calendarDay(Number(day)),
    hour: Math.floor(rest / 3_600_000),
    minute: Math.floor(rest / 60_000) % 60,
    second: Math.floor(rest / 1000) % 60,
    millisecond: rest % 1000,
  }
}

function padded(value: number, count: number): string {
  const digits = String(Math.abs(value)).padStart(count, '0')
  return value < 0 ? `-${digits}` : digits
}

/** Two letters show the last two digits. */
function yearText(year: number, count: number): string {
  return count === 2 ? padded(year % 100, 2) : padded(year, count)
}

type FieldFormat = (moment: Moment, count: number) => string

const number =
  (read: (moment: Moment) => number): FieldFormat =>
  (moment, count) =>
    padded(read(moment), count)

const month: FieldFormat = (moment, count) => (count >= 3 ? nameOf(MONTHS, moment.month, count) : padded(moment.month + 1, count))

const fields: Readonly<Record<string, FieldFormat>> = {
  G: ({ year }) => ERAS[year > 0 ? 1 : 0],
  y: ({ year }, count) => yearText(year > 0 ? year : 1 - year, count),
  Y: (moment, count) => yearText(weekOfYear(moment).weekYear, count),
  M: month,
  L: month,
  w: number((moment) => weekOfYear(moment).week),
  W: number(weekOfMonth),
  D: number((moment) => moment.dayOfYear),
  d: number((moment) => moment.dayOfMonth),
  F: number((moment) => Math.floor((moment.dayOfMonth - 1) / 7) + 1),
  E: (moment, count) => nameOf(WEEKDAYS, moment.dayOfWeek, count),
  u: number((moment) => (moment.dayOfWeek === 0 ? 7 : moment.dayOfWeek)),
  a: (moment) => HALVES[moment.hour < 12 ? 0 : 1],
  H: number((moment) => moment.hour),
  k: number((moment) => moment.hour || 24),
  K: number((moment) => moment.hour % 12),
  h: number((moment) => moment.hour % 12 || 12),
  m: number((moment) => moment.minute),
  s: number((moment) => moment.second),
  S: number((moment) => moment.millisecond),
  z: (_moment, count) => (count >= 4 ? 'Coordinated Universal Time' : 'UTC'),
  Z: () => '+0000',
  X: () => 'Z',
}

/** The text of a moment, given in milliseconds since 1970. */
export function formatDate(parts: readonly PatternPart[], ms: bigint): string {
  const moment = momentOf(ms)
  return parts.map((part) => (part.kind === 'text' ? part.text : (fields[part.letter]?.(moment, part.count) ?? ''))).join('')
}
