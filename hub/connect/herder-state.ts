/**
 * @module connect/herder-state — what a worker holds of one connector, and how it changes by what happens. Pure and immutable.
 *
 * ```
 *   connector   UNASSIGNED ──▶ RUNNING ◀──▶ PAUSED      any ── failure ──▶ FAILED      any ── stop ──▶ STOPPED (no tasks, no thread)
 *                    ▲ restart, change (RESTARTING shown where a restart of tasks was asked for)
 *   task        UNASSIGNED ──▶ RUNNING ◀──▶ PAUSED      any ── failure ──▶ FAILED      gone: its status is forgotten
 * ```
 */
import type { ConfigText, State, TargetState } from './types.ts'

/** Pieces of the state that a status record shows. */
interface Shown {
  readonly state: State
  readonly trace: string | null
}

/** A connector as held. */
export interface HeldConnector extends Shown {
  /** The configuration that it was last started with; compared by identity: each record of the topic is a new one. */
  readonly config: ConfigText | null
  /** Its plugin is loaded in the thread. */
  readonly isStarted: boolean
}

/** A task as held. */
export interface HeldTask extends Shown {
  readonly config: ConfigText | null
  readonly connectorConfig: ConfigText | null
  /** It is in the thread, starting or started. */
  readonly isInThread: boolean
}

/** What somebody asked for beyond what is stored. */
export interface Wishes {
  readonly restartsConnector: boolean
  readonly restartsTasks: ReadonlySet<number>
  /** RESTARTING is to be shown (KIP-745). */
  readonly isMarked: boolean
  readonly replans: boolean
}

/** What a worker holds of a connector. Immutable. */
export interface Held {
  /** `dirty`: a task was cut off in it. */
  readonly thread: 'none' | 'clean' | 'dirty'
  readonly connector: HeldConnector
  readonly tasks: ReadonlyMap<number, HeldTask>
  /** What the thread was last told. */
  readonly targetState: TargetState
  /** The configuration has been planned, and the topic has the outcome. */
  readonly isPlanned: boolean
  /** A plan that is not stored yet. */
  readonly proposal: readonly ConfigText[] | null
  /** Planning waits for a time to pass. */
  readonly isWaiting: boolean
  readonly wishes: Wishes
}

/** Something that happened, by an effect or by itself. */
export type Happening =
  | { readonly kind: 'unassigned'; readonly connector: boolean; readonly tasks: readonly number[] }
  | { readonly kind: 'marked'; readonly connector: boolean; readonly tasks: readonly number[] }
  | { readonly kind: 'shown-stopped'; readonly config: ConfigText }
  | { readonly kind: 'tasks-stopped'; readonly tasks: readonly number[]; readonly isClean: boolean }
  | { readonly kind: 'tasks-forgotten'; readonly tasks: readonly number[] }
  | { readonly kind: 'tasks-failed'; readonly tasks: readonly number[]; readonly trace: string }
  /** The thread is gone: `trace` by its own fault; null: taken away, what ran in it is to be started again. */
  | { readonly kind: 'thread-gone'; readonly trace: string | null }
  | { readonly kind: 'thread-made' }
  | { readonly kind: 'connector-started'; readonly config: ConfigText; readonly targetState: 'STARTED' | 'PAUSED' }
  | { readonly kind: 'connector-failed'; readonly config: ConfigText; readonly trace: string }
  | { readonly kind: 'target-set'; readonly targetState: 'STARTED' | 'PAUSED' }
  /** Whoever wishes for a plan from now on wishes for another one. */
  | { readonly kind: 'planning' }
  /** `isStored`: the topic has this plan already. */
  | { readonly kind: 'planned'; readonly configs: readonly ConfigText[]; readonly isStored: boolean }
  | { readonly kind: 'plan-failed'; readonly trace: string }
  | { readonly kind: 'plan-waits' }
  | { readonly kind: 'wait-over' }
  | { readonly kind: 'tasks-written' }
  | {
      readonly kind: 'tasks-starting'
      readonly tasks: readonly { readonly task: number; readonly config: ConfigText }[]
      readonly connectorConfig: ConfigText
    }
  /** A task runs, is paused, or failed by itself. Says nothing of one that is not in the thread. */
  | { readonly kind: 'task'; readonly task: number; readonly state: State; readonly trace: string | null }
  | { readonly kind: 'wished'; readonly wishes: Wishes }

