/**
 * @module wire/messages/73-assign-replicas-to-dirs — tells the controller in which log directories replicas lie
 * (KIP-858).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, uuid } from '../schema.ts'

export const AssignReplicasToDirs = api(73, 'AssignReplicasToDirs', {
  versions: '0',
  flexible: 0,
  listeners: ['controller'],
  request: {
    brokerId: int32,
    brokerEpoch: offset.default(-1),
    directories: array({
      id: uuid,
      topics: array({
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    directories: array({
      id: uuid,
      topics: array({
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          errorCode,
        }),
      }),
    }),
  },
})

export type AssignReplicasToDirsRequest = RequestOf<typeof AssignReplicasToDirs>
export type AssignReplicasToDirsResponse = ResponseOf<typeof AssignReplicasToDirs>
export type AssignReplicasToDirsRequestInput = RequestInput<typeof AssignReplicasToDirs>
export type AssignReplicasToDirsResponseInput = ResponseInput<typeof AssignReplicasToDirs>
