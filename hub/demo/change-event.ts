/** @module demo/change-event — what the demo reads out of a change event in Debezium's envelope. Pure. */

/** r: read by the snapshot, c: inserted, u: updated, d: deleted, t: truncated. */
export type Operation = 'r' | 'c' | 'u' | 'd' | 't'

type Row = Readonly<Record<string, unknown>>

/** One change of one row. */
export interface ChangeEvent {
  readonly operation: Operation
  readonly table: string
  /** When the transaction was committed, in milliseconds since 1970, to the microsecond; of a snapshot: when it was taken. */
  readonly committedMs: number
  readonly before: Row | null
  readonly after: Row | null
  /** The event's text, as JSON without spaces: the same wherever the same event stands. */
  readonly identity: string
}

/** Reads an event as JsonConverter (without schemas) and the S3 sink write it; undefined: the text is no change event. */
export function changeEventOf(text: string): ChangeEvent | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRow(value) || !isRow(value['source'])) return undefined
  const { op, source, before, after } = value
  if (op !== 'r' && op !== 'c' && op !== 'u' && op !== 'd' && op !== 't') return undefined
  const { table, ts_us: timeUs, ts_ms: timeMs } = source
  return {
    operation: op,
    table: String(table),
    committedMs: typeof timeUs === 'number' ? timeUs / 1000 : Number(timeMs),
    before: isRow(before) ? before : null,
    after: isRow(after) ? after : null,
    identity: JSON.stringify(value),
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A change in a few words: the row's id, then its values, or for an update what became what. */
export function describeChange({ operation, before, after }: ChangeEvent): string {
  const row = after ?? before
  if (row === null) return operation === 't' ? 'emptied' : ''
  const id = textOf(row['id'])
  if (operation === 'u' && before !== null && after !== null) {
    const changes = Object.keys(after)
      .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      .map((name) => `${name} ${textOf(before[name])} → ${textOf(after[name])}`)
    return `${id}: ${changes.length === 0 ? 'nothing new' : changes.join(', ')}`
  }
  const values = Object.entries(row)
    .filter(([name, value]) => name !== 'id' && value !== null)
    .map(([name, value]) => (typeof value === 'string' ? textOf(value) : `${name} ${textOf(value)}`))
  return `${id}: ${values.join(', ')}`
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'string') return JSON.stringify(value)
  // A time to the second is enough to look at.
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value) ? value.slice(11, 19) : value
}
