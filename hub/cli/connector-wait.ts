/** @module cli/connector-wait — waits until a connector is where it was sent, within bounds. */
import { nodeClock } from '../io/index.ts'
import type { RestClient, StatusAnswer } from '../rest/index.ts'
import { CommandError, type CommandIo } from './command.ts'
import { firstLine } from './connector-views.ts'

const limits = {
  pauseMs: 100,
  /** A failure that stands this long is one; before, it may be what the command was to end. */
  failedMs: 1_000,
} as const

/** Where a connector may be waited for. */
export type Goal = 'RUNNING' | 'PAUSED' | 'STOPPED' | 'gone'

/** Resolves with the last state seen, undefined when it is gone. @throws CommandError when it failed, or is not there in time */
export async function waitFor(
  rest: RestClient,
  name: string,
  goal: Goal,
  waitMs: number,
  io: CommandIo,
): Promise<StatusAnswer | undefined> {
  const clock = nodeClock()
  const endMs = clock.monotonicMs() + waitMs
  let failedSinceMs: number | undefined
  let said = ''
  for (;;) {
    const status = await rest.status(name, io.signal)
    if (isAt(goal, status)) return status
    const nowMs = clock.monotonicMs()
    const failure = failureOf(status)
    failedSinceMs = failure === undefined ? undefined : (failedSinceMs ?? nowMs)
    if (failedSinceMs !== undefined && nowMs - failedSinceMs >= limits.failedMs) {
      throw new CommandError(
        `connector ${name} failed: ${failure}; millrace connector restart ${shellWord(name)} --include-tasks --only-failed tries again`,
      )
    }
    const now = words(status)
    if (nowMs >= endMs) throw new CommandError(`connector ${name} is not ${goal} after ${waitMs / 1000} s (${now}); --timeout waits longer`)
    // Progress for a person; silent in a pipe.
    if (io.isInteractive === true && now !== said) io.stderr.write(`waiting until ${name} is ${goal}: ${now}\n`)
    said = now
    await clock.sleep(limits.pauseMs, io.signal)
  }
}

function isAt(goal: Goal, status: StatusAnswer | undefined): boolean {
  if (goal === 'gone' || status === undefined) return goal === 'gone' && status === undefined
  const { connector, tasks } = status
  if (connector.state !== goal) return false
  // A stopped connector has no tasks; one that runs has at least one.
  if (goal === 'STOPPED') return tasks.length === 0
  return (goal === 'PAUSED' || tasks.length > 0) && tasks.every(({ state }) => state === goal)
}

/** The first line of what failed; undefined when nothing did. */
export function failureOf(status: StatusAnswer | undefined): string | undefined {
  if (status === undefined) return undefined
  const failed = [status.connector, ...status.tasks].find(({ state }) => state === 'FAILED')
  if (failed === undefined) return undefined
  const line = firstLine(failed.trace)
  return line === '' ? 'without a reason' : line
}

function words(status: StatusAnswer | undefined): string {
  if (status === undefined) return 'it has no state'
  const tasks = status.tasks.map(({ id, state }) => `task ${id} ${state}`)
  return [`connector ${status.connector.state}`, ...(tasks.length === 0 ? ['no tasks'] : tasks)].join(', ')
}

/** A name as it must be typed. */
function shellWord(name: string): string {
  return /^[\w.,:/@%+-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`
}
