/** @module client/group-member-types — what a member of a group is told, what it asks of its owner, and what a join gives. */

/** What a member is and how patient it is. */
export interface GroupMemberOptions {
  readonly groupId: string
  /** Static membership (KIP-345); null for a dynamic member. */
  readonly groupInstanceId: string | null
  /** Whether `leave` takes the member out of its group at once. Default: not a static one, which means to come back. */
  readonly isLeaving?: boolean
  /**
   * A static member that puts the one before it out of the group when it first joins, instead of taking its place: the group deals anew,
   * by what this member wants. Where the broker has no static members it is a dynamic one. Default: false.
   */
  readonly replacesPredecessor?: boolean
  /** `consumer`, `connect`, …; all members of a group have the same. */
  readonly protocolType: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** How long the group waits for this member to join again. */
  readonly rebalanceTimeoutMs: number
  /** Leave the group when `touch` was not called for so long; undefined: never. */
  readonly pollIntervalMsMax?: number
}

/** A way of sharing work that the member knows, with what it wants to tell the leader. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** A member as the leader sees it. */
export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/** What the owner does for its member. */
export interface GroupMemberHandlers {
  /** In order of preference; asked for at every join. */
  protocols(): readonly MemberProtocol[]
  /** This member was chosen to share out the work: member id to assignment. Members left out get empty bytes. */
  onJoinedAsLeader(protocolName: string, members: readonly JoinedMember[]): Promise<ReadonlyMap<string, Buffer>>
  /** `rejoinNeeded` has become true, or `fatalError` was set. */
  onAttention(): void
}

/** A completed join. */
export interface Generation {
  readonly generationId: number
  readonly memberId: string
  readonly protocolName: string
  readonly isLeader: boolean
  /** Made by the leader; empty when it had nothing for this member. */
  readonly assignment: Buffer
}
