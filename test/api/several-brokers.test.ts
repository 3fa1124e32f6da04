/** Handlers on the metadata of a cluster that had more brokers than this one: what a directory written by Kafka may hold. */
import { describe, expect, it } from 'vitest'
import { listPartitionReassignments } from '../../hub/api/46-list-partition-reassignments.ts'
import { describeCluster } from '../../hub/api/60-describe-cluster.ts'
import { listConfigResources } from '../../hub/api/74-list-config-resources.ts'
import { describeTopicPartitions } from '../../hub/api/75-describe-topic-partitions.ts'
import type { Broker, HandlerDefinition, RequestContext } from '../../hub/api/handler.ts'
import type { Api, RequestOf } from '../../hub/wire/index.ts'
import { imageOf } from '../cluster/several-brokers.ts'

const image = imageOf([
  { replicas: [2, 1], isr: [1], adding: [2], removing: [1] },
  { replicas: [1, 3], isr: [1], eligible: [3] },
])
const broker = {
  nodeId: 1,
  controller: { image },
  config: () => ({ brokerConfig: { 'max.request.partition.size.limit': 2000 } }),
} as unknown as Broker

async function ask<A extends Api>(definition: HandlerDefinition<A>, apiVersion: number, request: RequestOf<A>): Promise<unknown> {
  const context = { apiVersion, connection: { listenerName: 'PLAINTEXT' } } as unknown as RequestContext
  return await definition.create(broker)(request, context)
}

describe('a cluster of several brokers', () => {
  it('is described without fenced brokers unless they are asked for (KIP-1073)', async () => {
    const asked = { includeClusterAuthorizedOperations: false, endpointType: 1 }
    const alive = { brokerId: 1, host: 'host1', port: 9092, rack: null, isFenced: false }
    expect(await ask(describeCluster, 2, { ...asked, includeFencedBrokers: false })).toMatchObject({ brokers: [alive] })
    const fenced = [2, 3].map((brokerId) => ({ ...alive, brokerId, host: `host${brokerId}`, isFenced: true }))
    expect(await ask(describeCluster, 2, { ...asked, includeFencedBrokers: true })).toMatchObject({ brokers: [alive, ...fenced] })
  })

  it('lists the moves that are under way, all or those asked for', async () => {
    const moving = { partitionIndex: 0, replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] }
    expect(await ask(listPartitionReassignments, 0, { timeoutMs: 0, topics: null })).toMatchObject({
      topics: [{ name: 't', partitions: [moving] }],
    })
    const named = (partitionIndexes: number[]) => ({
      timeoutMs: 0,
      topics: [
        { name: 't', partitionIndexes },
        { name: 'none', partitionIndexes: [0] },
      ],
    })
    expect(await ask(listPartitionReassignments, 0, named([0, 9]))).toMatchObject({ topics: [{ name: 't', partitions: [moving] }] })
    expect(await ask(listPartitionReassignments, 0, named([1]))).toMatchObject({ topics: [] })
  })

  it('tells eligible leader replicas with the partitions (KIP-966)', async () => {
    const asked = { topics: [{ name: 't' }], responsePartitionLimit: 10, cursor: null }
    const partitions = [{ eligibleLeaderReplicas: [] }, { eligibleLeaderReplicas: [3], lastKnownElr: [] }]
    expect(await ask(describeTopicPartitions, 0, asked)).toMatchObject({ topics: [{ name: 't', partitions }] })
  })

  it('lists settings of the brokers that are alive only', async () => {
    const { configResources } = (await ask(listConfigResources, 1, { resourceTypes: [4, 8] })) as {
      configResources: { resourceName: string }[]
    }
    expect(configResources.map(({ resourceName }) => resourceName)).toEqual(['1', '1'])
  })
})
