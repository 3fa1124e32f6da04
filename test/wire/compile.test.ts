/** The compiler against the interpreter, and its own promises. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileDecoder } from '../../hub/wire/compile.ts'
import { DecodeError, Reader, Writer } from '../../hub/wire/index.ts'
import { data } from '../../hub/wire/message.ts'
import { array, int32, string } from '../../hub/wire/schema.ts'
import { inputs } from './arbitrary.ts'
import { catalogue, versionsOf } from './catalogue.ts'
import { encode, Walk } from './interpreter.ts'

const runs = process.env['MILLRACE_LONG'] === undefined ? 5 : 200

describe('random values of every message and version', () => {
  it.each([...catalogue])('%s: compiled and interpreted agree', (_, message) => {
    for (const version of versionsOf(message)) {
      const flexible = message.isFlexible(version)
      const property = fc.property(inputs(message.fields, version), (input) => {
        const writer = new Writer()
        message.encode(input, version, writer)
        const { sizeBytes } = writer
        const bytes = writer.toBuffer()
        expect(bytes.equals(encode(message.fields, input, version, flexible))).toBe(true)
        expect(bytes.length).toBe(sizeBytes)
        const reader = new Reader(bytes)
        const decoded = message.decode(reader, version)
        expect(reader.remaining).toBe(0)
        expect(decoded).toEqual(new Walk(bytes, version, flexible).struct(message.fields))
      })
      fc.assert(property, { numRuns: runs })
    }
  })
})

describe('tags', () => {
  const Young = data('Young', { versions: '0-2', flexible: 0, fields: { id: int32, note: string.in('1+').tag(0, '2+') } })

  it('skips a known tag below its tagged version', () => {
    const bytes = Buffer.from([0, 0, 0, 7, 1, 0, 2, 0x58, 0x58])
    expect(Young.decode(new Reader(bytes), 0)).toEqual({ id: 7, note: '' })
  })

  it('reads a field untagged below its tagged version, and then skips its tag', () => {
    const bytes = Buffer.from([0, 0, 0, 7, 2, 0x61, 1, 0, 2, 2, 0x62])
    expect(Young.decode(new Reader(bytes), 1)).toEqual({ id: 7, note: 'a' })
    expect(Young.decode(new Reader(Buffer.from([0, 0, 0, 7, 1, 0, 2, 2, 0x62])), 2)).toEqual({ id: 7, note: 'b' })
  })

  it('refuses a known tag whose size is not that of its field', () => {
    for (const size of [1, 3]) {
      const bytes = Buffer.from([0, 0, 0, 7, 1, 0, size, 2, 0x62, 0])
      expect(() => Young.decode(new Reader(bytes), 2)).toThrow(DecodeError)
    }
  })

  it('may run out of room anywhere, also where the size of a tag is put before it', () => {
    const input = { id: 1, note: 'x'.repeat(130) }
    const expected = encode(Young.fields, input, 2, true)
    for (let initialBytes = 4; initialBytes < 300; initialBytes++) {
      const writer = new Writer(initialBytes)
      Young.encode(input, 2, writer)
      expect(writer.toBuffer().equals(expected), `${initialBytes} bytes at first`).toBe(true)
    }
  })

  it('writes tags of more than 127 bytes in place', () => {
    for (const length of [126, 127, 128, 16_382, 16_383, 32_767]) {
      const writer = new Writer(16)
      Young.encode({ id: 1, note: 'x'.repeat(length) }, 2, writer)
      expect(Young.decode(new Reader(writer.toBuffer()), 2)).toEqual({ id: 1, note: 'x'.repeat(length) })
    }
  })
})

describe('text', () => {
  it('is named in stack traces', () => {
    const message = data('Probe', { versions: '0', fields: { list: array({ id: int32 }) } })
    const decode = compileDecoder({ name: message.name, fields: message.fields, version: 0, flexible: false })
    const reader = new Reader(Buffer.alloc(4))
    reader.count = () => {
      throw new Error('probe')
    }
    expect(() => decode(reader)).toThrow(expect.objectContaining({ stack: expect.stringContaining('wire/Probe.v0.decode.js') }))
  })

  it('has no version that the message lacks', () => {
    const message = data('Probe', { versions: '1-2', fields: { id: int32 } })
    for (const version of [-1, 0, 3, 1.5, Number.NaN]) {
      expect(() => message.decode(new Reader(Buffer.alloc(8)), version)).toThrow(RangeError)
      expect(() => message.encode({ id: 1 }, version, new Writer())).toThrow(RangeError)
    }
  })
})

it('tells where bytes went wrong', () => {
  const message = data('Probe', { versions: '0', flexible: 0, fields: { topics: array({ name: string, ids: array(int32) }) } })
  const bytes = Buffer.from([3, 2, 0x61, 1, 0, 2, 0x62, 3, 0, 0, 0, 1, 0, 0])
  const failure = (length: number, nameSize = 2) => {
    try {
      message.decode(new Reader(bytes.fill(nameSize, 5, 6).subarray(0, length)), 0)
    } catch (error) {
      return error
    }
    return undefined
  }
  expect(failure(14)).toMatchObject({ name: 'DecodeError', path: 'Probe.v0.topics[1].ids' })
  expect(failure(14, 64)).toMatchObject({ path: 'Probe.v0.topics[1].name', reason: 'needs 63 bytes, 8 are left' })
  expect(failure(14, 0)).toMatchObject({ path: 'Probe.v0.topics[1].name', reason: 'null where null is not allowed' })
  expect(failure(1)).toMatchObject({ path: 'Probe.v0.topics', reason: 'an array of 2 elements in 0 bytes' })
  expect(failure(0)).toMatchObject({ path: 'Probe.v0.topics', message: 'Probe.v0.topics: needs 1 bytes, 0 are left' })
})
