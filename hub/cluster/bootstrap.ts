/**
 * @module cluster/bootstrap — the first records of a new cluster.
 *
 * As Kafka 4.3.1 writes them, less the features that are not served here: the level of `metadata.version`, and the cluster's
 * `min.insync.replicas` as a dynamic default, so that the setting describes itself as Kafka's does.
 */
import { ConfigRecord, encodeMetadataRecord, FeatureLevelRecord } from '../wire/index.ts'
import { resourceTypeNumber } from './config-resources.ts'
import type { ClusterSettings } from './decision.ts'
import { METADATA_VERSION, METADATA_VERSION_LEVEL } from './features.ts'

export function bootstrapRecords({ minInsyncReplicas }: ClusterSettings): Buffer[] {
  return [
    encodeMetadataRecord(FeatureLevelRecord, { name: METADATA_VERSION, featureLevel: METADATA_VERSION_LEVEL }),
    encodeMetadataRecord(ConfigRecord, {
      resourceType: resourceTypeNumber('broker'),
      resourceName: '',
      name: 'min.insync.replicas',
      value: String(minInsyncReplicas),
    }),
  ]
}
