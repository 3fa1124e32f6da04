/**
 * @module wire/messages/03-metadata — tells brokers, topics, partitions and their leaders.
 *
 * - 1: controller, racks, internal topics; null asks for all topics
 * - 2: cluster id
 * - 4: creation of topics may be refused by the client
 * - 5: offline replicas
 * - 7: leader epochs (KIP-320)
 * - 8: authorized operations (KIP-430); 8-10 also of the cluster
 * - 9: flexible
 * - 10: topic ids (KIP-516)
 * - 12: asking by topic id
 * - 13: error code of the whole answer, for rebootstrapping (KIP-1102)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, string, uuid } from '../schema.ts'

export const Metadata = api(3, 'Metadata', {
  versions: '0-13',
  flexible: 9,
  request: {
    topics: array({
      topicId: uuid.in('10+'),
      name: string.orNull('10+'),
    }).orNull('1+'),
    allowAutoTopicCreation: bool.in('4+').default(true),
    includeClusterAuthorizedOperations: bool.in('8-10'),
    includeTopicAuthorizedOperations: bool.in('8+'),
  },
  response: {
    throttleTimeMs: int32.in('3+'),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.in('1+').nullable(),
    }),
    clusterId: string.in('2+').nullable(),
    controllerId: int32.in('1+').default(-1),
    topics: array({
      errorCode,
      name: string.orNull('12+'),
      topicId: uuid.in('10+'),
      isInternal: bool.in('1+').default(false),
      partitions: array({
        errorCode,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.in('7+').default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).in('5+'),
      }),
      topicAuthorizedOperations: int32.in('8+').default(-2_147_483_648),
    }),
    clusterAuthorizedOperations: int32.in('8-10').default(-2_147_483_648),
    errorCode: errorCode.in('13+'),
  },
})

export type MetadataRequest = RequestOf<typeof Metadata>
export type MetadataResponse = ResponseOf<typeof Metadata>
export type MetadataRequestInput = RequestInput<typeof Metadata>
export type MetadataResponseInput = ResponseInput<typeof Metadata>
