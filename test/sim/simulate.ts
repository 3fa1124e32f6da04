/** @module test/sim/simulate — plays one seed: a hub, its clients and their bad luck, then an audit of everything, and the checker. */
import { type Admin, createAdmin } from '../../hub/client/index.ts'
import type { Anomaly } from './anomaly.ts'
import { audit } from './audit.ts'
import { cast, GROUPS } from './cast.ts'
import { check } from './checker.ts'
import { type History, POWER_CUT, Recorder } from './history.ts'
import { BOOTSTRAP, HubHost } from './hub-host.ts'
import { nemesis } from './nemesis.ts'
import { allPartitions, type ClientProcess, clientOptions, newTopics, type Stage } from './stage.ts'
import { Troupe } from './troupe.ts'
import { type SimProcess, SimWorld } from './world.ts'

/** What became of a play. */
export interface Play {
  readonly seed: number
  readonly history: History
  readonly anomalies: readonly Anomaly[]
  /** What did not come to an end though all harm was over; undefined: nothing. */
  readonly problem: string | undefined
  readonly trace: readonly string[]
  /** Virtual time. */
  readonly durationMs: number
}

/** Level of `transaction.version` with KIP-890. */
const TRANSACTION_VERSION_MAX = 2

/** Virtual time that things may take once all harm is over. */
const limits = { startMs: 60_000, endMs: 180_000, auditMs: 180_000 } as const

/** Plays a seed. Never rejects for what the hub does. */
export async function simulate(seed: number): Promise<Play> {
  const world = new SimWorld(seed)
  const { scheduler } = world
  const recorder = new Recorder(
    () => scheduler.nowMs,
    ({ index, process }) => scheduler.tell(process, `event ${index}`),
  )
  const host = await HubHost.configured(world)
  scheduler.afterEach = () => host.tellLog()
  const production = new Production(world, host, recorder)
  let problem: string | undefined
  try {
    await scheduler.run(production.play())
  } catch (error) {
    problem = `${(error as Error).name}: ${(error as Error).message}`
  }
  const { events: history } = recorder
  return { seed, history, anomalies: check(history), problem, trace: scheduler.trace, durationMs: scheduler.nowMs }
}

class Production {
  readonly #world: SimWorld
  readonly #host: HubHost
  readonly #director: SimProcess
  readonly #stage: Stage
  readonly #harmless = new AbortController()
  readonly #over = new AbortController()
  readonly #tell: (what: string) => void

  constructor(world: SimWorld, host: HubHost, recorder: Recorder) {
    this.#world = world
    this.#host = host
    this.#director = world.process('director')
    this.#stage = { bootstrap: BOOTSTRAP, recorder }
    this.#tell = (what) => recorder.note('nemesis', { f: 'fault', what })
  }

