/** @module io — ports to the outside world and their two implementations each. */
export type {
  Clock,
  Connection,
  DirectoryLock,
  Disk,
  DiskFile,
  FileFacts,
  Hold,
  Listener,
  Net,
  Random,
  Timer,
  World,
} from './ports.ts'
export { DirectoryLockedError } from './ports.ts'
export { eventLoopIdleMeter, processMetrics } from './process-facts.ts'
export { type FetchHandler, type FetchServerLimits, serveFetch, type HttpServer } from './fetch-server.ts'
export { type MemoryClock, memoryClock } from './memory-clock.ts'
export { type DiskOperation, type MemoryDisk, type MemoryDiskOptions, memoryDisk } from './memory-disk.ts'
export { type MemoryNetOptions, memoryNet, type Passage } from './memory-net.ts'
export { nodeClock } from './node-clock.ts'
export { nodeDisk } from './node-disk.ts'
export { nodeNet } from './node-net.ts'
export { nodeRandom } from './node-random.ts'
export { seededRandom } from './seeded-random.ts'
export { type MemoryWorld, type MemoryWorldOptions, memoryWorld, nodeWorld } from './world.ts'
