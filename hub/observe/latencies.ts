/**
 * @module observe/latencies — how long things took: count, sum, and the quantiles of the last minute or two, at a fixed cost of memory.
 *
 * Durations fall into logarithmic buckets, eight to a power of two, so that a quantile is off by a twelfth at the most. Two windows are kept, the present
 * and the last one; quantiles are taken over both, so that what is shown is recent, as with the decaying reservoirs of Kafka's own histograms.
 */

const SUB_BUCKET_BITS = 3
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS
/** Up to 2^31 µs, 36 minutes; what is longer counts as that. */
const BUCKET_COUNT = (31 - SUB_BUCKET_BITS + 1) * SUB_BUCKETS
const MICROSECONDS_MAX = 2 ** 31 - 1
/** A window's length. */
const WINDOW_MS = 60_000

/** See the module. */
export class Latencies {
  count = 0
  sumMs = 0
  #present = new Uint32Array(BUCKET_COUNT)
  #last = new Uint32Array(BUCKET_COUNT)
  #windowEndMs = 0

  /** Takes a duration; `nowMs` is monotonic time. */
  record(durationMs: number, nowMs: number): void {
    if (nowMs >= this.#windowEndMs) this.#turn(nowMs)
    this.count++
    this.sumMs += durationMs
    const bucket = bucketOf(durationMs)
    this.#present[bucket] = (this.#present[bucket] ?? 0) + 1
  }

  /** The quantiles (0–1, growing) of the last one to two minutes in ms, each the upper end of its bucket; NaN when nothing was recorded in them. */
  quantiles(shares: readonly number[], nowMs: number): number[] {
    if (nowMs >= this.#windowEndMs) this.#turn(nowMs)
    let total = 0
    for (let at = 0; at < BUCKET_COUNT; at++) total += this.#inBucket(at)
    let [bucket, below] = [-1, 0]
    return shares.map((share) => {
      if (total === 0) return Number.NaN
      const wanted = Math.max(1, Math.ceil(share * total))
      while (below < wanted && bucket < BUCKET_COUNT - 1) below += this.#inBucket(++bucket)
      return upperEndMs(bucket)
    })
  }

  #inBucket(at: number): number {
    return (this.#present[at] ?? 0) + (this.#last[at] ?? 0)
  }

  /** The present window becomes the last one, unless it is older than that. */
  #turn(nowMs: number): void {
    const isNext = nowMs < this.#windowEndMs + WINDOW_MS
    const cleared = this.#last
    this.#last = this.#present
    this.#present = cleared
    this.#present.fill(0)
    if (!isNext) this.#last.fill(0)
    this.#windowEndMs = nowMs + WINDOW_MS
  }
}

function bucketOf(durationMs: number): number {
  const us = Math.min(Math.max(0, Math.round(durationMs * 1000)), MICROSECONDS_MAX)
  if (us < SUB_BUCKETS) return us
  const shift = 31 - Math.clz32(us) - SUB_BUCKET_BITS
  return (shift + 1) * SUB_BUCKETS + ((us >>> shift) & (SUB_BUCKETS - 1))
}

function upperEndMs(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket / 1000
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1
  return ((SUB_BUCKETS + (bucket % SUB_BUCKETS) + 1) * 2 ** shift - 1) / 1000
}
