/**
 * @module client/admin — looking after a cluster: topics, settings, groups and their offsets.
 *
 * Calls on many items answer with one result per item, whose `error` is null or the broker's; a call rejects only when no
 * answer could be had at all. Retriable failures of the way are tried again for apiTimeoutMs.
 *
 * @example
 * const admin = createAdmin({ bootstrapServers: '127.0.0.1:9092' })
 * const [created] = await admin.createTopics([{ name: 'greetings', partitionCount: 3 }])
 * if (created?.error) throw created.error
 * await admin.close()
 */
import { type Api, DescribeCluster, ErrorCode, OffsetSpec } from '../wire/index.ts'
import * as configs from './admin/configs.ts'
import * as groups from './admin/groups.ts'
import * as quorum from './admin/quorum.ts'
import { type AdminContext, ask, type ItemResult, type Target } from './admin/routes.ts'
import * as topics from './admin/topics.ts'
import * as transactions from './admin/transactions.ts'
import { Cluster } from './cluster.ts'
import type { RequestOptions } from './connection.ts'
import { Coordinators } from './coordinators.ts'
import { KafkaError, throwIfError } from './errors.ts'
import type { OffsetToCommit } from './group-offsets.ts'
import { listOffsetsOnce, type OffsetAnswer } from './list-offsets.ts'
import { type ClientOptions, resolveClientOptions } from './options.ts'
import { type BrokerInfo, type CommittedOffset, partitionKey, type TopicPartition } from './types.ts'

/** Which offset: by place, by time (ms since 1970), or of the record with the greatest timestamp. */
export type OffsetAt = 'earliest' | 'latest' | 'max-timestamp' | 'earliest-local' | 'latest-tiered' | { readonly timestampMs: number }

/** An offset that was asked for; -1 when there is none such. */
export interface ListedOffset extends TopicPartition, ItemResult {
  readonly offset: number
  readonly timestampMs: number
  readonly leaderEpoch: number
}

/** The cluster as a whole. */
export interface ClusterDescription {
  readonly clusterId: string | null
  /** -1 when unknown. */
  readonly controllerId: number
  readonly brokers: readonly (BrokerInfo & { readonly isFenced: boolean })[]
}

