/**
 * @module wire/messages/30-create-acls — creates access control entries.
 *
 * - 1: pattern types (KIP-290)
 * - 2: flexible
 * - 3: user resources (KIP-373)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const CreateAcls = api(30, 'CreateAcls', {
  versions: '1-3',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode,
      errorMessage: string.orNull(),
    }),
  },
})

export type CreateAclsRequest = RequestOf<typeof CreateAcls>
export type CreateAclsResponse = ResponseOf<typeof CreateAcls>
export type CreateAclsRequestInput = RequestInput<typeof CreateAcls>
export type CreateAclsResponseInput = ResponseInput<typeof CreateAcls>
