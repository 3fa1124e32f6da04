import { describe, expect, it } from 'vitest'
import { bytesOfDecimal, Decimal, decimal } from '../../sdk/index.ts'

describe('the bytes of a Decimal', () => {
  it('are two’s complement, the highest first and as few as do, on both sides of every power of two', () => {
    const schema = decimal(0)
    for (let exponent = 0n; exponent < 70n; exponent++) {
      for (const distance of [-2n, -1n, 0n, 1n, 2n]) {
        for (const value of [2n ** exponent + distance, -(2n ** exponent) + distance]) {
          const bytes = bytesOfDecimal(schema, new Decimal(value, 0))
          expect(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)), String(value)).toBe(value)
          const fewerBits = (bytes.length - 1) * 8
          expect(fewerBits > 0 && BigInt.asIntN(fewerBits, value) === value, String(value)).toBe(false)
        }
      }
    }
  })
})
