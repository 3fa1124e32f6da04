/**
 * @module connect — a Kafka-Connect-compatible worker: connectors, tasks, their configurations, positions and states.
 *
 * ```
 *   rest ──▶ herder ──▶ stores (config, offset, status topics)      main thread
 *              │
 *              ▼ ConnectorHost: requests, answers, events
 *   connector's thread: plugin · source-task / sink-task · chain · converters · own Kafka client over TCP
 * ```
 */
export type { Connect, NewConnector } from './connect.ts'
export { type ConnectOptions, createConnect } from './herder.ts'
export {
  type ConfigInfos,
  type ConfigKeyInfo,
  type ConfigText,
  type ConfigValueInfo,
  type ConnectorInfo,
  type ConnectorOffsets,
  type ConnectorStateInfo,
  type ConnectorType,
  ConnectRequestError,
  type PluginInfo,
  type State,
  type StateInfo,
  type TargetState,
  type TaskId,
} from './types.ts'
export type { PluginProblem } from './plugins/types.ts'
