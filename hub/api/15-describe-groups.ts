/**
 * @module api/15-describe-groups — state and members of classic groups. Versions 0–6.
 *
 * 3: authorized operations (KIP-430). 4: static members (KIP-345). 6: an unknown group is an error (KIP-1043).
 */
import { DescribeGroups, ErrorCode } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { authorizedOperations, defineHandler } from './handler.ts'

export const describeGroups = defineHandler({
  api: DescribeGroups,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const answered = await broker.groups.describeGroups(request, callerOf(context))
    if (!request.includeAuthorizedOperations) return answered
    return {
      ...answered,
      groups: answered.groups.map((group) =>
        group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: authorizedOperations.group } : group,
      ),
    }
  },
})