/** Nobody asked for anything. */
export const NO_WISHES: Wishes = { restartsConnector: false, restartsTasks: new Set(), isMarked: false, replans: false }
const NO_CONNECTOR: HeldConnector = { state: 'UNASSIGNED', trace: null, config: null, isStarted: false }

/** Nothing is held. */
export const NOTHING_HELD: Held = {
  thread: 'none',
  connector: NO_CONNECTOR,
  tasks: new Map(),
  targetState: 'STARTED',
  isPlanned: false,
  proposal: null,
  isWaiting: false,
  wishes: NO_WISHES,
}

/** What is held when a worker starts, by the statuses that an earlier one left: they tell of tasks that are to be forgotten. */
export function heldAtStart(targetState: TargetState, tasks: Iterable<number>): Held {
  const task: HeldTask = { state: 'UNASSIGNED', trace: null, config: null, connectorConfig: null, isInThread: false }
  return {
    ...NOTHING_HELD,
    connector: { ...NO_CONNECTOR, state: targetState === 'STOPPED' ? 'STOPPED' : 'UNASSIGNED' },
    tasks: new Map([...tasks].map((index) => [index, task])),
  }
}

/** What is held after something happened. */
export function after(held: Held, happening: Happening): Held {
  switch (happening.kind) {
    case 'unassigned':
      return shownAs(held, 'UNASSIGNED', happening)
    case 'marked':
      return { ...shownAs(held, 'RESTARTING', happening), wishes: { ...held.wishes, isMarked: false } }
    case 'shown-stopped':
      return { ...held, connector: { ...NO_CONNECTOR, state: 'STOPPED', config: happening.config }, wishes: NO_WISHES, ...UNPLANNED }
    case 'tasks-stopped':
    case 'tasks-forgotten':
    case 'tasks-failed':
    case 'tasks-starting':
    case 'task':
      return withTasks(held, happening)
    case 'thread-made':
      return { ...held, thread: 'clean' }
    case 'thread-gone':
      return withoutThread(held, happening.trace)
    case 'wished':
      return { ...held, wishes: joined(held.wishes, happening.wishes) }
    default:
      return withConnector(held, happening)
  }
}

const UNPLANNED = { isPlanned: false, proposal: null, isWaiting: false } as const

type OfConnector = Extract<
  Happening,
  {
    readonly kind:
      | 'connector-started'
      | 'connector-failed'
      | 'target-set'
      | 'planning'
      | 'planned'
      | 'plan-failed'
      | 'plan-waits'
      | 'wait-over'
      | 'tasks-written'
  }
>

function withConnector(held: Held, happening: OfConnector): Held {
  const { connector, wishes } = held
  switch (happening.kind) {
    case 'connector-started': {
      const { config, targetState } = happening
      const state = targetState === 'PAUSED' ? 'PAUSED' : 'RUNNING'
      const started: HeldConnector = { state, trace: null, config, isStarted: true }
      return { ...held, connector: started, targetState, wishes: trimmed({ ...wishes, restartsConnector: false }), ...UNPLANNED }
    }
    case 'connector-failed': {
      const { config, trace } = happening
      return { ...held, connector: { state: 'FAILED', trace, config, isStarted: false }, wishes: NO_WISHES, ...UNPLANNED }
    }
    case 'target-set': {
      const { targetState } = happening
      const state = connector.state === 'FAILED' ? 'FAILED' : targetState === 'PAUSED' ? 'PAUSED' : 'RUNNING'
      return { ...held, connector: { ...connector, state }, targetState, ...UNPLANNED }
    }
    case 'planning':
      return { ...held, wishes: trimmed({ ...wishes, replans: false }) }
    case 'planned': {
      const { configs, isStored } = happening
      return { ...held, isPlanned: isStored, proposal: isStored ? null : configs, isWaiting: false }
    }
    case 'plan-failed':
      return { ...held, connector: { ...connector, state: 'FAILED', trace: happening.trace }, ...UNPLANNED }
    case 'plan-waits':
      return { ...held, isWaiting: true }
    case 'wait-over':
      return { ...held, isWaiting: false }
    case 'tasks-written':
      return { ...held, isPlanned: true, proposal: null }
  }
}

