/**
 * @module wire/messages/44-incremental-alter-configs — changes single settings of resources (KIP-339).
 *
 * - 1: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, string } from '../schema.ts'

export const IncrementalAlterConfigs = api(44, 'IncrementalAlterConfigs', {
  versions: '0-1',
  flexible: 1,
  listeners: ['broker', 'controller'],
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        configOperation: int8,
        value: string.orNull(),
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      errorCode,
      errorMessage: string.orNull(),
      resourceType: int8,
      resourceName: string,
    }),
  },
})

export type IncrementalAlterConfigsRequest = RequestOf<typeof IncrementalAlterConfigs>
export type IncrementalAlterConfigsResponse = ResponseOf<typeof IncrementalAlterConfigs>
export type IncrementalAlterConfigsRequestInput = RequestInput<typeof IncrementalAlterConfigs>
export type IncrementalAlterConfigsResponseInput = ResponseInput<typeof IncrementalAlterConfigs>
