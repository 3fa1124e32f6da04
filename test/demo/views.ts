/** @module test/demo/views — made-up moments of the demo, for tests of what is shown. */
import type { ChangeEvent } from '../../hub/demo/change-event.ts'
import { changeEventOf } from '../../hub/demo/change-event.ts'
import { type Line, paintLine } from '../../hub/demo/paint.ts'
import type { Addresses } from '../../hub/demo/screen.ts'

/** 12:04:31 of this machine's clock. */
export const NOON_MS = new Date(2026, 0, 2, 12, 4, 31).getTime()

export const ADDRESSES: Addresses = {
  postgres: 'postgresql://shop:1a2b3c4d@127.0.0.1:5432/shop',
  kafka: '127.0.0.1:9092',
  connect: 'http://127.0.0.1:8083',
  s3: 'http://127.0.0.1:4566',
  bucket: 'shop',
  command: 'npm run -s millrace --',
}

/** An event as it stands in a topic. */
export function eventText(op: string, table: string, before: object | null, after: object | null, lsn = 1, committedMs = NOON_MS): string {
  return JSON.stringify({
    before,
    after,
    source: { table, lsn, ts_ms: Math.floor(committedMs), ts_us: committedMs * 1000 },
    op,
    ts_ms: committedMs,
  })
}

export function event(op: string, table: string, before: object | null, after: object | null, lsn = 1, committedMs = NOON_MS): ChangeEvent {
  const read = changeEventOf(eventText(op, table, before, after, lsn, committedMs))
  if (read === undefined) throw new Error('no change event')
  return read
}

/** Lines as a terminal without colours shows them, without the space at their ends. */
export function shown(lines: readonly Line[], columns: number): string[] {
  return lines.map((line) => paintLine(line, columns, false).trimEnd())
}
