/** @module connect/status-writer — shows what is held of a connector in the status topic: writes what has changed, nothing twice. */
import type { Held } from './herder-state.ts'
import type { StatusStore } from './stores/types.ts'
import type { State, Status } from './types.ts'

/** Statuses of one connector. */
export class StatusWriter {
  readonly #name: string
  readonly #store: StatusStore
  readonly #place: { readonly workerId: string; readonly generation: number }
  /** By index; what the topic has or will have. */
  readonly #tasks = new Map<number, Status>()
  #connector: Status | undefined

  constructor(name: string, store: StatusStore, place: { readonly workerId: string; readonly generation: number }) {
    this.#name = name
    this.#store = store
    this.#place = place
    const connector = store.connector(name)
    if (this.#wouldNotYield(connector)) store.removeConnector(name)
    else this.#connector = connector
    for (const { id, status } of store.tasks(name)) {
      if (this.#wouldNotYield(status)) store.removeTask(id)
      else this.#tasks.set(id.task, status)
    }
  }

  /**
   * A remnant of a connector of this name that was removed while its worker died: of another worker and a younger generation, so that it
   * would refuse what ends something.
   */
  #wouldNotYield(status: Status | undefined): boolean {
    return status !== undefined && status.workerId !== this.#place.workerId && status.generation > this.#place.generation
  }

  /** Writes what differs. `version` is the plugin's. */
  show({ connector, tasks }: Held, version: string | null): void {
    const shown = this.#status(connector.state, connector.trace, version)
    if (isNews(this.#connector, shown)) {
      this.#connector = shown
      this.#store.putConnector(this.#name, shown)
    }
    for (const [task, { state, trace }] of tasks) {
      const status = this.#status(state, trace, version)
      if (!isNews(this.#tasks.get(task), status)) continue
      this.#tasks.set(task, status)
      this.#store.putTask({ connector: this.#name, task }, status)
    }
    for (const task of [...this.#tasks.keys()].filter((index) => !tasks.has(index))) this.#forgetTask(task)
  }

  /** The connector is removed: statuses go, topics with them. */
  forget(): void {
    for (const task of this.#tasks.keys()) this.#forgetTask(task)
    this.#connector = undefined
    this.#store.removeConnector(this.#name)
  }

  #forgetTask(task: number): void {
    this.#tasks.delete(task)
    this.#store.removeTask({ connector: this.#name, task })
  }

  #status(state: State, trace: string | null, version: string | null): Status {
    // Upstream knows no version of what is being restarted.
    return { state, trace, version: state === 'RESTARTING' ? null : version, ...this.#place }
  }
}

/** Nothing is said of what has never been in service: like upstream, the first status tells how a start came out. */
function isNews(written: Status | undefined, status: Status): boolean {
  if (written === undefined) return status.state !== 'UNASSIGNED'
  return written.state !== status.state || written.trace !== status.trace || written.workerId !== status.workerId
}
