/** @module test/sim/nemesis — does harm, as the seed says: a different choice of faults, at a different pace, in each play. */
import { POWER_CUT } from './history.ts'
import type { HubHost } from './hub-host.ts'
import type { Troupe } from './troupe.ts'
import type { SimProcess, SimWorld } from './world.ts'

/** What is harmed. */
interface Victims {
  readonly world: SimWorld
  readonly host: HubHost
  readonly troupe: Troupe
  readonly tell: (what: string) => void
}

/** Does something more, later. */
type Later = (delayMs: number, what: string, act: () => void) => void

/** One kind of harm; calls `later` for its end. */
type Fault = (victims: Victims, between: (from: number, to: number) => number, later: Later) => void

const DATA_FILE = /\.log$/

/** A hub whose logs take no more is ended, so that another recovers them. */
function endBroken(world: SimWorld, host: HubHost, later: Later, delayMs: number): void {
  if (world.scheduler.random.float() < 0.5) later(delayMs, 'kill the hub that cannot write', () => host.kill())
  else later(delayMs, POWER_CUT, () => cutPower(world, host))
}

function cutPower(world: SimWorld, host: HubHost): void {
  host.kill()
  world.device.cutPower()
}

/** Everything that can happen. A hub that is down is started again by the nemesis itself. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'kill the hub': ({ host }) => host.kill(),
  [POWER_CUT]: ({ host, world }) => cutPower(world, host),
  'end the hub in order': ({ host }) => host.stop(),
  'hold the hub still': ({ host }, between) => host.process?.stall(between(200, between(500, 12_000))),
  'kill a client': ({ troupe }) => troupe.killOne(),
  'hold a client still': ({ troupe }, between) => troupe.stallOne(between(500, 15_000)),
  'break connections': ({ host }, between) => host.process?.resetConnections(between(0.2, 1.2)),
  'hold the net': ({ world }, between) => {
    world.netStalledUntilMs = world.scheduler.nowMs + between(200, 6_000)
  },
  'hold the disk': ({ world }, between) => {
    world.device.stalledUntilMs = world.scheduler.nowMs + between(100, 5_000)
  },
  'set the wall clock': ({ world }, between) => {
    world.moveWallClock(between(-600_000, 600_000))
  },
  'fill the disk': ({ world }, between, later) => {
    const { disk } = world.device
    disk.setLimitBytes(disk.usedBytes() + between(0, between(0, 30_000)))
    later(between(500, 8_000), 'there is room on the disk', () => world.device.disk.setLimitBytes(Number.MAX_SAFE_INTEGER))
  },
  'fail a write': ({ world, host }, between, later) => {
    world.device.failNext('write', DATA_FILE)
    endBroken(world, host, later, between(1_000, 6_000))
  },
  'fail a sync': ({ world, host }, between, later) => {
    world.device.failNext('sync', DATA_FILE)
    endBroken(world, host, later, between(1_000, 6_000))
  },
}

/** Does harm until told to stop, then nothing more. */
export async function nemesis(victims: Victims, director: SimProcess, stop: AbortSignal): Promise<void> {
  const { scheduler } = victims.world
  const between = (from: number, to: number): number => scheduler.between(from, to)
  const enabled = Object.entries(FAULTS).filter(() => scheduler.random.float() < 0.5)
  const paceMs = 150 * 20 ** scheduler.random.float()
  const later: Later = (delayMs, what, act) => {
    director.clock.timer(delayMs, () => {
      if (stop.aborted) return
      victims.tell(what)
      act()
    })
  }
  while (!stop.aborted) {
    await director.clock.sleep(between(0, 2 * paceMs), stop).catch(() => {})
    const chosen = enabled[Math.floor(scheduler.random.float() * enabled.length)]
    if (stop.aborted || chosen === undefined) continue
    const [what, fault] = chosen
    victims.tell(what)
    fault(victims, between, later)
  }
}
