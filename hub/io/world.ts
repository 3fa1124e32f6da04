/** @module io/world — the four ports together. */
import { type MemoryClock, memoryClock } from './memory-clock.ts'
import { type MemoryDisk, memoryDisk } from './memory-disk.ts'
import { memoryNet } from './memory-net.ts'
import { nodeClock } from './node-clock.ts'
import { nodeDisk } from './node-disk.ts'
import { nodeNet } from './node-net.ts'
import { nodeRandom } from './node-random.ts'
import type { World } from './ports.ts'
import { seededRandom } from './seeded-random.ts'

/** This machine: its clock, its chance, its files, its network. */
export function nodeWorld(): World {
  return { clock: nodeClock(), random: nodeRandom(), disk: nodeDisk(), net: nodeNet() }
}

/** A world in memory, with its levers. */
export interface MemoryWorld extends World {
  readonly clock: MemoryClock
  readonly disk: MemoryDisk
}

export interface MemoryWorldOptions {
  /** Seed of `random`. Default 1. */
  readonly seed?: number
  /** Wall-clock time at the start. Default 2023-11-14T22:13:20Z. */
  readonly startMs?: number
  /** Directories that are there from the start. Default `/data`. */
  readonly directories?: readonly string[]
}

/**
 * A world that does only what its holder makes it do: time stands still, chance repeats, disk and net are its own.
 * Mix by spreading: `{ ...memoryWorld(), clock: nodeClock() }`, or `{ ...nodeWorld(), disk: memoryDisk() }` for a hub
 * whose log stands in memory while it serves TCP.
 */
export function memoryWorld(options: MemoryWorldOptions = {}): MemoryWorld {
  const clock = memoryClock(options.startMs)
  const disk = memoryDisk({
    nowMs: () => clock.nowMs(),
    ...(options.directories === undefined ? {} : { directories: options.directories }),
  })
  return { clock, random: seededRandom(options.seed), disk, net: memoryNet() }
}
