/**
 * @module wire/messages/48-describe-client-quotas — lists client quotas (KIP-546).
 *
 * - 1: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, float64, int8, int32, string } from '../schema.ts'

export const DescribeClientQuotas = api(48, 'DescribeClientQuotas', {
  versions: '0-1',
  flexible: 1,
  request: {
    components: array({
      entityType: string,
      matchType: int8,
      match: string.orNull(),
    }),
    strict: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
    entries: array({
      entity: array({
        entityType: string,
        entityName: string.orNull(),
      }),
      values: array({
        key: string,
        value: float64,
      }),
    }).orNull(),
  },
})

export type DescribeClientQuotasRequest = RequestOf<typeof DescribeClientQuotas>
export type DescribeClientQuotasResponse = ResponseOf<typeof DescribeClientQuotas>
export type DescribeClientQuotasRequestInput = RequestInput<typeof DescribeClientQuotas>
export type DescribeClientQuotasResponseInput = ResponseInput<typeof DescribeClientQuotas>
