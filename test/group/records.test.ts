/** Records of groups and offsets against the bytes that Kafka's classes make. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DecodeError, ZERO_UUID } from '../../hub/wire/index.ts'
import { decodeRecord, groupRecord, offsetRecord } from '../../hub/group/records.ts'

interface Vector {
  readonly name: string
  readonly type: string
  readonly version: number
  readonly variant: string
  readonly json: Record<string, unknown>
  readonly framedHex: string
}

const vectors = readFileSync(new URL('../golden/group/records.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector)

function framed(name: string, version: number, variant: string): Buffer {
  const vector = vectors.find((each) => each.name === name && each.version === version && each.variant === variant)
  if (vector === undefined) throw new Error(`no vector ${name} ${version} ${variant}`)
  return Buffer.from(vector.framedHex, 'hex')
}

describe('offset records', () => {
  const key = framed('OffsetCommitKey', 0, 'full')

  it('are written in version 4, as Kafka does', () => {
    const value = framed('OffsetCommitValue', 4, 'full')
    const read = decodeRecord(key, value)
    if (read.kind !== 'offset' || read.value === null) throw new Error('not an offset')
    expect(read).toEqual({
      kind: 'offset',
      key: { groupId: 'x1', topic: 'alpha2', partition: -1 },
      value: {
        offset: 1_700_000_000_123,
        leaderEpoch: -1,
        metadata: 'x2',
        commitTimestampMs: 65_536,
        expireTimestampMs: -1,
        topicId: 'HZUMg_ty6kaNtlmFGBIsHQ',
      },
    })
    expect(offsetRecord(read.key, read.value)).toEqual({ key, value })
  })

  it('are written in version 1 when they bring their own expiry', () => {
    const record = offsetRecord(
      { groupId: 'x1', topic: 'alpha2', partition: -1 },
      { offset: 7, leaderEpoch: 3, metadata: 'm', commitTimestampMs: 1, expireTimestampMs: 2, topicId: ZERO_UUID },
    )
    expect(record.value?.toString('hex')).toBe('0001000000000000000700016d00000000000000010000000000000002')
  })

  it.each([0, 1, 2, 3, 4])('are read in version %i', (version) => {
    const read = decodeRecord(key, framed('OffsetCommitValue', version, 'default'))
    expect(read).toEqual({
      kind: 'offset',
      key: { groupId: 'x1', topic: 'alpha2', partition: -1 },
      value: { offset: 0, leaderEpoch: -1, metadata: '', commitTimestampMs: 0, expireTimestampMs: -1, topicId: ZERO_UUID },
    })
  })

  it('are read under the legacy key, and as tombstones', () => {
    expect(decodeRecord(framed('LegacyOffsetCommitKey', 0, 'full'), null)).toMatchObject({ kind: 'offset', value: null })
    expect(decodeRecord(key, null)).toMatchObject({ kind: 'offset', value: null })
    expect(offsetRecord({ groupId: 'x1', topic: 'alpha2', partition: -1 }, null)).toEqual({ key, value: null })
  })
})

describe('group records', () => {
  const key = framed('GroupMetadataKey', 0, 'full')

  it('are written in version 3, as Kafka does', () => {
    const value = framed('GroupMetadataValue', 3, 'full')
    const read = decodeRecord(key, value)
    if (read.kind !== 'group' || read.value === null) throw new Error('not a group')
    expect(read.value.members.length).toBeGreaterThan(0)
    expect(groupRecord(read.groupId, read.value)).toEqual({ key, value })
    expect(groupRecord(read.groupId, null)).toEqual({ key, value: null })
  })

  it.each([0, 1, 2, 3, 4])('are read in version %i', (version) => {
    const read = decodeRecord(key, framed('GroupMetadataValue', version, 'full'))
    expect(read).toMatchObject({ kind: 'group' })
    const members = read.kind === 'group' ? (read.value?.members ?? []) : []
    expect(members.every((member) => member.memberId !== '' && Buffer.isBuffer(member.subscription))).toBe(true)
  })
})

describe('other records', () => {
  const foreign = vectors.filter(({ name, type }) => type === 'coordinator-key' && /^(Share|Streams)Group/.test(name))

  it.each(foreign.map((vector) => [vector.name, vector.variant, vector] as const))(
    '%s %s is another protocol’s',
    (name, _variant, vector) => {
      expect(decodeRecord(Buffer.from(vector.framedHex, 'hex'), null)).toEqual({
        kind: 'foreign',
        name,
        groupId: vector.json['groupId'],
        tombstone: true,
      })
    },
  )

  it('of unknown type are told apart', () => {
    expect(decodeRecord(Buffer.from('03e7000161', 'hex'), null)).toEqual({ kind: 'unknown', keyType: 999 })
  })

  it('that are malformed, or of a newer version, are refused', () => {
    expect(() => decodeRecord(framed('OffsetCommitKey', 0, 'full').subarray(0, 4), null)).toThrow(DecodeError)
    expect(() => decodeRecord(Buffer.alloc(1), null)).toThrow(DecodeError)
    expect(() => decodeRecord(framed('GroupMetadataKey', 0, 'full'), Buffer.from('7fff', 'hex'))).toThrow(DecodeError)
  })
})
