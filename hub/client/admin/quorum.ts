/** @module client/admin/quorum — the cluster's own state: features, the metadata quorum, leaders and replicas of partitions, brokers. */
import {
  AlterPartitionReassignments,
  ApiVersions,
  DescribeQuorum,
  ElectLeaders,
  ErrorCode,
  ListPartitionReassignments,
  UnregisterBroker,
  UpdateFeatures,
} from '../../wire/index.ts'
import { CLIENT_SOFTWARE } from '../connection.ts'
import { ClientError, KafkaError, throwIfError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { type AdminContext, ask, type ItemResult, itemError } from './routes.ts'

/** The topic whose quorum runs the cluster, and its only partition. */
const METADATA_TOPIC = '__cluster_metadata'
const UPGRADE_TYPES = { upgrade: 1, 'safe-downgrade': 2, 'unsafe-downgrade': 3 } as const
const ELECTION_TYPES = { preferred: 0, unclean: 1 } as const
/** First versions with upgrade types (KIP-778) and with one outcome for all. */
const UPGRADE_TYPE_VERSION = 1
const UNCLEAN_VERSION = 1

/** Features of the cluster (KIP-584). */
export interface DescribedFeatures {
  /** What the broker that was asked could do. */
  readonly supported: readonly { readonly name: string; readonly minVersion: number; readonly maxVersion: number }[]
  /** What the cluster has agreed on. */
  readonly finalized: readonly { readonly name: string; readonly minVersionLevel: number; readonly maxVersionLevel: number }[]
  /** Of the agreement; null when there is none. */
  readonly finalizedEpoch: number | null
}

/** A new level of a feature; 0 takes it back wholly. */
export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  readonly upgradeType: keyof typeof UPGRADE_TYPES
}

/** One replica of the metadata log. Times in ms since 1970, -1 when unknown. */
export interface QuorumReplica {
  readonly replicaId: number
  readonly directoryId: string
  readonly logEndOffset: number
  readonly lastFetchTimeMs: number
  readonly lastCaughtUpTimeMs: number
}

/** The metadata quorum (KIP-595). */
export interface DescribedQuorum {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
  /** Controllers' endpoints (KIP-853); empty from brokers that don't tell. */
  readonly nodes: readonly {
    readonly nodeId: number
    readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[]
  }[]
}

/** A partition whose replicas are moving. */
export interface PartitionReassignment extends TopicPartition {
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

export function describeFeatures(context: AdminContext, signal: AbortSignal | undefined): Promise<DescribedFeatures> {
  return ask(
    context,
    'any',
    ApiVersions,
    () => ({ clientSoftwareName: CLIENT_SOFTWARE.name, clientSoftwareVersion: CLIENT_SOFTWARE.version }),
    ({ errorCode, supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch }) => {
      throwIfError(errorCode)
      return {
        supported: supportedFeatures,
        finalized: finalizedFeatures,
        finalizedEpoch: finalizedFeaturesEpoch < 0 ? null : finalizedFeaturesEpoch,
      }
    },
    { signal, versionMin: 3 },
  )
}

/** All of it or nothing: from v2 on there is one outcome, which stands with every feature. */
export function updateFeatures(
  context: AdminContext,
  updates: readonly FeatureUpdate[],
  options: { readonly validateOnly?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly (ItemResult & { readonly feature: string })[]> {
  return ask(
    context,
    'controller',
    UpdateFeatures,
    () => ({
      timeoutMs: context.cluster.options.requestTimeoutMs,
      featureUpdates: updates.map(({ feature, maxVersionLevel, upgradeType }) => ({
        feature,
        maxVersionLevel,
        allowDowngrade: upgradeType !== 'upgrade',
        upgradeType: UPGRADE_TYPES[upgradeType],
      })),
      validateOnly: options.validateOnly ?? false,
    }),
    ({ errorCode, errorMessage, results }) => {
      if (errorCode === ErrorCode.NOT_CONTROLLER) throw new KafkaError(errorCode)
      return updates.map(({ feature }) => {
        const one = results.find((result) => result.feature === feature)
        return { feature, error: itemError(errorCode, errorMessage) ?? itemError(one?.errorCode ?? ErrorCode.NONE, one?.errorMessage) }
      })
    },
    { signal, versionMin: updates.some(({ upgradeType }) => upgradeType === 'unsafe-downgrade') ? UPGRADE_TYPE_VERSION : 0 },
  )
}

export function describeQuorum(context: AdminContext, signal: AbortSignal | undefined): Promise<DescribedQuorum> {
  return ask(
    context,
    'controller',
    DescribeQuorum,
    () => ({ topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }] }),
    (response) => {
      throwIfError(response.errorCode, response.errorMessage)
      const [found] = response.topics[0]?.partitions ?? []
      if (found === undefined) throw new ClientError('bad-response', `the answer lacks ${METADATA_TOPIC}-0`)
      throwIfError(found.errorCode, found.errorMessage)
      const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = found
      const nodes = response.nodes.map(({ nodeId, listeners }) => ({ nodeId, listeners }))
      return { leaderId, leaderEpoch, highWatermark, voters: currentVoters.map(replicaOf), observers: observers.map(replicaOf), nodes }
    },
    { signal },
  )
}

function replicaOf(state: {
  readonly replicaId: number
  readonly replicaDirectoryId: string
  readonly logEndOffset: number
  readonly lastFetchTimestamp: number
  readonly lastCaughtUpTimestamp: number
}): QuorumReplica {
  return {
    replicaId: state.replicaId,
    directoryId: state.replicaDirectoryId,
    logEndOffset: state.logEndOffset,
    lastFetchTimeMs: state.lastFetchTimestamp,
    lastCaughtUpTimeMs: state.lastCaughtUpTimestamp,
  }
}

/** Elects leaders of these partitions, or (null) of all. With null only partitions for which there was something to do are told. */
export function electLeaders(
  context: AdminContext,
  electionType: keyof typeof ELECTION_TYPES,
  partitions: readonly TopicPartition[] | null,
  signal: AbortSignal | undefined,
): Promise<readonly (TopicPartition & ItemResult)[]> {
  const topicPartitions =
    partitions === null
      ? null
      : [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
          topic,
          partitions: list.map(({ partition }) => partition),
        }))
  return ask(
    context,
    'controller',
    ElectLeaders,
    () => ({ electionType: ELECTION_TYPES[electionType], topicPartitions, timeoutMs: context.cluster.options.requestTimeoutMs }),
    (response) => {
      throwIfError(response.errorCode)
      return response.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
        partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
          topic,
          partition: partitionId,
          error: itemError(errorCode, errorMessage, { topic, partition: partitionId }),
        })),
      )
    },
    { signal, versionMin: electionType === 'unclean' ? UNCLEAN_VERSION : 0 },
  )
}

