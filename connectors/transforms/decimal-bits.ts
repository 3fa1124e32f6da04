/**
 * @module transforms/decimal-bits — the whole part of a decimal in so many bits, as `BigDecimal.longValue` narrows it.
 */
import type { Decimal } from '@millrace/sdk'

/** A power of ten with this exponent is a multiple of 2^64: more zeros leave no low bits. */
const ZEROS_MAX = 64

/** The low bits of the whole part. Costs no more for `1E999999999` than for `1`. */
export function wholeBits({ unscaled, scale }: Decimal, bits: number): bigint {
  if (scale <= -ZEROS_MAX) return 0n
  if (scale <= 0) return BigInt.asIntN(bits, unscaled * 10n ** BigInt(-scale))
  return scale > String(unscaled).length ? 0n : BigInt.asIntN(bits, unscaled / 10n ** BigInt(scale))
}
