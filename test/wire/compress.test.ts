import { readFileSync } from 'node:fs'
import { crc32, gzipSync } from 'node:zlib'
import {
  lz4Compress as lz4CompressPeer,
  lz4Decompress as lz4DecompressPeer,
  snappyCompress as snappyCompressPeer,
} from '@platformatic/wasm-utils'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchError } from '../../hub/wire/batch.ts'
import { type Codec, compress, decompress } from '../../hub/wire/compress/index.ts'
import { xxhash32 } from '../../hub/wire/compress/xxhash32.ts'
import { ErrorCode } from '../../hub/wire/errors.ts'

const long = process.env['MILLRACE_LONG'] !== undefined
const packed: readonly Codec[] = ['gzip', 'snappy', 'lz4', 'zstd']
const limit = 1 << 20

function lines<T>(path: string): T[] {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

interface KafkaStream {
  codec: Codec
  magic: number
  plainUnitHex: string
  plainTimes: number
  plainBytes: number
  plainCrc32: number
  hex: string
}
const kafkaStreams = lines<KafkaStream>('../golden/protocol/vectors/_compression.jsonl')
const toolStreams = lines<{ codec: Codec; desc: string; plain: [string, number][]; hex: string }>('./compress-frames.jsonl')

function repeat(unitHex: string, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => Buffer.from(unitHex, 'hex')))
}

/** The error code with which `run` fails; anything but a BatchError fails the test. */
function codeOf(run: () => unknown): number {
  try {
    run()
  } catch (error) {
    if (error instanceof BatchError) return error.errorCode
    throw error
  }
  return ErrorCode.NONE
}

