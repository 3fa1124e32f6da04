import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonTextOf, parseJsonExact, parseJsonText } from '../../hub/rest/json.ts'

const runs = { numRuns: process.env['MILLRACE_LONG'] === undefined ? 200 : 20_000 }

describe('JSON that keeps every digit', () => {
  it('reads and writes integers of any size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (integer) => {
        const value = Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
        expect(parseJsonExact(String(integer))).toBe(value)
        expect(jsonTextOf({ integer: value })).toBe(`{"integer":${integer}}`)
      }),
      runs,
    )
  })

  it('reads and writes any document as JSON does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (document) => {
        const text = JSON.stringify(document)
        // An integer beyond 2^53 that a double holds is the bigint of its digits.
        expect(jsonTextOf(parseJsonExact(text))).toBe(JSON.stringify(JSON.parse(text)))
      }),
      runs,
    )
  })

  it('gives scalars as they were written', () => {
    expect(parseJsonText('{"a":1.0,"b":-0,"c":1e3,"d":true,"e":null,"f":"x","g":[2,[false]]}')).toEqual({
      a: '1.0',
      b: '-0',
      c: '1e3',
      d: 'true',
      e: null,
      f: 'x',
      g: ['2', ['false']],
    })
  })

  it('quotes nothing of a broken document', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 60 }), (tail, cut) => {
        const text = '{"connection.password":"hunter2hunter2"}'.slice(0, cut) + tail
        try {
          parseJsonText(text)
        } catch (error) {
          expect((error as Error).message).not.toMatch(/hunter2|password/)
        }
      }),
      runs,
    )
  })
})
