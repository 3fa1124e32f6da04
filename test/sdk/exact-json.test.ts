/** Digits are kept, and what is no JSON is refused with its place. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Decimal, JsonNumber, JsonSyntaxError, jsonLimits, parseJson, Sized, stringifyJson } from '../../sdk/index.ts'

const runs = process.env['MILLRACE_LONG'] === undefined ? 500 : 20_000

/** A text beside it that no fast way may take, with the same value. */
const slowly = (text: string): unknown => (parseJson(`[${text},99999999999999999]`) as unknown[])[0]

describe('parseJson', () => {
  it('keeps integers: numbers while they are safe, bigints beyond', () => {
    expect(parseJson('[0,-7,9007199254740991,9007199254740992,-9007199254740993]')).toEqual([
      0,
      -7,
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
    ])
    expect(parseJson('9223372036854775807')).toBe(9223372036854775807n)
    expect(parseJson('{"a":{"b":18446744073709551616}}')).toEqual({ a: { b: 18446744073709551616n } })
  })

  it('gives the low 64 bits where integers are asked for as int64', () => {
    const parse = (text: string): unknown => parseJson(text, { integers: 'int64' })
    expect(parse('[5,-5,9223372036854775808,1.0]')).toEqual([5n, -5n, -9223372036854775808n, 1])
    expect(parse('[123456789012345,1234567890123456,12345678901234567]')).toEqual([123456789012345n, 1234567890123456n, 12345678901234567n])
  })

  it('keeps the digits of decimals where asked to', () => {
    const parse = (text: string): unknown => parseJson(text, { decimals: 'exact' })
    expect(parse('[12.30,1e3,-0.000,7]')).toEqual([new JsonNumber('12.30'), new JsonNumber('1e3'), new JsonNumber('-0.000'), 7])
    expect(parse('0.1234567890123456789')).toEqual(new JsonNumber('0.1234567890123456789'))
    expect(parseJson('[12345678901234567890.123,1e400,-0.0]')).toEqual([12345678901234567000, Number.POSITIVE_INFINITY, -0])
  })

  it('gives maps in the order of the text where asked to', () => {
    const map = parseJson('{"b":1,"10":2,"__proto__":3,"b":4}', { objects: 'map' })
    expect([...(map as Map<string, unknown>)]).toEqual([
      ['b', 4],
      ['10', 2],
      ['__proto__', 3],
    ])
  })

  it('has no way to a prototype', () => {
    for (const parsed of [parseJson('{"__proto__":{"x":1}}'), slowly('{"__proto__":{"x":1}}')]) {
      expect(Object.keys(parsed as object)).toEqual(['__proto__'])
      expect((parsed as { x?: unknown }).x).toBeUndefined()
    }
  })

  it('gives what JSON.parse gives, by the scanner too', () => {
    // Without whole numbers beyond 2^53: there the two differ on purpose.
    const json = fc
      .jsonValue({ noUnicodeString: false })
      .map((value) => JSON.stringify(value))
      .filter((text) => !/(^|[^.\d])\d{16,}(?![.\de])/.test(text))
    fc.assert(
      fc.property(json, (text) => {
        const native: unknown = JSON.parse(text)
        expect(slowly(text)).toEqual(native)
        expect(parseJson(JSON.stringify(native, null, 2))).toEqual(native)
      }),
      { numRuns: runs },
    )
  })

  it('refuses what JSON.parse refuses, of texts that are almost JSON', () => {
    const text = fc.array(fc.constantFrom(...Array.from('{}[]:,"\\ntrue1-+.e0 /'), 'null', '"a"', '\\u00', '\n', '\u0001'), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(
        text.map((parts) => parts.join('')),
        (broken) => {
          let native: unknown
          try {
            native = JSON.parse(broken)
          } catch {
            expect(() => parseJson(broken)).toThrow(JsonSyntaxError)
            return
          }
          expect(parseJson(broken)).toEqual(native)
          expect(slowly(broken)).toEqual(native)
        },
      ),
      { numRuns: runs * 4 },
    )
  })

  it.each([
    ['', 'unexpected end: expected a value at line 1, column 1'],
    ['{"a":\n nul}', 'expected a value, found nul at line 2, column 2'],
    ['[1,2,]', 'expected a value at line 1, column 6'],
    ['{"a":1', 'unexpected end: expected , or } at line 1, column 7'],
    ["'x'", 'expected a value at line 1, column 1'],
    ['[01]', 'a number with a leading zero at line 1, column 2'],
    ['[1x]', 'unexpected character after a number at line 1, column 3'],
    ['1 2', 'expected the end at line 1, column 3'],
    ['"a\\x"', 'no such escape at line 1, column 3'],
    ['"a\\u12', 'unexpected end inside a string at line 1, column 7'],
    ['"a\u0001"', 'a control character inside a string at line 1, column 3'],
    ['NaN', 'expected a value, found NaN at line 1, column 1'],
  ])('says what is wrong and where: %j', (text, message) => {
    expect(() => parseJson(text)).toThrow(JsonSyntaxError)
    expect(() => parseJson(text)).toThrow(message)
  })

  it('takes what follows, leading zeros and a byte order mark where lenient', () => {
    const parse = (text: string): unknown => parseJson(text, { lenient: true })
    expect(parse('{"a":1}{"b":2}')).toEqual({ a: 1 })
    expect(parse('0123')).toBe(123)
    expect(parse('-007.50')).toBe(-7.5)
    expect(parse('1 trailing')).toBe(1)
    expect(() => parse('1trailing')).toThrow('after a number')
    expect(() => parse('1,2')).toThrow('expected the end')
    expect(parseJson('\ufeff1')).toBe(1)
  })

  it('stays within its limits, whichever way a text takes', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(nested(jsonLimits.depth))).toBeInstanceOf(Array)
    expect(() => parseJson(nested(jsonLimits.depth + 1))).toThrow('500 lists and objects inside each other')
    expect(() => parseJson('['.repeat(100_000))).toThrow(JsonSyntaxError)
    // Closing brackets in strings count for nothing.
    expect(() => parseJson(`["${']'.repeat(5000)}\\"",${nested(jsonLimits.depth)}]`)).toThrow(JsonSyntaxError)
    expect(parseJson(`["${'['.repeat(5000)}",${nested(jsonLimits.depth - 1)}]`)).toBeInstanceOf(Array)
    expect(parseJson('9'.repeat(jsonLimits.numberChars))).toBe(10n ** 1000n - 1n)
    expect(() => parseJson('9'.repeat(jsonLimits.numberChars + 1))).toThrow('a number of more than 1000 characters')
  })
})