describe('decompress', () => {
  it('unpacks every stream that Kafka packed, within exactly its size', () => {
    expect(kafkaStreams.length).toBe(35)
    for (const vector of kafkaStreams) {
      const name = `${vector.codec} magic ${vector.magic} ${vector.plainBytes}`
      const plain = decompress(vector.codec, Buffer.from(vector.hex, 'hex'), vector.plainBytes)
      expect(plain.equals(repeat(vector.plainUnitHex, vector.plainTimes)), name).toBe(true)
      expect(crc32(plain), name).toBe(vector.plainCrc32)
    }
  })

  it.each(toolStreams)('unpacks what the reference tools pack: $codec, $desc', ({ codec, plain, hex }) => {
    const expected = Buffer.concat(plain.map(([unit, times]) => repeat(unit, times)))
    const stream = Buffer.from(hex, 'hex')
    expect(decompress(codec, stream, expected.length).equals(expected)).toBe(true)
    expect(codeOf(() => decompress(codec, stream, expected.length - 1))).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(codeOf(() => decompress(codec, stream.subarray(0, stream.length - 1), expected.length))).toBe(ErrorCode.CORRUPT_MESSAGE)
  })

  it('never takes damage for data where the frame has checksums', () => {
    const checked = toolStreams.filter(({ desc }) => desc.includes('checksums') || desc === 'linked blocks' || desc === 'checksum')
    expect(checked.length).toBe(4)
    for (const { codec, hex, plain } of checked) {
      const expected = Buffer.concat(plain.map(([unit, times]) => repeat(unit, times)))
      let found = 0
      for (let at = 4; at < hex.length / 2; at += 1) {
        const stream = Buffer.from(hex, 'hex')
        stream[at]! ^= 0x10
        // Some bits mean nothing (the unused one of zstd's frame descriptor): then the data must be right.
        const code = codeOf(() => expect(decompress(codec, stream, limit).equals(expected), `${codec} byte ${at}`).toBe(true))
        if (code !== ErrorCode.NONE) found += 1
      }
      expect(found).toBeGreaterThan(hex.length / 2 - 10)
    }
  })

  it('refuses one byte more than is allowed and takes exactly as many', () => {
    for (const codec of packed) {
      for (const size of [1, 1000, 300_000]) {
        const stream = compress(codec, Buffer.alloc(size, 'ab'))
        expect(decompress(codec, stream, size).length).toBe(size)
        expect(
          codeOf(() => decompress(codec, stream, size - 1)),
          `${codec} ${size}`,
        ).toBe(ErrorCode.MESSAGE_TOO_LARGE)
      }
    }
  })

  it('does not take memory for a bomb', () => {
    const megabytes = Buffer.alloc(64 << 20)
    const before = process.memoryUsage().arrayBuffers
    for (const codec of packed) {
      const bomb = compress(codec, megabytes)
      expect(
        codeOf(() => decompress(codec, bomb, limit)),
        codec,
      ).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20)
    // A snappy stream of nine bytes that announces 4 GiB.
    expect(codeOf(() => decompress('snappy', Buffer.from('ffffffff0f00616263', 'hex'), 2 ** 40))).toBe(ErrorCode.CORRUPT_MESSAGE)
  })

  it('reads several streams in a row', () => {
    const [a, b] = [Buffer.alloc(70_000, 'a'), Buffer.from('b')]
    for (const codec of packed) {
      const both = Buffer.concat([compress(codec, a), compress(codec, b)])
      expect(decompress(codec, both, limit).equals(Buffer.concat([a, b])), codec).toBe(true)
    }
  })

  it('skips skippable frames of lz4 and zstd', () => {
    for (const codec of ['lz4', 'zstd'] as const) {
      const skippable = Buffer.from('502a4d1803000000abcdef', 'hex')
      const stream = Buffer.concat([skippable, compress(codec, Buffer.from('x')), skippable])
      expect(decompress(codec, stream, limit).toString(), codec).toBe('x')
    }
  })

  it('reads raw snappy, as librdkafka writes it', () => {
    const plain = Buffer.concat([Buffer.alloc(100_000, 'snappy '), Buffer.from(kafkaStreams[5]!.plainUnitHex, 'hex')])
    expect(decompress('snappy', snappyCompressPeer(plain), plain.length).equals(plain)).toBe(true)
    // Copies with distances of one, two and four bytes, and a literal with a two-byte length.
    const literal = Buffer.from(Array.from({ length: 300 }, (_, index) => index & 0xff))
    const elements = Buffer.concat([Buffer.from('be02f42b01', 'hex'), literal, Buffer.from('0d0a' + '1a2c01' + '0f01000000', 'hex')])
    const unpacked = decompress('snappy', elements, limit)
    const expected = [...literal]
    for (const [distance, length] of [
      [10, 7],
      [300, 7],
      [1, 4],
    ] as const)
      for (let n = 0; n < length; n += 1) expected.push(expected.at(-distance)!)
    expect([...unpacked]).toEqual(expected)
  })

  it('refuses empty input and foreign bytes', () => {
    for (const codec of packed) {
      expect(
        codeOf(() => decompress(codec, Buffer.alloc(0), limit)),
        codec,
      ).toBe(ErrorCode.CORRUPT_MESSAGE)
      expect(
        codeOf(() => decompress(codec, Buffer.alloc(64, 0xff), limit)),
        codec,
      ).toBe(ErrorCode.CORRUPT_MESSAGE)
    }
  })

  it('refuses an lz4 match that reaches back into another independent block', () => {
    const block = (hex: string): string => `${Buffer.from([hex.length / 2, 0, 0, 0]).toString('hex')}${hex}`
    const blocks = `${block('506162636465')}${block('0005001078')}00000000`
    const independent = Buffer.from(`04224d18604082${blocks}`, 'hex')
    expect(codeOf(() => decompress('lz4', independent, limit))).toBe(ErrorCode.CORRUPT_MESSAGE)
    const linkedHeader = Buffer.from('04224d184040', 'hex')
    const checksum = (xxhash32(linkedHeader, 4, 6) >>> 8) & 0xff
    const linked = Buffer.concat([linkedHeader, Buffer.from([checksum]), Buffer.from(blocks, 'hex')])
    expect(decompress('lz4', linked, limit).toString()).toBe('abcdeabcdx')
  })
})

