/**
 * @module wire/messages/01-fetch — reads record batches of partitions; followers, consumers and raft voters fetch by
 * it.
 *
 * - 5: log start offset
 * - 7: incremental sessions (KIP-227)
 * - 9: leader epoch of the reader (KIP-320)
 * - 10: zstd allowed
 * - 11: rack, preferred read replica (KIP-392)
 * - 12: flexible, last fetched epoch and diverging epoch (KIP-595)
 * - 13: topic ids (KIP-516)
 * - 15: replica state instead of replica id (KIP-903)
 * - 16: endpoints of new leaders (KIP-951)
 * - 17: directory id of a voter (KIP-853)
 * - 18: high watermark of the follower (KIP-1166)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, int64, offset, records, string, struct, uuid } from '../schema.ts'

export const Fetch = api(1, 'Fetch', {
  versions: '4-18',
  flexible: 12,
  listeners: ['broker', 'controller'],
  request: {
    clusterId: string.in('12+').nullable().tag(0),
    replicaId: int32.in('4-14').default(-1),
    replicaState: struct({
      replicaId: int32.default(-1),
      replicaEpoch: offset.default(-1),
    })
      .in('15+')
      .tag(1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(2_147_483_647),
    isolationLevel: int8.default(0),
    sessionId: int32.in('7+').default(0),
    sessionEpoch: int32.in('7+').default(-1),
    topics: array({
      topic: string.in('4-12'),
      topicId: uuid.in('13+'),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.in('9+').default(-1),
        fetchOffset: offset,
        lastFetchedEpoch: int32.in('12+').default(-1),
        logStartOffset: offset.in('5+').default(-1),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.in('17+').tag(0),
        highWatermark: int64.in('18+').default(9_223_372_036_854_775_807n).tag(1),
      }),
    }),
    forgottenTopicsData: array({
      topic: string.in('7-12'),
      topicId: uuid.in('13+'),
      partitions: array(int32),
    }).in('7+'),
    rackId: string.in('11+').default(''),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: errorCode.in('7+'),
    sessionId: int32.in('7+').default(0),
    responses: array({
      topic: string.in('4-12'),
      topicId: uuid.in('13+'),
      partitions: array({
        partitionIndex: int32,
        errorCode,
        highWatermark: offset,
        lastStableOffset: offset.default(-1),
        logStartOffset: offset.in('5+').default(-1),
        divergingEpoch: struct({
          epoch: int32.default(-1),
          endOffset: offset.default(-1),
        })
          .in('12+')
          .tag(0),
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .in('12+')
          .tag(1),
        snapshotId: struct({
          endOffset: offset.default(-1),
          epoch: int32.default(-1),
        })
          .in('12+')
          .tag(2),
        abortedTransactions: array({
          producerId: offset,
          firstOffset: offset,
        }).orNull(),
        preferredReadReplica: int32.in('11+').default(-1),
        records: records.orNull(),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable(),
    })
      .in('16+')
      .tag(0),
  },
})

export type FetchRequest = RequestOf<typeof Fetch>
export type FetchResponse = ResponseOf<typeof Fetch>
export type FetchRequestInput = RequestInput<typeof Fetch>
export type FetchResponseInput = ResponseInput<typeof Fetch>
