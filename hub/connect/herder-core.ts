/**
 * @module connect/herder-core — what has to be done next for one connector. Pure: what the config topic wants and what is held by the
 * worker go in, one effect comes out; the shell (connector-runner.ts) performs it, tells what came of it, and asks again.
 *
 * ```
 *   wanted (config topic) ──▶ decide ──▶ effect ──▶ shell performs ──▶ after(held, what happened) ──▶ held ──▶ decide …  until nothing is left
 * ```
 * Since the question is always "what is wanted against what is held", a hundred quick changes come to the last of them, a connector that
 * is deleted while it starts is taken down, and a worker that was killed at any moment goes on from what the topics say. What the status
 * topic shows is `held` itself: the shell writes what has changed in it.
 *
 * SEAM. Here one worker runs everything. In a group of workers the leader decides plan and task configurations (`plan`, `write-tasks`),
 * assignments say which connectors and tasks are held where, and `wanted` of a worker is the config topic cut down to its assignment:
 * the group protocol stands between the config store and `decide`, nothing below changes.
 */
import { type Held, NO_WISHES } from './herder-state.ts'
import type { ConfigText, State, TargetState } from './types.ts'

/** What the config topic says of a connector; undefined when it was removed. */
export interface Wanted {
  readonly config: ConfigText
  readonly targetState: TargetState
  readonly taskConfigs: readonly ConfigText[]
  readonly isInconsistent: boolean
}

export type Effect =
  /** Only shown: out of service, before something is stopped. */
  | { readonly kind: 'unassign'; readonly connector: boolean; readonly tasks: readonly number[] }
  /** Only shown: RESTARTING. */
  | { readonly kind: 'mark-restarting'; readonly connector: boolean; readonly tasks: readonly number[] }
  /** Only shown: STOPPED. */
  | { readonly kind: 'show-stopped'; readonly config: ConfigText }
  | { readonly kind: 'stop-tasks'; readonly tasks: readonly number[] }
  /** Status records of tasks that are no more. */
  | { readonly kind: 'forget-tasks'; readonly tasks: readonly number[] }
  | { readonly kind: 'end-thread' }
  | { readonly kind: 'start-connector'; readonly config: ConfigText; readonly targetState: 'STARTED' | 'PAUSED' }
  | { readonly kind: 'set-target-state'; readonly targetState: 'STARTED' | 'PAUSED' }
  | { readonly kind: 'plan'; readonly config: ConfigText }
  | { readonly kind: 'write-tasks'; readonly configs: readonly ConfigText[] }
  | {
      readonly kind: 'start-tasks'
      readonly tasks: readonly { readonly task: number; readonly config: ConfigText }[]
      readonly connectorConfig: ConfigText
      readonly targetState: 'STARTED' | 'PAUSED'
    }
  /** Only shown: tasks that cannot run since their connector has failed. */
  | { readonly kind: 'fail-tasks'; readonly tasks: readonly number[]; readonly trace: string }
  /** Everything of a removed connector is taken down: its statuses and topics are forgotten. */
  | { readonly kind: 'forget' }

/** Which parts a restart touches (KIP-745): all that was asked for, or of it what has failed. */
export function restartPlan(
  states: { readonly connector: State; readonly tasks: ReadonlyMap<number, State> },
  { includeTasks, onlyFailed }: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
): { readonly connector: boolean; readonly tasks: readonly number[] } {
  const isMeant = (state: State): boolean => !onlyFailed || state === 'FAILED'
  const tasks = includeTasks ? [...states.tasks].filter(([, state]) => isMeant(state)).map(([task]) => task) : []
  return { connector: isMeant(states.connector), tasks }
}

/** The next thing to do; undefined: all is as wanted. */
export function decide(wanted: Wanted | undefined, held: Held): Effect | undefined {
  if (wanted === undefined) return leave(held, true) ?? { kind: 'forget' }
  if (wanted.targetState === 'STOPPED') {
    const { connector, wishes } = held
    const isShown = connector.state === 'STOPPED' && connector.config === wanted.config
    if (!isShown || wishes !== NO_WISHES) return { kind: 'show-stopped', config: wanted.config }
    // A plan that was under way may have been stored after the stop.
    return leave(held, false) ?? (wanted.taskConfigs.length > 0 ? { kind: 'write-tasks', configs: [] } : undefined)
  }
  return run(wanted, wanted.targetState, held)
}

/** Takes down what runs. */
function leave(held: Held, showsConnector: boolean): Effect | undefined {
  const connector = showsConnector && !['UNASSIGNED', 'FAILED'].includes(held.connector.state)
  const inService = [...held.tasks].filter(([, { state }]) => isInService(state)).map(([task]) => task)
  if (connector || inService.length > 0) return { kind: 'unassign', connector, tasks: inService }
  const running = [...held.tasks].filter(([, { isInThread }]) => isInThread).map(([task]) => task)
  if (running.length > 0) return { kind: 'stop-tasks', tasks: running }
  if (held.thread !== 'none') return { kind: 'end-thread' }
  if (held.tasks.size > 0) return { kind: 'forget-tasks', tasks: [...held.tasks.keys()] }
  return undefined
}

function isInService(state: State): boolean {
  return state === 'RUNNING' || state === 'PAUSED' || state === 'RESTARTING'
}

