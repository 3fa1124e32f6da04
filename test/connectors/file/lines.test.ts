/** @module test/connectors/file/lines — cutting bytes into lines, whatever the borders of what was read. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lines, LineTooLong } from '../../../connectors/file/lines.ts'

/** All lines and the positions behind them, read in pieces of these sizes. */
function cut(text: Buffer, sizes: readonly number[], lines = new Lines(0, { chunkBytes: 8 })): readonly (readonly [string, number])[] {
  const found: (readonly [string, number])[] = []
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const count = text.copy(lines.room().subarray(0, Math.max(1, sizes[turn % sizes.length] ?? 1)), 0, at)
    expect(lines.readPosition).toBe(at)
    lines.filled(count)
    at += count
    for (let line = lines.next(); line !== undefined; line = lines.next()) found.push([line, lines.position])
  }
  return found
}

describe('Lines', () => {
  it.each<[string, readonly (readonly [string, number])[]]>([
    [
      'one\ntwo\n',
      [
        ['one', 4],
        ['two', 8],
      ],
    ],
    [
      'a\r\nb\rc\n',
      [
        ['a', 3],
        ['b', 5],
        ['c', 7],
      ],
    ],
    [
      '\n\n',
      [
        ['', 1],
        ['', 2],
      ],
    ],
    [
      'a\r\r\nb\n',
      [
        ['a', 2],
        ['', 4],
        ['b', 6],
      ],
    ],
    ['no end', []],
    ['maybe more\r', []],
    [
      'é\n😀\n',
      [
        ['é', 3],
        ['😀', 8],
      ],
    ],
  ])('cuts %j', (text, lines) => {
    for (const size of [1, 2, 3, 100]) expect(cut(Buffer.from(text), [size]), `pieces of ${size}`).toEqual(lines)
  })

  it('gives the same lines for any borders, and resumes at every position', () => {
    const piece = fc.constantFrom('a', 'ü', '😀', '\n', '\r', '\r\n', 'long '.repeat(5))
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (pieces, sizes) => {
          const text = Buffer.from(`${pieces.join('')}\nend\n`)
          const whole = cut(text, [text.length])
          expect(whole.map(([line]) => line)).toEqual(
            text
              .toString()
              .split(/\r\n|\n|\r/)
              .slice(0, -1),
          )
          expect(cut(text, sizes)).toEqual(whole)
          for (const [at, [, position]] of whole.entries()) {
            const rest = cut(text.subarray(position), sizes)
            expect(rest.map(([line, behind]) => [line, behind + position])).toEqual(whole.slice(at + 1))
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it.each(['a\r', 'a\n', 'a\r\n', 'a\n\n\n\r'])(
    'does not look at the whole rest for each line: lines like %j',
    { timeout: 5_000 },
    (unit) => {
      const text = Buffer.from(unit.repeat(1_000_000))
      // In one piece: where each line costs a look at all that follows, this takes half a minute.
      const lines = new Lines(0, { chunkBytes: text.length })
      lines.filled(text.copy(lines.room()))
      let lineCount = 0
      while (lines.next() !== undefined) lineCount++
      expect(lineCount).toBeGreaterThanOrEqual(999_999)
    },
  )

  it('takes bytes that are no UTF-8 as U+FFFD', () => {
    expect(cut(Buffer.from([0x61, 0xff, 0x0a]), [2])).toEqual([['a\ufffd', 3]])
  })

  it('gives what is held back when something has ended', () => {
    const lines = new Lines()
    lines.filled(lines.room().write('one\nrest\r'))
    expect([lines.next(), lines.next(), lines.rest(), lines.position, lines.rest()]).toEqual(['one', undefined, 'rest', 9, undefined])
  })

  it('refuses a line beyond its limit, not one within it', () => {
    const limits = { lineBytesMax: 10, chunkBytes: 4 }
    expect(cut(Buffer.from(`${'x'.repeat(10)}\n`), [4], new Lines(0, limits))).toEqual([['x'.repeat(10), 11]])
    expect(() => cut(Buffer.from('x'.repeat(12)), [4], new Lines(0, limits))).toThrow(LineTooLong)
  })
})
