/**
 * @module log/producer-snapshot — `<offset>.snapshot`: the producer state of a log as of an offset. Pure.
 *
 * Kafka's ProducerSnapshot version 1: int16 version, uint32 CRC-32C of what follows, int32 count, then 46 bytes an entry. Kafka writes only
 * the last batch of a producer, so that after a restart a retry of an earlier one is refused; we write one entry per kept batch, oldest
 * first. Kafka reads that as well: of several entries of one producer the last one stays.
 */
import { crc32c } from '../wire/index.ts'
import { readInt64, writeInt64 } from './byte-order.ts'
import { CorruptLogError } from './log-error.ts'
import type { ProducedBatch, ProducerEntry } from './producers.ts'

const VERSION = 1
const HEADER_BYTES = 10
const CRC_FROM = 6
const ENTRY_BYTES = 46
const NONE = -1
const SEQUENCE_COUNT = 2 ** 31

/** The file's content for these entries. */
export function encodeProducerSnapshot(entries: ReadonlyMap<number, ProducerEntry>): Buffer {
  let count = 0
  for (const entry of entries.values()) count += entryCountOf(entry)
  const buffer = Buffer.alloc(HEADER_BYTES + count * ENTRY_BYTES)
  buffer.writeInt16BE(VERSION, 0)
  buffer.writeInt32BE(count, CRC_FROM)
  let at = HEADER_BYTES
  for (const [producerId, entry] of entries) {
    const count = entryCountOf(entry)
    for (let index = 0; index < count; index++) {
      writeEntry(buffer, at, producerId, entry, entry.batches[index])
      at += ENTRY_BYTES
    }
  }
  buffer.writeUInt32BE(crc32c(buffer, CRC_FROM), 2)
  return buffer
}

/** Whether a file's content names any producer. */
export function hasProducers(content: Buffer): boolean {
  return content.length > HEADER_BYTES
}

/** The entries of a file, seen `nowMs`. Throws CorruptLogError that names it. */
export function decodeProducerSnapshot(path: string, content: Buffer, nowMs: number): Map<number, ProducerEntry> {
  const damaged = (reason: string): CorruptLogError =>
    new CorruptLogError(path, reason, 'remove this file: the state is found anew from the segments')
  if (content.length < HEADER_BYTES) throw damaged(`${content.length} bytes are no producer snapshot`)
  const version = content.readInt16BE(0)
  if (version !== VERSION) throw damaged(`producer snapshot version ${version} is not ${VERSION}`)
  if (content.readUInt32BE(2) !== crc32c(content, CRC_FROM)) throw damaged('its checksum is wrong')
  const count = content.readInt32BE(CRC_FROM)
  if (count < 0 || content.length !== HEADER_BYTES + count * ENTRY_BYTES) throw damaged(`${count} entries do not fill it`)
  const entries = new Map<number, ProducerEntry>()
  for (let at = HEADER_BYTES; at < content.length; at += ENTRY_BYTES) readEntry(content, at, nowMs, entries)
  return entries
}

/** The format has no place for the expectation of another first sequence than 0: such a producer is unknown to the next start. */
function entryCountOf(entry: ProducerEntry): number {
  return entry.batches.length > 0 || (entry.firstSequence ?? 0) > 0 ? entry.batches.length : 1
}

function writeEntry(buffer: Buffer, at: number, producerId: number, entry: ProducerEntry, batch: ProducedBatch | undefined): void {
  writeInt64(buffer, producerId, at)
  buffer.writeInt16BE(entry.epoch, at + 8)
  buffer.writeInt32BE(batch?.lastSequence ?? NONE, at + 10)
  writeInt64(buffer, batch?.lastOffset ?? NONE, at + 14)
  buffer.writeInt32BE(batch?.offsetDelta ?? 0, at + 22)
  writeInt64(buffer, timestampOf(entry, batch), at + 26)
  buffer.writeInt32BE(entry.coordinatorEpoch, at + 34)
  writeInt64(buffer, entry.transactionOffset, at + 38)
}

/** A marker may have come after the last batch: what Kafka keeps is the time of whatever came last. */
function timestampOf(entry: ProducerEntry, batch: ProducedBatch | undefined): number {
  if (batch !== undefined && batch !== entry.batches.at(-1)) return batch.timestampMs
  return entry.timestampMs >= 0 ? entry.timestampMs : entry.seenMs
}

function readEntry(buffer: Buffer, at: number, nowMs: number, entries: Map<number, ProducerEntry>): void {
  const producerId = readInt64(buffer, at)
  const epoch = buffer.readInt16BE(at + 8)
  const lastSequence = buffer.readInt32BE(at + 10)
  const lastOffset = readInt64(buffer, at + 14)
  const offsetDelta = buffer.readInt32BE(at + 22)
  const timestampMs = readInt64(buffer, at + 26)
  const coordinatorEpoch = buffer.readInt32BE(at + 34)
  const transactionOffset = Math.max(NONE, readInt64(buffer, at + 38))
  const previous = entries.get(producerId)
  const batches = previous !== undefined && previous.epoch === epoch ? [...previous.batches] : []
  if (lastOffset >= 0) {
    // A batch has as many sequences as offsets.
    const first = lastSequence - offsetDelta
    batches.push({ firstSequence: first < 0 ? first + SEQUENCE_COUNT : first, lastSequence, lastOffset, offsetDelta, timestampMs })
  }
  entries.set(producerId, { epoch, batches, timestampMs, coordinatorEpoch, transactionOffset, seenMs: nowMs })
}
