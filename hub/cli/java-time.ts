/** @module cli/java-time — the two forms of time that Kafka's scripts take: `java.time.Duration` and Kafka's `Utils.getDateTime`. */

const MS_PER_SECOND = 1_000
const MS_PER_MINUTE = 60 * MS_PER_SECOND
const MS_PER_HOUR = 60 * MS_PER_MINUTE
const MS_PER_DAY = 24 * MS_PER_HOUR

/** `P1DT2H3M4.5S` in milliseconds; every part may have a sign, and so may the whole. undefined: the text is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^([+-])?P(?:([+-]?\d+)D)?(T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+)(?:[.,](\d{0,9}))?S)?)?$/i.exec(text)
  if (match === null) return undefined
  const [, sign, days, time, hours, minutes, seconds, fraction] = match
  const parts = [days, hours, minutes, seconds]
  // A duration names at least one part, and at least one behind its T.
  if (parts.every((part) => part === undefined) || time?.toUpperCase() === 'T') return undefined
  const [dayCount = 0, hourCount = 0, minuteCount = 0, secondCount = 0] = parts.map((part) => Number(part ?? 0))
  const fractionMs = Number(`0.${fraction ?? ''}0`) * MS_PER_SECOND * (seconds?.startsWith('-') === true ? -1 : 1)
  const sumMs = dayCount * MS_PER_DAY + hourCount * MS_PER_HOUR + minuteCount * MS_PER_MINUTE + secondCount * MS_PER_SECOND + fractionMs
  return (sign === '-' ? -1 : 1) * Math.trunc(sumMs)
}

/** `2020-01-31T23:59:59.999`, with `Z` or an offset like `+01:00` behind it, UTC without; ms since 1970. undefined: it is no such time. */
export function parseDateTimeMs(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3})(Z|[+-]\d{2}(?::?\d{2})?)?$/.exec(text)
  if (match === null) return undefined
  const [, local = '', zone = 'Z'] = match
  const utcMs = Date.parse(`${local}Z`)
  // Date.parse takes a 31st of February for the 2nd or 3rd of March.
  if (Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(0, -1) !== local) return undefined
  if (zone === 'Z') return utcMs
  const digits = zone.replace(/\D/g, '').padEnd(4, '0')
  const offsetMs = Number(digits.slice(0, 2)) * MS_PER_HOUR + Number(digits.slice(2)) * MS_PER_MINUTE
  return zone.startsWith('-') ? utcMs + offsetMs : utcMs - offsetMs
}
