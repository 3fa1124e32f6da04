/** @module group — consumer groups and committed offsets. */
export type * from './types.ts'
export { createGroupCoordinator } from './coordinator.ts'
export type { GroupFacts, OffsetFact } from './counts.ts'
export type { GroupConfig, GroupConfigKey, GroupLimits } from './group-config.ts'
export { groupConfig } from './group-config.ts'
export { consumerWorld } from './next/index.ts'
export type { ConsumerGroupSettings, ConsumerWorld } from './next/index.ts'
