/**
 * @module wire/records/storage — files beside a log: the snapshot of its producers. No version prefix of its own: the
 * file begins with an int16 version.
 */
import { data } from '../message.ts'
import { array, int16, int32, offset, uint32 } from '../schema.ts'

/** Producers of a log up to the offset in the file's name; the CRC32C covers what follows it. */
export const ProducerSnapshot = data('ProducerSnapshot', {
  versions: '1',
  fields: {
    crc: uint32,
    producerEntries: array({
      producerId: offset,
      epoch: int16,
      lastSequence: int32,
      lastOffset: offset,
      offsetDelta: int32,
      timestamp: offset,
      coordinatorEpoch: int32,
      currentTxnFirstOffset: offset,
    }),
  },
})
