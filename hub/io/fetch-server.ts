/**
 * @module io/fetch-server — serves a fetch handler (Request → Response, as hono apps are) over HTTP on any {@link Net}.
 *
 * Node's own parser does the work: connections of the net port are handed to a server that listens nowhere itself, so the same code serves
 * TCP and sockets in memory. What a peer may cost is bounded before the handler sees anything: sizes, times,
 * requests at once. Refusals are JSON, `{"error_code":413,"message":…}`, the shape of Connect's and of the registry's REST errors.
 *
 * ```ts
 * const server = await serveFetch(world, '127.0.0.1', 8083, app.fetch)
 * await server.close()
 * ```
 */
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http'
import type { Clock, Connection, Net } from './ports.ts'

/** What one server bears. */
export interface FetchServerLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number
  /** From the end of a request's headers to the end of its answer: who does not read his answer is let go. */
  readonly answerMs: number
  /** How long a connection may wait for its next request. */
  readonly keepAliveMs: number
  /** How often headersMs and requestMs are looked at. */
  readonly checkMs: number
  readonly headersBytesMax: number
  readonly bodyBytesMax: number
  /** Requests being answered at once; more are answered 503. */
  readonly requestsMax: number
  /** Open connections; more are ended at once. */
  readonly connectionsMax: number
  /** How long `close` lets running requests end. */
  readonly closeMs: number
}

/** Defaults. */
const defaultLimits: FetchServerLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  answerMs: 120_000,
  keepAliveMs: 30_000,
  checkMs: 1_000,
  headersBytesMax: 16 * 1024,
  bodyBytesMax: 4 * 1024 * 1024,
  requestsMax: 256,
  connectionsMax: 1_024,
  closeMs: 5_000,
}

/** A listening server. */
export interface HttpServer {
  readonly host: string
  readonly port: number
  /** Frees the port and ends all connections. */
  close(): Promise<void>
}

/** Answers a request; what it throws is its own to word, here it becomes a bare 500. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/**
 * Listens and serves. `close` frees the port, ends idle connections, lets running requests end within `closeMs` and then cuts them off.
 * Rejects with Node's error when the port cannot be bound.
 */
export async function serveFetch(
  world: { readonly net: Net; readonly clock: Clock },
  host: string,
  port: number,
  handler: FetchHandler,
  limits: Partial<FetchServerLimits> = {},
): Promise<HttpServer> {
  const inForce = { ...defaultLimits, ...limits }
  // Loaded here: client commands have no use for them.
  const [{ createServer }, { getRequestListener, RequestError }] = await Promise.all([import('node:http'), import('@hono/node-server')])
  const answer = getRequestListener((request) => answerWithin(request, handler, inForce.bodyBytesMax), {
    overrideGlobalObjects: false,
    // A RequestError: what Node's parser lets through and is no request all the same, such as `OPTIONS *` or a Host that is none.
    errorHandler: (error) => (error instanceof RequestError ? refusal(400, NO_REQUEST[1]) : refusal(500, 'The answer could not be made.')),
  })
  const connections = new OpenConnections(world.clock)
  const server = createServer(serverOptions(inForce), (request, response) => {
    const isRunning = connections.begin(request.socket, response, inForce)
    if (isRunning) void answer(request, response)
    else refuse(request, response, 503, 'The server is answering as many requests as it may; try again.')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => connections.refuse(socket, error.code))
  // A server that never listens itself sets up its watch over slow requests when it is told that it does.
  server.emit('listening')
  const listener = await world.net.listen(host, port, (connection) => {
    if (!connections.add(connection, inForce.connectionsMax)) return
    server.emit('connection', connection)
  })
  return {
    host,
    port: listener.port,
    close: async () => {
      await listener.close()
      await connections.close(inForce.closeMs)
      // Ends the watch over slow requests.
      server.close(() => {})
    },
  }
}

function serverOptions(limits: FetchServerLimits): ServerOptions {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: limits.headersBytesMax,
  }
}

