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

/** Something that is on its way from one side of a connection to the other. */
export interface Passage {
  readonly from: Connection
  readonly to: Connection
  /** 0: the end (FIN). */
  readonly sizeBytes: number
}

export interface MemoryNetOptions {
  /** Called with all that is sent; it arrives, in order, when the promise resolves, or at once without one. Default: all arrives at once. */
  readonly carry?: (passage: Passage) => Promise<void> | undefined
}

/** A net of its own: only connections and listeners of the same object meet. */
export function memoryNet({ carry = (): undefined => undefined }: MemoryNetOptions = {}): Net {
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
      const near = new Side({ remoteHost: address, remotePort: port, localHost: address, localPort: clientPort }, carry)
      const far = new Side({ remoteHost: address, remotePort: clientPort, localHost: address, localPort: port }, carry)
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
  readonly #carry: NonNullable<MemoryNetOptions['carry']>
  /** The peer's write that waits until this side has room: back-pressure. */
  #waitingWrite: ((error?: Error) => void) | undefined
  /** Of what is being carried. */
  #underWay: ((error?: Error) => void) | undefined

  constructor(addresses: Addresses, carry: NonNullable<MemoryNetOptions['carry']>) {
    super({ allowHalfOpen: false })
    this.remoteHost = addresses.remoteHost
    this.remotePort = addresses.remotePort
    this.localHost = addresses.localHost
    this.localPort = addresses.localPort
    this.#carry = carry
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
    // Copied before it is held back: the sender may reuse its buffer once the write has returned.
    const sent = Buffer.from(chunk)
    this.#send(sent.length, done, () => this.#arrive(sent, done))
  }

  override _final(done: (error?: Error) => void): void {
    this.#send(0, done, () => {
      this.#endPeer()
      done()
    })
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const resume = this.#waitingWrite
    this.#waitingWrite = undefined
    if (resume !== undefined) process.nextTick(resume, errorOf('EPIPE', 'write EPIPE'))
    this.#endPeer()
    const peer = this.#peer
    if (peer !== undefined) peer.#reset()
    done(error)
  }

  /** Lets something arrive when it is carried over; `done` hears of it when the peer is gone by then. */
  #send(sizeBytes: number, done: (error?: Error) => void, arrive: () => void): void {
    const peer = this.#peer
    const carried = peer === undefined || peer.destroyed ? undefined : this.#carry({ from: this, to: peer, sizeBytes })
    if (carried === undefined) {
      arrive()
      return
    }
    this.#underWay = done
    void carried.then(() => {
      if (this.#underWay !== done) return
      this.#underWay = undefined
      arrive()
    })
  }

  /** The peer is gone: what is under way will not arrive. */
  #reset(): void {
    const done = this.#underWay
    this.#underWay = undefined
    if (done !== undefined) process.nextTick(done, errorOf('ECONNRESET', 'write ECONNRESET'))
  }

  #arrive(sent: Buffer, done: (error?: Error) => void): void {
    const peer = this.#peer
    if (peer === undefined || peer.destroyed || peer.#atEnd) {
      process.nextTick(done, errorOf('EPIPE', 'write EPIPE'))
    } else if (peer.push(sent)) {
      process.nextTick(done)
    } else {
      peer.#waitingWrite = done
    }
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
