/**
 * @module api/10-find-coordinator — which broker coordinates a group or a transactional id. Versions 0–6.
 *
 * With one broker it is this one; the first call makes `__consumer_offsets` or `__transaction_state` and answers when it stands. 1: key
 * types. 4: several keys (KIP-699). 6: share groups. Their coordinators do not exist here: INVALID_REQUEST with a sentence that says so
 * (see skipped.md).
 */
import { ErrorCode, errorMessage, FindCoordinator } from '../wire/index.ts'
import { type Broker, defineHandler, reachableBrokers } from './handler.ts'

const KEY_TYPE = { group: 0, transaction: 1, share: 2 } as const
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
  create: (broker) => {
    const topics = {
      [KEY_TYPE.group]: toldOnce(broker, '__consumer_offsets'),
      [KEY_TYPE.transaction]: toldOnce(broker, '__transaction_state'),
    }
    return async (request, context) => {
      const found = await find(broker, request.keyType, context.connection.listenerName, topics)
      if (context.apiVersion < SEVERAL_KEYS_VERSION_MIN) {
        return { throttleTimeMs: 0, ...found, errorMessage: found.errorCode === ErrorCode.NONE ? 'NONE' : found.errorMessage }
      }
      return { throttleTimeMs: 0, coordinators: request.coordinatorKeys.map((key) => ({ key, ...found })) }
    }
  },
})

async function find(
  broker: Broker,
  keyType: number,
  listenerName: string,
  topics: Readonly<Record<number, (errorCode: number) => void>>,
): Promise<Found> {
  if (keyType === KEY_TYPE.share) return nowhere(ErrorCode.INVALID_REQUEST, 'This broker does not support share groups.')
  if (keyType !== KEY_TYPE.group && keyType !== KEY_TYPE.transaction) {
    return nowhere(ErrorCode.INVALID_REQUEST, errorMessage(ErrorCode.INVALID_REQUEST) ?? '')
  }
  const errorCode = await (keyType === KEY_TYPE.group ? broker.ensureOffsetsTopic() : broker.transactions.ensureTopic())
  topics[keyType]?.(errorCode)
  const self = reachableBrokers(broker.controller.image, listenerName).find((candidate) => candidate.nodeId === broker.nodeId)
  if (errorCode !== ErrorCode.NONE || self === undefined) return nowhere(ErrorCode.COORDINATOR_NOT_AVAILABLE, '')
  return { errorCode: ErrorCode.NONE, errorMessage: '', nodeId: self.nodeId, host: self.host, port: self.port }
}

function nowhere(errorCode: number, message: string): Found {
  return { errorCode, errorMessage: message, nodeId: -1, host: '', port: -1 }
}

/** Logs why a topic cannot be made: once, since whoever needs it asks again and again. */
function toldOnce(broker: Broker, topic: string): (errorCode: number) => void {
  let told: number = ErrorCode.NONE
  return (errorCode) => {
    if (errorCode !== told && errorCode !== ErrorCode.NONE)
      broker.logger.warn(`cannot make the topic ${topic}: ${errorMessage(errorCode)}`, { errorCode })
    told = errorCode
  }
}
