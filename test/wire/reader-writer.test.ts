/** Primitives: as Kafka's own readers and writers have them, and what they refuse. */
import { describe, expect, it } from 'vitest'
import { DecodeError, Reader, recordsBuffer, Writer } from '../../hub/wire/index.ts'
import { readLines } from './golden.ts'

interface Primitive {
  readonly kind: string
  readonly value?: number | string
  readonly hex: string
  readonly readError?: string
}

const methods = { varint: 'signedVarint', unsignedVarint: 'varint', uuid: 'uuid', float64: 'float64' } as const
const primitives = readLines<Primitive>('vectors/_primitives.jsonl').filter((one) => one.kind in methods)

describe.each(Object.entries(methods))('%s', (kind, method) => {
  it('reads and writes as recorded, and refuses what Kafka refuses', () => {
    const mine = primitives.filter((one) => one.kind === kind)
    expect(mine.length).toBeGreaterThan(5)
    for (const { hex, value, readError } of mine) {
      const reader = new Reader(Buffer.from(hex, 'hex'))
      if (readError !== undefined) {
        expect(() => reader[method](), hex).toThrow(DecodeError)
        continue
      }
      const expected = kind === 'uuid' ? value : Number(value)
      expect(reader[method](), hex).toBe(expected)
      expect(reader.remaining).toBe(0)
      const writer = new Writer()
      writer[method](expected as never)
      expect(writer.toBuffer().toString('hex')).toBe(hex)
    }
  })
})

describe('int64 as a number', () => {
  const cases: [number, string][] = [
    [0, '0000000000000000'],
    [-1, 'ffffffffffffffff'],
    [4_294_967_295, '00000000ffffffff'],
    [-4_294_967_297, 'fffffffeffffffff'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [-(2 ** 53), 'ffe0000000000000'],
  ]
  it.each(cases)('%d', (value, hex) => {
    const writer = new Writer()
    writer.offset(value)
    expect(writer.toBuffer().toString('hex')).toBe(hex)
    expect(new Reader(Buffer.from(hex, 'hex')).offset()).toBe(value)
  })

  it.each(['0020000000000000', '7fffffffffffffff', 'ffdfffffffffffff', '8000000000000000'])('%s is refused', (hex) => {
    expect(() => new Reader(Buffer.from(hex, 'hex')).offset()).toThrow(DecodeError)
    expect(new Reader(Buffer.from(hex, 'hex')).int64()).toBe(BigInt.asIntN(64, BigInt(`0x${hex}`)))
  })
})

describe('texts', () => {
  const texts = ['', 'a', 'é', 'a'.repeat(48), `${'a'.repeat(47)}é`, 'a'.repeat(49), 'é'.repeat(64), '😀'.repeat(40), 'x'.repeat(32_767)]

  it.each(['string', 'compactString', 'nullableString', 'compactNullableString'] as const)('%s', (method) => {
    for (const text of texts) {
      const writer = new Writer(8)
      writer[method](text)
      const bytes = writer.toBuffer()
      const size = Buffer.byteLength(text)
      const prefix = method.startsWith('compact') ? (size + 1 < 128 ? 1 : size + 1 < 16_384 ? 2 : 3) : 2
      expect(bytes.length).toBe(prefix + size)
      expect(bytes.subarray(prefix).toString()).toBe(text)
      expect(new Reader(bytes)[method]()).toBe(text)
    }
  })

  it('may not be longer than Kafka allows', () => {
    expect(() => new Writer().string('x'.repeat(32_768))).toThrow(RangeError)
    expect(() => new Writer().compactString('é'.repeat(16_384))).toThrow(RangeError)
    const bytes = Buffer.concat([Buffer.from([0x81, 0x80, 0x02]), Buffer.alloc(32_768, 0x61)])
    expect(() => new Reader(bytes).compactString()).toThrow('a string of 32768 bytes')
  })

  it('of malformed UTF-8 read with U+FFFD, as in Kafka', () => {
    expect(new Reader(Buffer.from('000561ff62c328', 'hex')).string()).toBe('a\ufffdb\ufffd(')
    expect(new Reader(Buffer.from('0005efbbbf6162', 'hex')).string()).toBe('\ufeffab')
  })

  it('of negative length are null, whatever the number', () => {
    for (const hex of ['ffff', 'fffe', '8000']) {
      expect(new Reader(Buffer.from(hex, 'hex')).nullableString()).toBeNull()
      expect(() => new Reader(Buffer.from(hex, 'hex')).string()).toThrow('null where null is not allowed')
    }
  })
})

describe('counts and lengths', () => {
  it('of negative value are null', () => {
    for (const hex of ['ffffffff', '80000000']) {
      expect(new Reader(Buffer.from(hex, 'hex')).count(1, 1)).toBe(-1)
      expect(new Reader(Buffer.from(hex, 'hex')).nullableBytes()).toBeNull()
    }
    expect(new Reader(Buffer.of(0)).compactCount(1, 1)).toBe(-1)
    expect(new Reader(Buffer.of(0)).compactNullableBytes()).toBeNull()
  })

  it('beyond what is left are refused', () => {
    expect(() => new Reader(Buffer.from('0000000300', 'hex')).count(1, 0)).toThrow('an array of 3 elements in 1 bytes')
    expect(() => new Reader(Buffer.from('ffffffff0f', 'hex')).compactCount(1, 0)).toThrow('an array of 4294967294 elements')
    expect(() => new Reader(Buffer.from('ffffffff0f', 'hex')).compactBytes()).toThrow(DecodeError)
    expect(() => new Reader(Buffer.from('7fffffff', 'hex')).bytes()).toThrow('needs 2147483647 bytes, 0 are left')
  })

  it('beyond the limits are refused, bytes or no bytes', () => {
    const limits = { arrayElementsMax: 10, taggedFieldsMax: 2, stringBytesMax: 5, heapBytesMax: 1000 }
    const reader = (hex: string) => new Reader(Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(100)]), 0, limits)
    expect(reader('0000000a').count(1, 100)).toBe(10)
    expect(() => reader('0000000b').count(1, 0)).toThrow('an array of 11 elements')
    expect(() => reader('0000000a').count(1, 101)).toThrow('would take more than 1000 bytes of memory')
    expect(reader('02').tagCount()).toBe(2)
    expect(() => reader('03').tagCount()).toThrow('3 tagged fields')
    expect(() => reader('07').compactString()).toThrow('a string of 6 bytes')
    expect(() => reader('e601').tagEnd()).toThrow('a tagged field of 230 bytes, 100 are left')
  })

  it('sum up over all arrays of a message', () => {
    const limits = { arrayElementsMax: 10, taggedFieldsMax: 2, stringBytesMax: 5, heapBytesMax: 1000 }
    const reader = new Reader(Buffer.from('00000001'.repeat(11), 'hex'), 0, limits)
    for (let time = 0; time < 10; time++) reader.count(0, 100)
    expect(() => reader.count(0, 100)).toThrow('would take more than 1000 bytes of memory')
  })
})

