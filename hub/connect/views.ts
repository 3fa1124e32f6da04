/** @module connect/views — what answers show of connectors, made of what the stores hold. Pure. */
import { restartPlan } from './herder-core.ts'
import type { Passwords } from './passwords.ts'
import { CONNECTOR_KINDS, resolvePlugin } from './plugins/catalog.ts'
import type { PluginDescription } from './plugins/types.ts'
import type { ConnectorState, StatusStore } from './stores/types.ts'
import type { ConfigText, ConnectorInfo, ConnectorStateInfo, ConnectorType, StateInfo, Status, TaskId } from './types.ts'

/** A connector as `GET /connectors/{c}` shows it. */
export function connectorInfo(
  { name, config, taskConfigs }: Pick<ConnectorState, 'name' | 'config' | 'taskConfigs'>,
  type: ConnectorType,
  passwords: Passwords,
): ConnectorInfo {
  const tasks = taskConfigs.map((_config, task) => ({ connector: name, task }))
  return { name, config: passwords.shown(config), tasks, type }
}

/** Its tasks as `GET /connectors/{c}/tasks` shows them. */
export function taskInfos(
  { name, config, taskConfigs }: ConnectorState,
  passwords: Passwords,
): readonly { readonly id: TaskId; readonly config: ConfigText }[] {
  return taskConfigs.map((own, task) => ({ id: { connector: name, task }, config: passwords.shownTask(own, config) }))
}

/** One status: no trace where there is none, no version where it is not known. */
export function stateInfo({ state, trace, workerId, version }: Status): StateInfo {
  return {
    state,
    worker_id: workerId,
    ...(version === null || version === '' ? {} : { version }),
    ...(trace === null || trace === '' ? {} : { trace }),
  }
}

/** A connector's states; undefined when the status topic has none of it. */
export function connectorStateInfo(name: string, store: StatusStore, type: ConnectorType): ConnectorStateInfo | undefined {
  const connector = store.connector(name)
  if (connector === undefined) return undefined
  const tasks = store.tasks(name).map(({ id, status }) => ({ id: id.task, ...stateInfo(status) }))
  return { name, connector: stateInfo(connector), tasks, type }
}

/** The states that a restart leads to: RESTARTING for what it touches; traces stay until it is done (KIP-745). */
export function restartingInfo(
  info: ConnectorStateInfo,
  what: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
): ConnectorStateInfo {
  const states = new Map(info.tasks.map(({ id, state }) => [id, state]))
  const plan = restartPlan({ connector: info.connector.state, tasks: states }, what)
  return {
    ...info,
    connector: plan.connector ? { ...info.connector, state: 'RESTARTING' } : info.connector,
    tasks: info.tasks.map((task) => (plan.tasks.includes(task.id) ? { ...task, state: 'RESTARTING' } : task)),
  }
}

/** The plugin that a configuration names; undefined when it names none. */
export function pluginOf(plugins: readonly PluginDescription[], config: ConfigText): PluginDescription | undefined {
  const resolution = resolvePlugin(plugins, config['connector.class'] ?? '', CONNECTOR_KINDS)
  return resolution.outcome === 'found' ? resolution.plugin : undefined
}
