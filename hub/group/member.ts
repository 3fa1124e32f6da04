/**
 * @module group/member — one member of a classic group, as the coordinator sees it (pure).
 *
 * A member is immutable; a change makes a new one. What it waits for is a ticket: the number under which the shell keeps the
 * promise of an unanswered request.
 */

/** Number of an unanswered request, unique per partition of the offsets topic while the process lives. */
export type Ticket = number

/** One protocol (assignor) that a member offers, with what it says about itself in that protocol's own bytes. */
export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

/** A member of a classic group. */
export interface Member {
  readonly memberId: string
  /** Static members only (KIP-345). */
  readonly groupInstanceId: string | null
  readonly clientId: string
  /** The host text as Kafka writes it, `/127.0.0.1`. */
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly Protocol[]
  /** What the leader gave it in this generation; empty when nothing (yet). */
  readonly assignment: Buffer
  /** Joined since the last generation began: its session is not yet counted, a longer timeout guards its first join instead. */
  readonly isNew: boolean
  /** False until an answer has told the client its member id: after a disconnect such a member can never come back. */
  readonly clientKnowsId: boolean
  /** The JoinGroup request that waits for the next generation, or null. */
  readonly joinTicket: Ticket | null
  /** The SyncGroup request that waits for the leader's assignment, or null. */
  readonly syncTicket: Ticket | null
}

/** The assignment of a member that got none. */
export const NO_ASSIGNMENT: Buffer = Buffer.alloc(0)

/** Whether the offer is the same as at the last join: same names, same bytes, same order. */
export function offersSame(member: Member, protocols: readonly Protocol[]): boolean {
  if (member.protocols.length !== protocols.length) return false
  return member.protocols.every((own, at) => {
    const other = protocols[at]
    return other !== undefined && own.name === other.name && own.metadata.equals(other.metadata)
  })
}

/** The member's bytes in one protocol; empty when it does not offer it. */
export function metadataIn(member: Member, protocolName: string | null): Buffer {
  return member.protocols.find((protocol) => protocol.name === protocolName)?.metadata ?? NO_ASSIGNMENT
}

/** Names that every member offers. */
export function commonProtocols(members: Iterable<Member>): Set<string> {
  const counts = new Map<string, number>()
  let memberCount = 0
  for (const member of members) {
    memberCount++
    for (const name of new Set(member.protocols.map((protocol) => protocol.name))) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return new Set([...counts].flatMap(([name, count]) => (count === memberCount ? [name] : [])))
}

/** The protocol of the next generation: each member votes for the first common one in its list, most votes win, the first seen among equals. Null when there is no common one. */
export function selectProtocol(members: Iterable<Member>): string | null {
  const all = [...members]
  const candidates = commonProtocols(all)
  const votes = new Map<string, number>()
  for (const member of all) {
    const choice = member.protocols.find((protocol) => candidates.has(protocol.name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let elected: string | null = null
  for (const [name, count] of votes) if (elected === null || count > (votes.get(elected) ?? 0)) elected = name
  return elected
}
