/**
 * @module log/compaction-plan — which part of a log is to be compacted, how urgently, and into which new segments. Pure.
 * Source: org.apache.kafka.storage.internals.log.LogCleanerManager, Cleaner.groupSegmentsBySize.
 */
import { SEGMENT_SPAN_MAX } from './segment.ts'
import type { LogConfig } from './types.ts'

/** What is looked at of a segment. */
export interface PlannedSegment {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly sizeBytes: number
  /** −1: none of its records has a time; then it is as old as its file. */
  readonly maxTimestampMs: number
  readonly firstTimestampMs: number
  readonly createdMs: number
  /** It may get more batches, or is not yet whole on the device. */
  readonly isPinned: boolean
}

/** A log that may be compacted: [firstDirty, end) is new since the last time. */
export interface CleanableLog {
  readonly firstDirtyOffset: number
  readonly endOffset: number
  /** The share of the dirty part in all that would be gone through. */
  readonly dirtyRatio: number
  /** It has waited for max.compaction.lag.ms. */
  readonly isOverdue: boolean
}

/** What is known beside the segments. */
export interface PlanContext {
  readonly config: LogConfig
  /** Where the last compaction ended. */
  readonly cleanedOffset: number
  readonly logStartOffset: number
  /** No compaction goes beyond it. */
  readonly lastStableOffset: number
  readonly nowMs: number
}

/** Undefined: there is nothing to do, or it is not yet worth it. */
export function planCompaction(segments: readonly PlannedSegment[], context: PlanContext): CleanableLog | undefined {
  const { config, cleanedOffset, logStartOffset, lastStableOffset, nowMs } = context
  const first = segments[0]
  if (first === undefined || !config.cleanupPolicies.has('compact')) return undefined
  const firstDirtyOffset = Math.max(cleanedOffset, logStartOffset, first.baseOffset)
  let endOffset = firstDirtyOffset
  let [cleanBytes, dirtyBytes] = [0, 0]
  let isOverdue = false
  for (const segment of segments.slice(0, -1)) {
    const isDirty = segment.nextOffset > firstDirtyOffset
    if (segment.isPinned || segment.nextOffset > lastStableOffset) break
    const youngestMs = segment.maxTimestampMs >= 0 ? segment.maxTimestampMs : segment.createdMs
    if (isDirty && config.minCompactionLagMs > 0 && nowMs - youngestMs < config.minCompactionLagMs) break
    endOffset = segment.nextOffset
    if (!isDirty) {
      cleanBytes += segment.sizeBytes
      continue
    }
    dirtyBytes += segment.sizeBytes
    const oldestMs = segment.firstTimestampMs >= 0 ? segment.firstTimestampMs : segment.createdMs
    if (nowMs - oldestMs > config.maxCompactionLagMs) isOverdue = true
  }
  if (dirtyBytes === 0) return undefined
  const dirtyRatio = dirtyBytes / (dirtyBytes + cleanBytes)
  if (!isOverdue && dirtyRatio <= config.minCleanableDirtyRatio) return undefined
  return { firstDirtyOffset, endOffset, dirtyRatio, isOverdue }
}

/** Consecutive segments below `endOffset` that together make one new segment. */
export function groupSegments<S extends PlannedSegment>(segments: readonly S[], endOffset: number, config: LogConfig): S[][] {
  const groups: S[][] = []
  let [sizeBytes, group]: [number, S[]] = [0, []]
  for (const segment of segments) {
    if (segment.baseOffset >= endOffset || segment.isPinned) break
    const base = group[0]?.baseOffset ?? segment.baseOffset
    const fits = sizeBytes + segment.sizeBytes <= config.segmentBytes && segment.nextOffset - base <= SEGMENT_SPAN_MAX
    if (group.length === 0 || fits) {
      group.push(segment)
      sizeBytes += segment.sizeBytes
      if (group.length === 1) groups.push(group)
      continue
    }
    group = [segment]
    sizeBytes = segment.sizeBytes
    groups.push(group)
  }
  return groups
}
