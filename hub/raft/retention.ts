/**
 * @module raft/retention — which snapshots may go (KIP-630), pure.
 *
 * Only a snapshot that has a successor may go, oldest first: when it is too old, or while log and snapshots together are too large.
 * The log is then needed from the end of the oldest snapshot that stays.
 */
import type { MetadataLogLimits } from './limits.ts'
import type { SnapshotId } from './types.ts'

export interface SnapshotFacts extends SnapshotId {
  readonly sizeBytes: number
  /** When it was written. */
  readonly takenMs: number
}

/** The snapshots to remove out of `snapshots` (in ascending order): a prefix, never the last. */
export function expiredSnapshots(
  snapshots: readonly SnapshotFacts[],
  logBytes: number,
  nowMs: number,
  limits: Pick<MetadataLogLimits, 'retentionBytes' | 'retentionMs'>,
): readonly SnapshotFacts[] {
  let totalBytes = logBytes + snapshots.reduce((sum, snapshot) => sum + snapshot.sizeBytes, 0)
  const expired: SnapshotFacts[] = []
  for (const snapshot of snapshots.slice(0, -1)) {
    const tooOld = limits.retentionMs >= 0 && nowMs - snapshot.takenMs > limits.retentionMs
    const tooLarge = limits.retentionBytes >= 0 && totalBytes > limits.retentionBytes
    if (!tooOld && !tooLarge) break
    expired.push(snapshot)
    totalBytes -= snapshot.sizeBytes
  }
  return expired
}
