/**
 * @module log/aborted — the aborted transactions that a reader of committed records has to skip, over all segments: a transaction's marker,
 * and so its index entry, may stand in a later segment than its records. Source: LocalLog.collectAbortedTransactions.
 */
import { isMissing } from './log-error.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import type { TransactionIndex } from './transaction-index.ts'
import type { AbortedEntry } from './transactions.ts'

const NONE: readonly AbortedEntry[] = []

/** See {@link PartitionLog.abortedTransactions}. */
export function collectAborted(
  state: LogState,
  fetchOffset: number,
  endOffset: number,
): readonly AbortedEntry[] | Promise<readonly AbortedEntry[]> {
  const { segments } = state
  const found: AbortedEntry[] = []
  for (let index = Math.max(0, state.indexOf(fetchOffset)); index < segments.length; index++) {
    const segment = segments[index] as Segment
    if (!segment.hasAborted) continue
    const transactionIndex = inMemory(segment)
    if (transactionIndex === undefined) return collectFromFiles(segments.slice(index), fetchOffset, endOffset, found)
    if (transactionIndex.collect(fetchOffset, endOffset, found)) break
  }
  return found.length === 0 ? NONE : found
}

function inMemory(segment: Segment): TransactionIndex | undefined {
  return segment.isPinned ? segment.transactionIndex : segment.open?.transactionIndex
}

async function collectFromFiles(
  segments: readonly Segment[],
  fetchOffset: number,
  endOffset: number,
  found: AbortedEntry[],
): Promise<readonly AbortedEntry[]> {
  for (const segment of segments) {
    if (!segment.hasAborted) continue
    try {
      if (await collectFrom(segment, fetchOffset, endOffset, found)) return found
    } catch (error) {
      // Retention took it meanwhile: the offset that was asked for is out of range now.
      if (segment.isRemoved && isMissing(error)) continue
      throw error
    }
  }
  return found
}

async function collectFrom(segment: Segment, fetchOffset: number, endOffset: number, found: AbortedEntry[]): Promise<boolean> {
  if (segment.isPinned) return segment.transactionIndex.collect(fetchOffset, endOffset, found)
  const { transactionIndex } = await segment.acquire()
  try {
    return transactionIndex.collect(fetchOffset, endOffset, found)
  } finally {
    segment.release()
  }
}
