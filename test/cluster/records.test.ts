import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { recordVersions } from '../../hub/cluster/features.ts'
import { type ClusterImage, emptyImage } from '../../hub/cluster/image.ts'
import { applyRecords } from '../../hub/cluster/records.ts'
import { snapshotRecords } from '../../hub/cluster/snapshot-records.ts'
import { UnusableRecordError } from '../../hub/cluster/unusable-record-error.ts'
import {
  AccessControlEntryRecord,
  BrokerRegistrationChangeRecord,
  batchHeader,
  ClearElrRecord,
  ClientQuotaRecord,
  ConfigRecord,
  decodeBatch,
  encodeMetadataRecord,
  FeatureLevelRecord,
  FenceBrokerRecord,
  forEachBatch,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  RemoveTopicRecord,
  TopicRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
} from '../../hub/wire/index.ts'
import { plainImage } from './plain-image.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAZA'

function apply(image: ClusterImage, ...records: Buffer[]): ClusterImage {
  return applyRecords(image, records, { lastOffset: image.offset + records.length, epoch: 1, timestampMs: 7 })
}

const empty = emptyImage('cluster', 1)
const partition = {
  partitionId: 0,
  topicId: TOPIC_ID,
  replicas: [1, 2],
  isr: [1, 2],
  removingReplicas: [],
  addingReplicas: [],
  leader: 1,
  leaderEpoch: 0,
  partitionEpoch: 0,
}
const withTopic = apply(
  empty,
  encodeMetadataRecord(TopicRecord, { name: 'a.b', topicId: TOPIC_ID }),
  encodeMetadataRecord(PartitionRecord, partition),
)
const registration = {
  brokerId: 1,
  incarnationId: TOPIC_ID,
  brokerEpoch: 3,
  endPoints: [],
  features: [],
  rack: 'r',
  fenced: true,
  logDirs: [],
  cordonedLogDirs: null,
}
const withBroker = apply(empty, encodeMetadataRecord(RegisterBrokerRecord, registration))

const change = (value: Partial<Parameters<typeof PartitionChangeRecord.encode>[0]>): Buffer =>
  encodeMetadataRecord(PartitionChangeRecord, { partitionId: 0, topicId: TOPIC_ID, ...value })

describe('records of topics', () => {
  it('a topic stands under its name and its id, and goes with its settings', () => {
    expect(withTopic.topicsByName.get('a.b')).toBe(withTopic.topicsById.get(TOPIC_ID))
    expect([withTopic.partitionCount, withTopic.collisions.get('a_b')]).toEqual([1, ['a.b']])
    const set = encodeMetadataRecord(ConfigRecord, { resourceType: 2, resourceName: 'a.b', name: 'retention.ms', value: '5' })
    const configured = apply(withTopic, set)
    expect(configured.configs.get('topic:a.b')).toEqual(new Map([['retention.ms', '5']]))
    const removed = apply(configured, encodeMetadataRecord(RemoveTopicRecord, { topicId: TOPIC_ID }))
    expect(plainImage(removed)).toEqual({ ...plainImage(empty), offset: 3, epoch: 1, timestampMs: 7 })
    expect(configured.topicsByName.has('a.b')).toBe(true)
  })

  it('neither name nor id can be taken twice', () => {
    const other = 'AAAAAAAAAAAAAAAAAAAAyA'
    for (const value of [
      { name: 'a.b', topicId: other },
      { name: 'other', topicId: TOPIC_ID },
    ]) {
      expect(() => apply(withTopic, encodeMetadataRecord(TopicRecord, value))).toThrow('one of which is taken')
    }
  })

  it('a change without a leader raises the partition epoch alone, one with a leader both', () => {
    const shrunk = apply(withTopic, change({ isr: [2] })).topicsById.get(TOPIC_ID)?.partitions[0]
    expect(shrunk).toMatchObject({ isr: [2], leader: 1, leaderEpoch: 0, partitionEpoch: 1 })
    const same = apply(withTopic, change({ leader: 1 })).topicsById.get(TOPIC_ID)?.partitions[0]
    expect(same).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 1 })
  })

  it('new replicas have no directory yet, old ones keep theirs', () => {
    const [a, b] = ['AAAAAAAAAAAAAAAAAAAAAw', 'AAAAAAAAAAAAAAAAAAAABA']
    const image = apply(withTopic, change({ directories: [a, b] }), change({ replicas: [2, 3] }))
    expect(image.topicsById.get(TOPIC_ID)?.partitions[0]?.directories).toEqual([b, 'AAAAAAAAAAAAAAAAAAAAAA'])
  })

  it('eligible leaders are cleared by topic or for all', () => {
    const eligible = apply(withTopic, change({ isr: [], leader: -1, eligibleLeaderReplicas: [1], lastKnownElr: [1] }))
    for (const topicName of ['a.b', '']) {
      const cleared = apply(eligible, encodeMetadataRecord(ClearElrRecord, { topicName })).topicsById.get(TOPIC_ID)?.partitions[0]
      expect(cleared).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch: 2 })
    }
  })

  it('a topic that was changed in a batch can go in the same batch', () => {
    const gone = apply(withTopic, change({ leader: 1 }), encodeMetadataRecord(RemoveTopicRecord, { topicId: TOPIC_ID }))
    expect([gone.topicsById.size, gone.topicsByName.size, gone.partitionCount, gone.collisions.size]).toEqual([0, 0, 0, 0])
  })
})

