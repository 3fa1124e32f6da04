/**
 * @module connect/connect — the worker as its users see it: what the REST layer, the hub and tests call.
 */
import type { PluginProblem } from './plugins/types.ts'
import type {
  ConfigInfos,
  ConfigKeyInfo,
  ConfigText,
  ConnectorInfo,
  ConnectorOffsets,
  ConnectorStateInfo,
  PluginInfo,
  StateInfo,
  TargetState,
  TaskId,
} from './types.ts'

/** A connector that a request asks for. */
export interface NewConnector {
  /** null or empty: taken from `config.name`. */
  readonly name: string | null
  readonly config: ConfigText
  /** Default STARTED (KIP-980). */
  readonly initialState?: TargetState
}

/**
 * A Connect worker. Reads are served from what it has read of its topics and never fail for a rebalance; writes resolve once they are stored.
 * Rejections are ConnectRequestErrors with the status and the text of connect-rest.md.
 */
export interface Connect extends AsyncDisposable {
  /** The release of Kafka Connect whose REST API this is: `4.3.1`. */
  readonly version: string
  readonly kafkaClusterId: string
  /** `host:port` in statuses. */
  readonly workerId: string
  /**
   * Resolves once the worker has read its topics; await it before the reads that answer at once (they throw a 503 until then). Rejects
   * with a ConnectRequestError when that takes longer than a request may wait. Writes wait for it by themselves.
   */
  started(): Promise<void>
  connectorNames(): readonly string[]
  /** undefined: there is no such connector. */
  connector(name: string): ConnectorInfo | undefined
  status(name: string): ConnectorStateInfo | undefined
  taskStatus(id: TaskId): (StateInfo & { readonly id: number }) | undefined
  /** The tasks' configurations, `task.class` included; passwords are `[hidden]`. */
  tasks(name: string): readonly { readonly id: TaskId; readonly config: ConfigText }[] | undefined
  create(request: NewConnector): Promise<ConnectorInfo>
  /** Creates or replaces. `[hidden]` as the value of a password keeps the stored one; so it does in `patchConfig` and `validate`. */
  putConfig(name: string, config: ConfigText): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }>
  /** Changes single keys; null removes one (KIP-477). */
  patchConfig(name: string, patch: Readonly<Record<string, string | null>>): Promise<ConnectorInfo>
  delete(name: string): Promise<void>
  pause(name: string): Promise<void>
  resume(name: string): Promise<void>
  stop(name: string): Promise<void>
  restartConnector(name: string): Promise<void>
  /** KIP-745; answers with the states that the plan leads to. */
  restart(name: string, what: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): Promise<ConnectorStateInfo>
  restartTask(id: TaskId): Promise<void>
  offsets(name: string): Promise<ConnectorOffsets>
  topics(name: string): readonly string[]
  resetTopics(name: string): void
  /** Sorted by class. */
  plugins(): Promise<readonly PluginInfo[]>
  pluginProblems(): Promise<readonly PluginProblem[]>
  pluginConfig(pluginName: string): Promise<readonly ConfigKeyInfo[]>
  validate(config: ConfigText): Promise<ConfigInfos>
  /** Whether the worker has read its topics and can work; `message` says what is wrong otherwise. */
  health(): { readonly status: 'healthy' | 'starting' | 'unhealthy'; readonly message: string }
  /** Stops connectors and tasks within task.shutdown.graceful.timeout.ms, stores their positions, and ends. Target states stay. */
  close(): Promise<void>
}
