/** @module api/29-describe-acls — access control entries. Versions 1–3. There is no authorizer that would keep any: said as Kafka says it. */
import { DescribeAcls, ErrorCode } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const describeAcls = defineHandler({
  api: DescribeAcls,
  overlaps: false,
  create: () => () => ({
    throttleTimeMs: 0,
    errorCode: ErrorCode.SECURITY_DISABLED,
    errorMessage: 'No Authorizer is configured on the broker',
    resources: [],
  }),
})
