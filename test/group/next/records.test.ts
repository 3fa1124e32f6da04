/**
 * @module test/group/next/records — records of consumer groups: byte for byte as Kafka's classes write them.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeCoordinatorKey } from '../../../hub/wire/index.ts'
import type { ConsumerRecord } from '../../../hub/group/next/draft.ts'
import { decodeConsumerRecord, encodeRecord } from '../../../hub/group/next/records.ts'

interface Vector {
  readonly name: string
  readonly type: string
  readonly variant: string
  readonly version: number
  readonly json: Readonly<Record<string, unknown>>
  readonly framedHex: string
}

const vectors = readFileSync(new URL('../../golden/protocol/vectors/_records_group.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector)
  .filter(({ name }) => name.startsWith('ConsumerGroup'))

const bytes = (vector: Vector): Buffer => Buffer.from(vector.framedHex, 'hex')
const keys = vectors.filter(({ name }) => name.endsWith('Key'))
const values = vectors.filter(({ name, variant }) => name.endsWith('Value') && variant !== 'unknownTags')

function read(keyBytes: Buffer, value: Buffer | null): { groupId: string; record: ConsumerRecord } {
  const key = decodeCoordinatorKey(keyBytes)
  const record = key === undefined ? undefined : decodeConsumerRecord(key, value)
  if (key === undefined || record === undefined || !('groupId' in key.value)) throw new Error('not a record of a consumer group')
  return { groupId: key.value.groupId, record }
}

function keyOf(valueName: string): Buffer {
  const key = keys.find(({ name, variant }) => name === valueName.replace(/Value$/, 'Key') && variant === 'full')
  if (key === undefined) throw new Error(`no key for ${valueName}`)
  return bytes(key)
}

describe('records of consumer groups', () => {
  it.each(keys.map((vector) => [vector.name, vector.variant, vector] as const))(
    '%s %s: the tombstone is written as read',
    (_, __, vector) => {
      const { groupId, record } = read(bytes(vector), null)
      expect(record.value).toBeNull()
      expect(encodeRecord(groupId, record)).toEqual({ key: bytes(vector), value: null })
    },
  )

  // What is not in order, or twice, in a vector can't be told apart any more: sets are written in order.
  // Times and versions beyond 2^53 are the codec's to refuse.
  const huge = ['ConsumerGroupTargetAssignmentMetadataValue', 'ConsumerGroupRegularExpressionValue']
  const plain = values.filter(
    ({ name, variant }) =>
      variant !== 'deep' && name !== 'ConsumerGroupPartitionMetadataValue' && (variant === 'default' || !huge.includes(name)),
  )
  it.each(plain.map((vector) => [vector.name, vector.variant, vector] as const))(
    '%s %s: is read, and what is written reads the same',
    (name, _, vector) => {
      const { groupId, record } = read(keyOf(name), bytes(vector))
      const written = encodeRecord(groupId, record)
      expect(written.key).toEqual(keyOf(name))
      expect(read(written.key, written.value).record).toEqual(record)
    },
  )

  const exact = ['ConsumerGroupMetadataValue', 'ConsumerGroupTargetAssignmentMetadataValue', 'ConsumerGroupRegularExpressionValue']
  it.each(plain.filter(({ name }) => exact.includes(name)).map((vector) => [vector.name, vector.variant, vector] as const))(
    '%s %s: is written in the same bytes',
    (name, _, vector) => {
      const { groupId, record } = read(keyOf(name), bytes(vector))
      expect(encodeRecord(groupId, record).value).toEqual(bytes(vector))
    },
  )

  it('partition counts of older brokers are only known to be there', () => {
    const vector = values.find(({ name }) => name === 'ConsumerGroupPartitionMetadataValue')
    if (vector === undefined) throw new Error('no vector')
    expect(read(keyOf(vector.name), bytes(vector)).record).toEqual({ type: 'partitionMetadata', value: 'present' })
  })

  it('a member without epochs of its partitions has them since its own', () => {
    const keyBytes = keyOf('ConsumerGroupCurrentMemberAssignmentValue')
    const owned = new Map([
      [
        'AAAAAAAAEoUAAAAAAAAuPQ',
        new Map([
          [0, 7],
          [3, 7],
        ]),
      ],
    ])
    const record: ConsumerRecord = {
      type: 'progress',
      memberId: 'm',
      value: {
        memberEpoch: 7,
        previousMemberEpoch: 6,
        reconciliation: 'UnreleasedPartitions',
        assigned: owned,
        pendingRevocation: new Map(),
      },
    }
    const written = encodeRecord('g', record).value ?? Buffer.alloc(0)
    const withoutEpochs = Buffer.concat([
      // version, epochs, state, one topic of two partitions, its tags, nothing pending, tags
      written.subarray(0, 2 + 4 + 4 + 1 + 1 + 16 + 1 + 8),
      Buffer.from('000100', 'hex'),
    ])
    expect(read(keyBytes, withoutEpochs).record.value).toEqual(record.value)
  })
})
