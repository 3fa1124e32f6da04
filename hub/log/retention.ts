/**
 * @module log/retention — which segments may go: by time, by size, and below the log's start. Source: UnifiedLog.deleteOldSegments.
 */
import type { LogState } from './log-state.ts'
import { segmentMaxTimestamp } from './search.ts'
import type { Segment } from './segment.ts'
import type { LogConfig } from './types.ts'

export interface RetentionContext {
  readonly state: LogState
  readonly config: LogConfig
  readonly nowMs: number
  /** Only segments that end at or below it may go. */
  readonly highWatermark: number
  /** True after DeleteRecords: only what lies below the log's start goes now; time and size are judged at their own times, as in Kafka. */
  readonly onlyBelowStart: boolean
}

/**
 * How many segments at the head of the log may go now. When that is all of them, the active one has expired too: the caller rolls it first.
 * An empty active segment never counts.
 */
export async function expiredCount(context: RetentionContext): Promise<number> {
  const { state, config, nowMs, highWatermark, onlyBelowStart } = context
  let excessBytes = config.cleanupPolicies.has('delete') && config.retentionBytes >= 0 ? state.sizeBytes - config.retentionBytes : -1
  const segments = [...state.segments]
  let count = 0
  for (const [index, segment] of segments.entries()) {
    const isActive = index === segments.length - 1
    if (segment.nextOffset > highWatermark || (isActive && segment.sizeBytes === 0)) break
    const isBelowStart = !isActive && segment.nextOffset <= state.logStartOffset
    const isExcess = excessBytes >= segment.sizeBytes
    if (!isBelowStart && (onlyBelowStart || (!isExcess && !(await isExpired(segment, config, nowMs))))) break
    excessBytes -= segment.sizeBytes
    count++
  }
  return count
}

async function isExpired(segment: Segment, config: LogConfig, nowMs: number): Promise<boolean> {
  if (!config.cleanupPolicies.has('delete') || config.retentionMs < 0) return false
  const { timestampMs } = await segmentMaxTimestamp(segment)
  return nowMs - (timestampMs >= 0 ? timestampMs : segment.createdMs) > config.retentionMs
}
