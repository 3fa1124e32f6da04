/**
 * @module raft/core — consensus on the metadata log, pure: state and event in, next state and effects out.
 *
 * ```
 *              start: persist the vote and the epoch, then append LeaderChange
 *   unattached ──────────────────────────────────────────────────────────────► leader ─┐ synced: commit
 *                                                                                ▲     │
 *                                                                                └─────┘
 * ```
 * A voter that is a majority by itself elects itself at once (KIP-595: no timeout is waited for). Elections among several,
 * and the fetches of followers, are further events and effects of this same function; everything that counts voters
 * here already counts all of them. The driver's duties: perform effects in their order (persist, append, then commit); append what is
 * proposed to a leader under the leader's epoch, and nothing to anybody else; report what is synced, its own log included.
 */

/** What survives a restart beside the log: the newest epoch, its leader, and whom this voter voted for in it (−1: nobody). */
export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly votedId: number
}

export interface RaftState {
  readonly role: 'unattached' | 'leader'
  readonly nodeId: number
  readonly voters: readonly number[]
  readonly epoch: number
  /** −1: none known. */
  readonly leaderId: number
  /** Offset of the first batch of this epoch, −1 until leader. */
  readonly epochStartOffset: number
  /** Synced end of the log by voter. */
  readonly syncedOffsets: ReadonlyMap<number, number>
  /** Everything below is committed. */
  readonly highWatermark: number
}

export type RaftEvent =
  /** The log was read; `quorumState` is undefined on the first start ever, `lastEpoch` −1 for an empty log. */
  | { readonly kind: 'start'; readonly quorumState: QuorumState | undefined; readonly lastEpoch: number; readonly endOffset: number }
  /** A voter has synced everything below `endOffset`. */
  | { readonly kind: 'synced'; readonly voterId: number; readonly endOffset: number }

export type RaftEffect =
  | { readonly kind: 'persist'; readonly quorumState: QuorumState }
  /** The first batch of an epoch, a control batch. */
  | {
      readonly kind: 'append-leader-change'
      readonly epoch: number
      readonly leaderId: number
      readonly voters: readonly number[]
      readonly grantingVoters: readonly number[]
    }
  | { readonly kind: 'commit'; readonly highWatermark: number }

export interface Step {
  readonly state: RaftState
  readonly effects: readonly RaftEffect[]
}

/** A voter that has seen nothing yet. Throws RangeError unless `nodeId` alone is a majority of `voters`. */
export function initialState(nodeId: number, voters: readonly number[]): RaftState {
  if (!voters.includes(nodeId) || majorityCount(voters.length) > 1) {
    throw new RangeError(`node ${nodeId} is no majority of the voters [${voters.join(', ')}]`)
  }
  return {
    role: 'unattached',
    nodeId,
    voters,
    epoch: 0,
    leaderId: -1,
    epochStartOffset: -1,
    syncedOffsets: new Map(),
    highWatermark: 0,
  }
}

/** The state after an event, and what is to be done, in order. Throws for an event that the role does not allow: the driver's error. */
export function step(state: RaftState, event: RaftEvent): Step {
  switch (state.role) {
    case 'unattached':
      return stepUnattached(state, event)
    case 'leader':
      return stepLeader(state, event)
  }
}

function stepUnattached(state: RaftState, event: RaftEvent): Step {
  if (event.kind !== 'start') throw new Error(`raft: ${event.kind} before start`)
  const epoch = Math.max(event.quorumState?.leaderEpoch ?? 0, event.lastEpoch, 0) + 1
  const { nodeId, voters } = state
  return {
    state: { ...state, role: 'leader', epoch, leaderId: nodeId, epochStartOffset: event.endOffset },
    effects: [
      { kind: 'persist', quorumState: { leaderId: nodeId, leaderEpoch: epoch, votedId: -1 } },
      { kind: 'append-leader-change', epoch, leaderId: nodeId, voters, grantingVoters: [nodeId] },
    ],
  }
}

function stepLeader(state: RaftState, event: RaftEvent): Step {
  if (event.kind !== 'synced') throw new Error('raft: started twice')
  return advance(state, event.voterId, event.endOffset)
}

/** Moves the high watermark to what a majority has synced, but only over batches of this epoch (Raft §5.4.2). */
function advance(before: RaftState, voterId: number, endOffset: number): Step {
  const syncedOffsets = new Map(before.syncedOffsets).set(voterId, endOffset)
  const state = { ...before, syncedOffsets }
  const highWatermark = majorityOffset(state.voters.map((voter) => syncedOffsets.get(voter) ?? 0))
  if (highWatermark <= state.epochStartOffset || highWatermark <= state.highWatermark) return { state, effects: [] }
  return { state: { ...state, highWatermark }, effects: [{ kind: 'commit', highWatermark }] }
}

/** The greatest offset that a majority of the given ones has reached. */
export function majorityOffset(offsets: readonly number[]): number {
  const descending = offsets.toSorted((a, b) => b - a)
  return descending[majorityCount(offsets.length) - 1] ?? 0
}

function majorityCount(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1
}
