/**
 * @module server/connection — one client's connection: bytes in, answers out in the order of their requests.
 *
 * ```
 *  chunks ─▶ splitter ─▶ queued frames ─▶ slots (begun, answered in order) ─▶ one gathered write per turn
 *      ▲                                                                            │
 *      └── paused while: too much unanswered here or in the process, or the peer does not read ◀──┘
 * ```
 * Requests that overlap (appends) begin in arrival order without waiting for each other; any other begins when all before it are
 * answered, and what follows waits for it, as in Kafka. So a connection holds at most one large answer that the peer has not read.
 */
import type { ConnectionFacts, Dispatcher, Prepared, Refusal, Served } from '../api/index.ts'
import type { Clock, Connection } from '../io/index.ts'
import { RisingMark } from '../replica/index.ts'
import { FrameSplitter } from '../wire/index.ts'
import type { ServerLimits } from './limits.ts'
import type { RefusalLog } from './refusal-log.ts'
import type { OnAnswered, RequestTimes } from './request-times.ts'
import type { BudgetMember, RequestBudget } from './request-budget.ts'

/** What a connection works with; shared by all of a server. */
export interface ConnectionEnvironment {
  readonly dispatcher: Dispatcher
  readonly limits: ServerLimits
  readonly budget: RequestBudget
  readonly clock: Clock
  readonly refusals: RefusalLog
  /** Told of every request that was answered, once its answer is with the operating system. */
  readonly onAnswered: OnAnswered
  readonly onClose: (connection: ClientConnection) => void
}

/** A request that has begun; `answer` is undefined until it is served. */
interface Slot {
  readonly bytes: number
  readonly overlaps: boolean
  readonly times: RequestTimes
  answer: Served | undefined
}

/** A whole request that was not looked into. */
interface Arrived {
  readonly frame: Buffer
  readonly arrivedMs: number
}

/** A frame that was prepared and may not begin yet. */
interface Next {
  readonly bytes: number
  readonly arrivedMs: number
  readonly prepared: Prepared
}

/** Answers that leave in one write. */
interface Flight {
  readonly chunks: Buffer[]
  readonly afterSent: ((isSent: boolean) => void)[]
  readonly answered: RequestTimes[]
}

export class ClientConnection implements ConnectionFacts, BudgetMember {
  readonly listenerName: string
  readonly clientHost: string
  readonly remoteHost: string
  readonly gone = new RisingMark(0)
  lastActivityMs: number
  readonly #stream: Connection
  readonly #environment: ConnectionEnvironment
  readonly #splitter: FrameSplitter
  #frames: Arrived[] = []
  #next: Next | undefined
  readonly #slots: Slot[] = []
  /** Answers that are with the stream and not with the operating system, and of which somebody wants to hear. */
  readonly #unsent = new Set<Flight>()
  /** Bytes of frames, `#next` and slots. */
  #unansweredBytes = 0
  #gatheringBytes = 0
  #abort: AbortController | undefined
  #flushScheduled = false
  #holding = false
  /** Requests begun since the last turn of the event loop; −1 when no turn is waited for. */
  #begunThisTurn = -1
  #paused = false
  /** No more requests are taken: end when all that have begun are answered. */
  #ending = false
  #closed = false

