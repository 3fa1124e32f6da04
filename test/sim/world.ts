/**
 * @module test/sim/world — one machine in the hand of a seed: processes with a clock, chance, a disk and a net of their own, which can be stopped, killed,
 * cut off, and started again.
 */
import {
  type Clock,
  type Connection,
  type Listener,
  memoryNet,
  type Net,
  type Passage,
  type Random,
  seededRandom,
  type Timer,
  type World,
} from '../../hub/io/index.ts'
import { sleepWith } from '../../hub/io/node-clock.ts'
import { Device } from './device.ts'
import { Scheduler, type Task } from './scheduler.ts'

/** Wall-clock time at the start: 2023-11-14T22:13:20Z, as in the golden conversations. */
const START_WALL_MS = 1_700_000_000_000

/** A process of the machine. */
export interface SimProcess extends World {
  readonly task: Task
  readonly isDead: boolean
  /** Ends it as kill −9 does: nothing that it waits for comes, its connections break, of its last writes some get through. */
  kill(): void
  /** Holds it still (SIGSTOP, then SIGCONT). */
  stall(durationMs: number): void
  /** Breaks its connections, or each with a chance. */
  resetConnections(share?: number): void
}

/** See the module. */
export class SimWorld {
  readonly scheduler: Scheduler
  readonly device: Device
  /** Nothing arrives before this time, of whoever it is. */
  netStalledUntilMs = 0
  #wallOffsetMs = 0
  #wallOffsetMsMax = 0
  readonly #net: Net
  readonly #owners = new WeakMap<Connection, Task>()
  readonly #latencyMsMax: number

  constructor(seed: number) {
    this.scheduler = new Scheduler(seed)
    this.device = new Device(this.scheduler, () => this.wallMs)
    this.#net = memoryNet({ carry: (passage) => this.#carry(passage) })
    this.#latencyMsMax = this.scheduler.random.float() < 0.3 ? 20 : 0.5
  }

  get wallMs(): number {
    return Math.floor(START_WALL_MS + this.#wallOffsetMs + this.scheduler.nowMs)
  }

  /** Puts the wall clock on or back. */
  moveWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs
    this.#wallOffsetMsMax = Math.max(this.#wallOffsetMsMax, this.#wallOffsetMs)
  }

  /** Puts the wall clock to where nothing that was ever written lies ahead of it: what has a timeout ends in its time from now on. */
  settleWallClock(): void {
    this.#wallOffsetMs = this.#wallOffsetMsMax
  }

  process(name: string): SimProcess {
    const { scheduler, device } = this
    const task = scheduler.task(name)
    const net = new TaskNet(this.#net, scheduler, task, (connection) => this.#owners.set(connection, task))
    return {
      task,
      get isDead() {
        return task.isDead
      },
      clock: taskClock(scheduler, task, () => this.wallMs),
      random: this.#randomOfItsOwn(),
      disk: device.diskOf(task),
      net,
      kill: () => {
        if (task.isDead) return
        scheduler.tell(name, 'killed')
        task.isDead = true
        device.onKilled(task)
        net.end()
      },
      stall: (durationMs) => {
        scheduler.tell(name, `held still for ${durationMs.toFixed(0)} ms`)
        task.stalledUntilMs = scheduler.nowMs + durationMs
      },
      resetConnections: (share = 1) => net.reset(share),
    }
  }

  #randomOfItsOwn(): Random {
    return seededRandom(Math.floor(this.scheduler.random.float() * 2 ** 48))
  }

  #carry({ from, to, sizeBytes }: Passage): Promise<void> {
    const { scheduler } = this
    const receiver = this.#owners.get(to) as Task
    const stallMs = Math.max(0, this.netStalledUntilMs - scheduler.nowMs)
    const what = sizeBytes === 0 ? 'end' : `${sizeBytes} B`
    const label = `${what} from ${this.#owners.get(from)?.name} (${from.localPort} to ${to.localPort})`
    return scheduler.delay(receiver, stallMs + scheduler.random.float() * this.#latencyMsMax, label)
  }
}

/** Timers are late by up to a millisecond, as Node's are; so their order is the seed's. */
function taskClock(scheduler: Scheduler, task: Task, wallMs: () => number): Clock {
  const timer = (delayMs: number, callback: () => void): Timer =>
    scheduler.at(task, Math.max(1, delayMs) + scheduler.random.float(), `timer of ${delayMs.toFixed(0)} ms`, callback)
  return {
    nowMs: wallMs,
    monotonicMs: () => scheduler.nowMs,
    timer,
    sleep: (delayMs, signal) => sleepWith(timer, delayMs, signal),
    soon: (callback) => void scheduler.at(task, scheduler.random.float() * 0.02, 'soon', callback),
    hold: () => ({ release: () => {} }),
  }
}

/** The net as one process sees it. */
class TaskNet implements Net {
  readonly #net: Net
  readonly #scheduler: Scheduler
  readonly #task: Task
  readonly #own: (connection: Connection) => void
  readonly #connections = new Set<Connection>()
  readonly #listeners = new Set<Listener>()

  constructor(net: Net, scheduler: Scheduler, task: Task, own: (connection: Connection) => void) {
    this.#net = net
    this.#scheduler = scheduler
    this.#task = task
    this.#own = own
  }

  async listen(host: string, port: number, onConnection: (connection: Connection) => void): Promise<Listener> {
    await this.#scheduler.delay(this.#task, this.#scheduler.random.float(), `listen on ${port}`)
    const listener = await this.#net.listen(host, port, (connection) => {
      this.#keep(connection)
      onConnection(connection)
    })
    this.#listeners.add(listener)
    return listener
  }

  async connect(host: string, port: number, signal?: AbortSignal): Promise<Connection> {
    await this.#scheduler.delay(this.#task, this.#scheduler.random.float(), `connect to ${port}`)
    const connection = await this.#net.connect(host, port, signal)
    this.#keep(connection)
    return connection
  }

  /** The process is gone. */
  end(): void {
    for (const listener of this.#listeners) void listener.close()
    this.reset(1)
  }

  reset(share: number): void {
    for (const connection of this.#connections) if (this.#scheduler.random.float() < share) connection.destroy()
  }

  #keep(connection: Connection): void {
    this.#own(connection)
    this.#connections.add(connection)
    connection.once('close', () => this.#connections.delete(connection))
  }
}
