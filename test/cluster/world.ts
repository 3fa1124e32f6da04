import { type ClusterLimits, type ClusterSettings, type Controller, openController } from '../../hub/cluster/index.ts'
import { DIRECTORY_ID, NODE_ID, openWorld, type World, type WorldOptions } from '../raft/world.ts'

export interface ClusterWorld extends World {
  readonly controller: Controller
}

export interface ClusterWorldOptions extends WorldOptions {
  readonly settings?: Partial<ClusterSettings>
  readonly clusterLimits?: Partial<ClusterLimits>
  readonly rack?: string
}

/** A started controller of a lone node on a disk in memory. */
export async function openCluster(options: ClusterWorldOptions = {}): Promise<ClusterWorld> {
  const world = await openWorld(options)
  const controller = await openController({
    metadataLog: world.metadataLog,
    clusterId: 'cluster',
    broker: {
      nodeId: NODE_ID,
      rack: options.rack ?? null,
      endpoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
      directoryIds: [DIRECTORY_ID],
    },
    settings: {
      partitionCount: 1,
      replicationFactor: 1,
      replicationFactorSet: false,
      minInsyncReplicas: 1,
      given: new Map(),
      ...options.settings,
    },
    random: world.random,
    limits: options.clusterLimits ?? {},
  })
  return { ...world, controller }
}

/** Stops it as kill −9 with a power cut would, and starts it again on what the disk kept. */
export async function crashAndOpen(world: ClusterWorld, options: ClusterWorldOptions = {}): Promise<ClusterWorld> {
  const disk = world.disk.crash()
  await world.directory.abandon()
  return openCluster({ ...options, disk, seed: world.seed + 1 })
}

/** A topic with Kafka's defaults but for what is given. */
export function topicSpec(name: string, given: Partial<Parameters<Controller['createTopics']>[0][number]> = {}) {
  return { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [], ...given }
}
