/** @module api/31-delete-acls — removes access control entries. Versions 1–3. There is no authorizer that would have any: each filter is refused. */
import { DeleteAcls, ErrorCode } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const deleteAcls = defineHandler({
  api: DeleteAcls,
  overlaps: false,
  create: () => (request) => ({
    throttleTimeMs: 0,
    filterResults: request.filters.map(() => ({
      errorCode: ErrorCode.SECURITY_DISABLED,
      errorMessage: 'No Authorizer is configured.',
      matchingAcls: [],
    })),
  }),
})
