/**
 * @module connector-postgres/values/calendar — days and microseconds out of the server's text, and ISO 8601 text out of them. Whole numbers
 * only; the proleptic Gregorian calendar, as the server has it.
 */
import { asciiText, MalformedText } from './type-codec.ts'

const ZERO = 0x30
const MINUS = 0x2d
const PLUS = 0x2b
const COLON = 0x3a
const POINT = 0x2e
const SPACE = 0x20

export const dayUs = 86_400_000_000

/** A moment: days since 1970-01-01, and microseconds of the day, 0 up to and without `dayUs`. */
export interface Moment {
  days: number
  timeUs: number
}

function digitAt(bytes: Buffer, at: number, end: number): number {
  const digit = bytes[at]! - ZERO
  if (at >= end || !(digit >= 0 && digit <= 9)) throw new MalformedText()
  return digit
}

function twoDigits(bytes: Buffer, at: number, end: number): number {
  return digitAt(bytes, at, end) * 10 + digitAt(bytes, at + 1, end)
}

/** Whether the text ends with the mark of years before Christ. */
function isBeforeChrist(bytes: Buffer, start: number, end: number): boolean {
  return end - start > 3 && bytes[end - 1] === 0x43 && bytes[end - 2] === 0x42 && bytes[end - 3] === SPACE
}

/** Days since 1970-01-01 of `2024-02-29`, `10000-01-01`, `0044-03-15 BC`. @throws MalformedText */
export function daysOfDate(bytes: Buffer, start: number, end: number): number {
  const isBc = isBeforeChrist(bytes, start, end)
  return daysOfParts(bytes, start, isBc ? end - 3 : end, isBc)
}

function daysOfParts(bytes: Buffer, start: number, end: number, isBc: boolean): number {
  let at = start
  let year = 0
  while (at < end && bytes[at] !== MINUS) year = year * 10 + digitAt(bytes, at++, end)
  // The server writes at least four digits, and has seven.
  if (at - start < 4 || at - start > 7 || end - at !== 6 || bytes[at + 3] !== MINUS) throw new MalformedText()
  const month = twoDigits(bytes, at + 1, end)
  const day = twoDigits(bytes, at + 4, end)
  if (month < 1 || month > 12 || day < 1 || day > 31) throw new MalformedText()
  return daysOfCivil(isBc ? 1 - year : year, month, day)
}

/** Days since 1970-01-01 of a date; year 0 is 1 BC. Years are counted from March, so that the day of February 29 ends one. */
function daysOfCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** Microseconds of the day of `12:34:56.789012`, also `24:00:00`. @throws MalformedText */
export function timeOfDayUs(bytes: Buffer, start: number, end: number): number {
  if (bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) throw new MalformedText()
  const hours = twoDigits(bytes, start, end)
  const minutes = twoDigits(bytes, start + 3, end)
  const seconds = twoDigits(bytes, start + 6, end)
  if (hours > 24 || minutes > 59 || seconds > 60) throw new MalformedText()
  const whole = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
  return whole + fractionUs(bytes, start + 8, end)
}

/** Of `.789012`, or of nothing. */
function fractionUs(bytes: Buffer, start: number, end: number): number {
  if (start === end) return 0
  const digitCount = end - start - 1
  if (bytes[start] !== POINT || digitCount < 1 || digitCount > 6) throw new MalformedText()
  let value = 0
  for (let at = start + 1; at < end; at++) value = value * 10 + digitAt(bytes, at, end)
  for (let count = digitCount; count < 6; count++) value *= 10
  return value
}

/** Where a time of day ends: what follows is an offset, an era, or nothing. */
function endOfTime(bytes: Buffer, start: number, end: number): number {
  let at = Math.min(start + 8, end)
  if (bytes[at] === POINT) at++
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9) at++
  return at
}

/** Seconds east of UTC of `+00`, `-00:30`, `+01:02:03`. */
function offsetSeconds(bytes: Buffer, start: number, end: number): number {
  const sign = bytes[start] === PLUS ? 1 : bytes[start] === MINUS ? -1 : 0
  if (sign === 0) throw new MalformedText()
  let seconds = twoDigits(bytes, start + 1, end) * 3600
  let at = start + 3
  for (const unit of [60, 1]) {
    if (at === end) break
    if (bytes[at] !== COLON) throw new MalformedText()
    seconds += twoDigits(bytes, at + 1, end) * unit
    at += 3
  }
  if (at !== end) throw new MalformedText()
  return sign * seconds
}

/** Reads `2024-02-29 12:34:56.789012`. @throws MalformedText */
export function readTimestamp(bytes: Buffer, start: number, end: number, into: Moment): void {
  const isBc = isBeforeChrist(bytes, start, end)
  const stop = isBc ? end - 3 : end
  const dateEnd = endOfDate(bytes, start, stop)
  into.days = daysOfParts(bytes, start, dateEnd, isBc)
  into.timeUs = timeOfDayUs(bytes, dateEnd + 1, stop)
  if (into.timeUs >= dayUs) shift(into, 0)
}

