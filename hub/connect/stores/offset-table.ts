/**
 * @module connect/stores/offset-table — what the offset topic comes to. Pure.
 *
 * A partition is looked up whatever the order of its keys. Two workers may have written it with its keys in different orders: two keys to
 * Kafka, in two partitions of the topic, between which the log has no order. The younger record counts then.
 */
import type { SourceOffset, SourcePartition } from '@millrace/sdk'
import type { StoredOffset } from './offset-records.ts'
import type { ReadRecord } from './stored-record.ts'

interface Entry {
  readonly partition: SourcePartition
  readonly offset: SourceOffset | null
  readonly timestampMs: number
  readonly topicPartition: number
}

/** Positions by connector and partition. */
export class OffsetTable {
  readonly #entries = new Map<string, Map<string, Entry>>()

  /** Takes the next record of a partition of the topic. */
  apply({ connector, partition, partitionKey, offset }: StoredOffset, at: Pick<ReadRecord, 'partition' | 'timestampMs'>): void {
    let entries = this.#entries.get(connector)
    if (entries === undefined) {
      entries = new Map()
      this.#entries.set(connector, entries)
    }
    const known = entries.get(partitionKey)
    if (known !== undefined && known.topicPartition !== at.partition && known.timestampMs > at.timestampMs) return
    entries.set(partitionKey, { partition, offset, timestampMs: at.timestampMs, topicPartition: at.partition })
  }

  /** The position under a key of `partitionKeyOf`; null when there is none. */
  find(connector: string, partitionKey: string): SourceOffset | null {
    return this.#entries.get(connector)?.get(partitionKey)?.offset ?? null
  }

  /** Every partition of a connector that has a position. */
  all(connector: string): { readonly partition: SourcePartition; readonly offset: SourceOffset }[] {
    const entries = [...(this.#entries.get(connector)?.values() ?? [])]
    return entries.flatMap(({ partition, offset }) => (offset === null ? [] : [{ partition, offset }]))
  }
}