/** Begins to move partitions to these replicas; `replicas` null takes back a move that goes on (KIP-455). */
export function alterPartitionReassignments(
  context: AdminContext,
  moves: readonly (TopicPartition & { readonly replicas: readonly number[] | null })[],
  options: { readonly allowReplicationFactorChange?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly (TopicPartition & ItemResult)[]> {
  const topics = [...Map.groupBy(moves, ({ topic }) => topic)].map(([name, list]) => ({
    name,
    partitions: list.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas: replicas === null ? null : [...replicas] })),
  }))
  const { allowReplicationFactorChange = true } = options
  return ask(
    context,
    'controller',
    AlterPartitionReassignments,
    () => ({ timeoutMs: context.cluster.options.requestTimeoutMs, allowReplicationFactorChange, topics }),
    (response) => {
      throwIfError(response.errorCode, response.errorMessage)
      return response.responses.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode, errorMessage }) => ({
          topic: name,
          partition: partitionIndex,
          error: itemError(errorCode, errorMessage, { topic: name, partition: partitionIndex }),
        })),
      )
    },
    { signal, versionMin: allowReplicationFactorChange ? 0 : 1 },
  )
}

/** Moves that go on, of these partitions or (null) of all. */
export function listPartitionReassignments(
  context: AdminContext,
  partitions: readonly TopicPartition[] | null,
  signal: AbortSignal | undefined,
): Promise<readonly PartitionReassignment[]> {
  const topics =
    partitions === null
      ? null
      : [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, list]) => ({
          name,
          partitionIndexes: list.map(({ partition }) => partition),
        }))
  return ask(
    context,
    'controller',
    ListPartitionReassignments,
    () => ({ timeoutMs: context.cluster.options.requestTimeoutMs, topics }),
    (response) => {
      throwIfError(response.errorCode, response.errorMessage)
      return response.topics.flatMap(({ name, partitions: found }) =>
        found.map(({ partitionIndex, ...rest }) => ({ topic: name, partition: partitionIndex, ...rest })),
      )
    },
    { signal },
  )
}

/** Takes a broker that is gone out of the cluster. Rejects with the broker's error. */
export function unregisterBroker(context: AdminContext, brokerId: number, signal: AbortSignal | undefined): Promise<void> {
  return ask(
    context,
    'controller',
    UnregisterBroker,
    () => ({ brokerId }),
    ({ errorCode, errorMessage }) => throwIfError(errorCode, errorMessage),
    { signal },
  )
}
