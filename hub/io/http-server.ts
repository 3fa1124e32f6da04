/**
 * @module io/http-server — a small HTTP server for an operator's questions (metrics, health), on any {@link Net}.
 *
 * Node's own parser does the work: connections of the net port are handed to a server that listens nowhere itself, so the same code
 * serves TCP and sockets in memory.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Net } from './ports.ts'

/** Limits of the server. */
const limits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 5_000,
  /** A request with more of a body than this is cut off: questions have none. */
  bodyBytesMax: 64 * 1024,
} as const

/** An answer to a GET. */
export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** A listening server. */
export interface HttpServer {
  readonly host: string
  readonly port: number
  /** Frees the port and ends all connections. */
  close(): Promise<void>
}

/**
 * Answers GET and HEAD by `answer`, which gets the path without its query and returns undefined for what it does not know (404).
 * A throw is answered 500 without its text. Rejects with Node's error when the port cannot be bound.
 */
export async function serveHttp(
  net: Net,
  host: string,
  port: number,
  answer: (path: string) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>,
): Promise<HttpServer> {
  // Loaded here: client commands have no use for it, and it would cost each of them some milliseconds.
  const { createServer } = await import('node:http')
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
  })
  server.on('request', (request, response) => void respond(request, response, answer))
  const open = new Set<{ destroy(): void }>()
  const listener = await net.listen(host, port, (connection) => {
    open.add(connection)
    connection.once('close', () => open.delete(connection))
    server.emit('connection', connection)
  })
  return {
    host,
    port: listener.port,
    close: async () => {
      await listener.close()
      for (const connection of open) connection.destroy()
      // The server never listened; this stops its timer over stale connections.
      server.close(() => {})
    },
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (path: string) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>,
): Promise<void> {
  let bodyBytes = 0
  request.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length
    if (bodyBytes > limits.bodyBytesMax) request.destroy()
  })
  const { status, contentType, body, allow } = await decide(request, answer)
  if (allow !== undefined) response.setHeader('allow', allow)
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function decide(
  request: IncomingMessage,
  answer: (path: string) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>,
): Promise<HttpAnswer & { readonly allow?: string }> {
  const plain = (status: number, body: string) => ({ status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` })
  if (request.method !== 'GET' && request.method !== 'HEAD') return { ...plain(405, 'only GET and HEAD'), allow: 'GET, HEAD' }
  try {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    return (await answer(path)) ?? plain(404, 'not found')
  } catch {
    return plain(500, 'the answer could not be made')
  }
}
