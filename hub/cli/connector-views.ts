/** @module cli/connector-views — connectors, their states, positions and plugins as tables. */
import type { ListedConnector, OffsetsAnswer, PluginAnswer, StatusAnswer } from '../rest/index.ts'
import { jsonTextOf } from '../rest/index.ts'
import { tableLines } from './table.ts'

/** A table whose columns are as wide as they must be, each line with its end; the last column is not padded. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = titles.map((title, at) =>
    at === titles.length - 1 ? { title } : { title: `${title} `, widthMin: title.length + 1, grows: true },
  )
  const spaced = rows.map((row) => row.map((cell, at) => (at === titles.length - 1 ? cell : `${cell} `)))
  return tableLines(columns, spaced)
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

/** One line per connector, by name. */
export function connectorTable(connectors: Readonly<Record<string, ListedConnector>>): string {
  const rows = Object.entries(connectors)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { info, status }]) => [
      name,
      status?.type ?? info?.type ?? 'unknown',
      status?.connector.state ?? 'UNASSIGNED',
      taskCounts(status),
      status?.connector.worker_id ?? '-',
    ])
  return table(['NAME', 'TYPE', 'STATE', 'TASKS', 'WORKER'], rows)
}

/** `1/2 (1 failed)`: running ones of all. */
function taskCounts(status: StatusAnswer | undefined): string {
  const states = (status?.tasks ?? []).map(({ state }) => state)
  const failedCount = states.filter((state) => state === 'FAILED').length
  const counts = `${states.filter((state) => state === 'RUNNING').length}/${states.length}`
  return failedCount === 0 ? counts : `${counts} (${failedCount} failed)`
}

/** The connector, then its tasks; what failed with the first line of why. */
export function statusTable({ name, type, connector, tasks }: StatusAnswer): string {
  const row = ({ state, worker_id, version, trace }: StatusAnswer['connector']) => [state, worker_id, version ?? '-', firstLine(trace)]
  const rows = [[name, type, ...row(connector)], ...tasks.map((task) => [`task ${task.id}`, '', ...row(task)])]
  const titles = ['NAME', 'TYPE', 'STATE', 'WORKER', 'VERSION', 'ERROR']
  const hasError = rows.some((cells) => cells.at(-1) !== '')
  return table(hasError ? titles : titles.slice(0, -1), hasError ? rows : rows.map((cells) => cells.slice(0, -1)))
}

/** What Kafka Connect says of a record that was not tolerated; why stands below. */
const UNTOLERATED = ': Tolerance exceeded in error handler'

/** The line of a trace that names the cause: the first one, with the first cause where it is of a record that was not tolerated. */
export function firstLine(trace: string | undefined): string {
  const lines = (trace ?? '').split('\n')
  const first = lines[0] ?? ''
  const cause = first.endsWith(UNTOLERATED) ? lines.find((line) => line.startsWith('Caused by: ')) : undefined
  return printable(cause === undefined ? first : `${first}; ${cause.replace('Caused by: ', '')}`).trim()
}

/** One line of somebody else's text: control characters, which could steer the terminal, become blanks. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

/** One line per position. */
export function offsetsTable({ offsets }: OffsetsAnswer): string {
  return table(
    ['PARTITION', 'OFFSET'],
    offsets.map(({ partition, offset }) => [jsonTextOf(partition), jsonTextOf(offset)]),
  )
}

/** One line per plugin, in the worker's order. */
export function pluginTable(plugins: readonly PluginAnswer[]): string {
  return table(
    ['CLASS', 'TYPE', 'VERSION'],
    plugins.map(({ class: name, type, version }) => [name, type, version ?? '-']),
  )
}
