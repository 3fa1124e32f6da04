/**
 * @module connect/connector-thread — one connector inside its thread: its plugin, its plan, its tasks. The control plane's hand in there:
 * it does what it is asked, one call at a time per task, and decides nothing (herder-core.ts decides).
 */
import {
  FatalError,
  isEngineError,
  parseConfig,
  type PlanContext,
  type PluginKind,
  type PluginLog,
  type SinkPlugin,
  type SourcePlugin,
} from '@millrace/sdk'
import type { ClientWorld } from '../client/index.ts'
import { traceOf } from './failure.ts'
import { CONNECTOR_KINDS, connectorRefusal, resolvePlugin } from './plugins/catalog.ts'
import type { PluginLoader } from './plugins/types.ts'
import { startSinkTask } from './tasks/sink-task.ts'
import { startSourceTask } from './tasks/source-task.ts'
import type { RunningTask, TaskEnvironment } from './tasks/types.ts'
import type { ConfigText } from './types.ts'
import type { ConnectorThreadCalls, ConnectorThreadData, ControlCalls, ThreadEvent } from './worker-types.ts'

/** Limits of what a thread tells. */
export const TELL_LIMITS = {
  /** Log lines a second; what is above is counted and told once. */
  logLinesPerSecondMax: 500,
  /** A fact's text is cut after so many characters. */
  factCharacterCountMax: 4_096,
} as const

/** What a connector needs of its thread. */
export interface ConnectorThreadWorld {
  readonly world: ClientWorld
  readonly loader: PluginLoader
  readonly control: ControlCalls
  readonly emit: (event: ThreadEvent) => void
}

type ConnectorPlugin = { readonly kind: 'source'; readonly plugin: SourcePlugin } | { readonly kind: 'sink'; readonly plugin: SinkPlugin }

interface Started {
  readonly loaded: ConnectorPlugin
  readonly config: ConfigText
  /** Aborts the planning of this configuration. */
  readonly ending: AbortController
}

/** Serves a connector's calls. */
export function connectorThread(data: ConnectorThreadData, { world, loader, control, emit }: ConnectorThreadWorld): ConnectorThreadCalls {
  const { connector, settings } = data
  const tasks = new Map<number, RunningTask>()
  /** Starts that are under way; a stop takes its entry out. */
  const starts = new Map<number, symbol>()
  let started: Started | undefined
  let isPaused = false
  const logOf = logSource(data.logLevel, world, emit)

  const load = async (config: ConfigText): Promise<ConnectorPlugin> => {
    const name = config['connector.class'] ?? ''
    const resolution = resolvePlugin(data.plugins, name, CONNECTOR_KINDS)
    if (resolution.outcome !== 'found') throw new Error(connectorRefusal(data.plugins, name, resolution))
    const kind: PluginKind = resolution.plugin.kind
    return kind === 'sink' ? { kind, plugin: await loader.load(name, kind) } : { kind: 'source', plugin: await loader.load(name, 'source') }
  }

  const watch = (task: number, running: RunningTask): void => {
    running.done.catch((error: unknown) => {
      if (tasks.get(task) !== running) return
      tasks.delete(task)
      emit({ kind: 'task', task, state: 'FAILED', trace: traceOf(error) })
    })
  }

  const stop = async (task: number, graceMs: number): Promise<{ readonly isClean: boolean }> => {
    starts.delete(task)
    const running = tasks.get(task)
    if (running === undefined) return { isClean: true }
    tasks.delete(task)
    const startMs = world.clock.monotonicMs()
    await running.stop(graceMs)
    return { isClean: world.clock.monotonicMs() - startMs < graceMs }
  }

  return {
    async startConnector({ config, targetState }) {
      started?.ending.abort()
      started = undefined
      const loaded = await load(config)
      parseConfig(loaded.plugin.config, config)
      started = { loaded, config, ending: new AbortController() }
      isPaused = targetState === 'PAUSED'
      const { kind, plugin } = loaded
      const taskClass = plugin.taskClass ?? plugin.class.replace(/Connector$/, 'Task')
      return { type: kind, version: plugin.version, taskClass }
    },

    async plan({ taskCountMax }) {
      const current = started
      if (current === undefined) throw new Error(`connector ${connector} has not been started in this thread`)
      const { loaded, config, ending } = current
      if (loaded.kind === 'sink') return Array.from({ length: taskCountMax }, () => config)
      const { plugin } = loaded
      if (plugin.plan === undefined) return [config]
      const context: PlanContext = {
        connector,
        properties: config,
        taskCountMax,
        signal: ending.signal,
        log: logOf({}),
        offsets: {
          read: async (partition) => (await control.readOffsets({ partitions: [partition] }))[0] ?? null,
          readAll: (partitions) => control.readOffsets({ partitions }),
        },
        replan: () => {
          if (!ending.signal.aborted) emit({ kind: 'replan' })
        },
      }
      return planned(plugin.class, await plugin.plan(parseConfig(plugin.config, config), context))
    },

    async startTask({ task, config, connectorConfig, targetState }) {
      await stop(task, 0)
      const start = Symbol(`start of task ${task}`)
      starts.set(task, start)
      const loaded = await load(connectorConfig)
      if (starts.get(task) !== start) throw new Error(`task ${connector}-${task} was stopped while it started`)
      const environment: TaskEnvironment = {
        id: { connector, task },
        config,
        connectorConfig,
        settings,
        plugins: loader,
        world,
        log: logOf({ task }),
        offsets: { read: (partitions) => control.readOffsets({ partitions }) },
        events: { onTopic: (topic) => emit({ kind: 'topic', task, topic }) },
      }
      isPaused = targetState === 'PAUSED'
      const running =
        loaded.kind === 'source'
          ? startSourceTask(loaded.plugin, environment, isPaused)
          : startSinkTask(loaded.plugin, environment, isPaused)
      tasks.set(task, running)
      try {
        await running.started
      } catch (error) {
        if (tasks.get(task) === running) tasks.delete(task)
        throw error
      }
      watch(task, running)
      return { version: loaded.plugin.version }
    },

    stopTask: ({ task, graceMs }) => stop(task, graceMs),

    async setTargetState({ targetState }) {
      const next = targetState === 'PAUSED'
      if (next === isPaused) return
      isPaused = next
      for (const [task, running] of tasks) {
        if (isPaused) running.pause()
        else running.resume()
        emit({ kind: 'task', task, state: isPaused ? 'PAUSED' : 'RUNNING', trace: null })
      }
    },

    ping: () => Promise.resolve(),

    async close({ graceMs }) {
      started?.ending.abort()
      started = undefined
      await Promise.all([...starts.keys(), ...tasks.keys()].map((task) => stop(task, graceMs)))
    },
  }
}

