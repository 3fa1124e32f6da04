/**
 * @module wire/messages/33-alter-configs — replaces all settings of resources.
 *
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, string } from '../schema.ts'

export const AlterConfigs = api(33, 'AlterConfigs', {
  versions: '0-2',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
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

export type AlterConfigsRequest = RequestOf<typeof AlterConfigs>
export type AlterConfigsResponse = ResponseOf<typeof AlterConfigs>
export type AlterConfigsRequestInput = RequestInput<typeof AlterConfigs>
export type AlterConfigsResponseInput = ResponseInput<typeof AlterConfigs>
