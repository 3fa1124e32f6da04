import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { supportedFeatures } from '../../hub/cluster/index.ts'
import { memoryDisk } from '../../hub/io/index.ts'
import { AccessControlEntryRecord, ErrorCode, encodeMetadataRecord, ZERO_UUID } from '../../hub/wire/index.ts'
import { METADATA_DIRECTORY, openWorld, replayAll } from '../raft/world.ts'
import { crashAndOpen, openCluster, topicSpec } from './world.ts'

const real = { validateOnly: false }

/** Counts the syncs of the metadata log. */
function countSyncs(disk: { intercept: unknown }): { readonly count: () => number } {
  let syncs = 0
  disk.intercept = ({ kind, path }: { kind: string; path: string }): void => {
    if (kind === 'sync' && path.endsWith('.log')) syncs++
  }
  return { count: () => syncs }
}

describe('controller', () => {
  it('starts with itself registered and the features that it serves', async () => {
    const { controller, directory } = await openCluster({ rack: 'r1' })
    const { image } = controller
    const initial = supportedFeatures.filter(({ initialLevel }) => initialLevel > 0).map(({ name, initialLevel }) => [name, initialLevel])
    expect([image.clusterId, image.controllerId, Object.fromEntries(image.features)]).toEqual(['cluster', 1, Object.fromEntries(initial)])
    expect(image.features.get('metadata.version')).toBe(30)
    expect(image.brokers.get(1)).toMatchObject({
      fenced: false,
      rack: 'r1',
      endpoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }],
    })
    await directory.close()
  })

  it('of two requests for one name one makes the topic; the other is told when that is committed', async () => {
    const { controller, directory } = await openCluster()
    const order: string[] = []
    controller.onImage((image) => order.push(`image ${image.topicsByName.has('t')}`))
    const requests = ['first', 'second'].map(async (who) => {
      const [outcome] = await controller.createTopics([topicSpec('t')], real)
      order.push(`${who} ${outcome?.errorCode}`)
    })
    expect(controller.image.topicsByName.has('t')).toBe(false)
    await Promise.all(requests)
    expect(order[0]).toBe('image true')
    expect(order.slice(1).toSorted()).toEqual(['first 0', `second ${ErrorCode.TOPIC_ALREADY_EXISTS}`])
    await directory.close()
  })

  it('a topic deleted and made again before the first sync is one topic with the second id', async () => {
    const { controller, directory } = await openCluster()
    await controller.createTopics([topicSpec('t')], real)
    const [, [made]] = await Promise.all([
      controller.deleteTopics([{ name: 't', topicId: ZERO_UUID }]),
      controller.createTopics([topicSpec('t')], real),
    ])
    expect(controller.image.topicsByName.get('t')?.topicId).toBe(made?.topicId)
    expect(controller.image.topicsById.size).toBe(1)
    await directory.close()
  })

  it('many requests at once are few syncs, and one request is one batch', async () => {
    const { controller, directory, disk, metadataLog } = await openCluster()
    const syncs = countSyncs(disk)
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, n) => controller.createTopics([topicSpec(`t${n}`, { partitionCount: 3 })], real)),
    )
    expect(outcomes.flat().every(({ errorCode }) => errorCode === 0)).toBe(true)
    expect(controller.image.topicsByName.size).toBe(300)
    expect(syncs.count()).toBeLessThanOrEqual(3)
    const before = { endOffset: metadataLog.endOffset, syncs: syncs.count() }
    await controller.createTopics([topicSpec('a', { partitionCount: 50 }), topicSpec('b', { partitionCount: 50 })], real)
    expect([metadataLog.endOffset - before.endOffset, syncs.count() - before.syncs]).toEqual([102, 1])
    await directory.close()
  })

  it('validateOnly answers as if, and changes nothing', async () => {
    const { controller, directory, metadataLog } = await openCluster()
    const before = metadataLog.endOffset
    const [dry] = await controller.createTopics([topicSpec('t', { partitionCount: 2 })], { validateOnly: true })
    expect(dry).toMatchObject({ errorCode: 0, partitionCount: 2, replicationFactor: 1 })
    const change = {
      resource: { type: 'broker', name: '' } as const,
      operations: [{ name: 'log.retention.ms', operation: 'set', value: '1' } as const],
    }
    await controller.incrementalAlterConfigs([change], { validateOnly: true })
    expect([metadataLog.endOffset, controller.image.topicsByName.size]).toEqual([before, 0])
    await directory.close()
  })

  it('a refused part never disturbs the others', async () => {
    const { controller, directory } = await openCluster()
    const outcomes = await controller.createTopics(
      [topicSpec('good'), topicSpec('bad name'), topicSpec('bad', { replicationFactor: 2 })],
      real,
    )
    expect(outcomes.map(({ errorCode }) => errorCode)).toEqual([0, ErrorCode.INVALID_TOPIC_EXCEPTION, ErrorCode.INVALID_REPLICATION_FACTOR])
    expect([...controller.image.topicsByName.keys()]).toEqual(['good'])
    await directory.close()
  })

  it('caps a replication factor that nobody set, and means one that somebody did', async () => {
    const capped = await openCluster({ settings: { replicationFactor: 3, replicationFactorSet: false } })
    expect((await capped.controller.createTopics([topicSpec('t')], real))[0]).toMatchObject({ errorCode: 0, replicationFactor: 1 })
    await capped.directory.close()
    const meant = await openCluster({ settings: { replicationFactor: 3, replicationFactorSet: true } })
    expect((await meant.controller.createTopics([topicSpec('t')], real))[0]?.errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    await meant.directory.close()
  })

  it('bounds the partitions of a request and of the cluster', async () => {
    const { controller, directory } = await openCluster({ clusterLimits: { requestPartitionsMax: 10, clusterPartitionsMax: 15 } })
    const excessive = [topicSpec('a', { partitionCount: 6 }), topicSpec('b', { partitionCount: 5 })]
    for (const outcome of await controller.createTopics(excessive, real)) {
      expect(outcome).toMatchObject({
        errorCode: ErrorCode.POLICY_VIOLATION,
        errorMessage: 'Excessively large number of partitions per request.',
      })
    }
    await controller.createTopics([topicSpec('a', { partitionCount: 10 })], real)
    const message = 'The cluster has 10 partitions; 6 more would pass its limit of 15.'
    expect((await controller.createTopics([topicSpec('b', { partitionCount: 6 })], real))[0]).toMatchObject({ errorMessage: message })
    const grown = await controller.createPartitions([{ name: 'a', count: 16, assignments: null }], real)
    expect(grown[0]).toMatchObject({ errorCode: ErrorCode.POLICY_VIOLATION, errorMessage: message })
    await controller.deleteTopics([{ name: 'a', topicId: ZERO_UUID }])
    expect((await controller.createTopics([topicSpec('b', { partitionCount: 10 })], real))[0]?.errorCode).toBe(0)
    await directory.close()
  })

  it('refuses a setting that is too long, at creation and later', async () => {
    const { controller, directory } = await openCluster()
    const value = Array.from({ length: 6000 }, (_, n) => `${n}:1`).join(',')
    expect(value.length).toBeGreaterThan(32_767)
    const name = 'leader.replication.throttled.replicas'
    const [made] = await controller.createTopics([topicSpec('t', { configs: [{ name, value }] })], real)
    await controller.createTopics([topicSpec('t')], real)
    const resource = { type: 'topic', name: 't' } as const
    const [altered] = await controller.incrementalAlterConfigs([{ resource, operations: [{ name, operation: 'set', value }] }], real)
    const [replaced] = await controller.replaceConfigs([{ resource, entries: [{ name, value }] }], real)
    for (const outcome of [made, altered, replaced]) {
      expect(outcome?.errorCode).toBe(ErrorCode.INVALID_CONFIG)
      expect(outcome?.errorMessage).toContain('exceeds the maximum value size of 32767 bytes')
    }
    await directory.close()
  })

  it('a resource that a request names twice is refused, each time', async () => {
    const { controller, directory } = await openCluster()
    const change = { resource: { type: 'group', name: 'g' } as const, operations: [] }
    const outcomes = await controller.incrementalAlterConfigs([change, change], real)
    expect(outcomes.map(({ errorMessage }) => errorMessage)).toEqual(Array(2).fill('Each resource must appear at most once.'))
    await directory.close()
  })

  it('deleting by name and by id in one request removes it once', async () => {
    const { controller, directory } = await openCluster()
    const [made] = await controller.createTopics([topicSpec('t')], real)
    const topicId = made?.topicId as string
    const outcomes = await controller.deleteTopics([
      { name: null, topicId },
      { name: 't', topicId: ZERO_UUID },
      { name: null, topicId: ZERO_UUID },
    ])
    expect(outcomes).toEqual([
      { name: 't', topicId, errorCode: 0, errorMessage: null },
      {
        name: 't',
        topicId: ZERO_UUID,
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: 'The provided topic name maps to an ID that was already supplied.',
      },
      { name: null, topicId: ZERO_UUID, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Neither topic name nor id were specified.' },
    ])
    await directory.close()
  })

  it('the metadata topic cannot be made', async () => {
    const { controller, directory } = await openCluster()
    const [outcome] = await controller.createTopics([topicSpec('__cluster_metadata')], real)
    expect(outcome).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Creation of internal topic __cluster_metadata is prohibited.',
    })
    await directory.close()
  })
})

