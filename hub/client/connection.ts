/**
 * @module client/connection — one TCP connection to a broker.
 *
 * A broker answers in the order of the requests, so requests wait in line for their answer by correlation id. An answer
 * that does not come in time means that the whole connection is stuck (a half-open peer, a blocked broker): it is closed
 * and everything on it fails as `disconnected`, for others to decide what may be asked again.
 */
import type { Connection, Timer } from '../io/index.ts'
import { type Api, ApiVersions, type ApiVersionsResponse, decodeResponse, encodeRequest, ErrorCode, FrameSplitter } from '../wire/index.ts'
import { withDeadline } from './deadline.ts'
import { ClientError, throwIfError } from './errors.ts'
import type { Address, ResolvedClientOptions } from './options.ts'
import { ApiRanges } from './versions.ts'

/** How this client calls itself (KIP-511). */
export const CLIENT_SOFTWARE = { name: 'millrace', version: '0.1.0' } as const

/** Requests that may wait for a place in flight. */
const QUEUED_REQUESTS_MAX = 1_000
/** Highest ApiVersions version that a first request may have: all brokers since 2.4 take it, older ones answer v0. */
const API_VERSIONS_FIRST = 4

/** How one request is to be made. */
export interface RequestOptions {
  /** Waiting for the answer; default request.timeout.ms. */
  readonly timeoutMs?: number
  /** Highest version that the caller can use. */
  readonly versionMax?: number
  /** Least version that the caller can use. */
  readonly versionMin?: number
  /** Produce with acks=0: the broker sends no answer; resolves with undefined once written. */
  readonly unanswered?: boolean
  readonly signal?: AbortSignal | undefined
}

interface Pending {
  readonly correlationId: number
  readonly api: AnyClientApi
  readonly version: number
  readonly chunks: readonly Buffer[]
  readonly timeoutMs: number
  readonly unanswered: boolean
  timer: Timer | null
  readonly resolve: (response: unknown) => void
  readonly reject: (error: unknown) => void
}

type AnyClientApi = Api<unknown, never, unknown, never>

/** A connection that has agreed on versions. */
export class BrokerConnection {
  readonly address: Address
  readonly #socket: Connection
  readonly #options: ResolvedClientOptions
  readonly #splitter: FrameSplitter
  readonly #inFlight: Pending[] = []
  readonly #queue: Pending[] = []
  #ranges = new ApiRanges([])
  #features: ReadonlyMap<string, number> = new Map()
  #nextCorrelationId = 0
  #closedBy: Error | null = null
  #lastUsedMs: number
  /** Resolves when the connection has gone. */
  readonly closed: Promise<void>
  #onClosed: () => void = () => {}

  private constructor(address: Address, socket: Connection, options: ResolvedClientOptions) {
    this.address = address
    this.#socket = socket
    this.#options = options
    this.#splitter = new FrameSplitter(options.responseBytesMax)
    this.#lastUsedMs = options.world.clock.monotonicMs()
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', (error: Error) => this.close(error))
    socket.on('end', () => this.close(new Error('the broker closed the connection')))
    socket.on('close', () => this.close(new Error('the connection was closed')))
  }

  /** Connects and negotiates, within connectionSetupTimeoutMs. Rejects with a ClientError. */
  static async open(address: Address, options: ResolvedClientOptions, signal: AbortSignal | undefined): Promise<BrokerConnection> {
    const { net, clock } = options.world
    const where = `${address.host}:${address.port}`
    return withDeadline(clock, options.connectionSetupTimeoutMs, [signal], `connecting to ${where}`, async (attempt) => {
      let connection: BrokerConnection | null = null
      try {
        connection = new BrokerConnection(address, await net.connect(address.host, address.port, attempt), options)
        await connection.#negotiate(attempt)
        return connection
      } catch (error) {
        connection?.close(error instanceof Error ? error : new Error(String(error)))
        attempt.throwIfAborted()
        if (error instanceof ClientError) throw error
        throw new ClientError('disconnected', `cannot reach broker ${where}: ${textOf(error)}`, { cause: error })
      }
    })
  }

  get isClosed(): boolean {
    return this.#closedBy !== null
  }

  /** Requests sent and not answered, and those in line. */
  get pendingCount(): number {
    return this.#inFlight.length + this.#queue.length
  }

  /** Levels of the features that the cluster has finalised (KIP-584), as the broker knew them when this connection was made. */
  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  /** What the broker speaks. */
  get ranges(): ApiRanges {
    return this.#ranges
  }

  /** Idle time in ms; 0 while something is pending. */
  idleMs(nowMs: number): number {
    return this.pendingCount > 0 ? 0 : nowMs - this.#lastUsedMs
  }

