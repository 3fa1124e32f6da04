/**
 * @module wire/messages/31-delete-acls — deletes access control entries that match filters.
 *
 * - 1: pattern types (KIP-290)
 * - 2: flexible
 * - 3: user resources (KIP-373)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const DeleteAcls = api(31, 'DeleteAcls', {
  versions: '1-3',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    filters: array({
      resourceTypeFilter: int8,
      resourceNameFilter: string.orNull(),
      patternTypeFilter: int8.default(3),
      principalFilter: string.orNull(),
      hostFilter: string.orNull(),
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    filterResults: array({
      errorCode,
      errorMessage: string.orNull(),
      matchingAcls: array({
        errorCode,
        errorMessage: string.orNull(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.default(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
})

export type DeleteAclsRequest = RequestOf<typeof DeleteAcls>
export type DeleteAclsResponse = ResponseOf<typeof DeleteAcls>
export type DeleteAclsRequestInput = RequestInput<typeof DeleteAcls>
export type DeleteAclsResponseInput = ResponseInput<typeof DeleteAcls>
