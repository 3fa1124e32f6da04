import { describe, expect, it } from 'vitest'
import type { LogConfig, PartitionLog, Refused } from '../../hub/log/index.ts'
import { batchHeader, checkBatch, decodeRecords, ErrorCode, encodeControlBatch, setMaxTimestamp } from '../../hub/wire/index.ts'
import { batchOf, CONFIG, TOPIC_ID, testWorld } from './world.ts'

const client = { origin: 'client', leaderEpoch: 4 } as const

async function logWith(changes: Partial<LogConfig> = {}): Promise<PartitionLog> {
  const directory = await testWorld().open()
  return await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, ...changes })
}
function refused(log: PartitionLog, records: Buffer): Refused {
  const before = log.logEndOffset
  const answer = log.append(records, client)
  expect(log.logEndOffset).toBe(before)
  if (answer.kind !== 'refused') throw new Error('was appended')
  return answer
}

describe('append', () => {
  it('assigns offsets and the leader epoch, and leaves the checksum right', async () => {
    const log = await logWith()
    expect(log.append(batchOf(['a', 'b']), client)).toEqual({
      kind: 'appended',
      baseOffset: 0,
      lastOffset: 1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      duplicate: false,
    })
    expect(log.append(batchOf(['c']), client)).toMatchObject({ baseOffset: 2, lastOffset: 2 })
    const { records } = await log.read(0, { maxBytes: 1000, minOneBatch: true, endOffset: 3 })
    const all = Buffer.concat(records)
    const second = batchHeader.sizeBytes(all, 0)
    expect(batchHeader.leaderEpoch(all, second)).toBe(4)
    expect(decodeRecords(all, second).map((record) => [record.offset, String(record.value)])).toEqual([[2, 'c']])
  })

  it('refuses what is damaged', async () => {
    const log = await logWith()
    const corrupt = batchOf(['a'])
    corrupt[corrupt.length - 1] = (corrupt.at(-1) ?? 0) ^ 1
    expect(refused(log, corrupt).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
    const old = batchOf(['a'])
    old[16] = 1
    expect(refused(log, old).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, Buffer.alloc(0)).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, batchOf(['a']).subarray(0, 50)).errorCode).toBe(ErrorCode.INVALID_RECORD)
  })

  it('refuses what a client may not send', async () => {
    const log = await logWith()
    expect(refused(log, Buffer.concat([batchOf(['a']), batchOf(['b'])])).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, batchOf(['a'], { baseOffset: 7 })).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, batchOf(['a'], { control: true })).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, batchOf(['a'], { producerId: 5, producerEpoch: 0, baseSequence: -1 })).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, batchOf(['a'], { lastOffsetDelta: 3 })).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(refused(log, batchOf(['a'], { transactional: true, producerId: 5, producerEpoch: 0, baseSequence: 0 })).errorCode).toBe(
      ErrorCode.INVALID_TXN_STATE,
    )
  })

  it('cuts a last batch that is not whole, as Kafka does', async () => {
    const log = await logWith()
    expect(log.append(Buffer.concat([batchOf(['a']), batchOf(['b']).subarray(0, 40)]), client)).toMatchObject({
      kind: 'appended',
      lastOffset: 0,
    })
  })

  it('refuses malformed records behind a right checksum, and takes nothing of them', async () => {
    const log = await logWith()
    const batch = batchOf(['a', 'b'])
    const lengthAt = 61
    batch.writeUInt8(batch.readUInt8(lengthAt) + 2, lengthAt)
    setMaxTimestamp(batch, 0, 'create', batchHeader.maxTimestampMs(batch, 0)) // renews the checksum
    expect(checkBatch(batch, 0)).toEqual({ sizeBytes: batch.length })
    expect(refused(log, batch).errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(log.logEndOffset).toBe(0)
  })

  it('refuses what is too large', async () => {
    const log = await logWith({ maxMessageBytes: 200, segmentBytes: 150 })
    expect(refused(log, batchOf(['x'.repeat(200)])).errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(refused(log, batchOf(['x'.repeat(110)])).errorCode).toBe(ErrorCode.RECORD_LIST_TOO_LARGE)
    log.config = { ...log.config, segmentBytes: 1000 }
    expect(log.append(batchOf(['x'.repeat(110)]), client).kind).toBe('appended')
  })

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'refuses records without key on a compacted topic: %s',
    async (compression) => {
      const log = await logWith({ cleanupPolicies: new Set(['compact']) })
      const answer = refused(log, batchOf(['a', 'b', 'c', 'd'], { key: null, compression }))
      expect(answer.errorCode).toBe(ErrorCode.INVALID_RECORD)
      expect(answer.recordErrors).toHaveLength(4)
      expect(answer.recordErrors[1]).toEqual({
        batchIndex: 1,
        message: 'Compacted topic cannot accept message without key in topic partition t-0.',
      })
      expect(answer.message).toMatch(
        /^One or more records have been rejected due to 4 record errors in total, and only showing the first three errors at most: \[RecordError\(batchIndex=0, message='Compacted/,
      )
      expect(log.append(batchOf(['a'], { compression }), client).kind).toBe('appended')
    },
  )

  it('refuses times out of range with Kafka’s words', async () => {
    const log = await logWith({ messageTimestampBeforeMaxMs: 2 ** 63 })
    const answer = refused(log, batchOf(['v'], { timestampMs: 32503680000000 }))
    expect(answer).toMatchObject({
      errorCode: ErrorCode.INVALID_TIMESTAMP,
      message: 'One or more records have been rejected due to invalid timestamp',
    })
    // Golden: [now − (2^63−1), now + 1 h].
    expect(answer.recordErrors).toEqual([
      {
        batchIndex: 0,
        message: `Timestamp 32503680000000 of message with offset 0 is out of range. The timestamp should be within [${1_700_000_000_000n - 9223372036854775807n}, 1700003600000]`,
      },
    ])
    expect(log.append(batchOf(['v'], { timestampMs: 1 }), client).kind).toBe('appended')
    log.config = { ...log.config, messageTimestampBeforeMaxMs: 1000 }
    expect(refused(log, batchOf(['v'], { timestampMs: 1 })).recordErrors[0]?.message).toContain('within [1699999999000, 1700003600000]')
    expect(log.append(batchOf(['v'], { timestampMs: -1 }), client).kind).toBe('appended')
    expect(refused(log, batchOf(['v'], { timestampType: 'append', maxTimestampMs: 1_700_000_000_000 })).errorCode).toBe(
      ErrorCode.INVALID_TIMESTAMP,
    )
  })

  it('sets the time under LogAppendTime', async () => {
    const log = await logWith({ messageTimestampType: 'LogAppendTime' })
    expect(log.append(batchOf(['v', 'w'], { timestampMs: 5, compression: 'lz4' }), client)).toMatchObject({
      logAppendTimeMs: 1_700_000_000_000,
    })
    const { records } = await log.read(0, { maxBytes: 1000, minOneBatch: true, endOffset: 2 })
    expect(decodeRecords(records[0] as Buffer, 0).map((record) => record.timestampMs)).toEqual([1_700_000_000_000, 1_700_000_000_000])
  })

  it('re-encodes for a topic with a codec of its own, keeping producer and sequence', async () => {
    const log = await logWith({ compressionType: 'zstd' })
    const values = Array.from({ length: 50 }, (_, n) => `value ${n}`)
    log.append(batchOf(values, { producerId: 9, producerEpoch: 2, baseSequence: 30, compression: 'gzip' }), client)
    const { records } = await log.read(0, { maxBytes: 10_000, minOneBatch: true, endOffset: 50 })
    const batch = records[0] as Buffer
    expect([
      batchHeader.compression(batch, 0),
      batchHeader.producerId(batch, 0),
      batchHeader.producerEpoch(batch, 0),
      batchHeader.baseSequence(batch, 0),
    ]).toEqual(['zstd', 9, 2, 30])
    expect(decodeRecords(batch, 0).map((record) => String(record.value))).toEqual(values)
    log.config = { ...log.config, compressionType: 'uncompressed' }
    log.append(batchOf(['a'], { compression: 'gzip' }), client)
    const plain = await log.read(50, { maxBytes: 10_000, minOneBatch: true, endOffset: 51 })
    expect(batchHeader.compression(plain.records[0] as Buffer, 0)).toBe('none')
  })

  it('answers a retry with the first offsets and appends nothing', async () => {
    const log = await logWith()
    const send = (baseSequence: number): unknown =>
      log.append(batchOf(['a', 'b'], { producerId: 9, producerEpoch: 0, baseSequence }), client)
    expect(send(0)).toMatchObject({ baseOffset: 0, duplicate: false })
    expect(send(2)).toMatchObject({ baseOffset: 2, duplicate: false })
    expect(send(0)).toMatchObject({ baseOffset: 0, lastOffset: 1, duplicate: true })
    expect(log.logEndOffset).toBe(4)
    expect(send(6)).toMatchObject({ kind: 'refused', errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER })
  })

  it('takes several batches and control batches from the raft, and keeps their offsets', async () => {
    const log = await logWith()
    const raft = { origin: 'raft', leaderEpoch: 1 } as const
    const both = Buffer.concat([
      batchOf(['a', 'b']),
      encodeControlBatch({ type: 2, baseOffset: 2, value: Buffer.from([0, 0]), timestampMs: 1 }),
    ])
    expect(log.append(both, raft)).toMatchObject({ baseOffset: 0, lastOffset: 2 })
    expect(log.append(batchOf(['c'], { baseOffset: 3 }), raft)).toMatchObject({ baseOffset: 3 })
    expect(() => log.append(batchOf(['d'], { baseOffset: 9 }), raft)).toThrow(RangeError)
    expect(log.logEndOffset).toBe(4)
  })
})
