/** @module test/rest/memory-connect — a worker's answers in memory, for tests of the HTTP layer alone: it keeps configurations and runs nothing. */
import type { Connect } from '../../hub/connect/connect.ts'
import { type ConfigText, ConnectRequestError, type ConnectorInfo, type ConnectorStateInfo } from '../../hub/connect/types.ts'

/** What it was asked to do, as `verb name`. */
export interface MemoryConnect extends Connect {
  readonly calls: string[]
}

const WORKER_ID = '127.0.0.1:8083'

/** `overrides` replaces single answers. */
export function memoryConnect(overrides: Partial<Connect> = {}): MemoryConnect {
  const configs = new Map<string, ConfigText>()
  const calls: string[] = []
  const infoOf = (name: string): ConnectorInfo | undefined => {
    const config = configs.get(name)
    return config === undefined ? undefined : { name, config, tasks: [{ connector: name, task: 0 }], type: 'source' }
  }
  const mustExist = (name: string): ConnectorInfo => {
    const info = infoOf(name)
    if (info === undefined) throw new ConnectRequestError(404, `Unknown connector ${name}`)
    return info
  }
  const statusOf = (name: string): ConnectorStateInfo | undefined =>
    configs.has(name)
      ? {
          name,
          connector: { state: 'RUNNING', worker_id: WORKER_ID },
          tasks: [{ id: 0, state: 'RUNNING', worker_id: WORKER_ID }],
          type: 'source',
        }
      : undefined
  const act =
    (verb: string) =>
    async (name: string): Promise<void> => {
      mustExist(name)
      calls.push(`${verb} ${name}`)
    }
  return {
    calls,
    version: '4.3.1',
    kafkaClusterId: 'cluster-1',
    workerId: WORKER_ID,
    started: async () => {},
    connectorNames: () => [...configs.keys()],
    connector: infoOf,
    status: statusOf,
    taskStatus: ({ connector, task }) =>
      configs.has(connector) && task === 0 ? { id: 0, state: 'RUNNING', worker_id: WORKER_ID } : undefined,
    tasks: (name) => {
      const config = configs.get(name)
      return config === undefined ? undefined : [{ id: { connector: name, task: 0 }, config: { ...config, 'task.class': 'T' } }]
    },
    create: async ({ name, config, initialState }) => {
      const trimmed = (name ?? '').trim()
      if (configs.has(trimmed)) throw new ConnectRequestError(409, `Connector ${trimmed} already exists`)
      configs.set(trimmed, { ...config, name: trimmed })
      calls.push(`create ${trimmed} ${initialState ?? 'default'}`)
      return mustExist(trimmed)
    },
    putConfig: async (name, config) => {
      const isNew = !configs.has(name)
      configs.set(name, { ...config, name })
      return { isNew, info: mustExist(name) }
    },
    patchConfig: async (name, patch) => {
      const merged: Record<string, string | null> = { ...mustExist(name).config, ...patch }
      configs.set(name, Object.fromEntries(Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== null)))
      return mustExist(name)
    },
    delete: async (name) => {
      if (!configs.delete(name)) throw new ConnectRequestError(404, `Connector ${name} not found`)
    },
    pause: act('pause'),
    resume: act('resume'),
    stop: act('stop'),
    restartConnector: act('restart'),
    restart: async (name, what) => {
      mustExist(name)
      calls.push(`restart ${name} ${JSON.stringify(what)}`)
      return statusOf(name) as ConnectorStateInfo
    },
    restartTask: async ({ connector, task }) => act('restart task')(`${connector}`).then(() => void calls.push(`task ${task}`)),
    offsets: async () => ({ offsets: [{ partition: { filename: 'a' }, offset: { position: 2n ** 60n + 1n } }] }),
    topics: (name) => (configs.has(name) ? ['lines'] : []),
    resetTopics: (name) => void calls.push(`reset ${name}`),
    plugins: async () => [
      { class: 'a.Sink', type: 'sink', version: '1' },
      { class: 'a.Convert', type: 'converter', version: '1' },
    ],
    pluginProblems: async () => [],
    pluginConfig: async (name) => {
      throw new ConnectRequestError(404, `Unknown plugin ${name}.`)
    },
    validate: async (config) => ({ name: config['connector.class'] ?? '', error_count: 0, groups: [], configs: [] }),
    health: () => ({ status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
    ...overrides,
  }
}
