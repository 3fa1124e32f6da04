/**
 * @module wire/messages/63-broker-heartbeat — keeps a broker's registration alive (KIP-631).
 *
 * - 1: offline log directories (KIP-858)
 * - 2: cordoned log directories (KIP-1066)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, offset, uuid } from '../schema.ts'

export const BrokerHeartbeat = api(63, 'BrokerHeartbeat', {
  versions: '0-2',
  flexible: 0,
  listeners: ['controller'],
  request: {
    brokerId: int32,
    brokerEpoch: offset.default(-1),
    currentMetadataOffset: offset,
    wantFence: bool,
    wantShutDown: bool,
    offlineLogDirs: array(uuid).in('1+').tag(0),
    cordonedLogDirs: array(uuid).in('2+').nullable().tag(1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    isCaughtUp: bool.default(false),
    isFenced: bool.default(true),
    shouldShutDown: bool,
  },
})

export type BrokerHeartbeatRequest = RequestOf<typeof BrokerHeartbeat>
export type BrokerHeartbeatResponse = ResponseOf<typeof BrokerHeartbeat>
export type BrokerHeartbeatRequestInput = RequestInput<typeof BrokerHeartbeat>
export type BrokerHeartbeatResponseInput = ResponseInput<typeof BrokerHeartbeat>