/** Looking after a cluster. Calls may overlap. */
export interface Admin {
  createTopics(
    list: readonly topics.NewTopic[],
    options?: { readonly validateOnly?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly topics.CreatedTopic[]>
  deleteTopics(names: readonly string[], signal?: AbortSignal): Promise<readonly (ItemResult & { readonly name: string })[]>
  listTopics(options?: { readonly includeInternal?: boolean }, signal?: AbortSignal): Promise<readonly topics.ListedTopic[]>
  describeTopics(names: readonly string[], signal?: AbortSignal): Promise<readonly topics.DescribedTopic[]>
  createPartitions(
    list: readonly {
      readonly name: string
      readonly totalCount: number
      readonly assignments?: readonly (readonly number[])[]
    }[],
    options?: { readonly validateOnly?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly (ItemResult & { readonly name: string })[]>
  /** Deletes records before offsets (-1: all there are now). */
  deleteRecords(
    list: readonly topics.RecordsToDelete[],
    signal?: AbortSignal,
  ): Promise<readonly (TopicPartition & ItemResult & { readonly lowWatermark: number })[]>
  describeConfigs(
    resources: readonly (configs.ConfigResource & {
      readonly names?: readonly string[]
    })[],
    options?: {
      readonly includeSynonyms?: boolean
      readonly includeDocumentation?: boolean
    },
    signal?: AbortSignal,
  ): Promise<readonly configs.DescribedConfigs[]>
  incrementalAlterConfigs(
    list: readonly (configs.ConfigResource & {
      readonly changes: readonly configs.ConfigChange[]
    })[],
    options?: { readonly validateOnly?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly (ItemResult & { readonly resource: configs.ConfigResource })[]>
  describeCluster(options?: { readonly includeFencedBrokers?: boolean }, signal?: AbortSignal): Promise<ClusterDescription>
  listOffsets(
    queries: readonly (TopicPartition & { readonly at: OffsetAt })[],
    options?: { readonly isolation?: 'read_uncommitted' | 'read_committed' },
    signal?: AbortSignal,
  ): Promise<readonly ListedOffset[]>
  /** States and types by Kafka's names, in any case. */
  listGroups(
    filter?: {
      readonly states?: readonly string[]
      readonly types?: readonly string[]
    },
    signal?: AbortSignal,
  ): Promise<readonly groups.ListedGroup[]>
  describeGroups(groupIds: readonly string[], signal?: AbortSignal): Promise<readonly groups.DescribedGroup[]>
  deleteGroups(groupIds: readonly string[], signal?: AbortSignal): Promise<readonly (ItemResult & { readonly groupId: string })[]>
  /** What a group has committed, for these partitions or (null) all. Rejects with the group's error. */
  fetchOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[] | null,
    options?: { readonly requireStable?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly (TopicPartition & CommittedOffset)[]>
  alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    signal?: AbortSignal,
  ): Promise<readonly (TopicPartition & ItemResult)[]>
  deleteConsumerGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    signal?: AbortSignal,
  ): Promise<readonly (TopicPartition & ItemResult)[]>
  /** What has settings, or may have; of all kinds when none is named. */
  listConfigResources(types?: readonly configs.ConfigResource['type'][], signal?: AbortSignal): Promise<readonly configs.ConfigResource[]>
  listTransactions(filter?: transactions.TransactionFilter, signal?: AbortSignal): Promise<readonly transactions.ListedTransaction[]>
  describeTransactions(transactionalIds: readonly string[], signal?: AbortSignal): Promise<readonly transactions.DescribedTransaction[]>
  /** Told by the leaders, or by the replicas of one broker. */
  describeProducers(
    partitions: readonly TopicPartition[],
    options?: { readonly brokerId?: number },
    signal?: AbortSignal,
  ): Promise<readonly transactions.DescribedProducers[]>
  /** Writes an abort marker for a transaction that its coordinator has forgotten. Rejects with the partition's error. */
  abortTransaction(hanging: transactions.HangingTransaction, signal?: AbortSignal): Promise<void>
  /** Puts out whoever produces with these ids, and aborts their transactions. */
  fenceProducers(transactionalIds: readonly string[], signal?: AbortSignal): Promise<readonly transactions.FencedProducer[]>
  describeFeatures(signal?: AbortSignal): Promise<quorum.DescribedFeatures>
  /** All of it or nothing. */
  updateFeatures(
    updates: readonly quorum.FeatureUpdate[],
    options?: { readonly validateOnly?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly (ItemResult & { readonly feature: string })[]>
  describeQuorum(signal?: AbortSignal): Promise<quorum.DescribedQuorum>
  /** Null: of all partitions; then only those are told for which there was something to do. */
  electLeaders(
    electionType: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] | null,
    signal?: AbortSignal,
  ): Promise<readonly (TopicPartition & ItemResult)[]>
  /** `replicas` null takes back a move that goes on. */
  alterPartitionReassignments(
    moves: readonly (TopicPartition & { readonly replicas: readonly number[] | null })[],
    options?: { readonly allowReplicationFactorChange?: boolean },
    signal?: AbortSignal,
  ): Promise<readonly (TopicPartition & ItemResult)[]>
  listPartitionReassignments(
    partitions?: readonly TopicPartition[] | null,
    signal?: AbortSignal,
  ): Promise<readonly quorum.PartitionReassignment[]>
  /** Takes a broker that is gone out of the cluster. Rejects with the broker's error. */
  unregisterBroker(brokerId: number, signal?: AbortSignal): Promise<void>
  /** Any other API: sends one request, tried again over lost connections; the answer's error codes are the caller's business. */
  request<Q, QI, P, PI>(target: Target, api: Api<Q, QI, P, PI>, body: QI | ((version: number) => QI), options?: RequestOptions): Promise<P>
  close(): Promise<void>
}

/** An {@link Admin}; it connects when it is first used. Throws a ClientError of kind `config`. */
export function createAdmin(options: ClientOptions): Admin {
  const cluster = new Cluster(resolveClientOptions(options), false)
  const context: AdminContext = {
    cluster,
    coordinators: new Coordinators(cluster),
    transactionCoordinators: new Coordinators(cluster, 'transaction'),
  }
  const { calls } = cluster
  return {
    createTopics: calls.counted((list, how = {}, signal) => topics.createTopics(context, list, how, signal)),
    deleteTopics: calls.counted((names, signal) => topics.deleteTopics(context, names, signal)),
    listTopics: calls.counted((how = {}, signal) => topics.listTopics(context, how, signal)),
    describeTopics: calls.counted((names, signal) => topics.describeTopics(context, names, signal)),
    createPartitions: calls.counted((list, how = {}, signal) => topics.createPartitions(context, list, how, signal)),
    deleteRecords: calls.counted((list, signal) => topics.deleteRecords(context, list, signal)),
    describeConfigs: calls.counted((resources, how = {}, signal) => configs.describeConfigs(context, resources, how, signal)),
    incrementalAlterConfigs: calls.counted((list, how = {}, signal) => configs.incrementalAlterConfigs(context, list, how, signal)),
    describeCluster: calls.counted((how = {}, signal) => describeCluster(context, how, signal)),
    listOffsets: calls.counted((queries, how = {}, signal) => listOffsets(context, queries, how.isolation ?? 'read_uncommitted', signal)),
    listGroups: calls.counted((filter = {}, signal) => groups.listGroups(context, filter, signal)),
    describeGroups: calls.counted((groupIds, signal) => groups.describeGroups(context, groupIds, signal)),
    deleteGroups: calls.counted((groupIds, signal) => groups.deleteGroups(context, groupIds, signal)),
    fetchOffsets: calls.counted((groupId, partitions = null, how = {}, signal) =>
      groups.fetchGroupOffsets(context, groupId, partitions, how, signal),
    ),
    alterConsumerGroupOffsets: calls.counted((groupId, offsets, signal) => groups.alterGroupOffsets(context, groupId, offsets, signal)),
    deleteConsumerGroupOffsets: calls.counted((groupId, partitions, signal) =>
      groups.deleteGroupOffsets(context, groupId, partitions, signal),
    ),
    ...clusterCalls(context),
    ...transactionCalls(context),
    request: (target, api, body, how = {}) =>
      calls.run(() =>
        ask(context, target, api, typeof body === 'function' ? (body as (version: number) => never) : () => body, (one) => one, how),
      ),
    close: async () => cluster.close(),
  }
}

function clusterCalls(context: AdminContext) {
  const { calls } = context.cluster
  return {
    listConfigResources: calls.counted((types: readonly configs.ConfigResource['type'][] = [], signal?: AbortSignal) =>
      configs.listConfigResources(context, types, signal),
    ),
    describeFeatures: calls.counted((signal?: AbortSignal) => quorum.describeFeatures(context, signal)),
    updateFeatures: calls.counted(
      (updates: readonly quorum.FeatureUpdate[], how: { readonly validateOnly?: boolean } = {}, signal?: AbortSignal) =>
        quorum.updateFeatures(context, updates, how, signal),
    ),
    describeQuorum: calls.counted((signal?: AbortSignal) => quorum.describeQuorum(context, signal)),
    electLeaders: calls.counted(
      (electionType: 'preferred' | 'unclean', partitions: readonly TopicPartition[] | null, signal?: AbortSignal) =>
        quorum.electLeaders(context, electionType, partitions, signal),
    ),
    alterPartitionReassignments: calls.counted(
      (
        moves: readonly (TopicPartition & { readonly replicas: readonly number[] | null })[],
        how: { readonly allowReplicationFactorChange?: boolean } = {},
        signal?: AbortSignal,
      ) => quorum.alterPartitionReassignments(context, moves, how, signal),
    ),
    listPartitionReassignments: calls.counted((partitions: readonly TopicPartition[] | null = null, signal?: AbortSignal) =>
      quorum.listPartitionReassignments(context, partitions, signal),
    ),
    unregisterBroker: calls.counted((brokerId: number, signal?: AbortSignal) => quorum.unregisterBroker(context, brokerId, signal)),
  }
}

function transactionCalls(context: AdminContext) {
  const { calls } = context.cluster
  return {
    listTransactions: calls.counted((filter: transactions.TransactionFilter = {}, signal?: AbortSignal) =>
      transactions.listTransactions(context, filter, signal),
    ),
    describeTransactions: calls.counted((transactionalIds: readonly string[], signal?: AbortSignal) =>
      transactions.describeTransactions(context, transactionalIds, signal),
    ),
    describeProducers: calls.counted(
      (partitions: readonly TopicPartition[], how: { readonly brokerId?: number } = {}, signal?: AbortSignal) =>
        transactions.describeProducers(context, partitions, how, signal),
    ),
    abortTransaction: calls.counted((hanging: transactions.HangingTransaction, signal?: AbortSignal) =>
      transactions.abortTransaction(context, hanging, signal),
    ),
    fenceProducers: calls.counted((transactionalIds: readonly string[], signal?: AbortSignal) =>
      transactions.fenceProducers(context, transactionalIds, signal),
    ),
  }
}

async function describeCluster(
  context: AdminContext,
  options: { readonly includeFencedBrokers?: boolean },
  signal: AbortSignal | undefined,
): Promise<ClusterDescription> {
  const { cluster } = context
  const { ranges } = await cluster.retry('DescribeCluster', signal, (bounded) => cluster.connectAny(bounded))
  if (!ranges.has(DescribeCluster)) {
    await cluster.retry('Metadata', signal, (bounded) => cluster.refresh(bounded))
    const { clusterId, controllerId, brokers } = cluster.image
    return {
      clusterId,
      controllerId,
      brokers: [...brokers.values()].map((broker) => ({
        ...broker,
        isFenced: false,
      })),
    }
  }
  return ask(
    context,
    'any',
    DescribeCluster,
    () => ({
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: options.includeFencedBrokers ?? false,
    }),
    (response) => {
      throwIfError(response.errorCode, response.errorMessage)
      return {
        clusterId: response.clusterId,
        controllerId: response.controllerId,
        brokers: response.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
          nodeId: brokerId,
          host,
          port,
          rack,
          isFenced,
        })),
      }
    },
    { signal },
  )
}

const SPECS = {
  earliest: OffsetSpec.EARLIEST,
  latest: OffsetSpec.LATEST,
  'max-timestamp': OffsetSpec.MAX_TIMESTAMP,
  'earliest-local': OffsetSpec.EARLIEST_LOCAL,
  'latest-tiered': OffsetSpec.LATEST_TIERED,
} as const

/** Retriable errors are tried again until time is up, which rejects; final ones stand in the results. */
async function listOffsets(
  context: AdminContext,
  queries: readonly (TopicPartition & { readonly at: OffsetAt })[],
  isolation: 'read_uncommitted' | 'read_committed',
  signal: AbortSignal | undefined,
): Promise<readonly ListedOffset[]> {
  const { cluster } = context
  const names = [...new Set(queries.map(({ topic }) => topic))]
  const described = new Map((await topics.describeTopics(context, names, signal)).map((topic) => [topic.name, topic]))
  cluster.track(names.filter((name) => described.get(name)?.error === null))
  const results = new Map<string, OffsetAnswer>()
  const errorOf = ({ topic, partition }: TopicPartition): KafkaError | null => {
    const found = described.get(topic)
    if (found !== undefined && found.error === null && found.partitions.some((one) => one.partition === partition)) return null
    return (
      found?.error ??
      new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null, {
        topic,
        partition,
      })
    )
  }
  let open = queries
    .filter((query) => errorOf(query) === null)
    .map(({ topic, partition, at }) => ({
      topic,
      partition,
      timestamp: typeof at === 'string' ? SPECS[at] : at.timestampMs,
    }))
  if (open.length > 0) {
    await cluster.retry('ListOffsets', signal, async (bounded) => {
      if (open.some(({ topic, partition }) => cluster.partition(topic, partition) === undefined)) await cluster.refresh(bounded)
      const answers = await listOffsetsOnce(cluster, open, isolation, bounded)
      for (const answer of answers) results.set(partitionKey(answer.query.topic, answer.query.partition), answer)
      const again = answers.filter(({ error }) => error?.retriable)
      open = again.map(({ query }) => query)
      if (again[0]?.error) {
        cluster.invalidate()
        throw again[0].error
      }
    })
  }
  return queries.map((query) => {
    const { topic, partition } = query
    const answer = results.get(partitionKey(topic, partition))
    if (answer === undefined)
      return {
        topic,
        partition,
        offset: -1,
        timestampMs: -1,
        leaderEpoch: -1,
        error: errorOf(query),
      }
    const { offset, timestampMs, leaderEpoch, error } = answer
    return { topic, partition, offset, timestampMs, leaderEpoch, error }
  })
}
