/**
 * @module cluster/register-broker — this node's registration at each start (KIP-631), and the leadership that comes with it.
 *
 * A new incarnation deposes the old one: every partition that this broker may lead gets it as leader anew, which raises its leader
 * epoch. That is how clients notice when an unclean stop took records that were read but not yet on disk (KIP-320).
 */
import { encodeMetadataRecord, PartitionChangeRecord, RegisterBrokerRecord } from '../wire/index.ts'
import { registerBrokerValue } from './broker-records.ts'
import { type Circumstances, versionsOf } from './decision.ts'
import { supportedFeatures } from './features.ts'
import type { PartitionState } from './image.ts'
import { NO_LEADER } from './topic-records.ts'
import type { BrokerImage } from './types.ts'

/** What a broker says of itself. */
export interface BrokerFacts {
  readonly nodeId: number
  readonly rack: string | null
  /** Advertised listeners, in the order of the configuration; ports are those that are open. `securityProtocol`: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly endpoints: BrokerImage['endpoints']
  /** Ids of its log directories. */
  readonly directoryIds: readonly string[]
}

/** The registration; its offset in the log is the broker's epoch. Unfenced at once: who registers here is the controller itself. */
export function registrationRecord(circumstances: Circumstances, broker: BrokerFacts, offset: number): Buffer {
  const { image, newId } = circumstances
  const value = registerBrokerValue({
    brokerId: broker.nodeId,
    brokerEpoch: offset,
    incarnationId: newId(),
    rack: broker.rack,
    fenced: false,
    inControlledShutdown: false,
    endpoints: broker.endpoints,
    features: supportedFeatures.map(({ name, minVersion, maxVersion }) => ({
      name,
      minSupportedVersion: minVersion,
      maxSupportedVersion: maxVersion,
    })),
    logDirs: broker.directoryIds,
    cordonedLogDirs: [],
  })
  return encodeMetadataRecord(RegisterBrokerRecord, value, versionsOf(image).registerBroker)
}

/** Makes this broker leader of what it may lead: it is in sync, or eligible where nobody is (KIP-966). Others' leadership stays. */
export function* leadershipRecords({ image, nodeId }: Circumstances): Generator<Buffer, void, undefined> {
  const { partitionChange: version } = versionsOf(image)
  for (const { topicId, partitions } of image.topicsByName.values()) {
    for (const partition of partitions) {
      if (partition.leader !== nodeId && partition.leader !== NO_LEADER) continue
      const changes = leadership(partition, nodeId)
      if (changes === undefined) continue
      yield encodeMetadataRecord(PartitionChangeRecord, { partitionId: partition.partition, topicId, leader: nodeId, ...changes }, version)
    }
  }
}

function leadership(partition: PartitionState, nodeId: number): { isr?: number[]; eligibleLeaderReplicas?: number[] } | undefined {
  if (partition.isr.includes(nodeId)) return {}
  if (partition.isr.length > 0 || !partition.eligibleLeaderReplicas.includes(nodeId)) return undefined
  return { isr: [nodeId], eligibleLeaderReplicas: partition.eligibleLeaderReplicas.filter((brokerId) => brokerId !== nodeId) }
}
