/**
 * @module wire/messages/60-describe-cluster — tells cluster id, controller and brokers (KIP-700).
 *
 * - 1: brokers or controllers (KIP-919)
 * - 2: fenced brokers (KIP-1073)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, string } from '../schema.ts'

export const DescribeCluster = api(60, 'DescribeCluster', {
  versions: '0-2',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    includeClusterAuthorizedOperations: bool,
    endpointType: int8.in('1+').default(1),
    includeFencedBrokers: bool.in('2+'),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    endpointType: int8.in('1+').default(1),
    clusterId: string,
    controllerId: int32.default(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.nullable(),
      isFenced: bool.in('2+'),
    }),
    clusterAuthorizedOperations: int32.default(-2_147_483_648),
  },
})

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>
export type DescribeClusterRequestInput = RequestInput<typeof DescribeCluster>
export type DescribeClusterResponseInput = ResponseInput<typeof DescribeCluster>
