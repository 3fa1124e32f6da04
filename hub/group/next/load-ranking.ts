/**
 * @module group/next/load-ranking — members from least to most loaded, while partitions move between them.
 *
 * A member that is taken from one end is expected to gain (least) or lose (most) one partition at once. So the members at one
 * end are handed out in turn, and when all of them had theirs, the next ones have come level with them.
 */

/** A ranking of some members by how much they have. */
export class LoadRanking {
  /** Most minus least, at the beginning. */
  readonly spread: number
  readonly #loads: readonly number[]
  /** By load, then by place. */
  readonly #places: number[]
  /** The least loaded are those before `end`, at `load` when their turn began. */
  #least: { end: number; next: number; load: number }
  /** The most loaded are those from `start` to before `end`, at `load` when their turn began; those behind `end` have nothing to give. */
  #most: { start: number; end: number; next: number; load: number }

  /** `places` must not be empty; `loads` are read as they change. */
  constructor(places: readonly number[], loads: readonly number[]) {
    this.#loads = loads
    this.#places = [...places].sort((a, b) => this.#load(a) - this.#load(b) || a - b)
    const count = this.#places.length
    const least = this.#loadAt(0)
    const most = this.#loadAt(count - 1)
    this.spread = most - least
    this.#least = { end: 0, next: 0, load: least - 1 }
    this.#most = { start: count, end: count, next: count - 1, load: most + 1 }
  }

  /** Nobody has more than one partition more than another, among those that can give or take. */
  get isBalanced(): boolean {
    return this.#most.load - this.#least.load <= 1
  }

  /** The next one to get a partition. */
  nextLeastLoaded(): number {
    const least = this.#least
    if (least.next >= least.end) {
      least.load++
      while (least.end < this.#places.length && this.#loadAt(least.end) === least.load) least.end++
      least.next = 0
    }
    return this.#place(least.next++)
  }

  /** The next one to give a partition away, among those that can; undefined when there is none. */
  nextMostLoaded(canGive: (place: number) => boolean): number | undefined {
    for (;;) {
      const place = this.#nextMost()
      if (place === undefined || canGive(place)) return place
      this.#setAside()
    }
  }

  #nextMost(): number | undefined {
    const most = this.#most
    if (most.next < most.start) {
      if (most.end <= most.start && most.start > 0) most.load = this.#loadAt(most.start - 1)
      else most.load--
      while (most.start > 0 && this.#loadAt(most.start - 1) === most.load) most.start--
      most.next = most.end - 1
    }
    return most.next < 0 ? undefined : this.#place(most.next--)
  }

  /** The one handed out last has nothing to give: it goes behind the end of the most loaded. */
  #setAside(): void {
    const at = this.#most.next + 1
    const last = this.#most.end - 1
    const place = this.#place(at)
    this.#places[at] = this.#place(last)
    this.#places[last] = place
    this.#most.end--
  }

  #place(at: number): number {
    const place = this.#places[at]
    if (place === undefined) throw new RangeError(`no member at rank ${at} of ${this.#places.length}`)
    return place
  }

  #loadAt(at: number): number {
    return this.#load(this.#place(at))
  }

  #load(place: number): number {
    return this.#loads[place] ?? 0
  }
}
