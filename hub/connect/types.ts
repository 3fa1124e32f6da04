/**
 * @module connect/types — the nouns of the Connect worker, shared by its control plane, its threads and the REST layer. Plain data.
 */
import type { SourceOffset, SourcePartition, TaskConfig } from '@millrace/sdk'

/** A connector's or a task's configuration: text to text, placeholders of config providers kept. */
export type ConfigText = TaskConfig

/** What the user wants of a connector; STOPPED has no tasks. */
export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'

/** What a connector or task is, as the status topic and the REST API say it. */
export type State = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'STOPPED' | 'DESTROYED'

export type ConnectorType = 'source' | 'sink' | 'unknown'

/** A task of a connector. */
export interface TaskId {
  readonly connector: string
  /** From 0. */
  readonly task: number
}

/** One status record. */
export interface Status {
  readonly state: State
  /** First line: the cause; null where nothing failed. */
  readonly trace: string | null
  /** `host:port` of the worker's advertised REST address. */
  readonly workerId: string
  /** Generation of the worker group that wrote it. */
  readonly generation: number
  /** Version of the plugin; null when unknown. */
  readonly version: string | null
}

/** One plugin as lists show it. */
export interface PluginInfo {
  readonly class: string
  readonly type: 'source' | 'sink' | 'converter' | 'header_converter' | 'transformation' | 'predicate'
  readonly version: string
}

/** `GET /connectors/{c}`; passwords are `[hidden]`. */
export interface ConnectorInfo {
  readonly name: string
  readonly config: ConfigText
  readonly tasks: readonly TaskId[]
  readonly type: ConnectorType
}

/** One line of `GET /connectors/{c}/status`. */
export interface StateInfo {
  readonly state: State
  readonly worker_id: string
  readonly trace?: string
  readonly version?: string
}

/** `GET /connectors/{c}/status` */
export interface ConnectorStateInfo {
  readonly name: string
  readonly connector: StateInfo
  readonly tasks: readonly (StateInfo & { readonly id: number })[]
  readonly type: ConnectorType
}

/** `GET /connectors/{c}/offsets`: the source's own maps, or kafka_topic, kafka_partition and kafka_offset of a sink. */
export interface ConnectorOffsets {
  readonly offsets: readonly { readonly partition: SourcePartition; readonly offset: SourceOffset }[]
}

/** One key of a definition, as `GET /connector-plugins/{p}/config` tells it. */
export interface ConfigKeyInfo {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: string
  readonly documentation: string
  readonly group: string | null
  readonly order_in_group: number
  readonly width: string
  readonly display_name: string
  readonly dependents: readonly string[]
}

/** The outcome for one key. PASSWORD values are `[hidden]`; what a config provider gave is shown as its placeholder. */
export interface ConfigValueInfo {
  readonly name: string
  readonly value: string | null
  readonly recommended_values: readonly (string | null)[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

/** `PUT /connector-plugins/{p}/config/validate` */
export interface ConfigInfos {
  readonly name: string
  readonly error_count: number
  readonly groups: readonly string[]
  readonly configs: readonly { readonly definition: ConfigKeyInfo | null; readonly value: ConfigValueInfo }[]
}

/** A request that cannot be done; `status` is the HTTP status, the message what clients match (connect-rest.md). */
export class ConnectRequestError extends Error {
  override readonly name = 'ConnectRequestError'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}
