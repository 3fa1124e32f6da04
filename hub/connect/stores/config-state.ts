/**
 * @module connect/stores/config-state — what the config topic comes to: records in their order in, connectors and changes out. No clock,
 * no chance, no disk: the same records give the same state.
 *
 * Of one connector's tasks:
 * ```
 *   task-N-0 … task-N-k   set aside
 *   commit-N {tasks: n}   0 … n−1 all set aside since the last commit?   yes: they are the tasks now
 *                                                                        no:  inconsistent, until a commit that is whole
 *                         either way nothing stays set aside
 * ```
 * A writer sets aside the whole set before each commit, and compaction takes older values of a key first; so what stands before a commit
 * is that commit's own set or has holes, never a mix. Indexes from n on are leftovers of a larger set that compaction has not taken.
 */
import type { ConfigText, TargetState } from '../types.ts'
import type { ConfigRecord } from './config-records.ts'
import type { ConfigChange, ConnectorState } from './types.ts'

/** What is known of a name; a target state or tasks may come before the connector itself (KIP-980, compaction). */
interface Slot {
  config: ConfigText | null
  targetState: TargetState | null
  aside: Map<number, ConfigText>
  taskConfigs: readonly ConfigText[]
  isInconsistent: boolean
}

const NO_TASKS: readonly ConfigText[] = []
const NO_CHANGES: readonly ConfigChange[] = []

/** The state and its one operation. */
export class ConfigState {
  readonly #slots = new Map<string, Slot>()
  readonly #connectors = new Map<string, ConnectorState>()

  /** Connectors by name; each value is replaced as a whole, never changed. */
  get connectors(): ReadonlyMap<string, ConnectorState> {
    return this.#connectors
  }

  /** Takes the next record; says what it has changed. */
  apply(record: ConfigRecord): readonly ConfigChange[] {
    const { name } = record
    switch (record.kind) {
      case 'connector':
        return record.config === null ? this.#remove(name) : this.#setConfig(name, record.config)
      case 'task':
        this.#slot(name).aside.set(record.task, record.config)
        return NO_CHANGES
      case 'commit':
        return this.#commit(name, record.taskCount)
      case 'target-state':
        return this.#setTargetState(name, record.state)
      case 'restart':
        return [record]
    }
  }

  #setConfig(name: string, config: ConfigText): readonly ConfigChange[] {
    this.#slot(name).config = config
    this.#show(name)
    return [{ kind: 'connector', name }]
  }

  /** Tasks go with the connector; its target state has a record of its own. */
  #remove(name: string): readonly ConfigChange[] {
    const slot = this.#slot(name)
    const { targetState } = slot
    const stood = slot.config !== null
    this.#slots.delete(name)
    if (targetState !== null) this.#slot(name).targetState = targetState
    this.#show(name)
    return stood ? [{ kind: 'removed', name }] : NO_CHANGES
  }

  #commit(name: string, taskCount: number): readonly ConfigChange[] {
    const slot = this.#slot(name)
    const isWhole = taskCount <= slot.aside.size && Array.from({ length: taskCount }).every((_, task) => slot.aside.has(task))
    slot.taskConfigs = isWhole ? Array.from({ length: taskCount }, (_, task) => slot.aside.get(task) ?? {}) : NO_TASKS
    slot.isInconsistent = !isWhole
    slot.aside = new Map()
    this.#show(name)
    return slot.config === null ? NO_CHANGES : [{ kind: 'tasks', name }]
  }

  #setTargetState(name: string, state: TargetState | null): readonly ConfigChange[] {
    const slot = this.#slot(name)
    const before = slot.targetState ?? 'STARTED'
    slot.targetState = state
    this.#show(name)
    // The removal of a connector is told by the connector's own record.
    return slot.config === null || state === null || state === before ? NO_CHANGES : [{ kind: 'target-state', name }]
  }

  #slot(name: string): Slot {
    const known = this.#slots.get(name)
    if (known !== undefined) return known
    const slot: Slot = { config: null, targetState: null, aside: new Map(), taskConfigs: NO_TASKS, isInconsistent: false }
    this.#slots.set(name, slot)
    return slot
  }

  #show(name: string): void {
    const slot = this.#slots.get(name)
    if (slot === undefined || slot.config === null) {
      this.#connectors.delete(name)
      if (slot?.targetState === null && slot.aside.size === 0 && slot.taskConfigs.length === 0 && !slot.isInconsistent)
        this.#slots.delete(name)
      return
    }
    const { config, targetState, taskConfigs, isInconsistent } = slot
    this.#connectors.set(name, { name, config, targetState: targetState ?? 'STARTED', taskConfigs, isInconsistent })
  }
}
