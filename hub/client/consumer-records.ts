/** @module client/consumer-records — what one poll returns. */
import type { LogRecord } from '../wire/index.ts'
import type { RecordHeader, TimestampType, TopicPartition } from './types.ts'

/** A record as it was read. Key, value and header values are views into what was fetched: copy what is kept for long. */
export interface ConsumedRecord extends TopicPartition {
  readonly offset: number
  readonly timestampMs: number
  readonly timestampType: TimestampType
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** Records of one partition and one timestamp type, in order. */
export interface PartitionRecords extends TopicPartition {
  readonly timestampType: TimestampType
  readonly records: readonly LogRecord[]
}

/** Records by partition; iterating goes through all of them. */
export class ConsumerRecords implements Iterable<ConsumedRecord> {
  /** The cheap way through: nothing is made per record. A partition may occur more than once. */
  readonly partitions: readonly PartitionRecords[]
  readonly count: number

  constructor(partitions: readonly PartitionRecords[]) {
    this.partitions = partitions
    let count = 0
    for (const { records } of partitions) count += records.length
    this.count = count
  }

  *[Symbol.iterator](): Generator<ConsumedRecord, void, undefined> {
    for (const { topic, partition, timestampType, records } of this.partitions) {
      for (const { offset, timestampMs, key, value, headers } of records) {
        yield { topic, partition, offset, timestampMs, timestampType, key, value, headers }
      }
    }
  }
}

export const NO_RECORDS: ConsumerRecords = new ConsumerRecords([])
