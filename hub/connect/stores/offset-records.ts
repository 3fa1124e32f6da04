/**
 * @module connect/stores/offset-records — a source's position as a record of the offset topic: key `["connector",{partition}]`, value
 * `{offset}`, null to forget it (connect-worker.md, "Storage topics"). Pure; tasks write with it, the offset store reads with it.
 */
import { type OffsetValue, parseJson, type SourceOffset, type SourcePartition, stringifyJson } from '@millrace/sdk'
import { inJavaOrder } from './java-order.ts'
import { type DecodedRecord, garbage, type StoredRecord } from './stored-record.ts'

/** A position as it was read. */
export interface StoredOffset {
  readonly connector: string
  readonly partition: SourcePartition
  /** The partition in one form, whatever the order of its keys: what positions are looked up by. */
  readonly partitionKey: string
  /** null: the position was taken away. */
  readonly offset: SourceOffset | null
}

/**
 * The record that stores a position; a null `offset` takes it away. Keys of the partition are written in the order in which Java's HashMap
 * walks them, which is the one that most of upstream's connectors come to: the same partition gives the same bytes, so that it stays in
 * one partition of the topic, and those bytes are mostly upstream's own.
 * @throws TypeError for a number that JSON has no form for (NaN, an infinity)
 */
export function offsetRecord(connector: string, partition: SourcePartition, offset: SourceOffset | null): StoredRecord {
  checkNumbers(partition)
  return {
    key: Buffer.from(stringifyJson([connector, inJavaOrder(partition)])),
    value: offset === null ? null : Buffer.from(stringifyJson(checkNumbers(offset))),
  }
}

/** Reads a record of the offset topic. Numbers are exact: integers beyond ±(2^53−1) are bigints. */
export function readOffsetRecord(key: Buffer | null, value: Buffer | null): DecodedRecord<StoredOffset> {
  const parsedKey = parsed(key)
  if (!Array.isArray(parsedKey) || parsedKey.length !== 2) return garbage('its key is no JSON list of a connector and a partition')
  const [connector, partition] = parsedKey as readonly unknown[]
  if (typeof connector !== 'string' || !isFlat(partition)) return garbage('its key is no JSON list of a connector and a partition')
  const offset = value === null ? null : parsed(value)
  if (offset !== null && !isFlat(offset)) return garbage('its value is no JSON object of texts, numbers and booleans')
  return { kind: 'record', record: { connector, partition, partitionKey: partitionKeyOf(partition), offset } }
}

/** One text for a partition, whatever the order of its keys. */
export function partitionKeyOf(partition: SourcePartition): string {
  const names = Object.keys(partition).sort()
  return stringifyJson(names.map((name) => [name, partition[name] ?? null]))
}

function parsed(bytes: Buffer | null): unknown {
  if (bytes === null) return undefined
  try {
    return parseJson(bytes.toString())
  } catch {
    return undefined
  }
}

/** Whether it is an object of primitive values: upstream allows nothing else in partitions and offsets. */
function isFlat(value: unknown): value is Readonly<Record<string, OffsetValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((entry) => entry === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof entry))
}

function checkNumbers(values: SourceOffset): SourceOffset {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${name}: JSON has no form for ${value}`)
  }
  return values
}
