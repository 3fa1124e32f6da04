/**
 * @module cluster/unregister-broker — decides on the removal of a broker's registration (KIP-631), such as a data directory of Kafka's has
 * of the cluster's other brokers. Source of the message: org.apache.kafka.controller.ReplicationControlManager of Kafka 4.3.1.
 */
import { ErrorCode, encodeMetadataRecord, PartitionChangeRecord, UnregisterBrokerRecord } from '../wire/index.ts'
import { type Circumstances, type Decision, isActive, problem, SUCCESS, versionsOf } from './decision.ts'
import type { PartitionState } from './image.ts'
import { NO_LEADER } from './topic-records.ts'
import type { Outcome } from './types.ts'

/** It leads nothing and is in sync with nothing from then on. This node itself cannot be taken away: nobody would be left. */
export function decideUnregisterBroker(circumstances: Circumstances, brokerId: number): Decision<Outcome> {
  const { image, nodeId } = circumstances
  const broker = image.brokers.get(brokerId)
  if (broker === undefined) {
    const unknown = problem(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ID ${brokerId} is not currently registered`)
    return { records: [], outcomes: [unknown] }
  }
  if (brokerId === nodeId) {
    const own = problem(ErrorCode.INVALID_REQUEST, `Broker ${brokerId} is this node, which is running; it cannot be unregistered.`)
    return { records: [], outcomes: [own] }
  }
  const { partitionChange: version } = versionsOf(image)
  const records: Buffer[] = []
  for (const { topicId, partitions } of image.topicsByName.values()) {
    for (const partition of partitions) {
      const changes = without(circumstances, partition, brokerId)
      if (changes === undefined) continue
      records.push(encodeMetadataRecord(PartitionChangeRecord, { partitionId: partition.partition, topicId, ...changes }, version))
    }
  }
  records.push(encodeMetadataRecord(UnregisterBrokerRecord, { brokerId, brokerEpoch: broker.brokerEpoch }))
  return { records, outcomes: [SUCCESS] }
}

/** A last member of the ISR stays in it, so that it is known who has everything. */
function without({ image }: Circumstances, partition: PartitionState, brokerId: number) {
  const { isr, leader, eligibleLeaderReplicas } = partition
  const remaining = isr.filter((member) => member !== brokerId)
  const changes = {
    ...(remaining.length < isr.length && remaining.length > 0 ? { isr: remaining } : {}),
    ...(leader === brokerId ? { leader: remaining.find((member) => isActive(image.brokers.get(member))) ?? NO_LEADER } : {}),
    ...(eligibleLeaderReplicas.includes(brokerId)
      ? { eligibleLeaderReplicas: eligibleLeaderReplicas.filter((member) => member !== brokerId) }
      : {}),
  }
  return Object.keys(changes).length === 0 ? undefined : changes
}
