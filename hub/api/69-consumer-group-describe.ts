/**
 * @module api/69-consumer-group-describe — consumer groups of KIP-848 with members and assignments. Versions 0–1.
 *
 * 1: whether a member speaks the classic protocol (KIP-1099).
 */
import { ConsumerGroupDescribe, ErrorCode } from '../wire/index.ts'
import { hasConsumerGroups } from './consumer-group-feature.ts'
import { authorizedOperations, defineHandler } from './handler.ts'

export const consumerGroupDescribe = defineHandler({
  api: ConsumerGroupDescribe,
  overlaps: false,
  create: (broker) => async (request) => {
    if (!hasConsumerGroups(broker)) return { throttleTimeMs: 0, groups: request.groupIds.map(unsupported) }
    const answered = await broker.groups.consumerGroupDescribe(request)
    if (!request.includeAuthorizedOperations) return answered
    return {
      ...answered,
      groups: answered.groups.map((group) =>
        group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: authorizedOperations.group } : group,
      ),
    }
  },
})

function unsupported(groupId: string) {
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
  return { errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage: null, groupId, ...nothing }
}
