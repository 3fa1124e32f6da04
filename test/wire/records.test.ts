/** Persisted records with the prefixes with which they are stored. */
import { describe, expect, it } from 'vitest'
import type { DataMessage } from '../../hub/wire/index.ts'
import {
  ConsumerProtocolSubscription,
  DecodeError,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  decodeMetadataRecord,
  decodeVersioned,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  encodeMetadataRecord,
  encodeVersioned,
  OffsetCommitKey,
  OffsetCommitValue,
  TopicRecord,
} from '../../hub/wire/index.ts'
import { messageOf } from './catalogue.ts'
import type { Vector } from './golden.ts'
import { inputOf, readLines } from './golden.ts'

/** Vectors that live codecs take: no int64 beyond 2^53, nothing unknown. */
function framed(path: string): (Vector & { readonly framedHex: string })[] {
  const vectors = readLines<Vector>(path).filter((vector) => vector.framedHex !== undefined && vector.unknownTaggedFields === undefined)
  return vectors.filter((vector) => !/"-?\d{16,}"/.test(JSON.stringify(vector.json))) as (Vector & { readonly framedHex: string })[]
}

type AnyRecord = DataMessage<never, number, unknown, unknown>

describe.each(['group', 'transaction', 'share'] as const)('coordinator records of %s', (family) => {
  const vectors = framed(`vectors/_records_${family}.jsonl`)

  it('encode and decode as stored', () => {
    expect(vectors.length).toBeGreaterThan(6)
    for (const vector of vectors) {
      const record = messageOf(vector.api) as AnyRecord
      const input = inputOf(record.fields, vector.json, 'live')
      const stored = Buffer.from(vector.framedHex, 'hex')
      if (vector.type === 'coordinator-key') {
        expect(encodeCoordinatorKey(record, input).equals(stored)).toBe(true)
        const key = decodeCoordinatorKey(stored, family as 'group')
        expect(key).toMatchObject({ name: vector.api, record, value: input })
      } else {
        expect(encodeCoordinatorValue(record, input, vector.version).equals(stored)).toBe(true)
        expect(decodeCoordinatorValue(record, stored)).toMatchObject(input)
      }
    }
  })
})

describe('coordinator records', () => {
  it('are told apart by name, with the type of their value', () => {
    const key = decodeCoordinatorKey(encodeCoordinatorKey(OffsetCommitKey, { group: 'g', topic: 't', partition: 3 }))
    expect(key?.name === 'OffsetCommitKey' ? key.value.partition : undefined).toBe(3)
  })

  it('of unknown type come from newer brokers', () => {
    expect(decodeCoordinatorKey(Buffer.from('7fff0000', 'hex'))).toBeUndefined()
    expect(decodeCoordinatorKey(Buffer.from('00090000', 'hex'))).toBeUndefined()
  })

  it('of unknown version or cut are a DecodeError', () => {
    const stored = encodeCoordinatorValue(OffsetCommitValue, { offset: 1, metadata: 'm', commitTimestamp: 2 })
    expect(decodeCoordinatorValue(OffsetCommitValue, stored)).toMatchObject({ offset: 1, metadata: 'm', commitTimestamp: 2 })
    for (let length = 0; length < stored.length; length++) {
      expect(() => decodeCoordinatorValue(OffsetCommitValue, stored.subarray(0, length))).toThrow(DecodeError)
    }
    for (const version of [-1, 5]) {
      stored.writeInt16BE(version)
      expect(() => decodeCoordinatorValue(OffsetCommitValue, stored)).toThrow(`OffsetCommitValue: version ${version}`)
    }
  })
})

describe('metadata records', () => {
  it('encode and decode as stored', () => {
    const vectors = framed('vectors/_records_metadata.jsonl')
    expect(vectors.length).toBeGreaterThan(80)
    for (const vector of vectors) {
      const record = messageOf(vector.api) as AnyRecord
      const input = inputOf(record.fields, vector.json, 'live')
      const stored = Buffer.from(vector.framedHex, 'hex')
      expect(encodeMetadataRecord(record, input, vector.version).equals(stored)).toBe(true)
      expect(decodeMetadataRecord(stored)).toMatchObject({ name: vector.api, version: vector.version, value: input })
    }
  })

  it('of unknown frame, type or version, with garbage, or cut are a DecodeError', () => {
    const stored = encodeMetadataRecord(TopicRecord, { name: 'topic', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    for (const hex of ['02020000', '017f0000', '01020900', '00', '']) {
      expect(() => decodeMetadataRecord(Buffer.from(hex, 'hex')), hex).toThrow(DecodeError)
    }
    expect(() => decodeMetadataRecord(Buffer.concat([stored, Buffer.of(0)]))).toThrow('TopicRecord: 1 bytes behind the record')
    for (let length = 0; length < stored.length; length++) {
      expect(() => decodeMetadataRecord(stored.subarray(0, length))).toThrow(DecodeError)
    }
  })
})

describe('data behind a version', () => {
  it('encodes and decodes as stored', () => {
    const vectors = framed('vectors/_data.jsonl')
    expect(vectors.length).toBeGreaterThan(10)
    for (const vector of vectors) {
      const message = messageOf(vector.api)
      const input = inputOf(message.fields, vector.json, 'live')
      const stored = Buffer.from(vector.framedHex, 'hex')
      expect(encodeVersioned(message, input, vector.version).equals(stored)).toBe(true)
      expect(decodeVersioned(message, stored)).toMatchObject(input)
    }
  })

  it('of a newer version is read as ours, what it appends is ignored', () => {
    const stored = encodeVersioned(ConsumerProtocolSubscription, { topics: ['t'], userData: null }, 3)
    stored.writeInt16BE(9)
    const newer = Buffer.concat([stored, Buffer.from('more')])
    expect(decodeVersioned(ConsumerProtocolSubscription, newer)).toMatchObject({ topics: ['t'], generationId: -1 })
    stored.writeInt16BE(-1)
    expect(() => decodeVersioned(ConsumerProtocolSubscription, stored)).toThrow(DecodeError)
  })
})
