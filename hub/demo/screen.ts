/**
 * @module demo/screen — what the demo shows on a terminal, as lines: three places side by side, the last changes on their way through them, and where
 * to look oneself. Pure: from what was seen to lines.
 */
import type { Operation } from './change-event.ts'
import { cut, type Line, pad, printable, type Span, type Style, widthOf } from './paint.ts'
import type { ChangeLine, ConnectorView, ObjectLine, Tally } from './tally.ts'

/** Where things are, and what can be typed to look at them. */
export interface Addresses {
  readonly postgres: string
  readonly kafka: string
  readonly connect: string
  readonly s3: string
  readonly bucket: string
  /** What runs a client command here: `npm run -s millrace --` or `npx millrace`. */
  readonly command: string
}

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** How an operation is marked. */
const MARKS: Readonly<Record<Operation, { readonly sign: string; readonly style: Style }>> = {
  c: { sign: '+', style: 'green' },
  u: { sign: '~', style: 'yellow' },
  d: { sign: '-', style: 'red' },
  t: { sign: '-', style: 'red' },
  r: { sign: '=', style: 'cyan' },
}

/** Wider than this, the eye loses the line. */
const COLUMNS_MAX = 118
const CHANGE_ROWS_MIN = 3
const OBJECT_ROWS_MAX = 6
/** From this many rows on, the last objects have a list of their own. */
const OBJECTS_FROM_ROWS = 34
/** Columns of the list's right side: offset, latency, object. */
const OFFSET_WIDTH = 8
const LATENCY_WIDTH = 9
const OBJECT_WIDTH = 13
const TABLE_WIDTH = 10

/** The whole screen: at most `rows` lines, none of them longer than `columns` once it is painted for that width. */
export function screenLines(tally: Tally, addresses: Addresses, window: ScreenSize, nowMs: number): Line[] {
  const size = { columns: Math.min(window.columns, COLUMNS_MAX), rows: window.rows }
  const head = [headingLine(tally, size, nowMs), [], ...placeLines(tally, size, nowMs), []]
  const foot = [...addressLines(addresses, window), noticeLine(tally)]
  const objects = size.rows >= OBJECTS_FROM_ROWS ? objectLines(tally, Math.min(OBJECT_ROWS_MAX, size.rows - OBJECTS_FROM_ROWS + 2)) : []
  const changeRows = Math.max(CHANGE_ROWS_MIN, size.rows - head.length - foot.length - objects.length - 2)
  return [...head, listHeading(size), ...changeLines(tally, size, changeRows), [], ...objects, ...foot].slice(0, size.rows)
}

