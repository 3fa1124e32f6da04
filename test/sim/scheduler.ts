/**
 * @module test/sim/scheduler — virtual time: one queue of everything that is going to happen, in an order that a seed decides.
 *
 * Nothing happens but events of this queue and the promises that they wake; those all run before the next event. So one seed is one run.
 * A task stands for an operating system's process: it can be held still (SIGSTOP), or ended, and what it was waiting for never comes.
 */
import { seededRandom, type Random } from '../../hub/io/index.ts'

/** Who an event belongs to. */
export interface Task {
  readonly name: string
  isDead: boolean
  /** Its events wait until this time. */
  stalledUntilMs: number
}

interface Entry {
  dueMs: number
  /** Of equal times the one with the lower order is first. */
  readonly order: number
  readonly task: Task
  readonly label: string
  callback: (() => void) | undefined
}

/** Nothing is left to happen, and whoever is waited for still waits. */
export class DeadlockError extends Error {
  override readonly name = 'DeadlockError'
}

/** See the module. */
export class Scheduler {
  /** What happened, a line each. */
  readonly trace: string[] = []
  readonly random: Random
  nowMs = 0
  /** Called when all that an event woke has run. */
  afterEach: () => void = () => {}
  readonly #heap: Entry[] = []
  #orderCount = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  /** A float in [from, to). */
  between(from: number, to: number): number {
    return from + this.random.float() * (to - from)
  }

  task(name: string): Task {
    return { name, isDead: false, stalledUntilMs: 0 }
  }

  /** Calls back `delayMs` from now, in the name of a task. */
  at(task: Task, delayMs: number, label: string, callback: () => void): { cancel(): void } {
    const entry: Entry = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.#orderCount++, task, label, callback }
    this.#push(entry)
    return {
      cancel: () => {
        entry.callback = undefined
      },
    }
  }

  /** Resolves `delayMs` from now; never when the task ends before. */
  delay(task: Task, delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => this.at(task, delayMs, label, resolve))
  }

  /** Writes a line into the trace. */
  tell(who: string, what: string): void {
    this.trace.push(`${this.nowMs.toFixed(3)}  ${who}  ${what}`)
  }

  /** Lets everything happen until the promise settles; rejects with {@link DeadlockError} when it never will. */
  async run<T>(main: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = main.finally(() => (isSettled = true))
    settled.catch(() => {})
    for (;;) {
      await turn()
      this.afterEach()
      if (isSettled) return main
      if (!this.#step()) throw new DeadlockError(`nothing is left to happen at ${this.nowMs.toFixed(3)} ms`)
    }
  }

  /** Lets the next event happen; false: there is none. */
  #step(): boolean {
    for (;;) {
      const entry = this.#pop()
      if (entry === undefined) return false
      const { task, callback } = entry
      if (callback === undefined || task.isDead) continue
      if (task.stalledUntilMs > entry.dueMs) {
        entry.dueMs = task.stalledUntilMs
        this.#push(entry)
        continue
      }
      this.nowMs = Math.max(this.nowMs, entry.dueMs)
      this.tell(task.name, entry.label)
      entry.callback = undefined
      callback()
      return true
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Entry
      if (!isBefore(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++
      if (!isBefore(heap[child] as Entry, last)) break
      heap[at] = heap[child] as Entry
      at = child
    }
    heap[at] = last
    return top
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}

/** One turn of the real event loop: every promise and `nextTick` that is due has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
