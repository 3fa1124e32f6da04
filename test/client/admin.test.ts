/** The admin with a real broker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer, createProducer, KafkaError } from '../../hub/client/index.ts'
import { ApiVersions, DeleteRecords, OffsetDelete } from '../../hub/wire/index.ts'
import { eventually, type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(() => broker.close())

/** Whether the broker has the API. */
async function offers(apiKey: number): Promise<boolean> {
  const { apiKeys } = await broker.admin.request('any', ApiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
  return apiKeys.some((one) => one.apiKey === apiKey)
}

async function fill(topic: string, count: number): Promise<void> {
  const producer = createProducer({ bootstrapServers: broker.bootstrap })
  await producer.sendBatch(
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition: 0,
      value: `${index}`,
      timestampMs: 1_000 + index,
    })),
  )
  await producer.close()
}

describe('an admin', () => {
  it('makes, lists, describes, widens and deletes topics, with an outcome for each', async () => {
    const name = broker.name('admin')
    const { admin } = broker
    const dry = await admin.createTopics([{ name, partitionCount: 2 }], {
      validateOnly: true,
    })
    expect(dry).toMatchObject([{ name, partitionCount: 2, error: null }])
    expect((await admin.listTopics()).map((topic) => topic.name)).not.toContain(name)

    const made = await admin.createTopics([
      {
        name,
        partitionCount: 2,
        replicationFactor: 1,
        configs: { 'retention.ms': '1000' },
      },
      { name: 'no spaces allowed' },
    ])
    const outcome = new Map(made.map((topic) => [topic.name, topic.error]))
    expect(outcome.get(name)).toBe(null)
    expect(outcome.get('no spaces allowed')).toMatchObject({
      name: 'INVALID_TOPIC_EXCEPTION',
      code: 17,
      retriable: false,
    })
    expect((await admin.createTopics([{ name }]))[0]?.error).toMatchObject({
      name: 'TOPIC_ALREADY_EXISTS',
    })

    const listed = (await admin.listTopics()).find((topic) => topic.name === name)
    expect(listed).toMatchObject({ isInternal: false })
    const [described, missing] = await admin.describeTopics([name, broker.name('missing')])
    expect(described).toMatchObject({ topicId: listed?.topicId, error: null })
    expect(described?.partitions.map(({ partition, replicas }) => [partition, replicas.length])).toEqual([
      [0, 1],
      [1, 1],
    ])
    expect(missing?.error).toBeInstanceOf(KafkaError)
    expect(missing?.error?.name).toBe('UNKNOWN_TOPIC_OR_PARTITION')

    expect(await admin.createPartitions([{ name, totalCount: 4 }])).toMatchObject([{ name, error: null }])
    expect(await admin.createPartitions([{ name, totalCount: 3 }])).toMatchObject([{ error: { name: 'INVALID_PARTITIONS' } }])
    // Kafka's controller answers before its broker has heard of it.
    await eventually(async () => (await admin.describeTopics([name]))[0]?.partitions.length === 4)

    const gone = await admin.deleteTopics([name, broker.name('missing')])
    expect(gone.find((topic) => topic.name === name)?.error).toBe(null)
    expect(gone.find((topic) => topic.name !== name)?.error).toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  it('reads and changes settings', async () => {
    const name = await broker.topic({ configs: { 'retention.ms': '1000' } })
    const { admin } = broker
    const read = async () => {
      const [described] = await admin.describeConfigs([{ type: 'topic', name, names: ['retention.ms', 'cleanup.policy'] }], {
        includeSynonyms: true,
      })
      return new Map(described?.entries.map((entry) => [entry.name, entry]))
    }
    await eventually(async () => (await read()).has('retention.ms'))
    expect((await read()).get('retention.ms')).toMatchObject({
      value: '1000',
      source: 'DYNAMIC_TOPIC_CONFIG',
      type: 'LONG',
      isSensitive: false,
    })
    const altered = await admin.incrementalAlterConfigs([
      {
        type: 'topic',
        name,
        changes: [
          { name: 'retention.ms', operation: 'delete' },
          { name: 'cleanup.policy', operation: 'set', value: 'compact' },
        ],
      },
      {
        type: 'topic',
        name: broker.name('missing'),
        changes: [{ name: 'retention.ms', operation: 'set', value: '1' }],
      },
    ])
    expect(altered[0]?.error).toBe(null)
    expect(altered[1]?.error).toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await eventually(async () => (await read()).get('cleanup.policy')?.value === 'compact')
    expect((await read()).get('retention.ms')?.source).not.toBe('DYNAMIC_TOPIC_CONFIG')
    const refused = await admin.incrementalAlterConfigs([
      {
        type: 'topic',
        name,
        changes: [{ name: 'retention.ms', operation: 'set', value: 'long' }],
      },
    ])
    expect(refused[0]?.error).toMatchObject({ name: 'INVALID_CONFIG' })
  })

  it('describes the cluster and the settings of one broker', async () => {
    const cluster = await broker.admin.describeCluster()
    expect(cluster.clusterId).toMatch(/^[\w-]{22}$/)
    const [node] = cluster.brokers
    expect(node?.port).toBe(Number(broker.bootstrap.split(':').at(-1)))
    const [described] = await broker.admin.describeConfigs([{ type: 'broker', name: String(node?.nodeId) }])
    expect(described?.error).toBe(null)
    expect(described?.entries.find(({ name }) => name === 'log.retention.hours')?.type).toBe('INT')
  })

  it('finds offsets by place and time', async () => {
    const topic = await broker.topic({ configs: { 'retention.ms': '-1' } })
    await fill(topic, 10)
    const at = (query: Parameters<typeof broker.admin.listOffsets>[0][number]['at']) => ({ topic, partition: 0, at: query })
    const list = async (query: Parameters<typeof broker.admin.listOffsets>[0][number]['at']) =>
      (await broker.admin.listOffsets([at(query)]))[0]
    expect(await list('earliest')).toMatchObject({ offset: 0, error: null })
    expect(await list('latest')).toMatchObject({ offset: 10 })
    expect(await list('max-timestamp')).toMatchObject({
      offset: 9,
      timestampMs: 1_009,
    })
    expect(await list({ timestampMs: 1_004 })).toMatchObject({
      offset: 4,
      timestampMs: 1_004,
    })
    expect(await list({ timestampMs: 5_000 })).toMatchObject({ offset: -1 })
    const missing = await broker.admin.listOffsets([
      { topic, partition: 5, at: 'latest' },
      { topic: broker.name('missing'), partition: 0, at: 'latest' },
    ])
    expect(missing.map(({ error }) => error?.name)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'])
  })

  it('describes a group with members, and lists it', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('group')
    const consumer = createConsumer({
      bootstrapServers: broker.bootstrap,
      groupId,
      clientId: 'reader',
      offsetReset: 'earliest',
    })
    consumer.subscribe([topic])
    while (consumer.assignment().length === 0) await consumer.poll(200)
    const [group] = await broker.admin.describeGroups([groupId])
    expect(group).toMatchObject({
      groupId,
      state: 'Stable',
      protocolType: 'consumer',
      protocolName: 'range',
      type: 'classic',
      error: null,
    })
    expect(group?.members).toHaveLength(1)
    expect(group?.members[0]).toMatchObject({
      clientId: 'reader',
      assignment: [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ],
    })
    const listed = await broker.admin.listGroups({ states: ['stable'] })
    expect(listed.find((one) => one.groupId === groupId)).toMatchObject({
      protocolType: 'consumer',
      state: 'Stable',
    })
    expect((await broker.admin.deleteGroups([groupId]))[0]?.error).toMatchObject({ name: 'NON_EMPTY_GROUP' })
    await consumer.close()
  })

  it('sets, reads and deletes offsets of a group without members, and the group', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('group')
    const { admin } = broker
    const set = await admin.alterConsumerGroupOffsets(groupId, [
      { topic, partition: 0, offset: 5, metadata: 'note' },
      { topic, partition: 1, offset: 6, leaderEpoch: 0 },
    ])
    expect(set.map(({ error }) => error)).toEqual([null, null])
    expect(await admin.fetchOffsets(groupId)).toEqual([
      { topic, partition: 0, offset: 5, leaderEpoch: -1, metadata: 'note' },
      { topic, partition: 1, offset: 6, leaderEpoch: 0, metadata: '' },
    ])
    expect(await admin.fetchOffsets(groupId, [{ topic, partition: 1 }])).toMatchObject([{ partition: 1, offset: 6 }])
    const [described] = await admin.describeGroups([groupId])
    expect(described).toMatchObject({ state: 'Empty', members: [] })
    const canDelete = await offers(OffsetDelete.key)
    const deleting = admin.deleteConsumerGroupOffsets(groupId, [{ topic, partition: 0 }])
    if (canDelete) {
      expect(await deleting).toMatchObject([{ partition: 0, error: null }])
      expect(await admin.fetchOffsets(groupId)).toHaveLength(1)
    } else await expect(deleting).rejects.toMatchObject({ kind: 'unsupported-version' })
    expect(await admin.deleteGroups([groupId])).toEqual([{ groupId, error: null }])
    expect(await admin.fetchOffsets(groupId)).toEqual([])
  })

  it('deletes records where the broker can', async (context) => {
    if (!(await offers(DeleteRecords.key))) context.skip('the broker does not offer DeleteRecords')
    const topic = await broker.topic({ configs: { 'retention.ms': '-1' } })
    await fill(topic, 10)
    expect(await broker.admin.deleteRecords([{ topic, partition: 0, beforeOffset: 4 }])).toMatchObject([{ lowWatermark: 4, error: null }])
    expect((await broker.admin.listOffsets([{ topic, partition: 0, at: 'earliest' }]))[0]?.offset).toBe(4)
    expect(await broker.admin.deleteRecords([{ topic, partition: 0, beforeOffset: 40 }])).toMatchObject([
      { error: { name: 'OFFSET_OUT_OF_RANGE' } },
    ])
  })
})
