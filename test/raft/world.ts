import { type MemoryClock, type MemoryDisk, memoryClock, memoryDisk, type Random, seededRandom } from '../../hub/io/index.ts'
import { type LogDirectory, openLogDirectory } from '../../hub/log/index.ts'
import { type MemoryLogger, memoryLogger } from '../../hub/observe/index.ts'
import { type MetadataLog, type MetadataLogLimits, openMetadataLog } from '../../hub/raft/index.ts'

export const NODE_ID = 1
export const DIRECTORY_ID = 'AAAAAAAAAAAAAAAAAAAAZA'
export const METADATA_DIRECTORY = '/data/log/__cluster_metadata-0'

/** A metadata log on a disk in memory, with its clock. */
export interface World {
  readonly disk: MemoryDisk
  readonly clock: MemoryClock
  readonly random: Random
  /** Of `random`: two runs on one disk need two. */
  readonly seed: number
  readonly logger: MemoryLogger
  readonly directory: LogDirectory
  readonly metadataLog: MetadataLog
}

export interface WorldOptions {
  readonly disk?: MemoryDisk
  readonly clock?: MemoryClock
  readonly seed?: number
  readonly voterIds?: readonly number[]
  readonly limits?: Partial<MetadataLogLimits>
}

/** Opens the log of a disk (by default a new one); it is neither replayed nor started. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const { disk = memoryDisk({ directories: ['/data/log'] }), clock = memoryClock(), seed = 1, voterIds = [NODE_ID], limits = {} } = options
  const random = seededRandom(seed)
  const logger = memoryLogger()
  const identity = { clusterId: 'cluster', nodeId: NODE_ID, directoryId: DIRECTORY_ID }
  const common = { clock, disk, logger, randomFloat: () => random.float(), formatIfEmpty: identity }
  const directory = await openLogDirectory('/data/log', { ...common, limits: { freeBytesMin: 0 } })
  const metadataLog = await openMetadataLog({ nodeId: NODE_ID, voterIds, logDirectory: directory, clock, disk, logger, limits })
  return { disk, clock, random, seed, logger, directory, metadataLog }
}

/** Reads a log to its end; resolves with the batches as texts. */
export async function replayAll(log: MetadataLog): Promise<string[][]> {
  const batches: string[][] = []
  for await (const batch of log.replay()) batches.push(batch.records.map((record) => record.toString()))
  return batches
}
