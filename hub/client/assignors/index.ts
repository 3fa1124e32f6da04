/** @module client/assignors — the four assignors of Kafka's consumer, by their protocol names. */
import { rangeAssignor } from './range.ts'
import { roundRobinAssignor } from './round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.ts'
import type { Assignor } from './types.ts'

export type {
  Assignment,
  Assignor,
  AssignorMember,
  AssignorTopic,
} from './types.ts'

/** Protocol name to assignor. */
export const assignors: ReadonlyMap<string, Assignor> = new Map(
  [rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor].map((assignor) => [assignor.name, assignor]),
)
