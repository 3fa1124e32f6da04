/** @module client/backoff — waits that double and differ between clients (KIP-580). */
import type { Random } from '../io/index.ts'

/** Share by which a wait is moved up or down, so that clients that failed together don't return together. */
const JITTER_SHARE = 0.2

/** Wait before attempt number `attempt` (0 is the first retry), in ms: `firstMs` doubled each time up to `maxMs`, ±20 %. */
export function backoffMs(attempt: number, firstMs: number, maxMs: number, random: Random): number {
  const plainMs = Math.min(firstMs * 2 ** Math.min(attempt, 30), Math.max(firstMs, maxMs))
  return plainMs * (1 - JITTER_SHARE + 2 * JITTER_SHARE * random.float())
}
