/**
 * @module cluster/persistent-map — an immutable map with string keys whose changed copies share what did not change.
 *
 * Keys are spread over a fixed number of small maps. A batch of changes copies the list of those maps and each map that it
 * touches, so changing one of 10,000 topics copies some 20 entries, not 10,000. Iteration is in no promised order.
 */

/** Power of two: 10,000 keys are 20 a bucket, and the list of buckets is still cheap to copy. */
const BUCKET_COUNT = 2048

type Bucket<V> = ReadonlyMap<string, V>

const EMPTY_BUCKET: Bucket<never> = new Map<string, never>()

export class PersistentMap<V> implements ReadonlyMap<string, V> {
  readonly size: number
  readonly #buckets: readonly Bucket<V>[]

  private constructor(buckets: readonly Bucket<V>[], size: number) {
    this.#buckets = buckets
    this.size = size
  }

  /** A map without entries. */
  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>(new Array<Bucket<V>>(BUCKET_COUNT).fill(EMPTY_BUCKET), 0)
  }

  /** Begins a batch of changes; this map stays as it is. */
  edit(): MapEdit<V> {
    return new MapEdit(this, [...this.#buckets], (buckets, size) => new PersistentMap(buckets, size))
  }

  get(key: string): V | undefined {
    return this.#buckets[bucketOf(key)]?.get(key)
  }

  has(key: string): boolean {
    return this.#buckets[bucketOf(key)]?.has(key) ?? false
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): MapIterator<[string, V]> {
    for (const bucket of this.#buckets) yield* bucket
  }

  *keys(): MapIterator<string> {
    for (const bucket of this.#buckets) yield* bucket.keys()
  }

  *values(): MapIterator<V> {
    for (const bucket of this.#buckets) yield* bucket.values()
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries()
  }
}

/** A batch of changes on top of a map; reads see the changes. */
export class MapEdit<V> {
  readonly #base: PersistentMap<V>
  readonly #buckets: Bucket<V>[]
  readonly #owned = new Map<number, Map<string, V>>()
  readonly #make: (buckets: readonly Bucket<V>[], size: number) => PersistentMap<V>
  #size: number

  constructor(base: PersistentMap<V>, buckets: Bucket<V>[], make: (buckets: readonly Bucket<V>[], size: number) => PersistentMap<V>) {
    this.#base = base
    this.#buckets = buckets
    this.#make = make
    this.#size = base.size
  }

  get(key: string): V | undefined {
    return this.#buckets[bucketOf(key)]?.get(key)
  }

  set(key: string, value: V): void {
    const bucket = this.#own(bucketOf(key))
    const before = bucket.size
    bucket.set(key, value)
    this.#size += bucket.size - before
  }

  delete(key: string): void {
    if (this.get(key) === undefined) return
    this.#own(bucketOf(key)).delete(key)
    this.#size--
  }

  /** The changed map; the base itself when nothing was changed. The edit is over. */
  done(): PersistentMap<V> {
    return this.#owned.size === 0 ? this.#base : this.#make(this.#buckets, this.#size)
  }

  #own(index: number): Map<string, V> {
    const owned = this.#owned.get(index)
    if (owned !== undefined) return owned
    const copy = new Map(this.#buckets[index])
    this.#owned.set(index, copy)
    this.#buckets[index] = copy
    return copy
  }
}

/** FNV-1a over UTF-16 units: spreads names that differ in their last digits. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) & (BUCKET_COUNT - 1)
}