describe('compress', () => {
  it('writes frames that others read, and reads theirs', () => {
    const plain = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * index) >>> 9))
    expect(lz4DecompressPeer(compress('lz4', plain)).equals(plain)).toBe(true)
    expect(decompress('lz4', lz4CompressPeer(plain), plain.length).equals(plain)).toBe(true)
    expect(compress('snappy', plain).subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    expect(compress('none', plain)).toBe(plain)
  })

  it('takes levels within their range only', () => {
    const plain = Buffer.alloc(50_000, 'level')
    expect(compress('gzip', plain, 9).length).toBeLessThanOrEqual(compress('gzip', plain, 1).length)
    expect(decompress('zstd', compress('zstd', plain, 19), limit).equals(plain)).toBe(true)
    expect(decompress('gzip', compress('gzip', plain, -1), limit).equals(gzipSync(plain))).toBe(false)
    for (const [codec, level] of [
      ['gzip', 0],
      ['gzip', 10],
      ['zstd', 23],
      ['gzip', 1.5],
      ['lz4', 0],
      ['lz4', 18],
    ] as const) {
      expect(() => compress(codec, plain, level)).toThrow(RangeError)
    }
  })

  it('survives any number of damaged streams: nothing from outside reaches the WebAssembly module', () => {
    const damaged = compress('snappy', Buffer.from('hello hello hello hello')).subarray(0, 24)
    for (let count = 0; count < 30_000; count += 1)
      expect(codeOf(() => decompress('snappy', damaged, limit))).toBe(ErrorCode.CORRUPT_MESSAGE)
    for (const codec of packed) expect(decompress(codec, compress(codec, Buffer.from('still')), 5).toString()).toBe('still')
  })

  const plainBytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(4000)).map(([unit, times]) => Buffer.concat(Array(times).fill(unit))),
  )

  it('round-trips any bytes by every codec', () => {
    fc.assert(
      fc.property(fc.constantFrom(...packed), plainBytes, (codec, bytes) => {
        const plain = Buffer.from(bytes)
        expect(decompress(codec, compress(codec, plain), plain.length).equals(plain)).toBe(true)
      }),
      { numRuns: long ? 5000 : 200 },
    )
  })

  it('packs lz4 at every level into frames that anybody reads, smaller ones the higher it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 17 }), plainBytes, (level, bytes) => {
        const plain = Buffer.from(bytes)
        const frame = compress('lz4', plain, level)
        expect(decompress('lz4', frame, plain.length).equals(plain)).toBe(true)
        if (plain.length > 0) expect(lz4DecompressPeer(frame).equals(plain)).toBe(true)
      }),
      { numRuns: long ? 2000 : 100 },
    )
    const words = Buffer.from(Array.from({ length: 30_000 }, (_, n) => `word${(n * n * 31) % 977}`).join(' '))
    const sizes = [9, 3, 6, 12].map((level) => compress('lz4', words, level).length)
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
  })

  it('gives a value within the bound or a BatchError for damaged streams', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...packed),
        plainBytes,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (codec, bytes, changes, cut) => {
          const stream = Buffer.from(compress(codec, Buffer.from(bytes)))
          for (const [at, byte] of changes) stream[at % stream.length] = byte
          const damaged = cut % 3 === 0 ? stream.subarray(0, cut % stream.length) : stream
          try {
            expect(decompress(codec, damaged, 100_000).length).toBeLessThanOrEqual(100_000)
          } catch (error) {
            expect(error).toBeInstanceOf(BatchError)
          }
        },
      ),
      { numRuns: long ? 50_000 : 1000 },
    )
  })
})

describe('xxhash32', () => {
  it('equals the published values', () => {
    const hash = (text: string): number => xxhash32(Buffer.from(text), 0, Buffer.byteLength(text))
    expect(hash('')).toBe(0x02cc5d05)
    expect(hash('abc')).toBe(0x32d153ff)
    expect(hash('Nobody inspects the spammish repetition')).toBe(0xe2293b2f)
  })
})
