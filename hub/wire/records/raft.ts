/**
 * @module wire/records/raft — state of a raft voter on disk (the `quorum-state` file, as JSON there) and control
 * records of the metadata log.
 */
import { data } from '../message.ts'
import { array, int16, int32, offset, string, struct, uint16, uuid } from '../schema.ts'

/** Last vote and leader that a voter knows. 1: directory ids of voters (KIP-853). */
export const QuorumStateData = data('QuorumStateData', {
  versions: '0-1',
  flexible: 0,
  fields: {
    clusterId: string.in('0'),
    leaderId: int32.default(-1),
    leaderEpoch: int32.default(-1),
    votedId: int32.default(-1),
    votedDirectoryId: uuid.in('1+'),
    appliedOffset: offset.in('0'),
    currentVoters: array({
      voterId: int32,
    })
      .in('0')
      .orNull(),
  },
})

const voter = struct({
  voterId: int32,
  voterDirectoryId: uuid.in('1+'),
})

/** A new leader's first record. 1: directory ids (KIP-853). */
export const LeaderChangeMessage = data('LeaderChangeMessage', {
  versions: '0-1',
  flexible: 0,
  fields: {
    version: int16,
    leaderId: int32,
    voters: array(voter),
    grantingVoters: array(voter),
  },
})

/** First record of a snapshot (KIP-630). */
export const SnapshotHeaderRecord = data('SnapshotHeaderRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    version: int16,
    lastContainedLogTimestamp: offset,
  },
})

/** Last record of a snapshot (KIP-630). */
export const SnapshotFooterRecord = data('SnapshotFooterRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    version: int16,
  },
})

/** Version of the raft protocol in force (KIP-853). */
export const KRaftVersionRecord = data('KRaftVersionRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    version: int16,
    kRaftVersion: int16,
  },
})

/** The voters and their endpoints (KIP-853). */
export const VotersRecord = data('VotersRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    version: int16,
    voters: array({
      voterId: int32,
      voterDirectoryId: uuid,
      endpoints: array({
        name: string,
        host: string,
        port: uint16,
      }),
      kRaftVersionFeature: struct({
        minSupportedVersion: int16,
        maxSupportedVersion: int16,
      }),
    }),
  },
})
