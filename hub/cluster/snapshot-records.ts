/**
 * @module cluster/snapshot-records — an image as metadata records: what a snapshot holds. Applied to an empty image they give the same image.
 */
import {
  ConfigRecord,
  encodeMetadataRecord,
  FeatureLevelRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  TopicRecord,
  UserScramCredentialRecord,
} from '../wire/index.ts'
import { registerBrokerValue } from './broker-records.ts'
import { resourceOfKey } from './config-resources.ts'
import { METADATA_VERSION, METADATA_VERSION_LEVEL, recordVersions } from './features.ts'
import type { ClusterImage } from './image.ts'
import { partitionValue } from './topic-records.ts'

/** The records, framed, made as they are asked for; the level of `metadata.version` comes first, as readers need it to be. */
export function* snapshotRecords(image: ClusterImage): Generator<Buffer, void, undefined> {
  const level = image.features.get(METADATA_VERSION) ?? METADATA_VERSION_LEVEL
  const versions = recordVersions(level)
  for (const [name, featureLevel] of [...image.features, ...image.otherFeatures]) {
    yield encodeMetadataRecord(FeatureLevelRecord, { name, featureLevel })
  }
  for (const broker of image.brokers.values()) {
    yield encodeMetadataRecord(RegisterBrokerRecord, registerBrokerValue(broker), versions.registerBroker)
  }
  for (const { name, topicId, partitions } of image.topicsByName.values()) {
    yield encodeMetadataRecord(TopicRecord, { name, topicId })
    for (const partition of partitions) {
      yield encodeMetadataRecord(PartitionRecord, partitionValue(topicId, partition), versions.partition)
    }
  }
  for (const [key, overrides] of image.configs) {
    for (const [name, value] of overrides) yield encodeMetadataRecord(ConfigRecord, { ...resourceOfKey(key), name, value })
  }
  for (const credential of image.scramCredentials.values()) yield encodeMetadataRecord(UserScramCredentialRecord, { ...credential })
  if (image.nextProducerId > 0) {
    yield encodeMetadataRecord(ProducerIdsRecord, { brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId })
  }
}