type OfTasks = Extract<Happening, { readonly kind: 'tasks-stopped' | 'tasks-forgotten' | 'tasks-failed' | 'tasks-starting' | 'task' }>

function withTasks(held: Held, happening: OfTasks): Held {
  const tasks = new Map(held.tasks)
  switch (happening.kind) {
    case 'tasks-stopped':
      for (const task of happening.tasks) change(tasks, task, { isInThread: false })
      return { ...held, tasks, thread: happening.isClean || held.thread === 'none' ? held.thread : 'dirty' }
    case 'tasks-forgotten':
      for (const task of happening.tasks) tasks.delete(task)
      return { ...held, tasks }
    case 'tasks-failed':
      for (const task of happening.tasks) change(tasks, task, { state: 'FAILED', trace: happening.trace, isInThread: false })
      return { ...held, tasks }
    case 'tasks-starting': {
      const { connectorConfig } = happening
      for (const { task, config } of happening.tasks) change(tasks, task, { config, connectorConfig, isInThread: true })
      const started = new Set(happening.tasks.map(({ task }) => task))
      const restartsTasks = new Set([...held.wishes.restartsTasks].filter((task) => !started.has(task)))
      return { ...held, tasks, wishes: trimmed({ ...held.wishes, restartsTasks }) }
    }
    case 'task': {
      const { task, state, trace } = happening
      if (tasks.get(task)?.isInThread !== true) return held
      change(tasks, task, { state, trace, isInThread: state !== 'FAILED' })
      return { ...held, tasks }
    }
  }
}

const NO_TASK: HeldTask = { state: 'UNASSIGNED', trace: null, config: null, connectorConfig: null, isInThread: false }

function change(tasks: Map<number, HeldTask>, task: number, part: Partial<HeldTask>): void {
  tasks.set(task, { ...(tasks.get(task) ?? NO_TASK), ...part })
}

function shownAs(held: Held, state: State, { connector, tasks }: { readonly connector: boolean; readonly tasks: readonly number[] }): Held {
  const changed = new Map(held.tasks)
  for (const task of tasks) change(changed, task, { state, trace: null })
  return { ...held, connector: connector ? { ...held.connector, state, trace: null } : held.connector, tasks: changed }
}

function withoutThread(held: Held, trace: string | null): Held {
  const state = trace === null ? 'UNASSIGNED' : 'FAILED'
  const tasks = new Map(held.tasks)
  for (const [task, { isInThread }] of tasks) if (isInThread) change(tasks, task, { state, trace, isInThread: false })
  const { connector } = held
  const keeps = connector.state === 'STOPPED' || (trace === null && connector.state === 'FAILED')
  const shown: Shown = keeps ? connector : { state, trace }
  return { ...held, thread: 'none', connector: { ...connector, ...shown, isStarted: false }, tasks, ...UNPLANNED }
}

function joined(one: Wishes, other: Wishes): Wishes {
  return trimmed({
    restartsConnector: one.restartsConnector || other.restartsConnector,
    restartsTasks: new Set([...one.restartsTasks, ...other.restartsTasks]),
    isMarked: one.isMarked || other.isMarked,
    replans: one.replans || other.replans,
  })
}

/** Wishes that are all granted are the one object that says so. */
function trimmed(wishes: Wishes): Wishes {
  const { restartsConnector, restartsTasks, isMarked, replans } = wishes
  return restartsConnector || restartsTasks.size > 0 || isMarked || replans ? wishes : NO_WISHES
}
