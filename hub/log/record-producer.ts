/** @module log/record-producer — what a batch that stands in the log says about its producer: taken up on append and on recovery alike. */
import { batchHeader, ControlType, decodeControlKey, decodeEndTransactionMarker, decodeRecords } from '../wire/index.ts'
import { claimOf, type Producers } from './producers.ts'
import type { Segment } from './segment.ts'

/**
 * Takes up the batch at `buffer[at]`, which is the last one of `segment`: its sequences, the transaction that it begins, or the one that it
 * ends as a marker; an aborted one goes into the segment's index. `undoable`: see {@link Producers.record}.
 */
export function recordProducer(
  producers: Producers,
  segment: Segment,
  buffer: Buffer,
  at: number,
  seenMs: number,
  undoable: boolean,
): void {
  if (batchHeader.producerId(buffer, at) < 0) return
  if (batchHeader.isControl(buffer, at)) {
    recordControl(producers, segment, buffer, at, seenMs, undoable)
    return
  }
  const claim = claimOf(buffer, at)
  if (claim === undefined) return
  const [lastOffset, offsetDelta] = [batchHeader.lastOffset(buffer, at), batchHeader.lastOffsetDelta(buffer, at)]
  producers.record(claim, { lastOffset, offsetDelta, timestampMs: batchHeader.maxTimestampMs(buffer, at) }, seenMs, undoable)
}

function recordControl(producers: Producers, segment: Segment, buffer: Buffer, at: number, seenMs: number, undoable: boolean): void {
  // Compaction empties the batch of a marker when its transaction is gone from the log: then it ends nothing.
  const [record] = decodeRecords(buffer, at)
  if (record === undefined) return
  const { type } = decodeControlKey(record.key)
  if (type !== ControlType.COMMIT && type !== ControlType.ABORT) return
  const { commit, coordinatorEpoch } = decodeEndTransactionMarker(record.key, record.value)
  const marker = {
    producerId: batchHeader.producerId(buffer, at),
    producerEpoch: batchHeader.producerEpoch(buffer, at),
    coordinatorEpoch,
    isCommit: commit,
    offset: record.offset,
    timestampMs: record.timestampMs,
  }
  const aborted = producers.recordMarker(marker, seenMs, undoable)
  if (aborted !== undefined) segment.addAborted(aborted)
}