/** Reads `2024-02-29 12:34:56.789012+00` as a moment in UTC. @throws MalformedText */
export function readZonedTimestamp(bytes: Buffer, start: number, end: number, into: Moment): void {
  const isBc = isBeforeChrist(bytes, start, end)
  const stop = isBc ? end - 3 : end
  const dateEnd = endOfDate(bytes, start, stop)
  const timeEnd = endOfTime(bytes, dateEnd + 1, stop)
  into.days = daysOfParts(bytes, start, dateEnd, isBc)
  into.timeUs = timeOfDayUs(bytes, dateEnd + 1, timeEnd)
  shift(into, offsetSeconds(bytes, timeEnd, stop))
}

/** Reads `12:34:56.789012+05:30` as a time of day in UTC, whatever day it falls on. @throws MalformedText */
export function zonedTimeUs(bytes: Buffer, start: number, end: number): number {
  const timeEnd = endOfTime(bytes, start, end)
  const utcUs = timeOfDayUs(bytes, start, timeEnd) - offsetSeconds(bytes, timeEnd, end) * 1_000_000
  return ((utcUs % dayUs) + dayUs) % dayUs
}

function endOfDate(bytes: Buffer, start: number, end: number): number {
  const at = bytes[start + 10] === SPACE ? start + 10 : bytes.indexOf(SPACE, start)
  if (at < 0 || at >= end) throw new MalformedText()
  return at
}

function shift(moment: Moment, offset: number): void {
  const timeUs = moment.timeUs - offset * 1_000_000
  const days = Math.floor(timeUs / dayUs)
  moment.days += days
  moment.timeUs = timeUs - days * dayUs
}

/** Room for `-2147483648-12-31T23:59:59.999999Z`. */
const scratch = Buffer.alloc(48)

function putTwo(value: number, at: number): number {
  const tens = (value / 10) | 0
  scratch[at] = ZERO + tens
  scratch[at + 1] = ZERO + value - tens * 10
  return at + 2
}

function putDate(days: number, start: number): number {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0))
  const shiftedMonth = ((5 * dayOfYear + 2) / 153) | 0
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  let at = putYear(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), start)
  scratch[at++] = MINUS
  at = putTwo(month, at)
  scratch[at++] = MINUS
  return putTwo(dayOfYear - (((153 * shiftedMonth + 2) / 5) | 0) + 1, at)
}

/** Four digits at least; a sign for a year before 0 and for one of more digits, as ISO 8601 and Java's formatter have it. */
function putYear(year: number, start: number): number {
  if (year >= 0 && year <= 9999) return putTwo(year % 100, putTwo((year / 100) | 0, start))
  const text = `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(4, '0')}`
  return start + scratch.write(text, start, 'latin1')
}

/** `fractionDigits` behind the point; −1: as many as there are without zeros at the end, and no point for none. */
function putTime(timeUs: number, start: number, fractionDigits: number): number {
  const seconds = Math.floor(timeUs / 1_000_000)
  let at = putTwo((seconds / 3600) | 0, start)
  scratch[at++] = COLON
  at = putTwo(((seconds / 60) | 0) % 60, at)
  scratch[at++] = COLON
  at = putTwo(seconds % 60, at)
  if (fractionDigits === 0) return at
  let fraction = timeUs - seconds * 1_000_000
  if (fractionDigits < 0 && fraction === 0) return at
  scratch[at] = POINT
  for (let place = at + 6; place > at; place--) {
    const rest = (fraction / 10) | 0
    scratch[place] = ZERO + fraction - rest * 10
    fraction = rest
  }
  if (fractionDigits > 0) return at + 1 + fractionDigits
  let last = at + 6
  while (scratch[last] === ZERO) last--
  return last + 1
}

/** `2024-02-29` of days since 1970. */
export function isoDate(days: number): string {
  return asciiText(scratch, 0, putDate(days, 0))
}

/** `12:34:56.789Z` of microseconds of a day, without zeros at the end of the fraction. */
export function isoTime(timeUs: number): string {
  const end = putTime(timeUs, 0, -1)
  scratch[end] = 0x5a
  return asciiText(scratch, 0, end + 1)
}

/** `2024-02-29T12:34:56.789Z`; fraction digits as many as asked for, or for −1 as many as there are. */
export function isoTimestamp({ days, timeUs }: Moment, fractionDigits: number): string {
  const dateEnd = putDate(days, 0)
  scratch[dateEnd] = 0x54
  const end = putTime(timeUs, dateEnd + 1, fractionDigits)
  scratch[end] = 0x5a
  return asciiText(scratch, 0, end + 1)
}
