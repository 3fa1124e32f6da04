/**
 * @module sdk/java-numbers — numbers as Java prints them: what stands in JSON, in string records and in messages that upstream wrote.
 *
 * Source: `Double.toString`, `Float.toString` of Java 19 and later (JDK-4511638: always the shortest digits) and `BigDecimal.toString`.
 */
import type { Decimal } from './values.ts'

/** `1.0`, `0.001`, `1.0E7`, `1.0E-4`, `NaN`, `-Infinity`: always a point, an exponent from 10^7 up and below 10^-3. */
export function javaDoubleText(value: number): string {
  if (Number.isInteger(value) && value < 1e7 && value > -1e7) return Object.is(value, -0) ? '-0.0' : `${value}.0`
  if (!Number.isFinite(value)) return String(value)
  const magnitude = Math.abs(value)
  if (magnitude >= 1e-3 && magnitude < 1e7) return String(value)
  const text = value.toExponential()
  // One digit is not enough for Java: of the decimals with two it takes the nearest, which is not d.0 for the smallest doubles.
  const isOneDigit = text[value < 0 ? 2 : 1] === 'e'
  return withExponent(isOneDigit ? value.toExponential(1) : text)
}

/** The same for a 32-bit float: the fewest digits that no other float is nearer to. The value is rounded to 32 bits first. */
export function javaFloatText(value: number): string {
  const float = Math.fround(value)
  if (!Number.isFinite(float) || (Number.isInteger(float) && float < 1e7 && float > -1e7)) return javaDoubleText(float)
  const magnitude = Math.abs(float)
  const text = shortestFloat(magnitude)
  const sign = float < 0 ? '-' : ''
  if (magnitude >= 1e7 || magnitude < 1e-3) return sign + withExponent(text)
  return sign + String(Number(text))
}

/** Digits with an exponent, `1.4e-45`, as JavaScript prints them. */
function shortestFloat(magnitude: number): string {
  for (let fractionDigits = 1; fractionDigits < 8; fractionDigits++) {
    const nearest = nearestEven(magnitude, fractionDigits)
    if (Math.fround(Number(nearest)) === magnitude) return trimZeros(nearest)
    // Below a power of two floats stand closer than above: the nearest decimal may fall to the neighbour where the next one up does not.
    const upper = nextUp(nearest)
    if (Math.fround(Number(upper)) === magnitude) return upper
  }
  return trimZeros(magnitude.toExponential(8))
}

/** The nearest decimal; of two that are equally near the even one, where toExponential takes the larger. */
function nearestEven(magnitude: number, fractionDigits: number): string {
  const text = magnitude.toExponential(fractionDigits)
  const [digits = '', exponent = ''] = text.split('e')
  if (!/[13579]$/.test(digits) || !/50{20}e/.test(magnitude.toExponential(fractionDigits + 21))) return text
  return `${digits.slice(0, -1)}${Number(digits.at(-1)) - 1}e${exponent}`
}

function nextUp(text: string): string {
  const [digits = '', exponent = ''] = text.split('e')
  const whole = String(Number(digits.replace('.', '')) + 1)
  return `${whole[0]}.${whole.slice(1)}e${exponent}`
}

/** `1.50e+3` → `1.5e+3`, `1.00e+3` → `1.0e+3`. */
function trimZeros(text: string): string {
  const [digits = '', exponent = ''] = text.split('e')
  return `${digits.replace(/(\.\d+?)0+$/, '$1')}e${exponent}`
}

/** `1e+21` → `1.0E21`. */
function withExponent(text: string): string {
  const [digits = '', exponent = ''] = text.split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** `BigDecimal.toString`: plain digits while the exponent is small, else `1.2E+3`, `1E-10`. Never longer than the digits and an exponent. */
export function javaDecimalText(value: Decimal): string {
  const { unscaled, scale } = value
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled)
  const exponent = digits.length - 1 - scale
  if (scale === 0) return sign + digits
  if (scale > 0 && exponent >= -6) {
    const padded = digits.padStart(scale + 1, '0')
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  }
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
  if (exponent === 0) return sign + mantissa
  return `${sign}${mantissa}E${exponent > 0 ? '+' : ''}${exponent}`
}