/** A plan's outcome, checked: plugin code gives it. */
function planned(className: string, outcome: unknown): readonly ConfigText[] {
  const refusal = (what: string): FatalError => new FatalError('plan-outcome', `the plan of ${className} gave ${what}`, '')
  if (!Array.isArray(outcome)) throw refusal('no list of task configurations')
  return outcome.map((config: unknown) => {
    if (typeof config !== 'object' || config === null) throw refusal('a task configuration that is no object')
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => {
        if (typeof value !== 'string') throw refusal(`a value under ${key} that is no text`)
        return [key, value]
      }),
    )
  })
}

const levels = ['error', 'warn', 'info', 'debug'] as const

/** Makes the logs that plugins write to: lines become events, so many a second. */
function logSource(
  logLevel: ConnectorThreadData['logLevel'],
  { clock }: ClientWorld,
  emit: (event: ThreadEvent) => void,
): (bindings: Readonly<Record<string, unknown>>) => PluginLog {
  let secondStartMs = clock.monotonicMs()
  let lineCount = 0
  const isWithinLimit = (): boolean => {
    const nowMs = clock.monotonicMs()
    if (nowMs - secondStartMs >= 1000) {
      const lostCount = lineCount - TELL_LIMITS.logLinesPerSecondMax
      if (lostCount > 0) emit({ kind: 'log', level: 'warn', message: 'log lines were dropped, too many a second', facts: { lostCount } })
      secondStartMs = nowMs
      lineCount = 0
    }
    return ++lineCount <= TELL_LIMITS.logLinesPerSecondMax
  }
  return (bindings) => {
    const call =
      (level: (typeof levels)[number]) =>
      (message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
        if (levels.indexOf(level) > levels.indexOf(logLevel) || !isWithinLimit()) return
        emit({ kind: 'log', level, message: String(message), facts: plainFacts({ ...bindings, ...facts }) })
      }
    return { error: call('error'), warn: call('warn'), info: call('info'), debug: call('debug') }
  }
}

/** Facts that can be cloned: numbers, texts and the like as they are, the rest as text. */
function plainFacts(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, plainFact(value)]))
}

function plainFact(value: unknown): unknown {
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return value
  return shownFact(value).slice(0, TELL_LIMITS.factCharacterCountMax)
}

function shownFact(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error || isEngineError(value)) return traceOf(value)
  try {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner)) ?? typeof value
  } catch {
    return 'a value that cannot be shown'
  }
}
