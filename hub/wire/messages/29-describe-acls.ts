/**
 * @module wire/messages/29-describe-acls — lists access control entries that match a filter.
 *
 * - 1: pattern types (KIP-290)
 * - 2: flexible
 * - 3: user resources (KIP-373)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const DescribeAcls = api(29, 'DescribeAcls', {
  versions: '1-3',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    resourceTypeFilter: int8,
    resourceNameFilter: string.orNull(),
    patternTypeFilter: int8.default(3),
    principalFilter: string.orNull(),
    hostFilter: string.orNull(),
    operation: int8,
    permissionType: int8,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: int8.default(3),
      acls: array({
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
})

export type DescribeAclsRequest = RequestOf<typeof DescribeAcls>
export type DescribeAclsResponse = ResponseOf<typeof DescribeAcls>
export type DescribeAclsRequestInput = RequestInput<typeof DescribeAcls>
export type DescribeAclsResponseInput = ResponseInput<typeof DescribeAcls>
