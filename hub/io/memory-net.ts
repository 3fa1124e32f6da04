/** @module io/memory-net — sockets that never leave the process. */
import { Duplex } from 'node:stream'
import type { Connection, Listener, Net } from './ports.ts'

/** First of the ports that `listen(host, 0)` gives out (IANA's dynamic range). */
const EPHEMERAL_PORT_MIN = 49_152
const ANY_HOST = new Set(['0.0.0.0', '::', ''])
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1'])

interface Bound {
  readonly host: string
  readonly port: number
  readonly onConnection: (connection: Connection) => void
}

interface Addresses {
  readonly remoteHost: string
  readonly remotePort: number
  readonly localHost: string
  readonly localPort: number
}

/** A net of its own: only connections and listeners of the same object meet. */
export function memoryNet(): Net {
  const bound = new Set<Bound>()
  let nextPort = EPHEMERAL_PORT_MIN

  const freePort = (): number => {
    while ([...bound].some((entry) => entry.port === nextPort)) nextPort++
    return nextPort++
  }

  return {
    listen: async (host, port, onConnection): Promise<Listener> => {
      const entry: Bound = { host: plain(host), port: port === 0 ? freePort() : port, onConnection }
      for (const other of bound) {
        if (other.port === entry.port && overlap(other.host, entry.host)) {
          throw errorOf('EADDRINUSE', `listen EADDRINUSE: address already in use ${host}:${port}`)
        }
      }
      bound.add(entry)
      return { host, port: entry.port, close: async () => void bound.delete(entry) }
    },
    connect: async (host, port, signal): Promise<Connection> => {
      signal?.throwIfAborted()
      await Promise.resolve()
      signal?.throwIfAborted()
      const target = [...bound].find((entry) => entry.port === port && overlap(entry.host, plain(host)))
      if (target === undefined) throw errorOf('ECONNREFUSED', `connect ECONNREFUSED ${host}:${port}`)
      const address = ANY_HOST.has(plain(host)) ? '127.0.0.1' : plain(host)
      const clientPort = freePort()
      const near = new Side({ remoteHost: address, remotePort: port, localHost: address, localPort: clientPort })
      const far = new Side({ remoteHost: address, remotePort: clientPort, localHost: address, localPort: port })
      near.join(far)
      target.onConnection(far)
      return near
    },
  }
}

/**
 * One end of a connection. Not `stream.duplexPair`: there, an end whose peer was destroyed never finishes. Bytes are
 * copied on the way, as a kernel does, so that neither side sees what the other does to its buffers afterwards.
 */
class Side extends Duplex implements Connection {
  readonly remoteHost: string
  readonly remotePort: number
  readonly localHost: string
  readonly localPort: number
  #peer: Side | undefined
  #atEnd = false
  /** The peer's write that waits until this side has room: back-pressure. */
  #waitingWrite: ((error?: Error) => void) | undefined

  constructor(addresses: Addresses) {
    super({ allowHalfOpen: false })
    this.remoteHost = addresses.remoteHost
    this.remotePort = addresses.remotePort
    this.localHost = addresses.localHost
    this.localPort = addresses.localPort
    // As on the Node side: an error that nobody listens to must not end the process; `close` follows.
    this.on('error', () => {})
  }

  join(peer: Side): void {
    this.#peer = peer
    peer.#peer = this
  }

  override _read(): void {
    const resume = this.#waitingWrite
    this.#waitingWrite = undefined
    if (resume !== undefined) process.nextTick(resume)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const peer = this.#peer
    if (peer === undefined || peer.destroyed || peer.#atEnd) {
      process.nextTick(done, errorOf('EPIPE', 'write EPIPE'))
    } else if (peer.push(Buffer.from(chunk))) {
      process.nextTick(done)
    } else {
      peer.#waitingWrite = done
    }
  }

  override _final(done: (error?: Error) => void): void {
    this.#endPeer()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const resume = this.#waitingWrite
    this.#waitingWrite = undefined
    if (resume !== undefined) process.nextTick(resume, errorOf('EPIPE', 'write EPIPE'))
    this.#endPeer()
    done(error)
  }

  /** This side sends no more: the peer gets a FIN. */
  #endPeer(): void {
    const peer = this.#peer
    if (peer === undefined || peer.#atEnd || peer.destroyed) return
    peer.#atEnd = true
    peer.push(null)
  }
}

function overlap(one: string, other: string): boolean {
  return one === other || ANY_HOST.has(one) || ANY_HOST.has(other)
}

function plain(host: string): string {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  return LOOPBACK_NAMES.has(bare) ? '127.0.0.1' : bare
}

function errorOf(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