function run(wanted: Wanted, targetState: 'STARTED' | 'PAUSED', held: Held): Effect | undefined {
  const { connector, wishes } = held
  const tasks = sorted(wanted, targetState, held)
  const startsConnector =
    wishes.restartsConnector ||
    connector.config !== wanted.config ||
    (!connector.isStarted && (connector.state !== 'FAILED' || tasks.wished.length > 0))
  return (
    outOfService(held, startsConnector, tasks) ??
    (startsConnector ? { kind: 'start-connector', config: wanted.config, targetState } : undefined) ??
    (held.targetState !== targetState && connector.isStarted ? { kind: 'set-target-state', targetState } : undefined) ??
    plan(wanted, targetState, held) ??
    bringUp(wanted, targetState, held, tasks) ??
    giveUp(held)
  )
}

/** A connector that has failed to start needs no thread until it is started again. */
function giveUp({ connector, thread, tasks }: Held): Effect | undefined {
  const isIdle = connector.state === 'FAILED' && !connector.isStarted && [...tasks.values()].every(({ isInThread }) => !isInThread)
  return isIdle && thread !== 'none' ? { kind: 'end-thread' } : undefined
}

interface SortedTasks {
  /** Held, but no longer wanted. */
  readonly extra: readonly number[]
  /** A restart was wished for. */
  readonly wished: readonly number[]
  /** In the thread, with another configuration than the wanted one. */
  readonly outdated: readonly number[]
  /** Wanted and neither in the thread nor failed. */
  readonly missing: readonly number[]
}

function sorted(wanted: Wanted, targetState: 'STARTED' | 'PAUSED', held: Held): SortedTasks {
  // A paused connector is not planned: its tasks keep what they have until it is resumed.
  const mayChange = held.isPlanned && targetState === 'STARTED' && held.connector.config === wanted.config
  const result = { extra: [] as number[], wished: [] as number[], outdated: [] as number[], missing: [] as number[] }
  for (const task of held.tasks.keys()) if (task >= wanted.taskConfigs.length) result.extra.push(task)
  wanted.taskConfigs.forEach((config, task) => {
    const now = held.tasks.get(task)
    const differs = !isSameText(now?.config ?? null, config) || !isSameText(now?.connectorConfig ?? null, wanted.config)
    if (held.wishes.restartsTasks.has(task)) result.wished.push(task)
    else if (now === undefined || (!now.isInThread && now.state !== 'FAILED')) result.missing.push(task)
    else if (mayChange && differs) (now.isInThread ? result.outdated : result.missing).push(task)
  })
  return result
}

/** What must be taken out of service before something can be started anew. */
function outOfService(held: Held, startsConnector: boolean, { extra, wished, outdated }: SortedTasks): Effect | undefined {
  const { connector, tasks, wishes } = held
  const leaving = [...new Set([...extra, ...wished, ...outdated])].sort((one, other) => one - other)
  const shown = leaving.filter((task) => ['RUNNING', 'PAUSED'].includes(tasks.get(task)?.state ?? ''))
  const showsConnector = startsConnector && ['RUNNING', 'PAUSED'].includes(connector.state)
  if (showsConnector || shown.length > 0) return { kind: 'unassign', connector: showsConnector, tasks: shown }
  if (wishes.isMarked) return { kind: 'mark-restarting', connector: wishes.restartsConnector, tasks: wished }
  const stopping = leaving.filter((task) => tasks.get(task)?.isInThread === true)
  if (stopping.length > 0) return { kind: 'stop-tasks', tasks: stopping }
  const isEmpty = [...tasks.values()].every(({ isInThread }) => !isInThread)
  if (held.thread === 'dirty' && isEmpty) return { kind: 'end-thread' }
  return extra.length > 0 ? { kind: 'forget-tasks', tasks: extra } : undefined
}

/** Planning, and storing what came of it. */
function plan(wanted: Wanted, targetState: 'STARTED' | 'PAUSED', held: Held): Effect | undefined {
  if (targetState !== 'STARTED' || held.connector.state !== 'RUNNING') return undefined
  if (held.proposal !== null) return { kind: 'write-tasks', configs: held.proposal }
  const isNeeded = !held.isPlanned || held.wishes.replans || wanted.isInconsistent
  return isNeeded && !held.isWaiting ? { kind: 'plan', config: wanted.config } : undefined
}

/** Starts what is missing. */
function bringUp(
  wanted: Wanted,
  targetState: 'STARTED' | 'PAUSED',
  { connector, isPlanned, isWaiting }: Held,
  { missing, wished }: SortedTasks,
): Effect | undefined {
  // While planning waits for the outside to come back, the stored configurations hold.
  const isReady = connector.state === 'PAUSED' || (connector.state === 'RUNNING' && (isPlanned || isWaiting))
  if (connector.state === 'FAILED' && missing.length > 0) {
    return { kind: 'fail-tasks', tasks: missing, trace: connector.trace ?? '' }
  }
  if (!connector.isStarted) return undefined
  const starting = [...(isReady ? missing : []), ...wished].sort((one, other) => one - other)
  if (starting.length === 0) return undefined
  const tasks = starting.map((task) => ({ task, config: wanted.taskConfigs[task] ?? {} }))
  return { kind: 'start-tasks', tasks, connectorConfig: wanted.config, targetState }
}

/** Whether two configurations say the same. */
export function isSameText(one: ConfigText | null, other: ConfigText | null): boolean {
  if (one === other) return true
  if (one === null || other === null) return false
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key])
}

/** Whether a plan comes to what is stored. */
export function isSamePlan(one: readonly ConfigText[], other: readonly ConfigText[]): boolean {
  return one.length === other.length && one.every((config, index) => isSameText(config, other[index] ?? null))
}
