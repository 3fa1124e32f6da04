/**
 * @module test/connectors/s3/proxy — a small proxy in front of a real S3 server that can be made to misbehave: what a store does on a bad day and
 * the real one cannot be asked to do.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What becomes of a request; the n-th one since the last change, from 0. */
type Behaviour = (incoming: IncomingMessage, answer: ServerResponse, n: number) => boolean

/** See the module. Every behaviour holds until the next one. */
export interface FaultyProxy extends AsyncDisposable {
  readonly endpoint: string
  /** Lets everything through. */
  heal(): void
  /** Closes the port and every connection. */
  refuse(): void
  /** Answers by itself, as S3 writes errors. Requests that `isMeant` says no to go through. */
  answer(status: number, code: string, isMeant?: (incoming: IncomingMessage) => boolean): void
  /** Never answers. */
  stall(): void
  /** Passes a request on and cuts the connection before its answer arrives. */
  cut(isMeant?: (incoming: IncomingMessage) => boolean): void
  /** Connections to the proxy that are open: none when those that are being closed are gone, or as many as stay. */
  openCount(): Promise<number>
  /** Requests that were seen since the start, by method and path with query. */
  readonly seen: readonly string[]
}

/** Starts a proxy in front of `target`. */
export async function startProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target)
  const seen: string[] = []
  const sockets = new Set<Socket>()
  let behaviour: Behaviour | null = null
  let count = 0
  let isRefusing = false
  const pass = (incoming: IncomingMessage, answer: ServerResponse | null): void => {
    const { method, url, rawHeaders } = incoming
    const outgoing = request(
      { hostname, port, method, path: url, headers: rawHeaders as unknown as Record<string, string> },
      (response) => {
        if (answer === null) response.resume().on('end', () => incoming.socket.destroy())
        else {
          answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
          response.pipe(answer)
        }
      },
    )
    outgoing.on('error', () => incoming.socket.destroy())
    incoming.pipe(outgoing)
  }
  const server = createServer((incoming, answer) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    if (behaviour?.(incoming, answer, count++) !== true) pass(incoming, answer)
  })
  server.on('connection', (socket) => {
    if (isRefusing) socket.resetAndDestroy()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const change = (next: Behaviour | null): void => {
    behaviour = next
    count = 0
    isRefusing = false
  }
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    openCount: async () => {
      for (let look = 0; look < 200 && sockets.size > 0; look++) await new Promise((resolve) => setTimeout(resolve, 5))
      return sockets.size
    },
    heal: () => change(null),
    refuse: () => {
      change(null)
      isRefusing = true
      for (const socket of sockets) socket.resetAndDestroy()
    },
    answer: (status, code, isMeant = () => true) =>
      change((incoming, answer) => {
        if (!isMeant(incoming)) return false
        incoming.resume().on('end', () => {
          answer.writeHead(status, { 'content-type': 'application/xml' })
          answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test has it</Message></Error>`)
        })
        return true
      }),
    stall: () => change(() => true),
    cut: (isMeant = () => true) =>
      change((incoming) => {
        if (!isMeant(incoming)) return false
        pass(incoming, null)
        return true
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
