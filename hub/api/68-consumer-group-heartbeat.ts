/**
 * @module api/68-consumer-group-heartbeat — keeps a member of a consumer group (KIP-848) and tells it its assignment. Versions 0–1.
 *
 * 1: subscription by regular expression; the client makes its member id (KIP-1082).
 */
import { ConsumerGroupHeartbeat, ErrorCode } from '../wire/index.ts'
import { hasConsumerGroups } from './consumer-group-feature.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const consumerGroupHeartbeat = defineHandler({
  api: ConsumerGroupHeartbeat,
  overlaps: false,
  create: (broker) => async (request, context) => {
    if (hasConsumerGroups(broker)) return broker.groups.consumerGroupHeartbeat(request, callerOf(context))
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      errorMessage: null,
      memberId: null,
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
      assignment: null,
    }
  },
})
