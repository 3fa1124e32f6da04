/**
 * @module connect/connector-runner — the shell around herder-core.ts for one connector: asks what is to be done, does it, shows what came
 * of it in the status topic. Connectors have their runners to themselves: a slow one delays no other.
 *
 * Nothing that a plugin does can hold it up for good: what is obsolete (the connector was deleted, stopped, changed) gets the grace of a
 * shutdown, then its thread is ended.
 */
import type { Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { firstLine, ThreadError, traceOf } from './failure.ts'
import { decide, type Effect, isSamePlan, type Wanted } from './herder-core.ts'
import { after, type Happening, type Held, NO_WISHES, type Wishes } from './herder-state.ts'
import { Blotter } from './provided.ts'
import { type ConnectorRunner, RUNNER_LIMITS, type RunnerWorld } from './runner-world.ts'
import { Seat, wasTakenAway } from './seat.ts'
import { StatusWriter } from './status-writer.ts'
import { storablePlan, taskCountMaxOf } from './task-plan.ts'
import type { ConfigText } from './types.ts'
import type { ConnectorHost, ThreadEvent } from './worker-types.ts'

/** Starts a runner. `onGone` is called when the connector was removed and nothing of it is left. */
export function createConnectorRunner(name: string, world: RunnerWorld, initial: Held, onGone: () => void): ConnectorRunner {
  const runner = new Runner(name, world, initial, onGone)
  runner.wake()
  return runner
}

class Runner implements ConnectorRunner {
  readonly #name: string
  readonly #world: RunnerWorld
  readonly #logger: Logger
  readonly #onGone: () => void
  readonly #blotter = new Blotter()
  readonly #statuses: StatusWriter
  #held: Held
  readonly #seat: Seat
  /** What the connector was last started with, and what its plugin said of itself. */
  #started: { readonly provided: ConfigText; readonly passwords: readonly string[]; readonly taskClass: string } | undefined
  /** Starts of tasks that are under way. */
  readonly #starts = new Map<number, symbol>()
  #loop: Promise<void> | undefined
  #plannedMs = 0
  #replanTimer: Timer | undefined
  #retryMs: number = RUNNER_LIMITS.retryMsMin
  readonly #closing = new AbortController()
  #isClosed = false

  constructor(name: string, world: RunnerWorld, initial: Held, onGone: () => void) {
    this.#name = name
    this.#world = world
    this.#logger = world.logger.child({ connector: name })
    this.#onGone = onGone
    this.#held = initial
    this.#statuses = new StatusWriter(name, world.stores.status, world)
    this.#statuses.show(this.#held, this.#version())
    this.#seat = new Seat({
      clock: world.clock,
      graceMs: world.graceMs,
      start: (isCurrent) => this.#startHost(isCurrent),
      onGone: (cause) => {
        this.#goneThread(cause === undefined ? null : this.#trace(cause))
        this.wake()
      },
    })
  }

  get held(): Held {
    return this.#held
  }

  wake(): void {
    if (this.#isClosed) return
    this.#seat.wake()
    this.#loop ??= this.#run()
  }

  wish(wishes: Partial<Wishes>): void {
    this.#apply({ kind: 'wished', wishes: { ...NO_WISHES, ...wishes } })
    this.wake()
  }

  async settled(): Promise<void> {
    while (this.#loop !== undefined) await this.#loop
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    const inService = [...this.#held.tasks].filter(([, { state }]) => state !== 'FAILED').map(([task]) => task)
    const connector = !['FAILED', 'STOPPED'].includes(this.#held.connector.state)
    this.#apply({ kind: 'unassigned', connector, tasks: inService })
    this.#isClosed = true
    this.#closing.abort()
    this.#replanTimer?.cancel()
    this.#starts.clear()
    await this.#seat.leave()
  }

  get #wanted(): Wanted | undefined {
    return this.#world.stores.config.connectors.get(this.#name)
  }

  #version(): string | null {
    const config = this.#wanted?.config ?? this.#held.connector.config
    return config === null ? null : this.#world.versionOf(config)
  }

  async #run(): Promise<void> {
    // Wakes of one turn come to one question.
    await Promise.resolve()
    let isGone = false
    while (!this.#isClosed && !isGone) {
      const effect = decide(this.#wanted, this.#held)
      if (effect === undefined) break
      isGone = effect.kind === 'forget'
      try {
        await this.#perform(effect)
      } catch (error) {
        await this.#recover(effect, error)
      }
    }
    this.#loop = undefined
    if (isGone) this.#onGone()
  }

  /** Something of the worker's own has failed, not of the plugin's: a store that refuses. Tried again. */
  async #recover(effect: Effect, error: unknown): Promise<void> {
    if (this.#isClosed) return
    this.#logger.error('a step could not be taken and is tried again', { step: effect.kind, cause: this.#trace(error) })
    await this.#world.clock.sleep(Math.min(this.#nextRetryMs(), RUNNER_LIMITS.storeRetryMsMax), this.#closing.signal).catch(() => {})
  }

  #nextRetryMs(): number {
    const retryMs = this.#retryMs
    this.#retryMs = Math.min(RUNNER_LIMITS.retryMsMax, retryMs * 2)
    return retryMs
  }

  #apply(happening: Happening): void {
    if (this.#isClosed) return
    const before = this.#held
    this.#held = after(before, happening)
    this.#statuses.show(this.#held, this.#version())
    this.#tell(before, this.#held)
  }

  /** Failures are told in the log; the status topic has their whole traces. */
  #tell(before: Held, now: Held): void {
    const { connector, tasks } = now
    if (connector.state !== before.connector.state) {
      if (connector.state === 'FAILED') this.#logger.error('the connector failed', { cause: firstLine(connector.trace ?? '') })
      else if (connector.state !== 'UNASSIGNED') this.#logger.info('the connector changed its state', { state: connector.state })
    }
    for (const [task, { state, trace }] of tasks) {
      if (state === before.tasks.get(task)?.state) continue
      if (state === 'FAILED') this.#logger.error('a task failed', { task, cause: firstLine(trace ?? '') })
      else if (state !== 'UNASSIGNED') this.#logger.info('a task changed its state', { task, state })
    }
  }

  #trace(error: unknown): string {
    return this.#blotter.text(traceOf(error))
  }

  #perform(effect: Effect): Promise<void> | void {
    switch (effect.kind) {
      case 'unassign':
        return this.#apply({ ...effect, kind: 'unassigned' })
      case 'mark-restarting':
        return this.#apply({ ...effect, kind: 'marked' })
      case 'show-stopped':
        return this.#apply({ ...effect, kind: 'shown-stopped' })
      case 'fail-tasks':
        return this.#apply({ ...effect, kind: 'tasks-failed' })
      case 'forget-tasks':
        return this.#forgetTasks(effect.tasks)
      case 'forget':
        return this.#statuses.forget()
      case 'stop-tasks':
        return this.#stopTasks(effect.tasks)
      case 'end-thread':
        return this.#endThread()
      case 'start-connector':
        return this.#startConnector(effect)
      case 'set-target-state':
        return this.#setTargetState(effect)
      case 'plan':
        return this.#plan(effect)
      case 'write-tasks':
        return this.#writeTasks(effect.configs)
      case 'start-tasks':
        return this.#startTasks(effect)
    }
  }

  #forgetTasks(tasks: readonly number[]): void {
    this.#apply({ kind: 'tasks-forgotten', tasks })
  }

  async #stopTasks(tasks: readonly number[]): Promise<void> {
    for (const task of tasks) this.#starts.delete(task)
    const host = this.#seat.current
    const { graceMs } = this.#world
    let isClean = true
    if (host !== undefined) {
      const answers = await this.#seat.stopping(Promise.allSettled(tasks.map((task) => host.calls.stopTask({ task, graceMs }))))
      isClean = answers?.every((answer) => answer.status === 'fulfilled' && answer.value.isClean) ?? false
      if (!isClean) this.#logger.warn('tasks did not end within task.shutdown.graceful.timeout.ms and were cut off', { tasks, graceMs })
      if (answers === undefined) {
        await this.#seat.drop()
        this.#goneThread(null)
      }
    }
    this.#apply({ kind: 'tasks-stopped', tasks, isClean })
  }

  async #endThread(): Promise<void> {
    await this.#seat.leave()
    this.#goneThread(null)
  }

  #goneThread(trace: string | null): void {
    this.#starts.clear()
    this.#apply({ kind: 'thread-gone', trace })
  }

  #startHost(isCurrent: () => boolean): ConnectorHost {
    const { settings, plugins, stores, logLevel } = this.#world
    const host = this.#world.startHost(
      { connector: this.#name, settings, plugins: plugins(), logLevel },
      {
        control: { readOffsets: ({ partitions }) => stores.offset.read(this.#name, partitions) },
        onEvent: (event) => {
          if (isCurrent()) this.#onEvent(event)
        },
      },
    )
    this.#apply({ kind: 'thread-made' })
    return host
  }

  #onEvent(event: ThreadEvent): void {
    switch (event.kind) {
      case 'task': {
        const { task, state, trace } = event
        // A start answers for itself.
        if (this.#starts.has(task)) return
        this.#apply({ kind: 'task', task, state, trace: trace === null ? null : this.#blotter.text(trace) })
        this.wake()
        return
      }
      case 'replan':
        this.#replanSoon()
        return
      case 'topic':
        if (this.#world.tracksTopics) this.#world.stores.status.putTopic(this.#name, event.task, event.topic)
        return
      case 'log':
        this.#logger[event.level](this.#blotter.text(event.message), this.#blotter.facts(event.facts))
    }
  }

  #patiently<T>(limitMs: number, isObsolete: () => boolean, call: (host: ConnectorHost) => Promise<T>): Promise<T> {
    return this.#seat.patiently({ limitMs, isObsolete, onDrop: () => this.#goneThread(null) }, call)
  }

  /** Asked for in quick succession, plans come at their own pace. */
  #replanSoon(): void {
    const { clock } = this.#world
    const waitMs = this.#plannedMs + RUNNER_LIMITS.replanMsMin - clock.monotonicMs()
    if (waitMs <= 0) this.wish({ replans: true })
    else
      this.#replanTimer ??= clock.timer(waitMs, () => {
        this.#replanTimer = undefined
        this.wish({ replans: true })
      })
  }

  #isObsolete(config: ConfigText): boolean {
    const wanted = this.#wanted
    return wanted === undefined || wanted.targetState === 'STOPPED' || wanted.config !== config || this.#held.wishes.restartsConnector
  }

  async #startConnector({ config, targetState }: Extract<Effect, { readonly kind: 'start-connector' }>): Promise<void> {
    const isObsolete = (): boolean => {
      const wanted = this.#wanted
      return wanted === undefined || wanted.targetState === 'STOPPED' || wanted.config !== config
    }
    try {
      const { config: provided, secrets } = await this.#world.provide(config)
      const passwords = this.#world.secretsOf(provided)
      this.#blotter.add([...secrets, ...passwords])
      const call = (host: ConnectorHost): ReturnType<ConnectorHost['calls']['startConnector']> =>
        host.calls.startConnector({ config: provided, targetState })
      const { taskClass } = await this.#patiently(RUNNER_LIMITS.startMsMax, isObsolete, call)
      this.#started = { provided, passwords, taskClass }
      this.#retryMs = RUNNER_LIMITS.retryMsMin
      this.#apply({ kind: 'connector-started', config, targetState })
    } catch (error) {
      if (!wasTakenAway(error)) this.#apply({ kind: 'connector-failed', config, trace: this.#trace(error) })
    }
  }

  async #setTargetState({ targetState }: Extract<Effect, { readonly kind: 'set-target-state' }>): Promise<void> {
    try {
      const call = (host: ConnectorHost): Promise<void> => host.calls.setTargetState({ targetState })
      await this.#patiently(RUNNER_LIMITS.targetStateMsMax, () => this.#wanted?.targetState !== targetState, call)
      this.#apply({ kind: 'target-set', targetState })
    } catch (error) {
      if (!wasTakenAway(error)) this.#apply({ kind: 'thread-gone', trace: this.#trace(error) })
    }
  }

  async #plan({ config }: Extract<Effect, { readonly kind: 'plan' }>): Promise<void> {
    const started = this.#started
    if (started === undefined) return this.#apply({ kind: 'plan-failed', trace: 'Error: the connector has not been started' })
    this.#apply({ kind: 'planning' })
    this.#plannedMs = this.#world.clock.monotonicMs()
    try {
      const taskCountMax = taskCountMaxOf(started.provided)
      const call = (host: ConnectorHost): Promise<readonly ConfigText[]> => host.calls.plan({ taskCountMax })
      const planned = await this.#patiently(RUNNER_LIMITS.planMsMax, () => this.#isObsolete(config), call)
      const { configs, warning } = storablePlan(this.#name, planned, { written: config, ...started })
      if (warning !== null) this.#logger.warn(warning)
      const wanted = this.#wanted
      const isStored = wanted !== undefined && !wanted.isInconsistent && isSamePlan(configs, wanted.taskConfigs)
      this.#retryMs = RUNNER_LIMITS.retryMsMin
      this.#apply({ kind: 'planned', configs, isStored })
    } catch (error) {
      if (wasTakenAway(error)) return
      if (error instanceof ThreadError && error.retryAfterMs !== null) this.#planLater(error)
      else this.#apply({ kind: 'plan-failed', trace: this.#trace(error) })
    }
  }

  #planLater(error: ThreadError): void {
    const waitMs = error.retryAfterMs === null || error.retryAfterMs < 0 ? this.#nextRetryMs() : error.retryAfterMs
    this.#logger.warn('the tasks could not be planned and will be again', { cause: firstLine(this.#trace(error)), waitMs })
    this.#apply({ kind: 'plan-waits' })
    this.#world.clock.timer(waitMs, () => {
      this.#apply({ kind: 'wait-over' })
      this.wake()
    })
  }

  async #writeTasks(configs: readonly ConfigText[]): Promise<void> {
    await this.#world.stores.config.putTasks(this.#name, configs)
    this.#apply({ kind: 'tasks-written' })
  }

  /** Tasks start by themselves and may take their time: the runner does not wait. */
  #startTasks({ tasks, connectorConfig, targetState }: Extract<Effect, { readonly kind: 'start-tasks' }>): void {
    const host = this.#seat.take()
    this.#apply({ kind: 'tasks-starting', tasks, connectorConfig })
    for (const { task, config } of tasks) void this.#startTask(host, { task, config, connectorConfig, targetState })
  }

  async #startTask(
    host: ConnectorHost,
    request: {
      readonly task: number
      readonly config: ConfigText
      readonly connectorConfig: ConfigText
      readonly targetState: 'STARTED' | 'PAUSED'
    },
  ): Promise<void> {
    const { task, config, connectorConfig } = request
    const start = Symbol(`start of task ${task}`)
    this.#starts.set(task, start)
    let happening: Happening
    try {
      const [own, connectors] = await Promise.all([this.#world.provide(config), this.#world.provide(connectorConfig)])
      this.#blotter.add([...own.secrets, ...connectors.secrets, ...this.#world.secretsOf(own.config, connectors.config)])
      if (this.#starts.get(task) !== start) return
      await host.calls.startTask({ ...request, config: own.config, connectorConfig: connectors.config })
      happening = { kind: 'task', task, state: this.#held.targetState === 'PAUSED' ? 'PAUSED' : 'RUNNING', trace: null }
    } catch (error) {
      if (wasTakenAway(error)) return
      happening = { kind: 'task', task, state: 'FAILED', trace: this.#trace(error) }
    }
    if (this.#starts.get(task) !== start) return
    this.#starts.delete(task)
    this.#apply(happening)
    this.wake()
  }
}
