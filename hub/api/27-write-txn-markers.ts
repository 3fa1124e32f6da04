/**
 * @module api/27-write-txn-markers — ends transactions in partitions, whoever decided it: transaction coordinators, and `kafka-transactions abort` for
 * transactions that nobody ends (KIP-664). Versions 1–2.
 *
 * Our own coordinator writes its markers without it. 2: the version of the transaction (KIP-1228). In each partition markers stand in the order
 * of the request; the answer comes when all are synced, and names each producer once.
 */
import { type RequestOf, WriteTxnMarkers } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

type MarkerRequest = RequestOf<typeof WriteTxnMarkers>['markers'][number]

/** Error codes by partition by topic. */
type Results = Map<string, Map<number, number>>

export const writeTxnMarkers = defineHandler({
  api: WriteTxnMarkers,
  overlaps: false,
  create: (broker) => async (request) => {
    const byProducer = new Map<number, Results>()
    await Promise.all(
      request.markers.map((marker) => {
        const results: Results = byProducer.get(marker.producerId) ?? new Map()
        if (marker.topics.length > 0) byProducer.set(marker.producerId, results)
        return write(broker, marker, results)
      }),
    )
    return {
      markers: Array.from(byProducer, ([producerId, results]) => ({
        producerId,
        topics: Array.from(results, ([name, partitions]) => ({
          name,
          partitions: Array.from(partitions, ([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
        })),
      })),
    }
  },
})

async function write(broker: Broker, { topics, ...asked }: MarkerRequest, results: Results): Promise<void> {
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult: isCommit } = asked
  const transactionVersion = asked.transactionVersion <= 0 ? 0 : asked.transactionVersion === 1 ? 1 : 2
  const marker = { producerId, producerEpoch, coordinatorEpoch, isCommit, transactionVersion } as const
  const writes = topics.flatMap(({ name: topic, partitionIndexes }) => {
    const partitions = results.get(topic) ?? new Map<number, number>()
    results.set(topic, partitions)
    return partitionIndexes.map(async (partition) => {
      partitions.set(partition, await broker.markers.write({ topic, partition }, marker))
    })
  })
  await Promise.all(writes)
}
