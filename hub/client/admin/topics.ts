/** @module client/admin/topics — topics: make, delete, list, describe, widen; records: delete. */
import {
  CreatePartitions,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  DescribeTopicPartitions,
  type DescribeTopicPartitionsResponse,
  ErrorCode,
  Metadata,
  ZERO_UUID,
} from '../../wire/index.ts'
import { KafkaError } from '../errors.ts'
import type { PartitionInfo, TopicPartition } from '../types.ts'
import { type AdminContext, ask, type ItemResult, itemError, throwIfMisdirected } from './routes.ts'

/** A topic to make. */
export interface NewTopic {
  readonly name: string
  /** Left out: the broker's default. */
  readonly partitionCount?: number
  /** Left out: the broker's default. */
  readonly replicationFactor?: number
  /** Index is the partition, values are broker ids; instead of the two counts. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

/** A topic that was made, or would have been (validateOnly). Counts are -1 where the broker does not tell. */
export interface CreatedTopic extends ItemResult {
  readonly name: string
  readonly topicId: string
  readonly partitionCount: number
  readonly replicationFactor: number
}

/** A topic as a list names it. */
export interface ListedTopic {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
}

/** A partition with its eligible leader replicas (KIP-966); null where the broker does not tell. */
export interface DescribedPartition extends PartitionInfo {
  readonly eligibleLeaderReplicas: readonly number[] | null
  readonly lastKnownEligibleLeaderReplicas: readonly number[] | null
}

/** A topic described. */
export interface DescribedTopic extends ItemResult {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly DescribedPartition[]
}

/** Time out that a broker is given for work that it waits for. */
const brokerTimeoutMs = ({ cluster }: AdminContext): number => cluster.options.requestTimeoutMs

/** Makes topics; one result each, in no promised order. */
export function createTopics(
  context: AdminContext,
  topics: readonly NewTopic[],
  options: { readonly validateOnly?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly CreatedTopic[]> {
  const timeoutMs = brokerTimeoutMs(context)
  return ask(
    context,
    'controller',
    CreateTopics,
    () => ({
      topics: topics.map(({ name, partitionCount, replicationFactor, assignments, configs }) => ({
        name,
        numPartitions: assignments === undefined ? (partitionCount ?? -1) : -1,
        replicationFactor: assignments === undefined ? (replicationFactor ?? -1) : -1,
        assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({
          partitionIndex,
          brokerIds,
        })),
        configs: Object.entries(configs ?? {}).map(([key, value]) => ({
          name: key,
          value,
        })),
      })),
      timeoutMs,
      validateOnly: options.validateOnly ?? false,
    }),
    (response) => {
      throwIfMisdirected(response.topics.map(({ errorCode }) => errorCode))
      return response.topics.map(({ name, topicId, errorCode, errorMessage, numPartitions, replicationFactor }) => ({
        name,
        topicId,
        partitionCount: numPartitions,
        replicationFactor,
        error: itemError(errorCode, errorMessage, { topic: name }),
      }))
    },
    { signal },
  )
}

/** Deletes topics by name. */
export function deleteTopics(
  context: AdminContext,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly (ItemResult & { readonly name: string })[]> {
  const timeoutMs = brokerTimeoutMs(context)
  return ask(
    context,
    'controller',
    DeleteTopics,
    (version) =>
      version >= 6
        ? {
            topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
            topicNames: [],
            timeoutMs,
          }
        : { topics: [], topicNames: [...names], timeoutMs },
    (response) => {
      throwIfMisdirected(response.responses.map(({ errorCode }) => errorCode))
      return response.responses.map(({ name, errorCode, errorMessage }) => ({
        name: name ?? '',
        error: itemError(errorCode, errorMessage, { topic: name ?? '' }),
      }))
    },
    { signal },
  )
}

/** Gives topics more partitions: `totalCount` is what they have afterwards. */
export function createPartitions(
  context: AdminContext,
  topics: readonly {
    readonly name: string
    readonly totalCount: number
    readonly assignments?: readonly (readonly number[])[]
  }[],
  options: { readonly validateOnly?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly (ItemResult & { readonly name: string })[]> {
  const timeoutMs = brokerTimeoutMs(context)
  return ask(
    context,
    'controller',
    CreatePartitions,
    () => ({
      topics: topics.map(({ name, totalCount, assignments }) => ({
        name,
        count: totalCount,
        assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
      })),
      timeoutMs,
      validateOnly: options.validateOnly ?? false,
    }),
    (response) => {
      throwIfMisdirected(response.results.map(({ errorCode }) => errorCode))
      return response.results.map(({ name, errorCode, errorMessage }) => ({
        name,
        error: itemError(errorCode, errorMessage, { topic: name }),
      }))
    },
    { signal },
  )
}

/** All topics that the caller may see, by name. */
export function listTopics(
  context: AdminContext,
  options: { readonly includeInternal?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly ListedTopic[]> {
  return ask(
    context,
    'any',
    Metadata,
    (version) => ({
      topics: version === 0 ? [] : null,
      allowAutoTopicCreation: false,
    }),
    (response) =>
      response.topics
        .filter(({ isInternal }) => options.includeInternal || !isInternal)
        .map(({ name, topicId, isInternal }) => ({
          name: name ?? '',
          topicId,
          isInternal,
        }))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    { signal },
  )
}

/** Describes topics in the order of their names here; by DescribeTopicPartitions where the broker has it, which knows eligible leaders. */
export async function describeTopics(
  context: AdminContext,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly DescribedTopic[]> {
  if (names.length === 0) return []
  const { ranges } = await context.cluster.retry('describeTopics', signal, (bounded) => context.cluster.connectAny(bounded))
  const described = await (ranges.has(DescribeTopicPartitions) ? describePaged : describeByMetadata)(context, names, signal)
  const byName = new Map(described.map((topic) => [topic.name, topic]))
  return names.flatMap((name) => byName.get(name) ?? [])
}

async function describePaged(
  context: AdminContext,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly DescribedTopic[]> {
  const found = new Map<string, DescribedTopic & { partitions: DescribedPartition[] }>()
  const topics = [...new Set(names)].sort().map((name) => ({ name }))
  let cursor: DescribeTopicPartitionsResponse['nextCursor'] = null
  do {
    const from: typeof cursor = cursor
    const page: DescribeTopicPartitionsResponse = await ask(
      context,
      'any',
      DescribeTopicPartitions,
      () => ({
        topics: from === null ? topics : topics.filter(({ name }) => name >= from.topicName),
        cursor: from,
      }),
      (response) => response,
      { signal },
    )
    for (const topic of page.topics) {
      const name = topic.name ?? ''
      const known = found.get(name)
      const partitions = topic.partitions.map((part) => ({
        ...partitionOf(name, part),
        eligibleLeaderReplicas: part.eligibleLeaderReplicas,
        lastKnownEligibleLeaderReplicas: part.lastKnownElr,
      }))
      if (known !== undefined) known.partitions.push(...partitions)
      else {
        const { topicId, isInternal, errorCode } = topic
        found.set(name, {
          name,
          topicId,
          isInternal,
          partitions,
          error: itemError(errorCode, null, { topic: name }),
        })
      }
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  return [...found.values()].map((topic) => ({
    ...topic,
    partitions: inOrder(topic.partitions),
  }))
}

function describeByMetadata(
  context: AdminContext,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly DescribedTopic[]> {
  return ask(
    context,
    'any',
    Metadata,
    () => ({
      topics: names.map((name) => ({ name })),
      allowAutoTopicCreation: false,
    }),
    (response) =>
      response.topics.map((topic) => {
        const name = topic.name ?? ''
        const partitions = topic.partitions.map((part) => ({
          ...partitionOf(name, part),
          eligibleLeaderReplicas: null,
          lastKnownEligibleLeaderReplicas: null,
        }))
        const { topicId, isInternal, errorCode } = topic
        return {
          name,
          topicId,
          isInternal,
          partitions: inOrder(partitions),
          error: itemError(errorCode, null, { topic: name }),
        }
      }),
    { signal },
  )
}

/** A partition's records before an offset, to delete; -1 is the high watermark. */
export interface RecordsToDelete extends TopicPartition {
  readonly beforeOffset: number
}

/** Deletes records before offsets, at each partition's leader. `lowWatermark` is the first offset that is left. */
export async function deleteRecords(
  context: AdminContext,
  deletions: readonly RecordsToDelete[],
  signal: AbortSignal | undefined,
): Promise<readonly (TopicPartition & ItemResult & { readonly lowWatermark: number })[]> {
  const { cluster } = context
  const described = await describeTopics(context, [...new Set(deletions.map(({ topic }) => topic))], signal)
  const leaderOf = ({ topic, partition }: TopicPartition): number =>
    described.find(({ name }) => name === topic)?.partitions.find((one) => one.partition === partition)?.leaderId ?? -1
  const groups = [...Map.groupBy(deletions, leaderOf)].map(async ([leaderId, parts]) => {
    const fail = (error: KafkaError) =>
      parts.map(({ topic, partition }) => ({
        topic,
        partition,
        lowWatermark: -1,
        error,
      }))
    if (leaderId < 0) return fail(new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    const topics = [...Map.groupBy(parts, ({ topic }) => topic)].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition, beforeOffset }) => ({
        partitionIndex: partition,
        offset: beforeOffset,
      })),
    }))
    const timeoutMs = brokerTimeoutMs(context)
    const response = await cluster.retry('DeleteRecords', signal, (bounded) =>
      cluster.ask(leaderId, 'control', DeleteRecords, () => ({ topics, timeoutMs }), { signal: bounded }),
    )
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, lowWatermark, errorCode }) => ({
        topic: name,
        partition: partitionIndex,
        lowWatermark,
        error: itemError(errorCode, null, {
          topic: name,
          partition: partitionIndex,
        }),
      })),
    )
  })
  return (await Promise.all(groups)).flat()
}

function partitionOf(
  topic: string,
  part: {
    readonly partitionIndex: number
    readonly leaderId: number
    readonly leaderEpoch: number
    readonly replicaNodes: readonly number[]
    readonly isrNodes: readonly number[]
    readonly offlineReplicas: readonly number[]
  },
): PartitionInfo {
  const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas } = part
  return {
    topic,
    partition: partitionIndex,
    leaderId,
    leaderEpoch,
    replicas: replicaNodes,
    isr: isrNodes,
    offlineReplicas,
  }
}

function inOrder<T extends TopicPartition>(partitions: readonly T[]): T[] {
  return [...partitions].sort((one, other) => one.partition - other.partition)
}
