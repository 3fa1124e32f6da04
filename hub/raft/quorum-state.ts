/**
 * @module raft/quorum-state — the `quorum-state` file beside the metadata log: Kafka's QuorumStateData as JSON.
 *
 * Written in version 1 (KIP-853), read in 0 and 1. Version 0 also lists the voters of a static quorum.
 */
import { ZERO_UUID } from '../wire/index.ts'
import type { QuorumState } from './core.ts'
import { MetadataLogError } from './metadata-log-error.ts'

export const QUORUM_STATE_FILE = 'quorum-state'
const WRITTEN_VERSION = 1
const REMEDY = 'restore it from a backup, or remove it if this node never voted in a quorum of several'

/** The file's bytes. */
export function encodeQuorumState(state: QuorumState): Buffer {
  const { leaderId, leaderEpoch, votedId } = state
  return Buffer.from(JSON.stringify({ leaderId, leaderEpoch, votedId, votedDirectoryId: ZERO_UUID, data_version: WRITTEN_VERSION }))
}

/** Reads the file's bytes. Throws MetadataLogError for what is no quorum state, or one of a later version. */
export function decodeQuorumState(path: string, content: Buffer): QuorumState {
  let parsed: unknown
  try {
    parsed = JSON.parse(content.toString('utf8'))
  } catch (error) {
    throw new MetadataLogError(path, 'is not JSON', REMEDY, error)
  }
  if (typeof parsed !== 'object' || parsed === null) throw new MetadataLogError(path, 'is not a JSON object', REMEDY)
  const fields = parsed as Readonly<Record<string, unknown>>
  const version = integer(path, fields, 'data_version')
  if (version > WRITTEN_VERSION)
    throw new MetadataLogError(path, `has version ${version}, which a later release wrote`, 'start that release')
  return {
    leaderId: integer(path, fields, 'leaderId'),
    leaderEpoch: integer(path, fields, 'leaderEpoch'),
    votedId: integer(path, fields, 'votedId'),
  }
}

function integer(path: string, fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name]
  if (!Number.isSafeInteger(value)) throw new MetadataLogError(path, `lacks the number "${name}"`, REMEDY)
  return value as number
}
