/**
 * @module wire/messages/49-alter-client-quotas — changes client quotas (KIP-546).
 *
 * - 1: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, float64, int32, string } from '../schema.ts'

export const AlterClientQuotas = api(49, 'AlterClientQuotas', {
  versions: '0-1',
  flexible: 1,
  listeners: ['broker', 'controller'],
  request: {
    entries: array({
      entity: array({
        entityType: string,
        entityName: string.orNull(),
      }),
      ops: array({
        key: string,
        value: float64,
        remove: bool,
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    entries: array({
      errorCode,
      errorMessage: string.orNull(),
      entity: array({
        entityType: string,
        entityName: string.orNull(),
      }),
    }),
  },
})

export type AlterClientQuotasRequest = RequestOf<typeof AlterClientQuotas>
export type AlterClientQuotasResponse = ResponseOf<typeof AlterClientQuotas>
export type AlterClientQuotasRequestInput = RequestInput<typeof AlterClientQuotas>
export type AlterClientQuotasResponseInput = ResponseInput<typeof AlterClientQuotas>
