/**
 * @module wire/messages/34-alter-replica-log-dirs — moves replicas between log directories of a broker.
 *
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string } from '../schema.ts'

export const AlterReplicaLogDirs = api(34, 'AlterReplicaLogDirs', {
  versions: '1-2',
  flexible: 2,
  request: {
    dirs: array({
      path: string,
      topics: array({
        name: string,
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
      }),
    }),
  },
})

export type AlterReplicaLogDirsRequest = RequestOf<typeof AlterReplicaLogDirs>
export type AlterReplicaLogDirsResponse = ResponseOf<typeof AlterReplicaLogDirs>
export type AlterReplicaLogDirsRequestInput = RequestInput<typeof AlterReplicaLogDirs>
export type AlterReplicaLogDirsResponseInput = ResponseInput<typeof AlterReplicaLogDirs>
