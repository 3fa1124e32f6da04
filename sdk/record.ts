/**
 * @module sdk/record — records on their way from a source to a topic and from a topic to a sink. Never changed once made: a transform
 * returns another one.
 */
import type { Schema } from './schema.ts'
import type { Value } from './values.ts'

/** Something beside key and value; keys may repeat, the order is kept. */
export interface Header {
  readonly key: string
  readonly schema: Schema | null
  readonly value: Value
}

/** What sources and sinks have in common. A null schema means that the value says for itself what it is. */
export interface ConnectRecord {
  readonly topic: string
  /** null: the producer's partitioner chooses. */
  readonly partition: number | null
  readonly keySchema: Schema | null
  readonly key: Value
  readonly valueSchema: Schema | null
  readonly value: Value
  /** Milliseconds since 1970; null: the producer takes the time of sending. */
  readonly timestampMs: number | null
  readonly headers: readonly Header[]
}

/** One value in a source partition or offset; integers within ±(2^53−1) come back as `number`, beyond as `bigint`. */
export type OffsetValue = string | number | bigint | boolean | null
/** What the source reads from: a table, a file. Names one position that moves. */
export type SourcePartition = Readonly<Record<string, OffsetValue>>
/** How far it has been read. */
export type SourceOffset = Readonly<Record<string, OffsetValue>>

/** A record that a source made, as transforms see it. */
export interface SourceRecord extends ConnectRecord {
  /** null for a record that moves no position. */
  readonly sourcePartition: SourcePartition | null
  /** The position after this record: reading goes on from here once it is stored. */
  readonly sourceOffset: SourceOffset | null
}

/** A record that a source yields: what it leaves out is null or empty; a value that is a plain object needs no schema. */
export interface SourceRecordInput {
  readonly topic: string
  readonly partition?: number | null
  readonly keySchema?: Schema | null
  readonly key?: unknown
  readonly valueSchema?: Schema | null
  readonly value?: unknown
  readonly timestampMs?: number | null
  readonly headers?: readonly { readonly key: string; readonly schema?: Schema | null; readonly value: unknown }[]
  readonly sourcePartition?: SourcePartition | null
  readonly sourceOffset?: SourceOffset | null
}

/** A record out of a topic. */
export interface SinkRecord extends ConnectRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampType: 'none' | 'create' | 'append'
  /** Where it was read, whatever transforms made of it; offsets are committed by these (KIP-793). */
  readonly originalTopic: string
  readonly originalPartition: number
  readonly originalOffset: number
}

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Up to where a sink is done: `offset` is the next record to be read. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}
