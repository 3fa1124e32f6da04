/**
 * @module cluster/bootstrap — the first records of a new cluster.
 *
 * As Kafka 4.3.1 writes them, less the features that are not served here: the levels of the features, and the cluster's
 * `min.insync.replicas` as a dynamic default, so that the setting describes itself as Kafka's does.
 */
import { ConfigRecord, encodeMetadataRecord, FeatureLevelRecord } from '../wire/index.ts'
import { resourceTypeNumber } from './config-resources.ts'
import type { ClusterSettings } from './decision.ts'
import { METADATA_VERSION, supportedFeatures } from './features.ts'

export function bootstrapRecords({ minInsyncReplicas }: ClusterSettings): Buffer[] {
  const metadataVersionFirst = supportedFeatures.toSorted(
    (one, other) => Number(other.name === METADATA_VERSION) - Number(one.name === METADATA_VERSION),
  )
  return [
    ...metadataVersionFirst
      .filter(({ initialLevel }) => initialLevel > 0)
      .map(({ name, initialLevel }) => encodeMetadataRecord(FeatureLevelRecord, { name, featureLevel: initialLevel })),
    encodeMetadataRecord(ConfigRecord, {
      resourceType: resourceTypeNumber('broker'),
      resourceName: '',
      name: 'min.insync.replicas',
      value: String(minInsyncReplicas),
    }),
  ]
}