  async play(): Promise<void> {
    const world = this.#world
    this.#host.start()
    await this.#serving()
    await this.#createTopics()
    const troupe = new Troupe(world, this.#stage, this.#director, this.#over.signal)
    for (const [role, actor] of cast()) troupe.add(role, actor)
    const harm = nemesis({ world, host: this.#host, troupe, tell: this.#tell }, this.#director, this.#harmless.signal)
    const keeping = this.#keepUp()
    const raising = this.#raiseTransactionVersion()
    await this.#sleep(world.scheduler.between(5_000, 25_000))
    this.#harmless.abort()
    await harm
    await Promise.all([keeping, raising])
    await this.#heal()
    await this.#sleep(world.scheduler.between(0, 3_000))
    this.#over.abort()
    await this.#within(limits.endMs, 'the actors do not end', troupe.ended())
    await this.#audit('auditor.1')
    if (world.scheduler.random.float() < 0.5) return
    this.#breakDown()
    await this.#serving()
    await this.#audit('auditor.2')
  }

  async #createTopics(): Promise<void> {
    const admin = createAdmin(clientOptions(this.#client('setter'), this.#stage))
    const results = await this.#within(limits.startMs, 'topics are not made', admin.createTopics(newTopics()))
    for (const { error } of results) if (error !== null) throw error
    // Clusters from before KIP-890 and KIP-1022 stay at their level until somebody raises it.
    const level = this.#world.scheduler.random.float() < 0.6 ? TRANSACTION_VERSION_MAX : Math.floor(this.#world.scheduler.between(0, 2))
    if (level < TRANSACTION_VERSION_MAX) await this.#setTransactionVersion(admin, level, 'safe-downgrade')
    await admin.close()
  }

  /** In the midst of it, where the level is low. It may fail: then it stays low, or nobody knows. */
  async #raiseTransactionVersion(): Promise<void> {
    await this.#director.clock.sleep(this.#world.scheduler.between(0, 30_000), this.#harmless.signal).catch(() => {})
    if (this.#harmless.signal.aborted) return
    const admin = createAdmin(clientOptions(this.#client('raiser'), this.#stage))
    await this.#setTransactionVersion(admin, TRANSACTION_VERSION_MAX, 'upgrade').catch(() => {})
    await admin.close()
  }

  async #setTransactionVersion(admin: Admin, level: number, upgradeType: 'upgrade' | 'safe-downgrade'): Promise<void> {
    this.#tell(`transaction.version is ${level}`)
    const updates = [{ feature: 'transaction.version', maxVersionLevel: level, upgradeType }]
    const results = await this.#within(limits.startMs, 'a feature is not set', admin.updateFeatures(updates))
    for (const { error } of results) if (error !== null) throw error
  }

  /** Starts the hub again, sooner or later, whenever it is down. */
  async #keepUp(): Promise<void> {
    while (!this.#harmless.signal.aborted) {
      if (!this.#host.isAlive) {
        await this.#sleep(this.#world.scheduler.between(0, 3_000))
        this.#host.start()
      }
      await this.#sleep(100)
    }
  }

  /** All harm ends; the hub starts anew. */
  async #heal(): Promise<void> {
    const { device } = this.#world
    this.#tell('all is well again')
    device.heal()
    this.#world.netStalledUntilMs = 0
    this.#world.settleWallClock()
    this.#breakDown()
    await this.#serving()
  }

  /** The hub ends in one of three ways and starts again. */
  #breakDown(): void {
    // Some plays are left without: there what was written must hold though it was not synced.
    const hadPowerCut = this.#stage.recorder.events.some(({ action }) => action.f === 'fault' && action.what === POWER_CUT)
    const isPowerCut = this.#world.scheduler.random.float() < (hadPowerCut ? 0.8 : 0.4)
    this.#tell(isPowerCut ? POWER_CUT : 'kill the hub')
    this.#host.kill()
    if (isPowerCut) this.#world.device.cutPower()
    this.#host.start()
  }

  #serving(): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!this.#host.isServing) {
        if (!this.#host.isAlive) throw new Error(`the hub does not start: ${String(this.#host.lastFailure)}`)
        await this.#sleep(10)
      }
    }
    return this.#within(limits.startMs, 'the hub does not serve', wait())
  }

  async #audit(name: string): Promise<void> {
    const end = new AbortController()
    const audited = audit(this.#client(name), this.#stage, allPartitions(), GROUPS, end.signal)
    await this.#within(limits.auditMs, 'the audit does not end', audited).finally(() => end.abort())
  }

  #client(name: string): ClientProcess {
    return { name, world: this.#world.process(name) }
  }

  #sleep(durationMs: number): Promise<void> {
    return this.#director.clock.sleep(durationMs)
  }

  async #within<T>(limitMs: number, problem: string, promise: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>()
    const timer = this.#director.clock.timer(limitMs, () => late.reject(new Error(`${problem} within ${limitMs} ms`)))
    try {
      return await Promise.race([promise, late.promise])
    } finally {
      timer.cancel()
    }
  }
}
