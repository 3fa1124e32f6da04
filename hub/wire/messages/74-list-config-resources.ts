/**
 * @module wire/messages/74-list-config-resources — lists resources that have settings.
 *
 * - 0: client metrics only (KIP-714)
 * - 1: other types too (KIP-1142)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const ListConfigResources = api(74, 'ListConfigResources', {
  versions: '0-1',
  flexible: 0,
  request: {
    resourceTypes: array(int8).in('1+'),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    configResources: array({
      resourceName: string,
      resourceType: int8.in('1+').default(16),
    }),
  },
})

export type ListConfigResourcesRequest = RequestOf<typeof ListConfigResources>
export type ListConfigResourcesResponse = ResponseOf<typeof ListConfigResources>
export type ListConfigResourcesRequestInput = RequestInput<typeof ListConfigResources>
export type ListConfigResourcesResponseInput = ResponseInput<typeof ListConfigResources>
