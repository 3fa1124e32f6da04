/** @module cluster/limits — every limit of the cluster room with its unit and default. */

export interface ClusterLimits {
  /** New partitions of one request, as in Kafka (POLICY_VIOLATION beyond). */
  readonly requestPartitionsMax: number
  /** Partitions of all topics together; beyond, POLICY_VIOLATION. A lone node opens each of their logs. */
  readonly clusterPartitionsMax: number
  /** UTF-16 units of one configuration value, as in Kafka. */
  readonly configValueLengthMax: number
  /** Records of one batch when many partitions get a leader at once. */
  readonly batchRecordsMax: number
}

export const clusterLimits: ClusterLimits = {
  requestPartitionsMax: 10_000,
  clusterPartitionsMax: 200_000,
  configValueLengthMax: 32_767,
  batchRecordsMax: 10_000,
}
