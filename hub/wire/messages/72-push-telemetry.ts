/**
 * @module wire/messages/72-push-telemetry — pushes client metrics (KIP-714).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bool, bytes, errorCode, int8, int32, uuid } from '../schema.ts'

export const PushTelemetry = api(72, 'PushTelemetry', {
  versions: '0',
  flexible: 0,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
  },
})

export type PushTelemetryRequest = RequestOf<typeof PushTelemetry>
export type PushTelemetryResponse = ResponseOf<typeof PushTelemetry>
export type PushTelemetryRequestInput = RequestInput<typeof PushTelemetry>
export type PushTelemetryResponseInput = ResponseInput<typeof PushTelemetry>
