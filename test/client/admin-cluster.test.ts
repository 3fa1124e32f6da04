/** The admin's calls about transactions, producers, features, the quorum and replicas, with a real broker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProducer, createTransactionalProducer } from '../../hub/client/index.ts'
import {
  AlterPartitionReassignments,
  DescribeProducers,
  DescribeQuorum,
  ElectLeaders,
  EndTxn,
  ListConfigResources,
  UnregisterBroker,
  UpdateFeatures,
  WriteTxnMarkers,
} from '../../hub/wire/index.ts'
import { needApi, type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(() => broker.close())

describe('an admin', () => {
  it('lists and describes transactions, and puts out a producer', async (context) => {
    await needApi(broker, context, EndTxn.key)
    const { admin } = broker
    const topic = await broker.topic({ partitionCount: 2 })
    const transactionalId = broker.name('listed')
    const producer = createTransactionalProducer({ bootstrapServers: broker.bootstrap, transactionalId, transactionTimeoutMs: 50_000 })
    await producer.initTransactions()
    producer.beginTransaction()
    await Promise.all([0, 1].map((partition) => producer.send({ topic, partition, value: 'v' })))
    const [described] = await admin.describeTransactions([transactionalId])
    expect(described).toMatchObject({ transactionalId, state: 'Ongoing', timeoutMs: 50_000, error: null })
    expect(described?.startTimeMs).toBeGreaterThan(0)
    expect(described?.partitions.map(({ partition }) => partition).sort()).toEqual([0, 1])
    const { producerId = -1, producerEpoch = -1, coordinatorId = -1 } = described ?? {}

    const listed = { transactionalId, producerId, state: 'Ongoing', coordinatorId }
    expect(await admin.listTransactions()).toContainEqual(listed)
    expect(await admin.listTransactions({ states: ['Ongoing'], producerIds: [producerId] })).toEqual([listed])
    expect(await admin.listTransactions({ states: ['CompleteCommit'], producerIds: [producerId] })).toEqual([])
    expect(await admin.listTransactions({ producerIds: [producerId], durationMs: 1_000_000 })).toEqual([])
    expect(await admin.listTransactions({ transactionalIdPattern: `${transactionalId}.*` })).toEqual([listed])
    expect((await admin.describeTransactions([broker.name('nobody')]))[0]?.error).toMatchObject({ name: 'TRANSACTIONAL_ID_NOT_FOUND' })

    const [first, absent] = await admin.describeProducers([
      { topic, partition: 0 },
      { topic: broker.name('absent'), partition: 0 },
    ])
    expect(first).toMatchObject({
      topic,
      partition: 0,
      error: null,
      producers: [{ producerId, producerEpoch, lastSequence: 0, currentTransactionStartOffset: 0 }],
    })
    expect(absent?.error).toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(await admin.describeProducers([{ topic, partition: 1 }], { brokerId: coordinatorId })).toMatchObject([
      { partition: 1, error: null },
    ])

    const [fenced] = await admin.fenceProducers([transactionalId])
    expect(fenced).toMatchObject({ transactionalId, producerId, error: null })
    expect(fenced?.producerEpoch).toBeGreaterThan(producerEpoch)
    await expect(producer.commitTransaction()).rejects.toMatchObject({ kind: 'fatal' })
    await producer.close()
  }, 60_000)

  it('aborts a transaction in one partition, past its coordinator', async (context) => {
    await needApi(broker, context, EndTxn.key)
    await needApi(broker, context, WriteTxnMarkers.key)
    const { admin } = broker
    const topic = await broker.topic()
    const transactionalId = broker.name('hanging')
    const producer = createTransactionalProducer({ bootstrapServers: broker.bootstrap, transactionalId })
    await producer.initTransactions()
    producer.beginTransaction()
    await producer.send({ topic, partition: 0, value: 'v' })
    const stableEnd = async () =>
      (await admin.listOffsets([{ topic, partition: 0, at: 'latest' }], { isolation: 'read_committed' }))[0]?.offset
    expect(await stableEnd()).toBe(0)
    const [described] = await admin.describeProducers([{ topic, partition: 0 }])
    const { producerId = -1, producerEpoch = -1 } = described?.producers[0] ?? {}
    await admin.abortTransaction({ topic, partition: 0, producerId, producerEpoch, coordinatorEpoch: 0 })
    await expect.poll(stableEnd).toBe(2)
    await expect(admin.abortTransaction({ topic, partition: 9, producerId, producerEpoch, coordinatorEpoch: 0 })).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await admin.fenceProducers([transactionalId])
    await producer.close()
  }, 60_000)

  it('tells of producers without transactions', async (context) => {
    await needApi(broker, context, DescribeProducers.key)
    const topic = await broker.topic()
    const producer = createProducer({ bootstrapServers: broker.bootstrap })
    await producer.send({ topic, partition: 0, value: 'v' })
    await producer.close()
    const [described] = await broker.admin.describeProducers([{ topic, partition: 0 }])
    expect(described?.producers).toMatchObject([
      { producerEpoch: 0, lastSequence: 0, coordinatorEpoch: -1, currentTransactionStartOffset: -1 },
    ])
  }, 60_000)

  it('tells and changes features', async (context) => {
    await needApi(broker, context, UpdateFeatures.key)
    const { supported, finalized, finalizedEpoch } = await broker.admin.describeFeatures()
    expect(supported.map(({ name }) => name)).toContain('metadata.version')
    const level = finalized.find(({ name }) => name === 'metadata.version')?.maxVersionLevel ?? 0
    expect(level).toBeGreaterThan(0)
    expect(finalizedEpoch).toBeGreaterThan(0)
    const [same] = await broker.admin.updateFeatures([{ feature: 'metadata.version', maxVersionLevel: level, upgradeType: 'upgrade' }], {
      validateOnly: true,
    })
    expect(same).toMatchObject({ feature: 'metadata.version' })
    const [unknown] = await broker.admin.updateFeatures([{ feature: 'no.such.feature', maxVersionLevel: 1, upgradeType: 'upgrade' }])
    expect(unknown?.error).not.toBe(null)
  }, 60_000)

  it('describes the metadata quorum', async (context) => {
    await needApi(broker, context, DescribeQuorum.key)
    const quorum = await broker.admin.describeQuorum()
    expect(quorum.leaderId).toBeGreaterThanOrEqual(0)
    expect(quorum.leaderEpoch).toBeGreaterThan(0)
    const leader = quorum.voters.find(({ replicaId }) => replicaId === quorum.leaderId)
    expect(leader?.logEndOffset).toBeGreaterThanOrEqual(quorum.highWatermark)
    expect(leader?.directoryId).not.toBe('')
  }, 60_000)

  it('elects leaders and moves replicas as far as one broker can', async (context) => {
    await needApi(broker, context, ElectLeaders.key)
    await needApi(broker, context, AlterPartitionReassignments.key)
    const { admin } = broker
    const topic = await broker.topic()
    const at = { topic, partition: 0 }
    expect((await admin.electLeaders('preferred', [at]))[0]?.error).toMatchObject({ name: 'ELECTION_NOT_NEEDED' })
    expect((await admin.electLeaders('unclean', [{ topic, partition: 9 }]))[0]?.error).toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(Array.isArray(await admin.electLeaders('preferred', null))).toBe(true)
    const [brokerId = 0] = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId)
    const moved = await admin.alterPartitionReassignments([
      { ...at, replicas: [brokerId] },
      { topic, partition: 9, replicas: [brokerId] },
    ])
    expect(moved.map(({ partition, error }) => [partition, error?.name ?? null])).toEqual([
      [0, null],
      [9, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    expect((await admin.alterPartitionReassignments([{ ...at, replicas: null }]))[0]?.error).toMatchObject({
      name: 'NO_REASSIGNMENT_IN_PROGRESS',
    })
    expect(await admin.listPartitionReassignments()).toEqual([])
    expect(await admin.listPartitionReassignments([at])).toEqual([])
  }, 60_000)

  it('lists what has settings, and unregisters no broker that is not there', async (context) => {
    await needApi(broker, context, ListConfigResources.key)
    await needApi(broker, context, UnregisterBroker.key)
    const { admin } = broker
    const topic = await broker.topic()
    expect(await admin.listConfigResources(['topic'])).toContainEqual({ type: 'topic', name: topic })
    const types = new Set((await admin.listConfigResources()).map(({ type }) => type))
    expect(types).toContain('broker')
    await expect(admin.unregisterBroker(4_711)).rejects.toMatchObject({ name: 'BROKER_ID_NOT_REGISTERED' })
  }, 60_000)
})