  constructor(stream: Connection, listenerName: string, environment: ConnectionEnvironment) {
    this.#stream = stream
    this.#environment = environment
    this.listenerName = listenerName
    this.remoteHost = stream.remoteHost
    this.clientHost = `/${stream.remoteHost}`
    this.lastActivityMs = environment.clock.monotonicMs()
    this.#splitter = new FrameSplitter(environment.limits.requestBytesMax)
    environment.budget.join(this)
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    stream.on('drain', () => this.#onDrain())
    stream.on('end', () => this.#onEnd())
    stream.on('error', () => stream.destroy())
    stream.on('close', () => this.#onClose())
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#closed) this.#abort.abort()
    }
    return this.#abort.signal
  }

  get gatheringBytes(): number {
    return this.#gatheringBytes
  }

  /** True when nothing is under way, or the peer does not read what was sent: such a connection may be reaped. */
  get isIdle(): boolean {
    return this.#slots.length === 0 || this.#stream.writableNeedDrain
  }

  /** Takes no more requests; ends once everything that has begun is answered and sent. */
  end(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    this.#stream.pause()
    this.#dropQueued()
    this.#endIfAnswered()
  }

  /** Ends at once. */
  destroy(): void {
    this.#stream.destroy()
  }

  shed(): void {
    this.#refuse({ reason: 'too many requests that are not whole, of all connections together' })
    this.destroy()
  }

  resume(): void {
    this.#pump()
    this.#regulate()
  }

  #onData(chunk: Buffer): void {
    this.lastActivityMs = this.#environment.clock.monotonicMs()
    if (this.#ending) return
    try {
      for (const frame of this.#splitter.push(chunk)) this.#enqueue(frame)
    } catch (error) {
      this.#refuse({ reason: (error as Error).message })
      return
    }
    this.#countGathering(this.#splitter.bufferedBytes)
    this.#pump()
    this.#regulate()
  }

  #enqueue(frame: Buffer): void {
    this.#frames.push({ frame, arrivedMs: this.lastActivityMs })
    this.#unansweredBytes += frame.length
    this.#environment.budget.take(frame.length)
  }

  #countGathering(bytes: number): void {
    this.#environment.budget.gather(bytes - this.#gatheringBytes)
    this.#gatheringBytes = bytes
  }

  /** Begins every request that may begin. */
  #pump(): void {
    while (!this.#ending && !this.#closed && !this.#holding && !this.#stream.writableNeedDrain) {
      const next = this.#next ?? this.#prepareNext()
      if (next === undefined) return
      this.#next = next
      if (!this.#mayBegin(next.prepared)) return
      const held = next.prepared.heldUp() ?? this.#nextTurn()
      if (held !== undefined) {
        this.#hold(held)
        return
      }
      this.#next = undefined
      this.#begin(next)
    }
  }

  #prepareNext(): Next | undefined {
    const arrived = this.#frames.shift()
    if (arrived === undefined) return undefined
    const { frame, arrivedMs } = arrived
    const prepared = this.#environment.dispatcher.prepare(frame, this)
    if (!isRefusal(prepared)) return { bytes: frame.length, arrivedMs, prepared }
    this.#forget(frame.length)
    this.#refuse(prepared)
    return undefined
  }