describe('stringifyJson', () => {
  it('prints bigints, doubles as Java does, and raw decimals', () => {
    expect(stringifyJson({ a: 5, b: 1.5, c: 1e21, d: -0, e: 9223372036854775807n, f: Number.NaN, g: undefined })).toBe(
      '{"a":5,"b":1.5,"c":1.0E21,"d":-0.0,"e":9223372036854775807,"f":"NaN"}',
    )
    expect(
      stringifyJson([new JsonNumber('1.50'), new Decimal(1n, 10), new Sized('float32', 1.1), new Sized('float64', 5), null, true]),
    ).toBe('[1.50,1E-10,1.1,5.0,null,true]')
    expect(stringifyJson(new Map([['k', [1n]]]))).toBe('{"k":[1]}')
  })

  it('escapes as Jackson does', () => {
    expect(stringifyJson('q"b\\s/\b\f\n\r\t\u0001\u001fé\u2028日😀\ud800')).toBe(
      '"q\\"b\\\\s/\\b\\f\\n\\r\\t\\u0001\\u001Fé\u2028日\\uD83D\\uDE00\\uD800"',
    )
  })

  it('refuses what has no form', () => {
    expect(() => stringifyJson(new Date(0))).toThrow(TypeError)
    expect(() => stringifyJson(() => 1)).toThrow(TypeError)
    const loop: unknown[] = []
    loop.push(loop)
    expect(() => stringifyJson(loop)).toThrow('inside each other')
  })

  it('comes back through parseJson', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
    })).any
    const plain = (item: unknown): unknown => {
      if (typeof item === 'bigint') return Number.isSafeInteger(Number(item)) ? Number(item) : item
      if (Array.isArray(item)) return item.map(plain)
      return typeof item === 'object' && item !== null
        ? { ...Object.fromEntries(Object.entries(item).map(([k, v]) => [k, plain(v)])) }
        : item
    }
    fc.assert(
      fc.property(value, (item) => {
        expect(parseJson(stringifyJson(item))).toEqual(plain(item))
      }),
      { numRuns: runs },
    )
  })
})
