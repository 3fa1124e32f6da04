/**
 * Control batches: one record that speaks to brokers and consumers, not to applications. Its key is two int16, version and type;
 * its value begins with its own int16 version. The bodies of Raft's control records are messages (`wire/records`), the end of a
 * transaction is read and written here.
 * Source: KIP-98 (transactions), KIP-595 (leader change), KIP-630 (snapshots), KIP-853 (voters).
 * @module
 */
import { encodeBatch } from './batch-encode.ts'
import { invalid } from './batch-error.ts'
import { int16At, int32At, putInt32 } from './batch-header.ts'

/** Types of control records. */
export const ControlType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

/** Key of a control record. A reader passes over types that it does not know. */
export interface ControlKey {
  readonly version: number
  readonly type: number
}

/** End of one producer's transaction in a partition. */
export interface EndTransactionMarker {
  readonly commit: boolean
  /** Epoch of the transaction coordinator: markers of an older one are void. */
  readonly coordinatorEpoch: number
}

const KEY_BYTES = 4
const KEY_VERSION = 0
const MARKER_BYTES = 6
const MARKER_VERSION = 0

/** Reads a control record's key. Throws BatchError if it is null, too short or of a negative version. */
export function decodeControlKey(key: Buffer | null): ControlKey {
  if (key === null || key.length < KEY_BYTES) throw invalid('key of a control record is too short')
  const version = int16At(key, 0)
  if (version < 0) throw invalid(`version ${version} of a control record's key`)
  return { version, type: int16At(key, 2) }
}

/** Reads the marker of a control record of type ABORT or COMMIT. Throws BatchError for any other type and for short bytes. */
export function decodeEndTransactionMarker(key: Buffer | null, value: Buffer | null): EndTransactionMarker {
  const { type } = decodeControlKey(key)
  if (type !== ControlType.COMMIT && type !== ControlType.ABORT) throw invalid(`control record of type ${type} ends no transaction`)
  if (value === null || value.length < MARKER_BYTES || int16At(value, 0) < 0)
    throw invalid('value of an end-transaction marker is too short')
  return {
    commit: type === ControlType.COMMIT,
    coordinatorEpoch: int32At(value, 2),
  }
}

/** A control batch of one record. `value` is the body with its version in front. Returns the batch; throws nothing of its own. */
export function encodeControlBatch(input: {
  readonly type: number
  readonly value: Buffer
  readonly timestampMs: number
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly transactional?: boolean
}): Buffer {
  const { type, value, timestampMs, ...batch } = input
  const key = Buffer.from([KEY_VERSION >>> 8, KEY_VERSION, type >>> 8, type])
  return encodeBatch({
    ...batch,
    control: true,
    records: [{ key, value, timestampMs }],
  })
}

/** The batch that ends a transaction of a producer in one partition. */
export function encodeEndTransactionMarker(input: {
  readonly commit: boolean
  readonly coordinatorEpoch: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly timestampMs: number
  readonly baseOffset?: number
  readonly leaderEpoch?: number
}): Buffer {
  const { commit, coordinatorEpoch, ...batch } = input
  const value = Buffer.alloc(MARKER_BYTES)
  value.writeInt16BE(MARKER_VERSION, 0)
  putInt32(value, 2, coordinatorEpoch)
  return encodeControlBatch({
    ...batch,
    type: commit ? ControlType.COMMIT : ControlType.ABORT,
    value,
    transactional: true,
  })
}
