/** @module cluster — the metadata image, its records, and the controller that changes it. */
export { openController } from './controller.ts'
export type { ClusterSettings } from './decision.ts'
export { supportedFeatures } from './features.ts'
export type { ClusterLimits } from './limits.ts'
export type { BrokerFacts } from './register-broker.ts'
export { topicNameProblem } from './topic-names.ts'
export type * from './types.ts'
export { UnusableRecordError } from './unusable-record-error.ts'
