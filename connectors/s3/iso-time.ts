/**
 * @module connector-s3/iso-time — moments in ISO 8601, in the forms that Joda-Time's `ISODateTimeFormat.dateTimeParser` takes. Pure.
 */

const DAY_MS = 86_400_000
const datePattern = /^([+-]?\d{4,6})(?:-(?:(\d{2})(?:-(\d{2}))?|(\d{3})|W(\d{2})(?:-(\d))?))?$/
const timePattern = /^(\d{2})(?::(\d{2})(?::(\d{2}))?)?(?:[.,](\d{1,18}))?$/
const zonePattern = /(Z|[+-]\d{2}(?::?\d{2})?)$/

/**
 * Milliseconds since 1970 of `2026-11-25T03:07:12.5+01:00`, `2026-11-25`, `2026-W48-3`, `2026-329`; undefined for what is no such text.
 * Without an offset it is UTC; what is finer than a millisecond is cut off.
 */
export function parseIsoTime(text: string): number | undefined {
  const split = text.indexOf('T')
  const dayMs = parseDate(split === -1 ? text : text.slice(0, split))
  if (dayMs === undefined || split === -1) return dayMs
  const rest = text.slice(split + 1)
  const zone = zonePattern.exec(rest)?.[1] ?? ''
  const clockMs = rest === zone ? 0 : parseClock(rest.slice(0, rest.length - zone.length))
  const offsetMs = parseOffset(zone)
  return clockMs === undefined || offsetMs === undefined ? undefined : dayMs + clockMs - offsetMs
}

function parseDate(text: string): number | undefined {
  const match = datePattern.exec(text)
  if (match === null) return undefined
  const [, year = '', month, day, dayOfYear, week, weekday] = match
  if (dayOfYear !== undefined) return checked(ofDay(Number(year), 0, Number(dayOfYear)), Number(dayOfYear) >= 1 && Number(dayOfYear) <= 366)
  if (week !== undefined) {
    const [weekNumber, dayNumber] = [Number(week), Number(weekday ?? 1)]
    return checked(ofWeek(Number(year), weekNumber, dayNumber), weekNumber >= 1 && weekNumber <= 53 && dayNumber >= 1 && dayNumber <= 7)
  }
  const [monthNumber, dayNumber] = [Number(month ?? 1), Number(day ?? 1)]
  const ms = ofDay(Number(year), monthNumber - 1, dayNumber)
  return checked(ms, new Date(ms).getUTCMonth() === monthNumber - 1 && dayNumber >= 1)
}

function parseClock(text: string): number | undefined {
  const match = timePattern.exec(text)
  if (match === null) return undefined
  const [, hour, minute, second, fraction] = match
  const [hours, minutes, seconds] = [Number(hour), Number(minute ?? 0), Number(second ?? 0)]
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  // A fraction is one of the smallest unit that is written.
  const unitMs = second !== undefined ? 1_000 : minute !== undefined ? 60_000 : 3_600_000
  return (hours * 60 + minutes) * 60_000 + seconds * 1_000 + Math.floor(Number(`0.${fraction ?? 0}`) * unitMs + 1e-6)
}

function parseOffset(text: string): number | undefined {
  if (text === '' || text === 'Z') return 0
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3).replace(':', ''))]
  if (hours > 23 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

function ofDay(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day)
}

/** The first week of a year is the one with its fourth of January. */
function ofWeek(year: number, week: number, weekday: number): number {
  const fourthMs = ofDay(year, 0, 4)
  const mondayMs = fourthMs - ((new Date(fourthMs).getUTCDay() || 7) - 1) * DAY_MS
  return mondayMs + (week - 1) * 7 * DAY_MS + (weekday - 1) * DAY_MS
}

function checked(ms: number, isReal: boolean): number | undefined {
  return isReal && Number.isFinite(ms) ? ms : undefined
}