  #mayBegin(prepared: Prepared): boolean {
    const last = this.#slots.at(-1)
    return last === undefined || (prepared.overlaps && last.overlaps)
  }

  /** Counts a request; a promise of the next turn when this one has had its share. */
  #nextTurn(): Promise<void> | undefined {
    const { clock, limits } = this.#environment
    if (this.#begunThisTurn < 0) {
      this.#begunThisTurn = 0
      clock.soon(() => (this.#begunThisTurn = -1))
    }
    if (this.#begunThisTurn++ < limits.connectionRequestsPerTurnMax) return undefined
    return new Promise((resolve) => clock.soon(resolve))
  }

  #hold(held: Promise<void>): void {
    this.#holding = true
    const proceed = (): void => {
      this.#holding = false
      this.resume()
    }
    held.then(proceed, proceed)
  }

  #begin({ bytes, arrivedMs, prepared }: Next): void {
    const { clock } = this.#environment
    const { apiName, overlaps } = prepared
    const beganMs = clock.monotonicMs()
    const times: RequestTimes = {
      apiName,
      clientHost: this.clientHost,
      arrivedMs,
      beganMs,
      localEndMs: beganMs,
      servedMs: beganMs,
      answeredMs: beganMs,
    }
    const slot: Slot = { bytes, overlaps, times, answer: undefined }
    this.#slots.push(slot)
    const served = prepared.run()
    times.localEndMs = clock.monotonicMs()
    if (served instanceof Promise) void served.then((answer) => this.#settle(slot, answer))
    else this.#settle(slot, served)
  }

  #settle(slot: Slot, answer: Served): void {
    if (this.#closed) {
      drop(answer)
      return
    }
    slot.answer = answer
    slot.times.servedMs = this.#environment.clock.monotonicMs()
    if (slot !== this.#slots[0] || this.#flushScheduled) return
    // At the end of this turn, so that all answers of one log round leave in one write.
    this.#flushScheduled = true
    process.nextTick(() => this.#flush())
  }

  #flush(): void {
    this.#flushScheduled = false
    if (this.#closed || !this.#stream.writable) return
    const flight: Flight = { chunks: [], afterSent: [], answered: [] }
    const answeredMs = this.#environment.clock.monotonicMs()
    let refusal: Refusal | undefined
    for (const { answer, bytes, times } of this.#slots) {
      if (answer === undefined) break
      times.answeredMs = answeredMs
      flight.answered.push(times)
      this.#forget(bytes)
      if (isRefusal(answer)) {
        refusal = answer
        break
      }
      for (const chunk of answer.chunks) flight.chunks.push(chunk)
      if (answer.afterSent !== undefined) flight.afterSent.push(answer.afterSent)
    }
    this.#slots.splice(0, flight.answered.length)
    this.#send(flight)
    this.lastActivityMs = answeredMs
    if (refusal !== undefined) this.#refuse(refusal)
    this.#endIfAnswered()
    this.#pump()
    this.#regulate()
  }

  /** In one write; what waits for its end is told at once where nothing is written (acks=0). */
  #send(flight: Flight): void {
    const { chunks, afterSent } = flight
    const last = chunks.pop()
    if (last === undefined) {
      this.#sent(flight, true)
      return
    }
    if (afterSent.length > 0) this.#unsent.add(flight)
    this.#stream.cork()
    for (const chunk of chunks) this.#stream.write(chunk)
    chunks.length = 0
    this.#stream.write(last, (error) => this.#sent(flight, !error))
    this.#stream.uncork()
  }

  /** Tells, once, what became of answers. */
  #sent(flight: Flight, isSent: boolean): void {
    this.#unsent.delete(flight)
    for (const callback of flight.afterSent.splice(0)) callback(isSent)
    const { clock, onAnswered } = this.#environment
    const sentMs = clock.monotonicMs()
    for (const times of flight.answered.splice(0)) onAnswered(times, sentMs)
  }

  #onDrain(): void {
    this.lastActivityMs = this.#environment.clock.monotonicMs()
    this.resume()
  }

  /** Reads, or stops reading, as the limits say. */
  #regulate(): void {
    if (this.#ending || this.#closed) return
    const { limits, budget } = this.#environment
    const unanswered = this.#frames.length + this.#slots.length
    const full = this.#unansweredBytes >= limits.connectionBytesMax || unanswered >= limits.connectionRequestsMax
    if (full || this.#stream.writableNeedDrain || this.#holding) this.#pause()
    else if (budget.isOver) {
      this.#pause()
      budget.wait(this)
    } else if (this.#paused) {
      this.#paused = false
      this.#stream.resume()
    }
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#stream.pause()
  }

  /** Something came that is answered by closing: log why, let the requests before it be answered, end. */
  #refuse({ reason }: Refusal): void {
    if (this.#ending) return
    if (reason !== null) {
      this.#environment.refusals.warn(`closing the connection from ${this.remoteHost}:${this.#stream.remotePort}: ${reason}`)
    }
    this.end()
  }

  #forget(bytes: number): void {
    this.#unansweredBytes -= bytes
    this.#environment.budget.release(bytes)
  }

  #dropQueued(): void {
    for (const { frame } of this.#frames) this.#forget(frame.length)
    this.#frames = []
    if (this.#next !== undefined) this.#forget(this.#next.bytes)
    this.#next = undefined
    this.#countGathering(0)
  }

  #endIfAnswered(): void {
    if (!this.#ending || this.#slots.length > 0) return
    this.#stream.end(() => this.#stream.destroy())
  }

  /** The peer sends no more. What is answered already still goes out; nobody waits for the rest (Kafka closes here as well). */
  #onEnd(): void {
    this.gone.raise(1)
    this.end()
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#dropQueued()
    for (const slot of this.#slots) {
      this.#forget(slot.bytes)
      if (slot.answer !== undefined) drop(slot.answer)
    }
    this.#slots.length = 0
    for (const flight of this.#unsent) this.#sent(flight, false)
    this.#unsent.clear()
    this.#environment.budget.leave(this)
    this.gone.raise(1)
    this.#abort?.abort()
    this.#environment.onClose(this)
  }
}

/** An answer that will never be sent. */
function drop(answer: Served): void {
  if (!isRefusal(answer)) answer.afterSent?.(false)
}

function isRefusal(value: Prepared | Served | Refusal): value is Refusal {
  return 'reason' in value
}
