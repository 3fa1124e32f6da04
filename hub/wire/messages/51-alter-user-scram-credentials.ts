/**
 * @module wire/messages/51-alter-user-scram-credentials — changes SCRAM credentials of users (KIP-554).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bytes, errorCode, int8, int32, string } from '../schema.ts'

export const AlterUserScramCredentials = api(51, 'AlterUserScramCredentials', {
  versions: '0',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    deletions: array({
      name: string,
      mechanism: int8,
    }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      user: string,
      errorCode,
      errorMessage: string.orNull(),
    }),
  },
})

export type AlterUserScramCredentialsRequest = RequestOf<typeof AlterUserScramCredentials>
export type AlterUserScramCredentialsResponse = ResponseOf<typeof AlterUserScramCredentials>
export type AlterUserScramCredentialsRequestInput = RequestInput<typeof AlterUserScramCredentials>
export type AlterUserScramCredentialsResponseInput = ResponseInput<typeof AlterUserScramCredentials>
