/**
 * @module connect/tasks/sink-reader — what a poll gave as records for the sink: converters, transforms, tolerance.
 */
import type { SinkRecord, TopicPartitionOffset } from '@millrace/sdk'
import type { ConsumerRecords } from '../../client/index.ts'
import type { Chain } from './chain.ts'
import { type Conversion, type ConvertedRecord, type Origin, placeOfRaw, RAW, type RawRecord } from './conversion.ts'
import type { Cursor, Step } from './step.ts'
import type { Tolerance } from './tolerance.ts'

/** A record as it was read, with its place. */
export interface ReadRecord {
  readonly raw: RawRecord
  readonly origin: Origin
}

/** What is written at once. */
export interface SinkBatch {
  readonly records: readonly SinkRecord[]
  /** Next offset of each partition behind the batch; dropped and tolerated records count. */
  readonly ends: readonly TopicPartitionOffset[]
}

/** `topic-partition@offset` */
export function readPlace({ raw, origin }: ReadRecord): string {
  return placeOfRaw({ ...origin, offset: raw.offset })
}

/** What errors.log.include.messages shows of a sink's record: where it is, as upstream does, not what it holds. */
export function readText({ raw, origin }: ReadRecord): string {
  const { topic, partition, timestampType } = origin
  return JSON.stringify({ topic, partition, offset: raw.offset, timestamp: raw.timestampMs, timestampType })
}

/** How many records, from where to where, for messages. */
export function spanOf(records: readonly SinkRecord[]): string {
  const place = (record: SinkRecord): string =>
    placeOfRaw({ topic: record.originalTopic, partition: record.originalPartition, offset: record.originalOffset })
  const [first, last] = [records[0], records.at(-1)]
  if (first === undefined || last === undefined) return 'no records'
  return records.length === 1 ? `record ${place(first)}` : `${records.length} records, ${place(first)} to ${place(last)}`
}

/** Makes records of what was read. */
export class SinkReader {
  readonly #conversion: Conversion
  readonly #chain: Chain
  readonly #tolerance: Tolerance<ReadRecord>
  readonly #cursor: Cursor

  constructor(conversion: Conversion, chain: Chain, tolerance: Tolerance<ReadRecord>) {
    this.#conversion = conversion
    this.#chain = chain
    this.#tolerance = tolerance
    this.#cursor = { step: conversion.keyStep }
  }

  /** In the order read. Rejects with a TaskFailure for a record that may not be skipped. One call at a time. */
  async read(polled: ConsumerRecords): Promise<SinkBatch> {
    const records: SinkRecord[] = []
    const ends: TopicPartitionOffset[] = []
    for (const part of polled.partitions) {
      for (const raw of part.records) {
        let record = this.#convert(raw, part)
        if (record instanceof Promise) record = await record
        if (record !== null) records.push(record)
      }
      const last = part.records.at(-1)
      if (last !== undefined) ends.push({ topic: part.topic, partition: part.partition, offset: last.offset + 1 })
    }
    return { records, ends }
  }

  /** The raw record behind one that the sink gives up; one that the sink has made itself is converted back. */
  rawOf(record: SinkRecord): ReadRecord | Promise<ReadRecord> {
    const { originalTopic: topic, originalPartition: partition, timestampType } = record
    const origin: Origin = { topic, partition, timestampType: timestampType === 'append' ? 'append' : 'create' }
    const raw = (record as Partial<ConvertedRecord>)[RAW]
    return raw === undefined ? this.#convertBack(record, origin) : { raw, origin }
  }

  async #convertBack(record: SinkRecord, origin: Origin): Promise<ReadRecord> {
    const { key, value, headers } = await this.#conversion.toBytes(record, { step: this.#conversion.keyStep })
    const bytes = (field: typeof key): Buffer | null => (typeof field === 'string' ? Buffer.from(field) : (field ?? null))
    const { originalOffset: offset, timestampMs } = record
    return { origin, raw: { offset, timestampMs: timestampMs ?? -1, key: bytes(key), value: bytes(value), headers: headers ?? [] } }
  }

  #convert(raw: RawRecord, origin: Origin): SinkRecord | null | Promise<SinkRecord | null> {
    try {
      const record = this.#attempt(raw, origin)
      if (!(record instanceof Promise)) return record
      return record.catch((error: unknown) => this.#recover(error, raw, origin))
    } catch (error) {
      return this.#recover(error, raw, origin)
    }
  }

  #attempt(raw: RawRecord, origin: Origin): SinkRecord | null | Promise<SinkRecord | null> {
    const record = this.#conversion.toRecord(raw, origin, this.#cursor)
    if (this.#chain.isEmpty) return record
    if (record instanceof Promise) return record.then((converted) => this.#chain.apply(converted, this.#cursor))
    return this.#chain.apply(record, this.#cursor)
  }

  #recover(error: unknown, raw: RawRecord, { topic, partition, timestampType }: Origin): Promise<SinkRecord | null> {
    const origin = { topic, partition, timestampType }
    return this.#tolerance.recover({ raw, origin }, error, this.#cursor, () => this.#attempt(raw, origin))
  }
}

/** The step of records that the sink itself gives up, by upstream's names. */
export const PUT_STEP: Step = { stage: 'TASK_PUT', className: 'org.apache.kafka.connect.sink.SinkTask', setting: 'what the sink says' }
