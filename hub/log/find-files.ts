/** @module log/find-files — the first step of a recovery: which segments and producer snapshots a log's directory holds. */
import type { Disk } from '../io/index.ts'
import { parseSegmentFile, segmentFile } from './file-names.ts'
import type { Segment } from './segment.ts'
import { resumeSwaps } from './swap.ts'

export interface FoundFiles {
  /** At least one, in order of their offsets; sizes as of their files, nothing opened. */
  readonly segments: Segment[]
  /** Ascending. */
  readonly snapshotOffsets: number[]
  /** Files that awaited their deletion, or belong to no segment, and are gone now. */
  readonly removedCount: number
}

/**
 * Lists the directory and removes what was marked for deletion. `newSegment` makes a segment at a base offset; one at `logStartOffset` when
 * there is none. A compaction that was interrupted while it put files in place is finished first.
 */
export async function findFiles(
  directory: string,
  disk: Disk,
  newSegment: (baseOffset: number) => Segment,
  logStartOffset: number,
): Promise<FoundFiles> {
  await resumeSwaps(directory, disk)
  const segments: Segment[] = []
  const snapshotOffsets: number[] = []
  const abortedOffsets = new Set<number>()
  let removedCount = 0
  for (const name of await disk.list(directory)) {
    const file = parseSegmentFile(name)
    if (file === undefined) continue
    const path = `${directory}/${name}`
    if (file.marked) {
      await disk.remove(path)
      removedCount++
    } else if (file.suffix === '.log') segments.push(newSegment(file.offset))
    else if (file.suffix === '.snapshot') snapshotOffsets.push(file.offset)
    else if (file.suffix === '.txnindex') abortedOffsets.add(file.offset)
  }
  // What is left of a segment that came to nothing would pass for part of the next one that begins there.
  const baseOffsets = new Set(segments.map(({ baseOffset }) => baseOffset))
  for (const offset of abortedOffsets) {
    if (baseOffsets.has(offset)) continue
    await disk.remove(`${directory}/${segmentFile(offset, '.txnindex')}`)
    removedCount++
  }
  for (const [index, segment] of segments.entries()) {
    const facts = await disk.facts(segment.path)
    segment.sizeBytes = segment.writtenBytes = facts?.sizeBytes ?? 0
    segment.createdMs = facts?.modifiedMs ?? segment.createdMs
    const next = segments[index + 1]
    segment.isPinned = next === undefined
    segment.hasAborted = abortedOffsets.has(segment.baseOffset)
    segment.nextOffset = next?.baseOffset ?? segment.baseOffset
  }
  if (segments.length === 0) segments.push(newSegment(logStartOffset))
  return { segments, snapshotOffsets, removedCount }
}
