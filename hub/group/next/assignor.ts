/**
 * @module group/next/assignor — what a server-side assignor is given and what it returns (KIP-848).
 *
 * An assignor is a pure function. The same members in the same order with the same former targets give the same assignment.
 */
import type { Partitions } from './partitions.ts'

/** A member as an assignor sees it. */
export interface AssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Ids of the topics that it subscribes to and that exist. */
  readonly topicIds: ReadonlySet<string>
  /** Its former target. */
  readonly target: Partitions
}

/** A group as an assignor sees it. */
export interface AssignorInput {
  /** In the order of their ids. */
  readonly members: readonly AssignorMember[]
  /** All members subscribe to the same topics. */
  readonly isHomogeneous: boolean
  readonly partitionCount: (topicId: string) => number
}

/** Partitions by member id; a member without an entry gets none. */
export type Assignor = (input: AssignorInput) => ReadonlyMap<string, Partitions>

/** Topic ids in Java's order of UUIDs: as two signed numbers of 64 bits. */
export function sortTopicIds(topicIds: Iterable<string>): string[] {
  return [...topicIds]
    .map((topicId) => {
      const bytes = Buffer.from(topicId, 'base64url')
      return { topicId, most: bytes.readBigInt64BE(0), least: bytes.readBigInt64BE(8) }
    })
    .sort((a, b) => (a.most !== b.most ? (a.most < b.most ? -1 : 1) : a.least < b.least ? -1 : a.least > b.least ? 1 : 0))
    .map(({ topicId }) => topicId)
}