describe('records of brokers, settings, features and producer ids', () => {
  it('a registration is replaced, fenced, unfenced, changed and removed', () => {
    const unfenced = apply(withBroker, encodeMetadataRecord(UnfenceBrokerRecord, { id: 1, epoch: 3 }))
    expect(unfenced.brokers.get(1)).toMatchObject({ fenced: false, rack: 'r', brokerEpoch: 3 })
    expect(apply(unfenced, encodeMetadataRecord(FenceBrokerRecord, { id: 1, epoch: 3 })).brokers.get(1)?.fenced).toBe(true)
    const closing = { brokerId: 1, brokerEpoch: 3, fenced: 1, inControlledShutdown: 1, logDirs: [TOPIC_ID], cordonedLogDirs: [TOPIC_ID] }
    expect(apply(unfenced, encodeMetadataRecord(BrokerRegistrationChangeRecord, closing)).brokers.get(1)).toMatchObject({
      fenced: true,
      inControlledShutdown: true,
      logDirs: [TOPIC_ID],
      cordonedLogDirs: [TOPIC_ID],
    })
    expect(apply(withBroker, encodeMetadataRecord(UnregisterBrokerRecord, { brokerId: 1, brokerEpoch: 3 })).brokers.size).toBe(0)
  })

  it('a null value removes an override, the last one the whole entry', () => {
    const set = (name: string, value: string | null): Buffer =>
      encodeMetadataRecord(ConfigRecord, { resourceType: 4, resourceName: '', name, value })
    const both = apply(empty, set('a', '1'), set('b', '2'))
    expect(both.configs.get('broker:')).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    )
    expect(apply(both, set('a', null)).configs.get('broker:')).toEqual(new Map([['b', '2']]))
    expect(apply(both, set('a', null), set('b', null)).configs.size).toBe(0)
  })

  it('levels of features that are not served are kept apart, level 0 removes', () => {
    const level = (name: string, featureLevel: number): Buffer => encodeMetadataRecord(FeatureLevelRecord, { name, featureLevel })
    const image = apply(
      empty,
      level('metadata.version', 30),
      level('share.version', 1),
      level('streams.version', 1),
      level('streams.version', 0),
    )
    expect([image.features, image.otherFeatures]).toEqual([new Map([['metadata.version', 30]]), new Map([['share.version', 1]])])
    expect(() => apply(empty, level('metadata.version', 31))).toThrow('sets metadata.version to 31; this release has 7 to 30')
  })

  it('the next producer id is the last one said', () => {
    const ids = (nextProducerId: number): Buffer => encodeMetadataRecord(ProducerIdsRecord, { brokerId: 1, brokerEpoch: 3, nextProducerId })
    expect(apply(empty, ids(1000), ids(2000)).nextProducerId).toBe(2000)
  })

  it('what this release cannot honour stops it, by name', () => {
    const acl = {
      id: TOPIC_ID,
      resourceType: 2,
      resourceName: 't',
      patternType: 3,
      principal: 'User:a',
      host: '*',
      operation: 3,
      permissionType: 2,
    }
    const quota = { entity: [], key: 'producer_byte_rate', value: 1, remove: false }
    for (const record of [encodeMetadataRecord(AccessControlEntryRecord, acl), encodeMetadataRecord(ClientQuotaRecord, quota)]) {
      expect(() => apply(empty, record)).toThrow(UnusableRecordError)
    }
  })

  it.each([
    ['RemoveTopicRecord', encodeMetadataRecord(RemoveTopicRecord, { topicId: TOPIC_ID })],
    ['PartitionRecord', encodeMetadataRecord(PartitionRecord, partition)],
    ['PartitionChangeRecord', change({ leader: 1 })],
    ['ClearElrRecord', encodeMetadataRecord(ClearElrRecord, { topicName: 'none' })],
    ['a broker change', encodeMetadataRecord(FenceBrokerRecord, { id: 9, epoch: 1 })],
    ['ConfigRecord', encodeMetadataRecord(ConfigRecord, { resourceType: 3, resourceName: '', name: 'a', value: '1' })],
  ])('%s that contradicts the log is refused', (name, record) => {
    expect(() => apply(empty, record)).toThrow(`metadata log: ${name} `)
  })
})

