/**
 * @module log/snapshot-files — the producer snapshots of a log on disk: which are kept, and how one gets there. Those of recovery points are not
 * synced, as they are many; but the latest that recovery would go on from, and the latest such that a power cut cannot take, stay.
 * So recovery never has to walk over much more than a segment, nor to do without producers whose batches are deleted.
 */
import type { Disk } from '../io/index.ts'
import { segmentFile } from './file-names.ts'

/** Producer snapshots that stay on disk in any case: the latest, and one to fall back on. */
const SNAPSHOTS_KEPT = 2

/** What is on disk; ascending. */
export interface Snapshots {
  readonly offsets: readonly number[]
  /** Those of them that are on the device. */
  readonly syncedOffsets: readonly number[]
}

/** Where they stand. */
export interface SnapshotPlace {
  readonly disk: Disk
  readonly directory: string
  /** The recovery point that a crash would leave: a recovery uses no snapshot beyond it. */
  readonly savedRecoveryPoint: number
}

/**
 * Saves the producer state as of `offset`; resolves with what there is then. `snapshot` undefined: nothing has changed since the latest one,
 * which gets a new name.
 */
export async function saveSnapshot(
  place: SnapshotPlace,
  before: Snapshots,
  offset: number,
  snapshot: Buffer | undefined,
  sync: boolean,
): Promise<Snapshots> {
  const { disk, directory, savedRecoveryPoint } = place
  const pathOf = (of: number): string => `${directory}/${segmentFile(of, '.snapshot')}`
  const latest = before.offsets.at(-1) ?? -1
  const [offsets, synced] = [new Set(before.offsets), new Set(before.syncedOffsets)]
  if (snapshot === undefined) {
    if (latest < 0 || latest >= offset) return before
    await disk.rename(pathOf(latest), pathOf(offset))
    offsets.delete(latest)
    if (synced.delete(latest)) synced.add(offset)
  } else if (!synced.has(offset) && (sync || !offsets.has(offset))) {
    await writeWhole(disk, pathOf(offset), snapshot, sync)
    if (sync) await disk.syncDirectory(directory)
    if (sync) synced.add(offset)
  }
  const all = ascending(offsets.add(offset))
  const usable = all.findLast((of) => of <= savedRecoveryPoint)
  const syncedOffsets = ascending(synced)
  const secured = securedOffset({ offsets: all, syncedOffsets }, savedRecoveryPoint)
  const kept = new Set(all.slice(-SNAPSHOTS_KEPT))
  if (usable !== undefined) kept.add(usable)
  for (const of of syncedOffsets) if (of >= secured) kept.add(of)
  for (const of of all) if (!kept.has(of)) await disk.remove(pathOf(of))
  return { offsets: ascending(kept), syncedOffsets: syncedOffsets.filter((of) => kept.has(of)) }
}

function ascending(offsets: ReadonlySet<number>): number[] {
  return [...offsets].sort((a, b) => a - b)
}

/** The latest snapshot that every recovery can go on from, power cut or not; −1 when there is none. */
export function securedOffset({ syncedOffsets }: Snapshots, savedRecoveryPoint: number): number {
  return syncedOffsets.findLast((of) => of <= savedRecoveryPoint) ?? -1
}

async function writeWhole(disk: Disk, path: string, content: Buffer, sync: boolean): Promise<void> {
  const file = await disk.open(path, 'create')
  try {
    await file.truncate(0)
    await file.write([content], 0)
    if (sync) await file.sync()
  } finally {
    await file.close()
  }
}