describe('Writer', () => {
  it('refuses values that do not fit their type', () => {
    const writer = new Writer()
    const attempts: (() => void)[] = [
      () => writer.int8(128),
      () => writer.int16(-32_769),
      () => writer.uint16(65_536),
      () => writer.uint16(-1),
      () => writer.int32(2 ** 31),
      () => writer.int32(1.5),
      () => writer.int32(Number.NaN),
      () => writer.uint32(-1),
      () => writer.offset(2 ** 53 + 2),
      () => writer.offset(0.5),
      () => writer.offset(Number.NaN),
      () => writer.uuid('abc'),
      () => writer.uuid('!!!!!!!!!!!!!!!!!!!!!!'),
    ]
    for (const attempt of attempts) expect(attempt).toThrow(TypeError)
  })

  it('keeps the order of what was copied and what was passed by reference', () => {
    const big = Buffer.alloc(4096, 7)
    const writer = new Writer(4)
    writer.int32(1)
    writer.compactBytes(big)
    writer.int16(2)
    writer.nullableRecords([big, Buffer.from('x')])
    writer.nullableRecords(null)
    expect(writer.sizeBytes).toBe(4 + 2 + 4096 + 2 + 4 + 4097 + 4)
    const chunks = writer.finish()
    expect(chunks.filter((chunk) => chunk === big).length).toBe(2)
    const reader = new Reader(Buffer.concat(chunks))
    expect(reader.int32()).toBe(1)
    expect(reader.compactBytes().equals(big)).toBe(true)
    expect(reader.int16()).toBe(2)
    expect(reader.bytes().equals(Buffer.concat([big, Buffer.from('x')]))).toBe(true)
    expect(reader.nullableBytes()).toBeNull()
  })

  it('yields nothing for nothing', () => {
    expect(new Writer().toBuffer().length).toBe(0)
  })
})

it('recordsBuffer flattens what an encoder takes', () => {
  const one = Buffer.from('a')
  expect(recordsBuffer(null)).toBeNull()
  expect(recordsBuffer(one)).toBe(one)
  expect(recordsBuffer([one])).toBe(one)
  expect(recordsBuffer([])).toEqual(Buffer.alloc(0))
  expect(recordsBuffer([one, Buffer.from('b')])).toEqual(Buffer.from('ab'))
})
