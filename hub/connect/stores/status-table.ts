/** @module connect/stores/status-table — what the status topic comes to: states of connectors and tasks, and the topics they use. Pure. */
import type { Status, TaskId } from '../types.ts'
import type { StatusRecord } from './status-records.ts'

/** States and topics by connector. */
export class StatusTable {
  readonly #connectors = new Map<string, Status>()
  readonly #tasks = new Map<string, Map<number, Status>>()
  readonly #topics = new Map<string, Set<string>>()

  connector(name: string): Status | undefined {
    return this.#connectors.get(name)
  }

  task({ connector, task }: TaskId): Status | undefined {
    return this.#tasks.get(connector)?.get(task)
  }

  /** Sorted by index. */
  tasks(connector: string): { readonly id: TaskId; readonly status: Status }[] {
    const tasks = [...(this.#tasks.get(connector) ?? [])].sort(([one], [other]) => one - other)
    return tasks.map(([task, status]) => ({ id: { connector, task }, status }))
  }

  /** Sorted. */
  topics(connector: string): string[] {
    return [...(this.#topics.get(connector) ?? [])].sort()
  }

  uses(connector: string, topic: string): boolean {
    return this.#topics.get(connector)?.has(topic) ?? false
  }

  /** Takes the next record. */
  apply(record: StatusRecord): void {
    if (record.kind === 'task') this.#applyTask(record.id, record.status)
    else if (record.kind === 'topic') this.#applyTopic(record.connector, record.topic, record.isActive)
    else if (record.status !== null) this.#connectors.set(record.name, record.status)
    else {
      // As upstream: a connector that is gone has no tasks, whatever their records say.
      this.#connectors.delete(record.name)
      this.#tasks.delete(record.name)
    }
  }

  #applyTask({ connector, task }: TaskId, status: Status | null): void {
    const tasks = this.#tasks.get(connector) ?? new Map<number, Status>()
    if (status === null) tasks.delete(task)
    else tasks.set(task, status)
    if (tasks.size === 0) this.#tasks.delete(connector)
    else this.#tasks.set(connector, tasks)
  }

  #applyTopic(connector: string, topic: string, isActive: boolean): void {
    const topics = this.#topics.get(connector) ?? new Set<string>()
    if (isActive) topics.add(topic)
    else topics.delete(topic)
    if (topics.size === 0) this.#topics.delete(connector)
    else this.#topics.set(connector, topics)
  }
}

/**
 * Whether a status may be written over another (upstream's "safe put"): what ends something (UNASSIGNED, FAILED) must not hide what a worker
 * of a younger generation, which has it now, says of it. All else is news and may.
 */
export function mayOverwrite(current: Status | undefined, status: Status): boolean {
  if (status.state !== 'UNASSIGNED' && status.state !== 'FAILED') return true
  return current === undefined || current.workerId === status.workerId || current.generation <= status.generation
}
