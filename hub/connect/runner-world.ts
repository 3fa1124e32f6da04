/** @module connect/runner-world — what a connector's runner is given of its worker, and what it offers. */
import type { Clock } from '../io/index.ts'
import type { Logger, LogLevel } from '../observe/index.ts'
import type { Held, Wishes } from './herder-state.ts'
import type { PluginDescription } from './plugins/types.ts'
import type { Provide } from './provided.ts'
import type { ConfigStore, OffsetStore, StatusStore } from './stores/types.ts'
import type { TaskSettings } from './tasks/types.ts'
import type { ConfigText } from './types.ts'
import type { HostFactory } from './worker-types.ts'

/** Limits of a runner, in milliseconds. */
export const RUNNER_LIMITS = {
  /** A thread that has not loaded a connector by then fails it: plugins connect to the outside in their tasks. */
  startMsMax: 60_000,
  /** A thread that has not heard of a new target state by then fails the connector. */
  targetStateMsMax: 30_000,
  planMsMax: 600_000,
  storeRetryMsMax: 5_000,
  /** From one plan to the next that a plugin asks for. */
  replanMsMin: 250,
  retryMsMin: 1_000,
  retryMsMax: 60_000,
} as const

/** What a runner is given of its worker. */
export interface RunnerWorld {
  readonly clock: Clock
  readonly logger: Logger
  /** Of plugins' own log lines. */
  readonly logLevel: LogLevel
  readonly startHost: HostFactory
  readonly stores: { readonly config: ConfigStore; readonly offset: OffsetStore; readonly status: StatusStore }
  readonly provide: Provide
  readonly settings: TaskSettings
  /** The plugins as last seen. */
  readonly plugins: () => readonly PluginDescription[]
  /** task.shutdown.graceful.timeout.ms */
  readonly graceMs: number
  /** topic.tracking.enable */
  readonly tracksTopics: boolean
  readonly workerId: string
  readonly generation: number
  /** Passwords in configurations that belong together, providers' values put in. */
  readonly secretsOf: (...configs: readonly ConfigText[]) => readonly string[]
  /** Version of the plugin that a configuration names; null when it names none. */
  readonly versionOf: (config: ConfigText) => string | null
}

/** A connector's runner. */
export interface ConnectorRunner {
  readonly held: Held
  /** Something may have to be done: the config topic has changed. */
  wake(): void
  wish(wishes: Partial<Wishes>): void
  /** Resolves when nothing is left to be done. */
  settled(): Promise<void>
  /** Ends tasks and thread within the grace; target states stay. */
  close(): Promise<void>
}
