/** @module io/node-net — TCP. */
import * as net from 'node:net'
import type { Connection, Listener, Net } from './ports.ts'

/** TCP sockets without Nagle's delay. A host may be an IPv6 address with or without brackets; listening on '' is on every interface. */
export function nodeNet(): Net {
  return { listen, connect }
}

function listen(host: string, port: number, onConnection: (connection: Connection) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
      onConnection(asConnection(socket))
    })
    server.once('error', reject)
    // Without a host Node listens on ::, which takes IPv4 too, or on 0.0.0.0 where there is no IPv6.
    server.listen(host === '' ? { port } : { host: bareHost(host), port }, () => {
      server.removeListener('error', reject)
      // From here on an error is one of accept(): it costs the peer that could not get in, nobody else.
      server.on('error', () => {})
      const address = server.address()
      const chosenPort = typeof address === 'object' && address !== null ? address.port : port
      resolve({ host, port: chosenPort, close: () => closeServer(server) })
    })
  })
}

/** `server.close` calls back only when the last connection has gone, but libuv gives the port back at once. */
function closeServer(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close()
    setImmediate(resolve)
  })
}

function connect(host: string, port: number, signal?: AbortSignal): Promise<Connection> {
  if (signal?.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: bareHost(host), port, noDelay: true, allowHalfOpen: false })
    const settle = (outcome: () => void): void => {
      signal?.removeEventListener('abort', onAbort)
      socket.removeListener('error', onError)
      outcome()
    }
    const onAbort = (): void =>
      settle(() => {
        socket.on('error', () => {})
        socket.destroy()
        reject(signal?.reason)
      })
    const onError = (error: Error): void => settle(() => reject(error))
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => settle(() => resolve(asConnection(socket))))
  })
}

/**
 * Fixes the addresses while they are known (a socket forgets them when it closes). The empty error listener keeps a
 * reset by the peer from ending the process when nobody listens; the stream is destroyed and emits `close` all the same.
 */
function asConnection(socket: net.Socket): Connection {
  socket.on('error', () => {})
  return Object.defineProperties(socket, {
    remoteHost: { value: plainHost(socket.remoteAddress) },
    remotePort: { value: socket.remotePort ?? 0 },
    localHost: { value: plainHost(socket.localAddress) },
    localPort: { value: socket.localPort ?? 0 },
  }) as unknown as Connection
}

/** An IPv4 peer of a dual-stack listener shows as ::ffff:a.b.c.d; people and ACLs know it as a.b.c.d. */
function plainHost(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
}

function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}
