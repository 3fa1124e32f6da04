/** @module client/list-offsets — offsets by time, from the leaders of many partitions at once. */
import { ErrorCode, IsolationLevel, ListOffsets, OffsetSpec } from '../wire/index.ts'
import type { Cluster } from './cluster.ts'
import { KafkaError } from './errors.ts'
import { partitionKey, type TopicPartition } from './types.ts'

/** First ListOffsets version that knows each special timestamp. */
const VERSION_OF_SPEC: ReadonlyMap<number, number> = new Map([
  [OffsetSpec.MAX_TIMESTAMP, 7],
  [OffsetSpec.EARLIEST_LOCAL, 8],
  [OffsetSpec.LATEST_TIERED, 9],
  [OffsetSpec.EARLIEST_PENDING_UPLOAD, 11],
])

/** A partition and the time to look for: ms since 1970, or one of wire's `OffsetSpec`. */
export interface OffsetQuery extends TopicPartition {
  readonly timestamp: number
}

/** What a leader answered: the first record at or after the time. */
export interface OffsetAnswer {
  readonly query: OffsetQuery
  /** -1: there is no such record. */
  readonly offset: number
  /** Of the record; -1 for special timestamps. */
  readonly timestampMs: number
  readonly leaderEpoch: number
  /** Null: the fields above hold. */
  readonly error: KafkaError | null
}

/** Asks every leader once. A partition without a known leader, or whose leader is no more, has a retriable error in its answer. */
export async function listOffsetsOnce(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  isolation: 'read_uncommitted' | 'read_committed',
  signal: AbortSignal | undefined,
): Promise<OffsetAnswer[]> {
  const byLeader = Map.groupBy(queries, (query) => cluster.partition(query.topic, query.partition)?.leaderId ?? -1)
  const answers = [...byLeader].map(async ([leaderId, asked]): Promise<OffsetAnswer[]> => {
    if (leaderId < 0) {
      cluster.invalidate()
      return asked.map((query) => failed(query, ErrorCode.LEADER_NOT_AVAILABLE))
    }
    return askLeader(cluster, leaderId, asked, isolation, signal)
  })
  return (await Promise.all(answers)).flat()
}

/** Asks until every partition has a final answer. Rejects with the first final error, or when apiTimeoutMs is over. */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  isolation: 'read_uncommitted' | 'read_committed',
  signal: AbortSignal | undefined,
): Promise<OffsetAnswer[]> {
  const done: OffsetAnswer[] = []
  let open = queries
  return cluster.retry('ListOffsets', signal, async (bounded) => {
    for (const topic of new Set(open.map((query) => query.topic))) await cluster.topic(topic, bounded)
    const answers = await listOffsetsOnce(cluster, open, isolation, bounded)
    done.push(...answers.filter(({ error }) => error === null))
    const bad = answers.filter(({ error }) => error !== null)
    const worst = bad.find(({ error }) => error?.retriable === false) ?? bad[0]
    open = bad.map(({ query }) => query)
    if (worst?.error) {
      cluster.invalidate()
      throw worst.error
    }
    return done
  })
}

async function askLeader(
  cluster: Cluster,
  leaderId: number,
  queries: readonly OffsetQuery[],
  isolation: 'read_uncommitted' | 'read_committed',
  signal: AbortSignal | undefined,
): Promise<OffsetAnswer[]> {
  const byTopic = Map.groupBy(queries, ({ topic }) => topic)
  const response = await cluster.ask(
    leaderId,
    'control',
    ListOffsets,
    () => ({
      replicaId: -1,
      isolationLevel: isolation === 'read_committed' ? IsolationLevel.READ_COMMITTED : IsolationLevel.READ_UNCOMMITTED,
      topics: [...byTopic].map(([name, asked]) => ({
        name,
        partitions: asked.map(({ partition, timestamp }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: cluster.partition(name, partition)?.leaderEpoch ?? -1,
          timestamp,
        })),
      })),
      timeoutMs: cluster.options.requestTimeoutMs,
    }),
    {
      signal,
      versionMin: Math.max(isolation === 'read_committed' ? 2 : 1, ...queries.map((one) => VERSION_OF_SPEC.get(one.timestamp) ?? 1)),
    },
  )
  const found = new Map(
    response.topics.flatMap(({ name, partitions }) => partitions.map((one) => [partitionKey(name, one.partitionIndex), one])),
  )
  return queries.map((query) => {
    const one = found.get(partitionKey(query.topic, query.partition))
    if (one === undefined) return failed(query, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (one.errorCode !== ErrorCode.NONE) return failed(query, one.errorCode)
    return {
      query,
      offset: one.offset,
      timestampMs: one.timestamp,
      leaderEpoch: one.leaderEpoch,
      error: null,
    }
  })
}

function failed(query: OffsetQuery, code: number): OffsetAnswer {
  const { topic, partition } = query
  return {
    query,
    offset: -1,
    timestampMs: -1,
    leaderEpoch: -1,
    error: new KafkaError(code, null, { topic, partition }),
  }
}
