/**
 * @module wire/messages/50-describe-user-scram-credentials — tells which SCRAM credentials users have (KIP-554).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const DescribeUserScramCredentials = api(50, 'DescribeUserScramCredentials', {
  versions: '0',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    users: array({
      name: string,
    }).orNull(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
    results: array({
      user: string,
      errorCode,
      errorMessage: string.orNull(),
      credentialInfos: array({
        mechanism: int8,
        iterations: int32,
      }),
    }),
  },
})

export type DescribeUserScramCredentialsRequest = RequestOf<typeof DescribeUserScramCredentials>
export type DescribeUserScramCredentialsResponse = ResponseOf<typeof DescribeUserScramCredentials>
export type DescribeUserScramCredentialsRequestInput = RequestInput<typeof DescribeUserScramCredentials>
export type DescribeUserScramCredentialsResponseInput = ResponseInput<typeof DescribeUserScramCredentials>