describe('controller and faults', () => {
  it('after a crash it knows everything it answered for, and leads every partition in a new epoch', async () => {
    const world = await openCluster()
    await world.controller.createTopics([topicSpec('kept', { partitionCount: 2 })], real)
    const block = await world.controller.allocateProducerIds(1000)
    const unanswered = world.controller.createTopics([topicSpec('torn')], real).catch(() => undefined)
    const again = await crashAndOpen(world)
    await unanswered
    const kept = again.controller.image.topicsByName.get('kept')
    expect(kept?.partitions.map(({ leader, leaderEpoch, isr }) => [leader, leaderEpoch, isr])).toEqual([
      [1, 1, [1]],
      [1, 1, [1]],
    ])
    expect(again.controller.image.topicsByName.has('torn')).toBe(false)
    expect((await again.controller.allocateProducerIds(1000)).first).toBe(block.first + block.count)
    await again.directory.close()
  })

  it('a failed sync fails the request by code, every later one too, and a restart has what was answered', async () => {
    const world = await openCluster()
    await world.controller.createTopics([topicSpec('kept')], real)
    world.disk.failNextSync()
    const [lost] = await world.controller.createTopics([topicSpec('lost')], real)
    const [later] = await world.controller.createTopics([topicSpec('later')], real)
    const [known] = await world.controller.createTopics([topicSpec('lost')], real)
    for (const outcome of [lost, later, known]) expect(outcome?.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    await expect(world.controller.allocateProducerIds(1)).rejects.toThrow()
    const again = await crashAndOpen(world)
    expect([...again.controller.image.topicsByName.keys()]).toEqual(['kept'])
    await again.directory.close()
  })

  it('a full device fails the request and is forgotten once there is room', async () => {
    const { controller, directory, disk } = await openCluster()
    disk.setLimitBytes(disk.usedBytes() + 20)
    const [full] = await controller.createTopics([topicSpec('t', { partitionCount: 20 })], real)
    expect(full?.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    disk.setLimitBytes(Number.MAX_SAFE_INTEGER)
    let made = await controller.createTopics([topicSpec('t', { partitionCount: 2 })], real)
    for (let tries = 0; made[0]?.errorCode !== 0 && tries < 20; tries++)
      made = await controller.createTopics([topicSpec('t', { partitionCount: 2 })], real)
    expect(made[0]).toMatchObject({ errorCode: 0, partitionCount: 2 })
    expect(controller.image.topicsByName.get('t')?.partitions).toHaveLength(2)
    await directory.close()
  })

  it('a change that would be too large a batch is refused by code, not by a crash', async () => {
    const { controller, directory } = await openCluster({ limits: { batchBytesMax: 2000 } })
    const [outcome] = await controller.createTopics([topicSpec('t', { partitionCount: 500 })], real)
    expect(outcome?.errorCode).toBe(ErrorCode.RECORD_LIST_TOO_LARGE)
    expect((await controller.createTopics([topicSpec('t', { partitionCount: 5 })], real))[0]?.errorCode).toBe(0)
    await directory.close()
  })

  it('a log with records of a feature that is not served is refused by name', async () => {
    const world = await openWorld()
    await replayAll(world.metadataLog)
    await world.metadataLog.start()
    const acl = {
      id: ZERO_UUID,
      resourceType: 2,
      resourceName: 't',
      patternType: 3,
      principal: 'User:a',
      host: '*',
      operation: 3,
      permissionType: 2,
    }
    const proposal = world.metadataLog.append([encodeMetadataRecord(AccessControlEntryRecord, acl)])
    if (proposal.kind === 'refused') throw new Error(proposal.message)
    await proposal.committed
    await world.directory.close()
    await expect(openCluster({ disk: world.disk })).rejects.toThrow(
      'AccessControlEntryRecord belongs to a feature that this release does not serve',
    )
  })

  it('takes over a directory of Kafka 4.3.1 that was shut down: its topics have a leader again', async () => {
    const golden = join(import.meta.dirname, '../golden/raft/kafka-4.3.1')
    const disk = memoryDisk({ directories: [METADATA_DIRECTORY] })
    const put = (name: string, bytes: Buffer): Promise<void> => disk.writeFileAtomic(`${METADATA_DIRECTORY}/${name}`, bytes)
    await put('00000000000000000000.log', readFileSync(join(golden, 'segment.bin')))
    await put('00000000000000000065-0000000001.checkpoint', readFileSync(join(golden, '65-1.checkpoint')))
    await put('quorum-state', readFileSync(join(golden, 'quorum-state')))
    await disk.writeFileAtomic(
      '/data/log/meta.properties',
      Buffer.from('version=1\nnode.id=1\ncluster.id=cluster\ndirectory.id=7aNGyXpnR-66FKiIgMzdKA\n'),
    )
    const world = await openCluster({ disk })
    const { image } = world.controller
    expect([...image.topicsByName.keys()].toSorted()).toEqual(['orders', 'wide'])
    expect(image.topicsByName.get('orders')?.partitions[2]).toMatchObject({ leader: 1, leaderEpoch: 2, isr: [1], partitionEpoch: 2 })
    expect(image.configs.get('topic:orders')).toEqual(new Map([['retention.ms', '5000']]))
    expect([...image.features.keys()].toSorted()).toEqual(['group.version', 'metadata.version', 'transaction.version'])
    await world.directory.close()
  })
})
