/**
 * The two hashes by which Kafka picks partitions: murmur2 for keyed records, Java's string hash for coordinators.
 * @module
 */

const MIX = 0x5bd1e995
const SEED = 0x9747b28c | 0

/** 32-bit MurmurHash2 as org.apache.kafka.common.utils.Utils.murmur2 computes it, as a signed 32-bit number. */
export function murmur2(key: Uint8Array): number {
  const length = key.length
  const whole = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < whole; at += 4) {
    let word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24)
    word = Math.imul(word, MIX)
    word ^= word >>> 24
    hash = Math.imul(hash, MIX) ^ Math.imul(word, MIX)
  }
  const left = length - whole
  if (left > 2) hash ^= key[whole + 2]! << 16
  if (left > 1) hash ^= key[whole + 1]! << 8
  if (left > 0) hash = Math.imul(hash ^ key[whole]!, MIX)
  hash = Math.imul(hash ^ (hash >>> 13), MIX)
  return hash ^ (hash >>> 15)
}

/** Partition of a record with this key among `partitionCount`, as Java's default partitioner picks it. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}

/** java.lang.String.hashCode: over UTF-16 code units, signed 32 bits. */
export function stringHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/**
 * Partition of `__consumer_offsets` that coordinates a group (or of `__transaction_state`, a transactional id).
 * Kafka's `Utils.abs` maps the one hash without an absolute value, −2^31, to 0.
 */
export function coordinatorPartition(groupId: string, partitionCount: number): number {
  const hash = stringHash(groupId)
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount
}
