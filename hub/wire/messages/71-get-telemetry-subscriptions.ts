/**
 * @module wire/messages/71-get-telemetry-subscriptions — asks which metrics a client is to push (KIP-714).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, string, uuid } from '../schema.ts'

export const GetTelemetrySubscriptions = api(71, 'GetTelemetrySubscriptions', {
  versions: '0',
  flexible: 0,
  request: {
    clientInstanceId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    clientInstanceId: uuid,
    subscriptionId: int32,
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    requestedMetrics: array(string),
  },
})

export type GetTelemetrySubscriptionsRequest = RequestOf<typeof GetTelemetrySubscriptions>
export type GetTelemetrySubscriptionsResponse = ResponseOf<typeof GetTelemetrySubscriptions>
export type GetTelemetrySubscriptionsRequestInput = RequestInput<typeof GetTelemetrySubscriptions>
export type GetTelemetrySubscriptionsResponseInput = ResponseInput<typeof GetTelemetrySubscriptions>
