/**
 * @module server/request-budget — the bytes of requests that all connections hold together.
 *
 * Over the limit nobody is read from; answers free bytes and let everybody go on. If most of the bytes lie in frames that are not whole,
 * answers will not free enough: then the connection that has been silent longest in the middle of a frame is shed, so that clients which
 * announce large requests and never send them cost themselves, not the others.
 */

/** A connection as the budget sees it. */
export interface BudgetMember {
  /** Bytes held for a frame that is not whole. */
  readonly gatheringBytes: number
  readonly lastActivityMs: number
  /** There may be room again. */
  resume(): void
  /** Close, to make room. */
  shed(): void
}

export class RequestBudget {
  readonly #bytesMax: number
  readonly #members = new Set<BudgetMember>()
  #heldBytes = 0
  /** Bytes of whole requests: those an answer will free. */
  #requestBytes = 0
  #waiting = new Set<BudgetMember>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get isOver(): boolean {
    return this.#heldBytes >= this.#bytesMax
  }

  join(member: BudgetMember): void {
    this.#members.add(member)
  }

  leave(member: BudgetMember): void {
    this.#members.delete(member)
    this.#waiting.delete(member)
  }

  /** Bytes read into a frame that is not whole (positive), or no longer held for one (negative). */
  gather(deltaBytes: number): void {
    this.#change(deltaBytes)
    if (deltaBytes > 0) this.#shedIfStuck()
  }

  /** A whole request begins to count. */
  take(sizeBytes: number): void {
    this.#requestBytes += sizeBytes
    this.#change(sizeBytes)
  }

  /** A request was answered or dropped. */
  release(sizeBytes: number): void {
    this.#requestBytes -= sizeBytes
    this.#change(-sizeBytes)
  }

  /** Calls `member.resume()` once there is room; sheds where only that can make room. */
  wait(member: BudgetMember): void {
    this.#waiting.add(member)
    this.#shedIfStuck()
  }

  #change(deltaBytes: number): void {
    this.#heldBytes += deltaBytes
    if (this.#waiting.size === 0 || this.isOver) return
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const member of waiting) member.resume()
  }

  #shedIfStuck(): void {
    if (!this.isOver || this.#requestBytes >= this.#bytesMax / 2) return
    let stalest: BudgetMember | undefined
    for (const member of this.#members) {
      if (member.gatheringBytes > 0 && (stalest === undefined || member.lastActivityMs < stalest.lastActivityMs)) stalest = member
    }
    stalest?.shed()
  }
}
