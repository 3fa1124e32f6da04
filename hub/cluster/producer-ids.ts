/** @module cluster/producer-ids — hands out blocks of producer ids (KIP-730). */
import { encodeMetadataRecord, ProducerIdsRecord } from '../wire/index.ts'
import type { Circumstances, Decision } from './decision.ts'

export interface ProducerIdBlock {
  readonly first: number
  readonly count: number
}

/** The block behind the last one; what a broker does not use of it is lost, never given again. */
export function decideProducerIds({ image, nodeId }: Circumstances, count: number): Decision<ProducerIdBlock> {
  const first = image.nextProducerId
  const nextProducerId = first + count
  if (count < 1 || !Number.isSafeInteger(nextProducerId)) throw new RangeError(`no block of ${count} producer ids behind ${first}`)
  const brokerEpoch = image.brokers.get(nodeId)?.brokerEpoch ?? -1
  return {
    records: [encodeMetadataRecord(ProducerIdsRecord, { brokerId: nodeId, brokerEpoch, nextProducerId })],
    outcomes: [{ first, count }],
  }
}