function headingLine(tally: Tally, { columns }: ScreenSize, nowMs: number): Line {
  const seconds = Math.floor((nowMs - tally.startMs) / 1000)
  const elapsed = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} `
  const title = ' MILLRACE DEMO '
  const text = " a shop's database, captured change by change"
  return [
    { text: title, style: 'heading' },
    { text: pad(text, Math.max(0, columns - widthOf(title) - widthOf(elapsed))), style: 'dim' },
    { text: elapsed, style: 'dim' },
  ]
}

/** Three columns: where the rows are, where the records are, where the objects are. */
function placeLines(tally: Tally, { columns }: ScreenSize, nowMs: number): Line[] {
  const width = Math.floor((columns - 1) / 3)
  const rates = tally.rates(nowMs)
  const p50 = tally.latencyMs(0.5)
  const waiting = Math.max(0, tally.recordCount - tally.objectRecordCount)
  const cell = (text: string, style: Style = 'plain'): Span => ({ text: pad(text, width), style })
  const [source, sink] = [...tally.connectors]
  return [
    [{ text: ' ' }, ...placeTitle('PostgreSQL', source, width), ...placeTitle('Kafka', sink, width), { text: 'S3', style: 'bold' }],
    [
      { text: ' ' },
      cell(`${count(tally.changeCount)} rows changed`, 'green'),
      cell(`${count(tally.recordCount)} records`, 'green'),
      cell(`${count(tally.objectRecordCount)} records`, 'green'),
    ],
    [
      { text: ' ' },
      cell(`${rate(rates.changes)} a second`),
      cell(`${rate(rates.records)} a second`),
      cell(`in ${counted(tally.objectCount, 'object')}, ${bytes(tally.objectByteCount)}`),
    ],
    [
      { text: ' ' },
      cell(`${count(tally.rowCount)} rows in 3 tables`),
      cell(p50 === undefined ? '' : `${milliseconds(p50)} after commit`),
      cell(`${count(waiting)} on their way`),
    ],
  ]
}

/** A place, and the connector that leads on from it as an arrow: its state too when it is not the usual one. */
function placeTitle(place: string, connector: readonly [name: string, view: ConnectorView] | undefined, width: number): Span[] {
  const [name, { state }] = connector ?? ['', { state: 'UNASSIGNED' }]
  const label = state === 'RUNNING' ? ` ${name} ` : ` ${name} ${state} `.replace('  ', ' ')
  const room = Math.max(0, width - widthOf(place) - 3)
  const shown = cut(label, room)
  const dashes = room - widthOf(shown)
  const style = state === 'RUNNING' ? 'dim' : state === 'FAILED' ? 'red' : 'yellow'
  return [
    { text: `${place} `, style: 'bold' },
    { text: `${'─'.repeat(Math.floor(dashes / 2))}${shown}${'─'.repeat(Math.ceil(dashes / 2))}▶ `, style },
  ]
}

function textWidth({ columns }: ScreenSize): number {
  return Math.max(8, columns - 13 - TABLE_WIDTH - OFFSET_WIDTH - LATENCY_WIDTH - OBJECT_WIDTH)
}

function listHeading(size: ScreenSize): Line {
  const style = 'heading'
  return [
    { text: ` ${pad('CHANGE OF A ROW', 12 + TABLE_WIDTH + textWidth(size))}`, style },
    { text: pad('RECORD', OFFSET_WIDTH, 'right'), style },
    { text: pad('AFTER', LATENCY_WIDTH, 'right'), style },
    { text: pad('OBJECT', OBJECT_WIDTH, 'right'), style },
  ]
}

function changeLines(tally: Tally, size: ScreenSize, rows: number): Line[] {
  const lines = shownChanges(tally.changes, rows).map((change) => changeLine(change, size))
  while (lines.length < rows) lines.push([])
  return lines
}

/** Share of the list that the newest changes have; the rest is for changes that stand in an object, which the newest are too young for. */
const NEWEST_SHARE = 0.6

function shownChanges(changes: readonly ChangeLine[], rows: number): readonly ChangeLine[] {
  const newestCount = Math.ceil(rows * NEWEST_SHARE)
  const arrived = changes.slice(newestCount).filter(({ object }) => object !== undefined)
  if (arrived.length < rows - newestCount) return changes.slice(0, rows)
  return [...changes.slice(0, newestCount), ...arrived.slice(0, rows - newestCount)]
}

function changeLine({ committedMs, operation, table, text, offset, latencyMs, object }: ChangeLine, size: ScreenSize): Line {
  const { sign, style } = MARKS[operation]
  const start = object === undefined ? undefined : /\+(\d+)\.[^/]*$/.exec(object)?.[1]
  return [
    { text: ` ${timeOfDay(committedMs)} `, style: 'dim' },
    { text: `${sign} `, style },
    { text: pad(printable(table), TABLE_WIDTH) },
    { text: pad(printable(text), textWidth(size) + 1), style },
    { text: pad(`#${offset}`, OFFSET_WIDTH, 'right') },
    { text: pad(operation === 'r' ? 'snapshot' : milliseconds(latencyMs), LATENCY_WIDTH, 'right'), style: 'dim' },
    object === undefined
      ? { text: pad('on its way', OBJECT_WIDTH, 'right'), style: 'dim' }
      : { text: pad(`+${start ?? '?'}`, OBJECT_WIDTH, 'right'), style: 'cyan' },
  ]
}

