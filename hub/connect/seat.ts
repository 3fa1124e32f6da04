/**
 * @module connect/seat — a connector's place in a thread: gets a host when one is needed, waits for it with patience that ends, gives it up.
 */
import type { Clock } from '../io/index.ts'
import type { ConnectorHost } from './worker-types.ts'
import { ThreadLostError } from './worker-types.ts'

/** A thread that answers nothing for so long beyond a task's grace hangs: it is ended. */
const STUCK_MARGIN_MS = 2_000

export interface SeatOptions {
  readonly clock: Clock
  /** task.shutdown.graceful.timeout.ms */
  readonly graceMs: number
  /** Starts a host; what it tells is to be taken only as long as `isCurrent` says so. */
  readonly start: (isCurrent: () => boolean) => ConnectorHost
  /** The host went by itself: `cause` where by its own fault. */
  readonly onGone: (cause: Error | undefined) => void
}

/** What was asked of a thread took too long. */
export class TooLateError extends Error {
  override readonly name = 'TooLateError'
}

class ObsoleteError extends Error {
  override readonly name = 'ObsoleteError'
}

/** The thread went, not by the connector's fault: what was asked is decided anew. */
export function wasTakenAway(error: unknown): boolean {
  return error instanceof ThreadLostError || error instanceof ObsoleteError
}

/** The place of one connector. */
export class Seat {
  readonly #options: SeatOptions
  #host: ConnectorHost | undefined
  #onWake: (() => void) | undefined

  constructor(options: SeatOptions) {
    this.#options = options
  }

  /** The host, if there is one. */
  get current(): ConnectorHost | undefined {
    return this.#host
  }

  /** The host; made if there is none. */
  take(): ConnectorHost {
    if (this.#host !== undefined) return this.#host
    const host = this.#options.start(() => this.#host === host)
    this.#host = host
    void host.ended.then((cause) => {
      if (this.#host !== host) return
      this.#host = undefined
      this.#options.onGone(cause instanceof ThreadLostError ? undefined : cause)
    })
    return host
  }

  /** Something has changed: what is waited for may be obsolete. */
  wake(): void {
    this.#onWake?.()
  }

  /** What is given within the grace, or undefined when the thread hangs. */
  async stopping<T>(promise: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>()
    const timer = this.#options.clock.timer(this.#options.graceMs + STUCK_MARGIN_MS, () => late.resolve(undefined))
    try {
      return await Promise.race([promise, late.promise])
    } finally {
      timer.cancel()
    }
  }

  async #hangs(host: ConnectorHost): Promise<boolean> {
    return (await this.stopping(host.calls.ping().then(() => true)).catch(() => true)) === undefined
  }

  /** Asks the host to let go, and ends it. */
  async leave(): Promise<void> {
    const host = this.#host
    if (host === undefined) return
    const { graceMs } = this.#options
    await this.stopping(host.calls.close({ graceMs })).catch(() => {})
    if (this.#host === host) this.#host = undefined
    await host.end()
  }

  /** Ends a host that does not answer. */
  async drop(): Promise<void> {
    const host = this.#host
    this.#host = undefined
    await host?.end()
  }

  /**
   * Waits for something that plugin code is part of, at most so long. When it is obsolete it gets the grace, then the thread is dropped;
   * `onDrop` is called when that is done. A thread that stands already and hangs is dropped before anything is asked of it.
   * @throws what the call throws; TooLateError; an error of which `wasTakenAway` is true
   */
  async patiently<T>(
    { limitMs, isObsolete, onDrop }: { readonly limitMs: number; readonly isObsolete: () => boolean; readonly onDrop: () => void },
    call: (host: ConnectorHost) => Promise<T>,
  ): Promise<T> {
    const standing = this.#host
    if (standing !== undefined && (await this.#hangs(standing))) {
      if (this.#host === standing) {
        await this.drop()
        onDrop()
      }
      throw new ObsoleteError()
    }
    const host = this.take()
    const late = Promise.withResolvers<never>()
    let isEnding = false
    const { clock, graceMs } = this.#options
    const end = async (): Promise<void> => {
      isEnding = true
      const cause = isObsolete() ? new ObsoleteError() : new TooLateError(`the connector's thread did not answer within ${limitMs} ms`)
      if (this.#host === host) {
        await this.drop()
        onDrop()
      }
      late.reject(cause)
    }
    let timer = clock.timer(limitMs, () => void end())
    const look = (): void => {
      if (!isObsolete()) return
      this.#onWake = undefined
      timer.cancel()
      timer = clock.timer(graceMs, () => void end())
    }
    this.#onWake = look
    look()
    try {
      // The end of the host answers the call, too, and first: what has to be told is why it was ended.
      const answer = call(host).catch((error: unknown) => {
        if (isEnding) return late.promise
        throw error
      })
      return await Promise.race([answer, late.promise])
    } finally {
      this.#onWake = undefined
      timer.cancel()
    }
  }
}
