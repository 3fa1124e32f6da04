/**
 * @module api/10-find-coordinator — which broker coordinates a group. Versions 0–6.
 *
 * With one broker it is this one; the first call makes `__consumer_offsets` and answers when it stands. 1: key types. 4: several keys
 * (KIP-699). 6: share groups. Coordinators of transactions and share groups do not exist here yet: INVALID_REQUEST with a sentence that
 * says so (see skipped.md).
 */
import { ErrorCode, errorMessage, FindCoordinator } from '../wire/index.ts'
import { type Broker, defineHandler, reachableBrokers } from './handler.ts'

const KEY_TYPE_GROUP = 0
const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [1, 'This broker does not support transactions.'],
  [2, 'This broker does not support share groups.'],
])
/** First version that asks for several keys, and whose success has no message. */
const SEVERAL_KEYS_VERSION_MIN = 4

interface Found {
  readonly errorCode: number
  readonly errorMessage: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export const findCoordinator = defineHandler({
  api: FindCoordinator,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const found = await find(broker, request.keyType, context.connection.listenerName)
    if (context.apiVersion < SEVERAL_KEYS_VERSION_MIN) {
      return { throttleTimeMs: 0, ...found, errorMessage: found.errorCode === ErrorCode.NONE ? 'NONE' : found.errorMessage }
    }
    return { throttleTimeMs: 0, coordinators: request.coordinatorKeys.map((key) => ({ key, ...found })) }
  },
})

async function find(broker: Broker, keyType: number, listenerName: string): Promise<Found> {
  if (keyType !== KEY_TYPE_GROUP)
    return nowhere(ErrorCode.INVALID_REQUEST, UNSUPPORTED.get(keyType) ?? errorMessage(ErrorCode.INVALID_REQUEST) ?? '')
  const errorCode = await broker.ensureOffsetsTopic()
  const self = reachableBrokers(broker.controller.image, listenerName).find((candidate) => candidate.nodeId === broker.nodeId)
  if (errorCode !== ErrorCode.NONE || self === undefined) return nowhere(ErrorCode.COORDINATOR_NOT_AVAILABLE, '')
  return { errorCode: ErrorCode.NONE, errorMessage: '', nodeId: self.nodeId, host: self.host, port: self.port }
}

function nowhere(errorCode: number, message: string): Found {
  return { errorCode, errorMessage: message, nodeId: -1, host: '', port: -1 }
}
