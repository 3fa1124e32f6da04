/** @module api/30-create-acls — new access control entries. Versions 1–3. There is no authorizer that would keep any: each is refused, as by Kafka. */
import { CreateAcls, ErrorCode } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const createAcls = defineHandler({
  api: CreateAcls,
  overlaps: false,
  create: () => (request) => ({
    throttleTimeMs: 0,
    results: request.creations.map(() => ({ errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' })),
  }),
})
