/** @module group/next — consumer groups of the new protocol (KIP-848). Inside the room `group` only. */
export {
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  heartbeatConsumerGroup,
  joinConsumerGroup,
  leaveConsumerGroup,
  syncConsumerGroup,
} from './api.ts'
export { ConsumerGroups } from './consumer-groups.ts'
export type { ConsumerRecord } from './draft.ts'
export { allSubscribedNames, stateOf } from './group.ts'
export type { ConsumerGroup } from './group.ts'
export { judgeCommit, judgeFetch } from './offset-guard.ts'
export { decodeConsumerRecord } from './records.ts'
export { consumerWorld } from './world.ts'
export type { ConsumerGroupSettings, ConsumerWorld } from './world.ts'