describe('a log that Kafka 4.3.1 wrote', () => {
  const directory = join(import.meta.dirname, '../golden/raft/kafka-4.3.1')

  /** Applies the data batches of a file that end below `endOffset`. */
  function replay(file: string, from: ClusterImage, endOffset = Number.MAX_SAFE_INTEGER): ClusterImage {
    const bytes = readFileSync(join(directory, file))
    let image = from
    forEachBatch(bytes, (at) => {
      const lastOffset = batchHeader.lastOffset(bytes, at)
      if (batchHeader.isControl(bytes, at) || lastOffset >= endOffset) return
      const records = decodeBatch(bytes, at).records.map(({ value }) => value as Buffer)
      image = applyRecords(image, records, { lastOffset, epoch: 1, timestampMs: batchHeader.maxTimestampMs(bytes, at) })
    })
    return image
  }

  it('gives the image that its own snapshot gives', () => {
    const position = { offset: 0, epoch: 0, timestampMs: 0 }
    const fromSnapshot = replay('65-1.checkpoint', empty)
    const fromLog = replay('segment.bin', empty, 65)
    expect({ ...plainImage(fromLog), ...position }).toEqual({ ...plainImage(fromSnapshot), ...position })
    expect([...fromLog.topicsByName.keys()].toSorted()).toEqual(['orders', 'wide'])
    expect(fromLog.configs.get('topic:orders')).toEqual(new Map([['retention.ms', '5000']]))
    expect(fromLog.otherFeatures.get('share.version')).toBe(1)
  })

  it('survives our own snapshot, the controlled shutdown at its end included', () => {
    const image = replay('segment.bin', empty)
    expect(image.topicsByName.get('orders')?.partitions[0]).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1] })
    const { offset, epoch, timestampMs } = image
    const again = applyRecords(empty, [...snapshotRecords(image)], { lastOffset: offset, epoch, timestampMs })
    expect(plainImage(again)).toEqual(plainImage(image))
  })
})

describe('record versions', () => {
  it.each([
    [7, { registerBroker: 1, partition: 0, partitionChange: 0 }],
    [8, { registerBroker: 2, partition: 0, partitionChange: 0 }],
    [17, { registerBroker: 3, partition: 1, partitionChange: 1 }],
    [23, { registerBroker: 3, partition: 2, partitionChange: 2 }],
    [30, { registerBroker: 4, partition: 2, partitionChange: 2 }],
  ])('at metadata.version %i', (level, versions) => expect(recordVersions(level)).toEqual(versions))
})
