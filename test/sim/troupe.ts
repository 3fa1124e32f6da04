/** @module test/sim/troupe — the actors of a simulated play: each in a process of its own, which another takes the place of when it is killed. */
import type { Actor, ClientProcess, Stage } from './stage.ts'
import type { SimProcess, SimWorld } from './world.ts'

interface Player {
  readonly role: string
  readonly actor: Actor
  process: SimProcess
  lifeCount: number
  /** Settles when the actor of the present process has ended. */
  done: Promise<void>
}

/** See the module. */
export class Troupe {
  readonly #world: SimWorld
  readonly #stage: Stage
  readonly #director: SimProcess
  readonly #stop: AbortSignal
  readonly #players: Player[] = []

  constructor(world: SimWorld, stage: Stage, director: SimProcess, stop: AbortSignal) {
    this.#world = world
    this.#stage = stage
    this.#director = director
    this.#stop = stop
  }

  add(role: string, actor: Actor): void {
    const player: Player = { role, actor, process: this.#world.process(`${role}#1`), lifeCount: 1, done: Promise.resolve() }
    this.#players.push(player)
    this.#play(player)
  }

  killOne(): void {
    const player = this.#pick()
    player?.process.kill()
    if (player === undefined) return
    this.#director.clock.timer(this.#world.scheduler.between(0, 3_000), () => this.#replace(player))
  }

  stallOne(durationMs: number): void {
    this.#pick()?.process.stall(durationMs)
  }

  /** Resolves when all have ended who are still to end; whoever is dead by now is not replaced. */
  async ended(): Promise<void> {
    await Promise.all(this.#players.filter(({ process }) => !process.isDead).map(({ done }) => done))
  }

  #pick(): Player | undefined {
    return this.#players[Math.floor(this.#world.scheduler.random.float() * this.#players.length)]
  }

  #replace(player: Player): void {
    if (this.#stop.aborted || !player.process.isDead) return
    player.lifeCount++
    player.process = this.#world.process(`${player.role}#${player.lifeCount}`)
    this.#play(player)
  }

  #play(player: Player): void {
    const { process, actor } = player
    const client: ClientProcess = { name: process.task.name, world: process }
    player.done = actor(client, this.#stage, this.#stop)
    // Heard of when the end is waited for.
    player.done.catch(() => {})
  }
}