function objectLines({ objects }: Tally, rows: number): Line[] {
  const lines: Line[] = [[{ text: ' LAST OBJECTS', style: 'heading' }]]
  for (const { key, recordCount, byteCount } of objects.slice(0, rows - 1)) {
    lines.push([
      { text: ` ${printable(key)}`, style: 'cyan' },
      { text: `  ${counted(recordCount, 'record')}, ${bytes(byteCount)}`, style: 'dim' },
    ])
  }
  while (lines.length < rows) lines.push([])
  return [...lines, []]
}

/** Commands for another terminal. What does not fit a line goes on in the next one, so that it can be copied as it stands. */
function addressLines(addresses: Addresses, { columns }: ScreenSize): Line[] {
  const lines: Line[] = [
    [
      { text: ' LOOK FOR YOURSELF', style: 'heading' },
      { text: ', in another terminal', style: 'dim' },
    ],
  ]
  for (const [name, command, note] of lookCommands(addresses)) {
    const rows = brokenAt(command, columns - 10)
    rows.forEach((text, index) => {
      const isLast = index === rows.length - 1
      const hint = isLast && note !== '' && widthOf(text) + widthOf(note) + 13 <= columns ? `  ${note}` : ''
      lines.push([
        { text: pad(index === 0 ? ` ${name}` : '', 9), style: 'dim' },
        { text: isLast ? text : `${text} \\` },
        { text: hint, style: 'dim' },
      ])
    })
  }
  return lines
}

/** What to type, with the name of the place and a hint for wide screens. */
export function lookCommands(addresses: Addresses): readonly (readonly [name: string, command: string, note: string])[] {
  const { postgres, kafka, connect, s3, bucket, command } = addresses
  return [
    ['table', `psql ${postgres} -c "UPDATE customers SET city = 'Here' WHERE id = 1"`, 'and see it pass by above'],
    ['topic', `${command} console-consumer --bootstrap-server ${kafka} --topic shop.public.orders`, 'or any Kafka client'],
    ['task', `curl -s '${connect}/connectors?expand=status'`, "Kafka Connect's REST API"],
    ['object', `curl -s '${s3}/${bucket}?list-type=2'`, 'or any S3 client, in path style'],
  ]
}

/** The command in lines of at most `width` columns, broken between words; an option stays with its value. */
function brokenAt(command: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of command.match(/(?:-[\w-]*\w )?(?:"[^"]*"|'[^']*'|\S)+/g) ?? []) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function noticeLine(tally: Tally): Line {
  const failed = [...tally.connectors].flatMap(([name, { problem }]) => (problem === undefined ? [] : [[name, problem] as const]))
  const [notice] = [...tally.notices, ...failed]
  if (notice !== undefined) return [{ text: ` ${printable(`${notice[0]}: ${notice[1]}`)}`, style: 'red' }]
  return [
    { text: ' Ctrl-C', style: 'bold' },
    { text: ' ends it all and leaves nothing behind', style: 'dim' },
  ]
}

/** `1,284`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `1 object`, `12 objects`. */
function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`
}

/** `312 kB`, `1.2 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`
  if (value < 1_000_000) return `${Math.round(value / 1000)} kB`
  return `${(value / 1_000_000).toFixed(1)} MB`
}

/** `4 ms`, `1.3 s`. */
export function milliseconds(value: number): string {
  if (value < 1) return '< 1 ms'
  return value < 999.5 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`
}

function rate(value: number): string {
  return value < 9.95 ? value.toFixed(1) : count(value)
}

/** `12:04:31`, by this machine's clock. */
export function timeOfDay(atMs: number): string {
  const at = new Date(atMs)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** A change as one line of plain text, for output that is no terminal. */
export function changeText(change: ChangeLine): string {
  const { sign } = MARKS[change.operation]
  const latency = change.operation === 'r' ? 'snapshot' : `${milliseconds(change.latencyMs)} after commit`
  const text = cut(printable(change.text), 60)
  return `${timeOfDay(change.committedMs)} ${sign} ${printable(change.table)} ${text} ▸ ${change.topic} #${change.offset}, ${latency}`
}

/** An object as one line of plain text. */
export function objectText({ key, recordCount, byteCount, seenMs }: ObjectLine): string {
  return `${timeOfDay(seenMs)} ■ ${printable(key)} ${counted(recordCount, 'record')}, ${bytes(byteCount)}`
}
