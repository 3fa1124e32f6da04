/**
 * @module wire/messages/59-fetch-snapshot — fetches a piece of a raft snapshot (KIP-630).
 *
 * - 1: directory ids and endpoints (KIP-853)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, records, string, struct, uint16, uuid } from '../schema.ts'

export const FetchSnapshot = api(59, 'FetchSnapshot', {
  versions: '0-1',
  flexible: 0,
  listeners: ['controller'],
  request: {
    clusterId: string.nullable().tag(0),
    replicaId: int32.default(-1),
    maxBytes: int32.default(2_147_483_647),
    topics: array({
      name: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32,
        snapshotId: struct({
          endOffset: offset,
          epoch: int32,
        }),
        position: offset,
        replicaDirectoryId: uuid.in('1+').tag(0),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    topics: array({
      name: string,
      partitions: array({
        index: int32,
        errorCode,
        snapshotId: struct({
          endOffset: offset,
          epoch: int32,
        }),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }).tag(0),
        size: offset,
        position: offset,
        unalignedRecords: records,
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: uint16,
    })
      .in('1+')
      .tag(0),
  },
})

export type FetchSnapshotRequest = RequestOf<typeof FetchSnapshot>
export type FetchSnapshotResponse = ResponseOf<typeof FetchSnapshot>
export type FetchSnapshotRequestInput = RequestInput<typeof FetchSnapshot>
export type FetchSnapshotResponseInput = ResponseInput<typeof FetchSnapshot>
