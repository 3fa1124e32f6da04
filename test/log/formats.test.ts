import { describe, expect, it } from 'vitest'
import {
  formatEpochs,
  formatMetaProperties,
  formatOffsets,
  formatPartitionMetadata,
  parseEpochs,
  parseMetaProperties,
  parseOffsets,
  parsePartitionMetadata,
} from '../../hub/log/checkpoints.ts'
import { isDeleteDirectory, markedDirectory, parsePartitionDirectory, parseSegmentFile, segmentFile } from '../../hub/log/file-names.ts'
import { CorruptLogError } from '../../hub/log/log-error.ts'
import { OffsetIndex } from '../../hub/log/offset-index.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../hub/log/producer-snapshot.ts'
import { TimeIndex } from '../../hub/log/time-index.ts'

describe('file names', () => {
  it('are those of Kafka', () => {
    expect(segmentFile(42, '.log')).toBe('00000000000000000042.log')
    expect(parseSegmentFile('00000000000000000042.timeindex')).toEqual({ offset: 42, suffix: '.timeindex', marked: false })
    expect(parseSegmentFile('00000000000000000042.log.deleted')?.marked).toBe(true)
    expect(parseSegmentFile('leader-epoch-checkpoint')).toBeUndefined()
    expect(parsePartitionDirectory('a-b.c-7')).toEqual({ topic: 'a-b.c', partition: 7 })
    expect(parsePartitionDirectory('__cluster_metadata-0')).toEqual({ topic: '__cluster_metadata', partition: 0 })
    expect(parsePartitionDirectory('t-0.0123456789abcdef0123456789abcdef-delete')).toBeUndefined()
    expect(parsePartitionDirectory('meta.properties')).toBeUndefined()
  })

  it('of a deleted log fit into 255 characters', () => {
    const id = '0123456789abcdef0123456789abcdef'
    expect(markedDirectory('t', 3, id, '-delete')).toBe(`t-3.${id}-delete`)
    expect(markedDirectory('t'.repeat(249), 12, id, '-delete')).toHaveLength(255)
    expect(isDeleteDirectory(markedDirectory('t'.repeat(249), 12, id, '-delete'))).toBe(true)
    expect(isDeleteDirectory('my.notes-delete')).toBe(false)
    expect(parsePartitionDirectory(markedDirectory('t', 3, id, '-stray'))).toBeUndefined()
  })
})

describe('offset index', () => {
  it('has 8 bytes an entry: relative offset, position', () => {
    const index = new OffsetIndex()
    index.append(9, 4200)
    index.append(20, 9000)
    expect(index.bytes().toString('hex')).toBe('00000009000010680000001400002328')
    expect(index.bytes(1).toString('hex')).toBe('0000001400002328')
    expect([0, 8, 9, 19, 20, 99].map((offset) => index.floor(offset))).toEqual([-1, -1, 0, 0, 1, 1])
    expect([index.offsetAt(1), index.positionAt(1)]).toEqual([20, 9000])
  })

  it('takes a file as far as it grows, and tells preallocation from damage', () => {
    const index = new OffsetIndex()
    const whole = Buffer.from('00000009000010680000001400002328', 'hex')
    expect(index.load(Buffer.concat([whole, Buffer.alloc(64)]), 10_000)).toBe(true)
    expect(index.entryCount).toBe(2)
    expect(index.load(whole, 9000)).toBe(false)
    expect(index.entryCount).toBe(1)
    expect(index.load(Buffer.concat([whole, whole]), 10_000)).toBe(false)
    expect(index.load(Buffer.alloc(80), 10_000)).toBe(true)
    expect(index.entryCount).toBe(0)
  })
})

describe('time index', () => {
  it('has 12 bytes an entry: timestamp, relative offset', () => {
    const index = new TimeIndex()
    index.maybeAppend(1_700_000_000_000, 5)
    index.maybeAppend(1_700_000_000_000, 9)
    index.maybeAppend(1_700_000_000_010, 12)
    expect(index.bytes().toString('hex')).toBe('0000018bcfe56800000000050000018bcfe5680a0000000c')
    expect([0, 1_700_000_000_000, 1_700_000_000_009, 1_800_000_000_000].map((time) => index.lookup(time))).toEqual([0, 5, 5, 12])
    const again = new TimeIndex()
    expect(again.load(Buffer.concat([index.bytes(), Buffer.alloc(24)]), 100)).toBe(true)
    expect(again.entryCount).toBe(2)
    expect(again.load(Buffer.concat([index.bytes(), Buffer.from([1])]), 100)).toBe(false)
    again.truncateFrom(12)
    expect(again.entryCount).toBe(1)
  })
})

