/** @module connect/runners — the runners of a worker: one for each connector of the config topic, woken by its changes. */
import { createConnectorRunner } from './connector-runner.ts'
import { restartPlan } from './herder-core.ts'
import { heldAtStart } from './herder-state.ts'
import { refusals } from './requests.ts'
import type { ConnectorRunner, RunnerWorld } from './runner-world.ts'
import type { ConfigChange } from './stores/types.ts'

/** All runners. They begin with what the topics say. */
export class Runners {
  readonly #world: RunnerWorld
  readonly #runners = new Map<string, ConnectorRunner>()
  #isClosed = false

  constructor(world: RunnerWorld) {
    this.#world = world
    const { config } = world.stores
    config.onChange((change) => this.#onChange(change))
    for (const name of config.connectors.keys()) this.#of(name)
  }

  has(name: string): boolean {
    return this.#runners.has(name)
  }

  /** @throws ConnectRequestError 404 */
  toRestart(name: string): ConnectorRunner {
    const isThere = this.#world.stores.config.connectors.has(name)
    const runner = isThere ? this.#of(name) : undefined
    if (runner === undefined) throw refusals.unknownToRestart(name)
    return runner
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()))
  }

  /** The runner of a connector; undefined when there is neither. */
  #of(name: string): ConnectorRunner | undefined {
    const { stores } = this.#world
    const state = stores.config.connectors.get(name)
    const standing = this.#runners.get(name)
    if (standing !== undefined || state === undefined || this.#isClosed) return standing
    const tasks = stores.status.tasks(name).map(({ id }) => id.task)
    const runner = createConnectorRunner(name, this.#world, heldAtStart(state.targetState, tasks), () => {
      this.#runners.delete(name)
      // It may have been created again while it was taken down.
      this.#of(name)
    })
    this.#runners.set(name, runner)
    return runner
  }

  #onChange(change: ConfigChange): void {
    const runner = this.#of(change.name)
    if (runner === undefined) return
    if (change.kind === 'restart') restart(runner, change)
    else runner.wake()
  }
}

/** Restarts what the plan says (KIP-745), by what is now. */
function restart(runner: ConnectorRunner, what: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): void {
  const { connector, tasks } = runner.held
  const states = new Map([...tasks].map(([task, { state }]) => [task, state]))
  const plan = restartPlan({ connector: connector.state, tasks: states }, what)
  if (!plan.connector && plan.tasks.length === 0) return
  runner.wish({ restartsConnector: plan.connector, restartsTasks: new Set(plan.tasks), isMarked: true })
}