  /**
   * Sends one request in the highest version that both sides and the caller can use; `build` makes the body for it.
   * The answer's own error codes are the caller's business. Rejects with a ClientError, or the signal's reason: then the
   * request may have been carried out all the same.
   */
  request<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, build: (version: number) => QI, options: RequestOptions = {}): Promise<P> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason)
    try {
      const version = this.#ranges.choose(api, options.versionMin, options.versionMax)
      return this.#send(api, version, build(version), options) as Promise<P>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Ends the connection; everything pending rejects with `disconnected` and this cause. */
  close(cause: Error): void {
    if (this.#closedBy !== null) return
    this.#closedBy = cause
    this.#socket.destroy()
    const { host, port } = this.address
    for (const pending of [...this.#inFlight.splice(0), ...this.#queue.splice(0)]) {
      pending.timer?.cancel()
      pending.reject(new ClientError('disconnected', `lost broker ${host}:${port} during ${pending.api.name}: ${cause.message}`, { cause }))
    }
    this.#onClosed()
  }

  async #negotiate(signal: AbortSignal): Promise<void> {
    let response = await this.#askVersions(API_VERSIONS_FIRST, signal)
    if (response.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      // The v0 body of this error carries the range of ApiVersions itself, if the broker is new enough (KIP-511).
      const own = response.apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key)
      response = await this.#askVersions(Math.min(own?.maxVersion ?? 0, API_VERSIONS_FIRST - 1), signal)
    }
    throwIfError(response.errorCode)
    this.#ranges = new ApiRanges(response.apiKeys)
    this.#features = new Map(response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  }

  #askVersions(version: number, signal: AbortSignal): Promise<ApiVersionsResponse> {
    const body = {
      clientSoftwareName: CLIENT_SOFTWARE.name,
      clientSoftwareVersion: CLIENT_SOFTWARE.version,
    }
    return this.#send(ApiVersions, version, body, {
      signal,
    }) as Promise<ApiVersionsResponse>
  }

  #send<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, version: number, value: QI, options: RequestOptions): Promise<unknown> {
    if (this.#closedBy !== null) {
      return Promise.reject(
        new ClientError('disconnected', 'the connection was closed', {
          cause: this.#closedBy,
        }),
      )
    }
    if (this.#queue.length >= QUEUED_REQUESTS_MAX) {
      return Promise.reject(new ClientError('state', `${QUEUED_REQUESTS_MAX} requests wait for one broker already`))
    }
    const correlationId = this.#nextCorrelationId
    this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff
    const chunks = encodeRequest(api, version, correlationId, this.#options.clientId, value)
    return new Promise((resolve, reject) => {
      const { signal } = options
      // An aborted request leaves the line; one that is on its way keeps its place, so that answers stay in step.
      const onAbort = (): void => {
        const at = this.#queue.indexOf(pending)
        if (at >= 0) this.#queue.splice(at, 1)
        reject(signal?.reason)
      }
      const settled = (): void => signal?.removeEventListener('abort', onAbort)
      const pending: Pending = {
        correlationId,
        api: api as unknown as AnyClientApi,
        version,
        chunks,
        timeoutMs: options.timeoutMs ?? this.#options.requestTimeoutMs,
        unanswered: options.unanswered ?? false,
        timer: null,
        resolve: (response) => {
          settled()
          resolve(response)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(pending)
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#inFlight.length < this.#options.inFlightRequestsMax) {
      const pending = this.#queue.shift()
      if (pending === undefined) return
      this.#write(pending)
    }
  }

  #write(pending: Pending): void {
    this.#lastUsedMs = this.#options.world.clock.monotonicMs()
    if (!pending.unanswered) {
      this.#inFlight.push(pending)
      pending.timer = this.#options.world.clock.timer(pending.timeoutMs, () =>
        this.close(new Error(`no answer to ${pending.api.name} within ${pending.timeoutMs} ms`)),
      )
    }
    this.#socket.cork()
    const last = pending.chunks.length - 1
    pending.chunks.forEach((chunk, index) => {
      if (index < last || !pending.unanswered) this.#socket.write(chunk)
      else this.#socket.write(chunk, (error) => (error ? pending.reject(error) : pending.resolve(undefined)))
    })
    this.#socket.uncork()
  }

  #onData(chunk: Buffer): void {
    if (this.#closedBy !== null) return
    try {
      for (const frame of this.#splitter.push(chunk)) this.#onFrame(frame)
    } catch (error) {
      this.close(new ClientError('bad-response', `answer cannot be read: ${textOf(error)}`, { cause: error }))
    }
    this.#pump()
  }

  #onFrame(frame: Buffer): void {
    const pending = this.#inFlight[0]
    const correlationId = frame.length >= 4 ? frame.readInt32BE(0) : -1
    if (pending === undefined || correlationId !== pending.correlationId) {
      throw new Error(`answer ${correlationId} while ${pending?.correlationId ?? 'none'} is due`)
    }
    this.#lastUsedMs = this.#options.world.clock.monotonicMs()
    // ApiVersions answers a version that it lacks with a v0 body, so the error code is read first.
    const refused = pending.api.key === ApiVersions.key && frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION
    const { value } = decodeResponse(pending.api, refused ? 0 : pending.version, frame)
    this.#inFlight.shift()
    pending.timer?.cancel()
    pending.resolve(value)
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || ((error as { code?: string }).code ?? error.name) : String(error)
}
