/** @module connect/tasks/source-place — a source's record in messages: its place, and all of it. Pure. */
import { type SourceRecord, toPlain } from '@millrace/sdk'

/** `{"file":"a.txt"} at {"position":12}` */
export function sourcePlace({ sourcePartition, sourceOffset, topic }: SourceRecord): string {
  if (sourcePartition === null) return `for topic ${topic}`
  return `${textOf(sourcePartition)} at ${textOf(sourceOffset)}`
}

/** What errors.log.include.messages shows of a source's record. */
export function sourceText(record: SourceRecord): string {
  const { topic, partition, key, value, timestampMs, headers, sourcePartition, sourceOffset } = record
  return textOf({
    topic,
    partition,
    timestampMs,
    key: toPlain(key),
    value: toPlain(value),
    headers: headers.map((header) => [header.key, toPlain(header.value)]),
    sourcePartition,
    sourceOffset,
  })
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? String(member) : member))
}
