/** @module test/sim/report — what a failed play says: the anomaly, the shortest useful slice of what happened, and how to see it again. Pure. */
import type { Anomaly } from './anomaly.ts'
import { type Action, type History, type HistoryEvent, lineOf } from './history.ts'
import type { Play } from './simulate.ts'

/** Anomalies that are told; further ones mostly follow from the first. */
const ANOMALIES_MAX = 3
/** Lines of the trace that are told. */
const LINES_MAX = 60
/** Of those, lines at the beginning of the slice. */
const FIRST_LINES = 20
const LINE_CHARACTERS_MAX = 260
const TOLD_ALWAYS = / {2}(hub log|fault|killed|told to end|held still)/
/** Reads, and the end of what has had its effect, say nothing of what a log holds. */
const TOLD_NEVER = / {2}(done:|read|open) /
/** The slice begins so long before the first event that shows the anomaly. */
const BEFORE_MS = 20

/** The text. */
export function reportOf(play: Play): string {
  const { seed, anomalies, problem, history, durationMs } = play
  const lines = [`seed ${seed} failed after ${(durationMs / 1000).toFixed(1)} s of virtual time, ${history.length} events`]
  if (problem !== undefined) lines.push(`  problem: ${problem}`)
  for (const { kind, message, events } of anomalies.slice(0, ANOMALIES_MAX)) {
    lines.push(`  ${kind}: ${message}`)
    for (const index of new Set(events)) {
      const event = history[index]
      if (event !== undefined) lines.push(`    ${shortened(lineOf(event))}`)
    }
  }
  if (anomalies.length > ANOMALIES_MAX) lines.push(`  and ${anomalies.length - ANOMALIES_MAX} more`)
  lines.push('  what happened:', ...sliceOf(play).map((line) => `    ${shortened(line)}`), `  again: npm run sim -- --seed ${seed}`)
  return lines.join('\n')
}

/** The lines of the trace that have to do with the first anomaly; without one, faults and what the hub said, to the end. */
function sliceOf({ anomalies: [first], history, trace, durationMs }: Play): readonly string[] {
  const times = first?.events.map((index) => history[index]?.timeMs ?? 0) ?? []
  const fromMs = first === undefined ? 0 : Math.min(...times) - BEFORE_MS
  const toMs = first === undefined ? durationMs : Math.max(...times)
  const words = first === undefined ? [] : wordsOf(first, history)
  const lines: string[] = []
  for (const line of trace) {
    const timeMs = Number.parseFloat(line)
    if (timeMs < fromMs || timeMs > toMs) continue
    const shown = withEvent(line, history)
    if (TOLD_ALWAYS.test(shown) || (!TOLD_NEVER.test(shown) && words.some((word) => shown.includes(word)))) lines.push(shown)
  }
  if (lines.length <= LINES_MAX) return lines
  const left = lines.length - LINES_MAX
  return [...lines.slice(0, FIRST_LINES), `… ${left} lines …`, ...lines.slice(FIRST_LINES + left)]
}

/** What names the matter of an anomaly in lines of the trace: values, transactions, and the files of the partition. */
function wordsOf({ events }: Anomaly, history: History): readonly string[] {
  const words = new Set<string>()
  for (const index of events) {
    const action = history[index]?.action
    if (action !== undefined) for (const word of subjectsOf(action)) words.add(word)
  }
  return [...words]
}

function subjectsOf(action: Action): readonly string[] {
  if (action.f === 'send')
    return [`value=${action.value} `, `/data/${action.partition}/`, ...(action.transaction === undefined ? [] : [action.transaction])]
  if ('transaction' in action && action.transaction !== undefined) return [action.transaction]
  if (action.f === 'see offset' || action.f === 'commit offset') return [`group=${action.group} partition=${action.partition}`]
  return []
}

/** The line with the event that it names, written out. */
function withEvent(line: string, history: History): string {
  const [, timeMs, index] = /^(\S+) .* {2}event (\d+)$/.exec(line) ?? []
  const event: HistoryEvent | undefined = index === undefined ? undefined : history[Number(index)]
  return event === undefined ? line : `${timeMs}  event ${lineOf(event)}`
}

function shortened(line: string): string {
  return line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line
}
