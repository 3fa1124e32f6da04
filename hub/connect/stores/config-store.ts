/** @module connect/stores/config-store — configurations of connectors and tasks in the config topic. */
import type { ClientWorld } from '../../client/index.ts'
import type { Logger } from '../../observe/index.ts'
import type { ConfigText, TargetState } from '../types.ts'
import { type BackingLog, openBackingLog, type StoreOptions } from './backing-log.ts'
import { Complaints } from './complaints.ts'
import { commitRecord, connectorRecord, readConfigRecord, restartRecord, targetStateRecord, taskRecord } from './config-records.ts'
import { ConfigState } from './config-state.ts'
import type { ReadRecord, StoredRecord } from './stored-record.ts'
import type { ConfigChange, ConfigStore, ConnectorState } from './types.ts'

/** How long a write may take until it is read back, in ms; upstream's figure too. */
const WRITE_TIMEOUT_MS = 30_000

/** A write was not confirmed in time. It may come to stand in the topic all the same, and shows as a change then. */
export class StoreTimeoutError extends Error {
  override readonly name = 'StoreTimeoutError'
}

/** Opens the store; resolves when the topic has been read to its end. @throws StorageTopicError for a topic that cannot be used */
export async function openConfigStore(options: StoreOptions): Promise<ConfigStore> {
  const { config, world, logger } = options
  const topic = config.storage.config
  const state = new ConfigState()
  const complaints = new Complaints(topic.name, logger)
  const listeners: ((change: ConfigChange) => void)[] = []
  let isStarted = false
  const onRecord = (record: ReadRecord): void => {
    const read = readConfigRecord(record.key, record.value)
    if (read.kind === 'garbage') complaints.add(record, read.why)
    if (read.kind !== 'record') return
    const changes = state.apply(read.record)
    if (isStarted) for (const change of changes) for (const listener of listeners) tell(listener, change, logger)
  }
  const log = await openBackingLog({ ...options, topic, onRecord })
  isStarted = true
  return new TopicConfigStore(log, state, world, (listener) => void listeners.push(listener))
}

/** A listener that throws is a mistake of ours; the reading goes on. */
function tell(listener: (change: ConfigChange) => void, change: ConfigChange, logger: Logger): void {
  try {
    listener(change)
  } catch (error) {
    logger.error('a change of the config topic could not be worked on', { change: change.kind, connector: change.name, error })
  }
}

class TopicConfigStore implements ConfigStore {
  readonly #log: BackingLog
  readonly #state: ConfigState
  readonly #world: ClientWorld
  readonly onChange: ConfigStore['onChange']
  /** The last write of each connector: tasks and their commit must not mix with another set. */
  readonly #writes = new Map<string, Promise<void>>()

  constructor(log: BackingLog, state: ConfigState, world: ClientWorld, onChange: ConfigStore['onChange']) {
    this.#log = log
    this.#state = state
    this.#world = world
    this.onChange = onChange
  }

  get connectors(): ReadonlyMap<string, ConnectorState> {
    return this.#state.connectors
  }

  get offset(): number {
    return this.#log.position(0)
  }

  putConnector(name: string, config: ConfigText, initialState: TargetState | null): Promise<void> {
    // The state first, so that nobody sees the connector without it (KIP-980).
    const first = initialState === null ? [] : [targetStateRecord(name, initialState)]
    return this.#write(name, [[...first, connectorRecord(name, config)]])
  }

  removeConnector(name: string): Promise<void> {
    return this.#write(name, [[connectorRecord(name, null), targetStateRecord(name, null)]])
  }

  putTasks(name: string, configs: readonly ConfigText[]): Promise<void> {
    const tasks = configs.map((config, task) => taskRecord(name, task, config))
    // The commit goes out only when every task stands.
    return this.#write(name, [...(tasks.length === 0 ? [] : [tasks]), [commitRecord(name, tasks.length)]])
  }

  putTargetState(name: string, state: TargetState): Promise<void> {
    return this.#write(name, [[targetStateRecord(name, state)]])
  }

  putRestart(name: string, restart: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): Promise<void> {
    return this.#write(name, [[restartRecord(name, restart)]])
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  /** Writes groups of records one after another, after what was written before for the same connector. */
  async #write(name: string, groups: readonly (readonly StoredRecord[])[]): Promise<void> {
    const before = this.#writes.get(name)
    const giveUp = new AbortController()
    const timer = this.#world.clock.timer(WRITE_TIMEOUT_MS, () => {
      giveUp.abort(new StoreTimeoutError(`the configuration of ${name} could not be stored within ${WRITE_TIMEOUT_MS} ms`))
    })
    const writing = (async () => {
      await before?.catch(() => {})
      for (const group of groups) {
        giveUp.signal.throwIfAborted()
        await this.#log.put(group, giveUp.signal)
      }
    })().finally(() => timer.cancel())
    this.#writes.set(name, writing)
    try {
      await writing
    } finally {
      if (this.#writes.get(name) === writing) this.#writes.delete(name)
    }
  }
}
