/** @module connector-s3/time-zone — local time of a zone, out of the zone data that Node carries. Pure. */

/** The name is none of a zone. */
export class UnknownTimeZone extends Error {
  override readonly name = 'UnknownTimeZone'
}

const MINUTE_MS = 60_000
/** No zone has changed its offset within a quarter of an hour that begins at a full one. */
const SLOT_MS = 15 * MINUTE_MS
const slotsMax = 10_000
export const DAY_MS = 86_400_000

/**
 * A zone by its name: `UTC`, `Europe/Berlin`, `+02:00`; blank is UTC. Local times are milliseconds since 1970 that a clock in the zone
 * would show, as if it were UTC.
 */
export class TimeZone {
  readonly id: string
  readonly #format: Intl.DateTimeFormat | null
  readonly #offsets = new Map<number, number>()

  /** @throws UnknownTimeZone */
  constructor(name: string) {
    const id = name.trim() === '' || name.trim() === 'Z' ? 'UTC' : name.trim()
    this.id = id
    try {
      const format = new Intl.DateTimeFormat('en-US', {
        timeZone: id,
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      })
      this.#format = format.resolvedOptions().timeZone === 'UTC' ? null : format
    } catch {
      throw new UnknownTimeZone(`there is no time zone "${id}"; names are those of the IANA data base, such as Europe/Berlin, or +02:00`)
    }
  }

  /** Milliseconds by which the zone's clocks are ahead of UTC at an instant. */
  offsetMs(instantMs: number): number {
    if (this.#format === null) return 0
    const slot = Math.floor(instantMs / SLOT_MS)
    const known = this.#offsets.get(slot)
    if (known !== undefined) return known
    if (this.#offsets.size >= slotsMax) this.#offsets.clear()
    const offsetMs = offsetOf(this.#format, slot * SLOT_MS)
    this.#offsets.set(slot, offsetMs)
    return offsetMs
  }

  localMs(instantMs: number): number {
    return instantMs + this.offsetMs(instantMs)
  }

  /** The instant of a local time; the earlier one where clocks show it twice, one after the gap where they skip it. */
  instantMs(localMs: number): number {
    const before = localMs - this.offsetMs(localMs - DAY_MS)
    if (this.localMs(before) === localMs) return before
    const after = localMs - this.offsetMs(localMs + DAY_MS)
    return this.localMs(after) === localMs ? after : before
  }

  /** Midnight of the day, as a local time, that an instant falls in. */
  dayStartMs(instantMs: number): number {
    return Math.floor(this.localMs(instantMs) / DAY_MS) * DAY_MS
  }
}

function offsetOf(format: Intl.DateTimeFormat, instantMs: number): number {
  const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, value]))
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year')
  const local = new Date(0)
  local.setUTCFullYear(year, number('month') - 1, number('day'))
  local.setUTCHours(number('hour'), number('minute'), number('second'))
  return local.getTime() - instantMs
}

/**
 * When a rotation that is due every `intervalMs`, counted from midnight of the zone, comes next; midnight itself is always one.
 */
export function nextScheduledMs(nowMs: number, intervalMs: number, zone: TimeZone): number {
  const dayMs = zone.dayStartMs(nowMs)
  const startMs = zone.instantMs(dayMs)
  const endMs = zone.instantMs(dayMs + DAY_MS)
  const nextMs = startMs + (Math.floor((nowMs - startMs) / intervalMs) + 1) * intervalMs
  return Math.min(nextMs, endMs)
}
