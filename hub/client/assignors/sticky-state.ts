/** @module client/assignors/sticky-state — what both ways of the sticky deal start from. */
import type { TopicPartition } from '../types.ts'
import type { RackMap } from './racks.ts'
import type { AssignorMember, AssignorTopic } from './types.ts'

/** What a member claims to own, and since when. */
export interface Claim {
  readonly partitions: readonly TopicPartition[]
  /** null: the member said nothing. */
  readonly generationId: number | null
}

/** The claims of all members, cleaned of what is gone, unwanted or claimed twice. */
export interface StickyState {
  readonly topics: ReadonlyMap<string, AssignorTopic>
  readonly members: readonly AssignorMember[]
  readonly racks: RackMap
  readonly claims: ReadonlyMap<string, Claim>
  readonly owned: Map<string, TopicPartition[]>
  readonly claimedTwice: ReadonlySet<string>
  readonly generationIdMax: number
}
