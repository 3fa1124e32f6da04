/** A group by script with one member that leads it: everything about it goes well, until a test replaces an answer. */
import {
  ConsumerProtocolAssignment,
  encodeVersioned,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../hub/wire/index.ts'
import type { ScriptedPeer } from './scripted-peer.ts'

/** Answers what a member asks its coordinator. */
export function scriptGroup(peer: ScriptedPeer): void {
  const port = Number(peer.bootstrap.split(':')[1])
  let generationId = 0
  peer.on(FindCoordinator, ({ coordinatorKeys }) => ({
    throttleTimeMs: 0,
    coordinators: coordinatorKeys.map((key) => ({ key, nodeId: 1, host: '127.0.0.1', port, errorCode: 0, errorMessage: null })),
  }))
  peer.on(JoinGroup, ({ protocols }) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: ++generationId,
    protocolType: 'consumer',
    protocolName: protocols[0]?.name ?? '',
    leader: 'm1',
    memberId: 'm1',
    members: [{ memberId: 'm1', groupInstanceId: null, metadata: protocols[0]?.metadata ?? Buffer.alloc(0) }],
  }))
  peer.on(SyncGroup, ({ assignments }) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    assignment: assignments[0]?.assignment ?? encodeVersioned(ConsumerProtocolAssignment, { assignedPartitions: [] }, 1),
  }))
  peer.on(Heartbeat, () => ({ throttleTimeMs: 0, errorCode: 0 }))
  peer.on(LeaveGroup, () => ({ throttleTimeMs: 0, errorCode: 0, members: [] }))
  peer.on(OffsetFetch, ({ groups }) => ({
    throttleTimeMs: 0,
    groups: groups.map(({ groupId, topics }) => ({
      groupId,
      errorCode: 0,
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          committedOffset: 0,
          committedLeaderEpoch: -1,
          metadata: '',
          errorCode: 0,
        })),
      })),
    })),
  }))
  peer.on(OffsetCommit, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
    })),
  }))
}
