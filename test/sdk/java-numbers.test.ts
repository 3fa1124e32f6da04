/** Numbers as Java 19 and later print them. The vectors are of the JDK's own documentation, bug reports, and hand arithmetic. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Decimal, javaDecimalText, javaDoubleText, javaFloatText } from '../../sdk/index.ts'

const runs = process.env['MILLRACE_LONG'] === undefined ? 2_000 : 200_000

describe('javaDoubleText', () => {
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-1.5, '-1.5'],
    [100, '100.0'],
    [9999999, '9999999.0'],
    [1e7, '1.0E7'],
    [-12345678.9, '-1.23456789E7'],
    [0.001, '0.001'],
    [0.0001, '1.0E-4'],
    [9.999999e-4, '9.999999E-4'],
    [1e21, '1.0E21'],
    [2e23, '2.0E23'],
    [1.7976931348623157e308, '1.7976931348623157E308'],
    [2.2250738585072014e-308, '2.2250738585072014E-308'],
    // Two digits at least: the nearest decimal to 2^-1074 is not 5.0E-324.
    [5e-324, '4.9E-324'],
    [1e-323, '9.9E-324'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d is %s', (value, text) => {
    expect(javaDoubleText(value)).toBe(text)
  })

  it('names the same double again, in Java’s form', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const text = javaDoubleText(value)
        expect(Object.is(Number(text), value)).toBe(true)
        if (Number.isFinite(value))
          expect(text).toMatch(/^-?(0\.0|[1-9]\d{0,6}\.(0|\d*[1-9])|0\.0{0,2}[1-9](\d*[1-9])?|[1-9]\.(0|\d*[1-9])E-?[1-9]\d*)$/)
      }),
      { numRuns: runs },
    )
  })
})

describe('javaFloatText', () => {
  it.each([
    [1.1, '1.1'],
    [-0, '-0.0'],
    [1e10, '1.0E10'],
    [16777216, '1.6777216E7'],
    [0.1, '0.1'],
    [1 / 3, '0.33333334'],
    [3.4028235e38, '3.4028235E38'],
    [1.1754944e-38, '1.1754944E-38'],
    [1.4e-45, '1.4E-45'],
    [2.8e-45, '2.8E-45'],
    // 2^53: floats below stand twice as close as above.
    [9007199254740992, '9.007199E15'],
    // Half way between two decimals: the even one.
    [2240245.25, '2240245.2'],
    [-2240245.25, '-2240245.2'],
    [2.44140625e-4, '2.4414062E-4'],
    [33554432, '3.3554432E7'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('%d is %s', (value, text) => {
    expect(javaFloatText(value)).toBe(text)
  })

  it('names the same float again with no digit to spare', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = javaFloatText(value)
        expect(Object.is(Math.fround(Number(text)), value)).toBe(true)
        const digits = text.replace(/E.*/, '').replace(/[-.]/g, '').replace(/^0+/, '')
        const shorter = Number(value.toPrecision(Math.max(1, digits.length - 1)))
        // One digit less would be another float, unless it is the second digit that Java always prints.
        if (digits.length > 2 && !text.endsWith('.0')) expect(Math.fround(shorter)).not.toBe(value)
      }),
      { numRuns: runs },
    )
  })
})

describe('javaDecimalText', () => {
  it.each([
    [0n, 0, '0'],
    [0n, 3, '0.000'],
    [0n, -3, '0E+3'],
    [0n, 7, '0E-7'],
    [1230n, 2, '12.30'],
    [-5n, 1, '-0.5'],
    [1n, -3, '1E+3'],
    [12n, -2, '1.2E+3'],
    [1n, 6, '0.000001'],
    [1n, 7, '1E-7'],
    [-123n, 10, '-1.23E-8'],
    [1n, -1_000_000_000, '1E+1000000000'],
  ])('%d with scale %d is %s', (unscaled, scale, text) => {
    expect(javaDecimalText(new Decimal(unscaled, scale))).toBe(text)
  })
})