describe('checkpoints', () => {
  it('of offsets', () => {
    const content = formatOffsets([
      { topic: 'a', partition: 0, offset: 5 },
      { topic: 'b-c', partition: 12, offset: 2 ** 40 },
    ])
    expect(content.toString()).toBe('0\n2\na 0 5\nb-c 12 1099511627776\n')
    expect([...parseOffsets('f', content)]).toEqual([
      ['a-0', 5],
      ['b-c-12', 2 ** 40],
    ])
  })

  it('of epochs', () => {
    const entries = [
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 17 },
    ]
    expect(formatEpochs(entries).toString()).toBe('0\n2\n0 0\n3 17\n')
    expect(parseEpochs('f', formatEpochs(entries))).toEqual(entries)
  })

  it('that Kafka has only made yet are empty', () => {
    expect(parseOffsets('f', Buffer.alloc(0)).size).toBe(0)
    expect(parseEpochs('f', Buffer.alloc(0))).toEqual([])
  })

  it.each(['1\n0\n', '0\n2\na 0 1\n', '0\n1\na 0 x\n', '0\nx\n'])('damaged: %j', (text) => {
    expect(() => parseOffsets('/d/recovery-point-offset-checkpoint', Buffer.from(text))).toThrow(CorruptLogError)
    expect(() => parseOffsets('/d/recovery-point-offset-checkpoint', Buffer.from(text))).toThrow(
      '/d/recovery-point-offset-checkpoint is corrupt',
    )
  })

  it.each(['0\n2\n3 0\n3 5\n', '0\n2\n1 7\n2 5\n', '0\n1\n-1 7\n'])('epochs that do not grow: %j', (text) => {
    expect(() => parseEpochs('f', Buffer.from(text))).toThrow(CorruptLogError)
  })

  it('partition.metadata', () => {
    expect(formatPartitionMetadata('abcdefghijklmnopqrstuw').toString()).toBe('version: 0\ntopic_id: abcdefghijklmnopqrstuw')
    expect(parsePartitionMetadata('f', Buffer.from('version: 0\ntopic_id: abcdefghijklmnopqrstuw\n'))).toBe('abcdefghijklmnopqrstuw')
    expect(() => parsePartitionMetadata('f', Buffer.from('version: 0\n'))).toThrow(CorruptLogError)
  })

  it('meta.properties version 1, in any order and with comments', () => {
    const identity = { clusterId: 'Q', nodeId: 7, directoryId: 'D' }
    expect(parseMetaProperties('f', formatMetaProperties(identity))).toEqual(identity)
    expect(parseMetaProperties('f', Buffer.from('#x\n#Tue\nnode.id=7\nversion=1\ndirectory.id=D\ncluster.id=Q\n'))).toEqual(identity)
    expect(() => parseMetaProperties('f', Buffer.from('version=1\nnode.id=7\ncluster.id=Q\n'))).toThrow('directory.id is missing')
    expect(() => parseMetaProperties('f', Buffer.from('version=0\nbroker.id=7\n'))).toThrow('version 0 is not 1')
  })
})

describe('producer snapshot', () => {
  const batch = { firstSequence: 3, lastSequence: 5, lastOffset: 40, offsetDelta: 2, timestampMs: 1_700_000_000_000 }
  // What org.apache.kafka.storage.internals.log.ProducerStateManager writes for this one producer.
  const fields =
    '00000001' +
    '0000000000000009' +
    '0001' +
    '00000005' +
    '0000000000000028' +
    '00000002' +
    '0000018bcfe56800' +
    'ffffffff' +
    'ffffffffffffffff'

  const entry = { epoch: 1, batches: [batch], timestampMs: batch.timestampMs, coordinatorEpoch: -1, transactionOffset: -1, seenMs: 5 }

  it('is Kafka’s version 1 with its checksum', () => {
    const content = encodeProducerSnapshot(new Map([[9, entry]]))
    expect(content.toString('hex', 0, 2)).toBe('0001')
    expect(content.toString('hex', 6)).toBe(fields)
    expect(content.readUInt32BE(2)).toBe(bitwiseCrc32c(content.subarray(6)))
    expect(decodeProducerSnapshot('f', content, 5)).toEqual(new Map([[9, entry]]))
  })

  it('keeps the open transaction and the coordinator’s epoch, and the time of a marker behind the last batch', () => {
    const open = { ...entry, coordinatorEpoch: 7, transactionOffset: 33 }
    const ended = { ...entry, epoch: 2, batches: [], timestampMs: 1_700_000_000_009, coordinatorEpoch: 8 }
    const entries = new Map([
      [9, open],
      [10, ended],
    ])
    const content = encodeProducerSnapshot(entries)
    const [first, second] = [content.subarray(10, 56), content.subarray(56)]
    expect([first.readInt32BE(34), first.readBigInt64BE(38)]).toEqual([7, 33n])
    expect([second.readInt32BE(10), second.readBigInt64BE(14), second.readBigInt64BE(26)]).toEqual([-1, -1n, 1_700_000_000_009n])
    expect([second.readInt32BE(34), second.readBigInt64BE(38)]).toEqual([8, -1n])
    expect(decodeProducerSnapshot('f', content, 5)).toEqual(entries)
  })

  it('keeps all five batches of a producer, sequences that wrap included', () => {
    const batches = [0, 1, 2, 3, 4].map((n) => ({
      firstSequence: n === 4 ? 2 ** 31 - 1 : n,
      lastSequence: n === 4 ? 1 : n,
      lastOffset: 10 + n,
      offsetDelta: n === 4 ? 2 : 0,
      timestampMs: n,
    }))
    const entries = new Map([
      [1, { ...entry, epoch: 0, batches, timestampMs: 4 }],
      [2, { ...entry, epoch: 5, batches: [], timestampMs: 6 }],
    ])
    expect(decodeProducerSnapshot('f', encodeProducerSnapshot(entries), 5)).toEqual(entries)
  })

  it('refuses damage', () => {
    const content = encodeProducerSnapshot(new Map([[9, entry]]))
    for (let at = 0; at < content.length; at++) {
      const damaged = Buffer.from(content)
      damaged[at] = (damaged[at] ?? 0) ^ 0x40
      expect(() => decodeProducerSnapshot('f', damaged, 5)).toThrow(CorruptLogError)
    }
    expect(() => decodeProducerSnapshot('f', content.subarray(0, 20), 5)).toThrow(CorruptLogError)
    expect(() => decodeProducerSnapshot('f', Buffer.alloc(0), 5)).toThrow(CorruptLogError)
  })
})

/** CRC-32C bit by bit, after RFC 3720. */
function bitwiseCrc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
