/**
 * @module transforms/simple-date-format/calendar — days and years as `java.util.GregorianCalendar` counts them in UTC: Julian before
 * 1582-10-15, weeks that begin on Sunday with the first one holding January 1 (locale en-US).
 */

export const DAY_MS = 86_400_000n

/** Days since 1970-01-01 of 1582-10-15, the first Gregorian day. */
const CUTOVER_DAY = -141_427
const CUTOVER_YEAR = 1582

/** A day; years before 1 AD are 0 and below. */
export interface CalendarDay {
  readonly year: number
  /** From 0. */
  readonly month: number
  readonly dayOfMonth: number
  /** From 1. */
  readonly dayOfYear: number
  /** 0 is Sunday. */
  readonly dayOfWeek: number
  readonly day: number
}

function floorDivide(value: number, divisor: number): number {
  return Math.floor(value / divisor)
}

/** Days since 1970 of March 1 of the year before, in either calendar, by the usual count of leap years. */
function daysBefore(year: number, month: number, julian: boolean): number {
  // Years that begin in March put the leap day at their end.
  const shifted = month < 2 ? year - 1 : year
  const monthFromMarch = (month + 10) % 12
  const leapDays = julian ? floorDivide(shifted, 4) - 2 : floorDivide(shifted, 4) - floorDivide(shifted, 100) + floorDivide(shifted, 400)
  return 365 * shifted + leapDays + floorDivide(153 * monthFromMarch + 2, 5) - 719_468
}

/** Days since 1970 of a day that may lie outside its month, as a lenient calendar takes it; months count from 0. */
export function dayNumber(year: number, month: number, dayOfMonth: number): number {
  const [wholeYear, wholeMonth] = [year + floorDivide(month, 12), ((month % 12) + 12) % 12]
  const gregorian = daysBefore(wholeYear, wholeMonth, false) + dayOfMonth - 1
  if (wholeYear > CUTOVER_YEAR || (wholeYear === CUTOVER_YEAR && gregorian >= CUTOVER_DAY)) return gregorian
  return daysBefore(wholeYear, wholeMonth, true) + dayOfMonth - 1
}

/** Days since 1970 of a day of a year, from 1. */
export function dayOfYearNumber(year: number, dayOfYear: number): number {
  return dayNumber(year, 0, 1) + dayOfYear - 1
}

/** The day that is so many days after 1970-01-01. */
export function calendarDay(day: number): CalendarDay {
  const julian = day < CUTOVER_DAY
  let year = 1970 + floorDivide(day, julian ? 365.25 : 365.2425)
  while (daysBefore(year, 0, julian) > day) year--
  while (daysBefore(year + 1, 0, julian) <= day) year++
  let month = 11
  while (daysBefore(year, month, julian) > day) month--
  return {
    year,
    month,
    dayOfMonth: day - daysBefore(year, month, julian) + 1,
    // The year of the cutover began Julian and lacks ten days.
    dayOfYear: day - dayNumber(year, 0, 1) + 1,
    dayOfWeek: (((day + 4) % 7) + 7) % 7,
    day,
  }
}

/** Week of the week year, and that year. */
export function weekOfYear({ year, day, dayOfYear, dayOfWeek }: CalendarDay): { readonly weekYear: number; readonly week: number } {
  const nextYear = dayNumber(year + 1, 0, 1)
  const endOfWeek = day - dayOfWeek + 6
  if (endOfWeek >= nextYear) return { weekYear: year + 1, week: 1 }
  const firstDayOfWeek = (((dayOfWeek - dayOfYear + 1) % 7) + 7) % 7
  return { weekYear: year, week: floorDivide(dayOfYear - 1 + firstDayOfWeek, 7) + 1 }
}

/** Week of the month, the first being that of its first day. */
export function weekOfMonth({ dayOfMonth, dayOfWeek }: CalendarDay): number {
  const firstDayOfWeek = (((dayOfWeek - dayOfMonth + 1) % 7) + 7) % 7
  return floorDivide(dayOfMonth - 1 + firstDayOfWeek, 7) + 1
}