/** A JSON answer of ours. */
function refusal(status: number, message: string): Response {
  return Response.json({ error_code: status, message }, { status })
}

/** The same where there is no handler: the body that may follow is not read, so the connection cannot go on. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ error_code: status, message })
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'retry-after': '1',
    connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Reads the whole body within its limit, then asks the handler. */
async function answerWithin(request: Request, handler: FetchHandler, bodyBytesMax: number): Promise<Response> {
  // TRACE has no body by its definition, and a Request cannot be made of it.
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'TRACE') return handler(request)
  const tooLarge = (): Response => {
    const response = refusal(413, `The request's body is larger than ${bodyBytesMax} bytes.`)
    // The rest of the body is not read.
    response.headers.set('connection', 'close')
    return response
  }
  if (Number(request.headers.get('content-length') ?? 0) > bodyBytesMax) return tooLarge()
  if (request.body === null) return handler(request)
  const chunks: Uint8Array[] = []
  let bodyBytes = 0
  for await (const chunk of request.body) {
    bodyBytes += chunk.length
    if (bodyBytes > bodyBytesMax) return tooLarge()
    chunks.push(chunk)
  }
  const { url, method, headers, signal } = request
  return handler(new Request(url, { method, headers, signal, body: Buffer.concat(chunks) }))
}

/** What became of a connection whose bytes are no request, by Node's code. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers of the request are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
}
const NO_REQUEST = ['400 Bad Request', 'This is no HTTP request.'] as const

/** The connections of a server and how many requests run on each. */
class OpenConnections {
  readonly #clock: Clock
  readonly #running = new Map<unknown, { readonly connection: Connection; requestCount: number }>()
  #requestCount = 0
  #isClosing = false
  #onEmpty: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the connection is taken; one too many is ended. */
  add(connection: Connection, connectionsMax: number): boolean {
    if (this.#isClosing || this.#running.size >= connectionsMax) {
      connection.destroy()
      return false
    }
    this.#running.set(connection, { connection, requestCount: 0 })
    connection.once('close', () => {
      this.#running.delete(connection)
      if (this.#running.size === 0) this.#onEmpty()
    })
    return true
  }

  /** Counts a request until its response has ended; false when there is no room for it. */
  begin(socket: unknown, response: ServerResponse, { requestsMax, answerMs }: FetchServerLimits): boolean {
    const entry = this.#running.get(socket)
    if (entry === undefined || this.#requestCount >= requestsMax) return false
    this.#requestCount += 1
    entry.requestCount += 1
    const timer = this.#clock.timer(answerMs, () => entry.connection.destroy())
    response.once('close', () => {
      timer.cancel()
      this.#requestCount -= 1
      entry.requestCount -= 1
      if (this.#isClosing && entry.requestCount === 0) entry.connection.destroy()
    })
    return true
  }

  /** Says why to a peer whose bytes are no request, as far as it still listens, and ends its connection. */
  refuse(socket: unknown, code: string | undefined): void {
    const connection = this.#running.get(socket)?.connection
    if (connection === undefined || !connection.writable) {
      connection?.destroy()
      return
    }
    const [status, message] = CLIENT_ERRORS[code ?? ''] ?? NO_REQUEST
    const body = JSON.stringify({ error_code: Number.parseInt(status, 10), message })
    const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
    connection.end(head + body, () => connection.destroy())
  }

  /** Ends what is idle at once, the others when their requests have ended or after `closeMs`. */
  async close(closeMs: number): Promise<void> {
    this.#isClosing = true
    for (const { connection, requestCount } of this.#running.values()) if (requestCount === 0) connection.destroy()
    if (this.#running.size === 0) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.timer(closeMs, () => {
        for (const { connection } of this.#running.values()) connection.destroy()
      })
      this.#onEmpty = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
