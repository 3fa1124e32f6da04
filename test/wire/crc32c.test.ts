import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseChecksum, crc32c, crc32cPortable } from '../../hub/wire/crc32c.ts'

interface Vector {
  hex: string
  crc32c: number
}
const vectors = readFileSync(new URL('../golden/protocol/vectors/_crc.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector)

describe('crc32c', () => {
  it('equals Kafka on every vector, native and portable', () => {
    expect(vectors.length).toBeGreaterThan(200)
    for (const vector of vectors) {
      const bytes = Buffer.from(vector.hex, 'hex')
      expect(crc32c(bytes), vector.hex).toBe(vector.crc32c)
      expect(crc32cPortable(bytes), vector.hex).toBe(vector.crc32c)
    }
  })

  it('covers exactly the range it is given', () => {
    const bytes = Buffer.from('xx123456789yy')
    expect(crc32c(bytes, 2, 11)).toBe(0xe3069283)
    expect(crc32c(bytes, 2)).toBe(crc32cPortable(bytes.subarray(2)))
    expect(crc32c(bytes, 5, 5)).toBe(0)
  })

  it('agrees between native and portable on any bytes at any alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(16), (bytes, skip) => {
        const buffer = Buffer.from(bytes).subarray(Math.min(skip, bytes.length))
        expect(crc32c(buffer)).toBe(crc32cPortable(buffer))
      }),
    )
  })

  it('falls back where the native module is missing or computes another polynomial', () => {
    const missing = chooseChecksum(() => {
      throw new Error('cannot find native binding')
    })
    expect(missing).toBe(crc32cPortable)
    expect(chooseChecksum(() => ({ crc32c: () => 1 }))).toBe(crc32cPortable)
    const native = (bytes: Uint8Array): number => crc32cPortable(bytes)
    expect(chooseChecksum(() => ({ crc32c: native }))).toBe(native)
  })
})
