import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CopyTap, frameBytes } from '../../../../connectors/postgres/replication/copy-tap.ts'
import { parseCopyRow } from '../../../../connectors/postgres/replication/copy-text.ts'
import { lsnOf, lsnText, quoteIdentifier, quoteLiteral } from '../../../../connectors/postgres/replication/index.ts'

const runCount = process.env['MILLRACE_LONG'] === undefined ? 200 : 20_000

type Value = string | null

/** As the server writes a row (CopyAttributeOutText): the separator, the escape and six control letters are escaped. */
function copyLine(values: readonly Value[]): Buffer {
  const letters: Record<string, string> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\\': '\\' }
  const fields = values.map((value) => (value === null ? '\\N' : value.replaceAll(/[\b\f\n\r\t\v\\]/g, (letter) => `\\${letters[letter]}`)))
  return Buffer.from(`${fields.join('\t')}\n`)
}

function parsed(bytes: Buffer, start: number, end: number, columnCount: number): Value[] {
  const bounds = new Int32Array(2 * columnCount)
  expect(parseCopyRow(bytes, start, end, bounds)).toBe(columnCount)
  return Array.from({ length: columnCount }, (_, index) => {
    const from = bounds[2 * index] as number
    return from < 0 ? null : bytes.toString('utf8', from, bounds[2 * index + 1])
  })
}

function frame(letter: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.write(letter)
  header.writeUInt32BE(payload.length + 4, 1)
  return Buffer.concat([header, payload])
}

const value = fc.oneof(
  fc.constant(null),
  fc.string({ unit: fc.constantFrom('a', 'N', '\\', '\t', '\n', '\b', '\f', '\r', '\v', 'é', '😀', '.', '0'), maxLength: 12 }),
)

describe('parseCopyRow', () => {
  it('undoes what the server does to a row', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), fc.nat(5), (values, before) => {
        const line = copyLine(values)
        const bytes = Buffer.concat([Buffer.alloc(before, 0x5c), line, Buffer.from('behind')])
        expect(parsed(bytes, before, before + line.length, values.length)).toEqual(values)
      }),
      { numRuns: runCount },
    )
  })

  it('tells how many columns there are', () => {
    const count = (text: string, columnCount: number) => parseCopyRow(Buffer.from(text), 0, text.length, new Int32Array(2 * columnCount))
    expect(count('a\tb\n', 2)).toBe(2)
    expect(count('a\tb\n', 3)).toBe(2)
    expect(count('a\tb\n', 1)).toBe(-1)
    expect(count('\n', 1)).toBe(1)
    expect(count('\n', 0)).toBe(0)
    expect(count('a\n', 0)).toBe(-1)
  })
})

describe('CopyTap', () => {
  it('gives every CopyData frame once and in order, however the socket cuts them, and the rest to the listener before', async () => {
    const frames = fc.array(fc.record({ letter: fc.constantFrom('d', 'd', 'd', 'N'), payload: fc.uint8Array({ maxLength: 40 }) }), {
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }), async (all, cuts) => {
        const stream = new PassThrough()
        const taken: string[] = []
        const others: string[] = []
        stream.on('data', (chunk: Buffer) => others.push(chunk.toString('hex')))
        const tap = new CopyTap({ stream }, (bytes, start, end) => {
          for (let at = start; at < end; at += frameBytes(bytes, at))
            taken.push(bytes.subarray(at, at + frameBytes(bytes, at)).toString('hex'))
        })
        const framed = all.map(({ letter, payload }) => ({ letter, bytes: frame(letter, Buffer.from(payload)) }))
        const bytes = Buffer.concat(framed.map((each) => each.bytes))
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const length = cuts[turn % cuts.length] as number
          stream.write(Buffer.from(bytes.subarray(at, at + length)))
          at += length
        }
        stream.end()
        await new Promise((resolve) => stream.on('end', resolve))
        const hexOf = (isData: boolean) =>
          framed.filter(({ letter }) => (letter === 'd') === isData).map((each) => each.bytes.toString('hex'))
        expect(taken).toEqual(hexOf(true))
        expect(others).toEqual(hexOf(false))
        tap.release()
      }),
      { numRuns: runCount },
    )
  })

  it('breaks a stream that is out of step', async () => {
    const stream = new PassThrough()
    const error = new Promise<Error>((resolve) => stream.on('error', resolve))
    const tap = new CopyTap({ stream }, () => undefined)
    stream.write(Buffer.from([0x64, 0xff, 0xff, 0xff, 0xff, 0x00]))
    expect((await error).message).toMatch(/out of step/)
    tap.release()
  })
})

describe('positions and quotes', () => {
  it('reads and writes a position', () => {
    expect(lsnOf('16/B374D848')).toBe(0x16_b374_d848)
    expect(lsnText(0x16_b374_d848)).toBe('16/B374D848')
    expect(lsnText(0)).toBe('0/0')
    fc.assert(fc.property(fc.maxSafeNat(), (lsn) => lsnOf(lsnText(lsn)) === lsn))
    for (const text of ['', '0', '0/', 'x/0', '0/123456789', 'FFFFFFFF/0', ' 0/0']) expect(() => lsnOf(text)).toThrow(RangeError)
  })

  it('quotes', () => {
    expect(quoteIdentifier('a"b')).toBe('"a""b"')
    expect(quoteLiteral("it's")).toBe(`'it''s'`)
    expect(quoteLiteral('a\\b')).toBe(` E'a\\\\b'`)
  })
})
