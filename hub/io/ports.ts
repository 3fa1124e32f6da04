/**
 * @module io/ports — the four doors to the outside world: clock, random, disk, net.
 *
 * Nothing in `hub` outside `io` touches a file, a socket, a timer, the time of day or chance; it takes these ports
 * instead, so that a test can hold the world in its hand (design §3, style rule 6). Each port has its Node side
 * (`node-*.ts`) and a twin in memory (`memory-*.ts`), and both run one contract suite (style rule 7).
 */
import type { Duplex } from 'node:stream'

/** A timer that was set and can be taken back. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

/** Keeps the process alive until it is released. Releasing twice does nothing. */
export interface Hold {
  release(): void
}

/** Time. `nowMs` is wall-clock time (may jump), `monotonicMs` only grows and has a fraction. */
export interface Clock {
  /** Milliseconds since the epoch, whole. */
  nowMs(): number
  /** Milliseconds since some fixed point of this process, with a fraction; never goes back. */
  monotonicMs(): number
  /** Calls `callback` once, `delayMs` from now (at once for 0 or less). Does not keep the process alive. */
  timer(delayMs: number, callback: () => void): Timer
  /** Resolves `delayMs` from now; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Calls `callback` after the I/O events of this turn of the event loop have been served (setImmediate). */
  soon(callback: () => void): void
  /**
   * Keeps the process alive until the hold is released. For code that waits on something which does not do so itself: a bare
   * timer, or a promise that only such a timer will settle.
   */
  hold(): Hold
}

/** Chance. */
export interface Random {
  bytes(countBytes: number): Buffer
  /** 16 random bytes with the version and variant bits of RFC 9562 v4, as Kafka's 22-character base64url text; never begins with "-". */
  uuid(): string
  /** A float in [0, 1). */
  float(): number
}

/** What a directory entry or path is. */
export interface FileFacts {
  readonly kind: 'file' | 'directory'
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/**
 * An open file. Calls may overlap; they act in no promised order, so a caller that needs order awaits.
 * A failed `write` or `sync` leaves the file's content undefined from the failed position on (design §3: fence, never retry a sync).
 */
export interface DiskFile {
  readonly path: string
  /** Writes all chunks one after another at `positionBytes` (gathered; short writes are continued). Resolves when the OS has them. */
  write(chunks: readonly Buffer[], positionBytes: number): Promise<void>
  /** Reads up to `target.length` bytes at `positionBytes`; resolves with the count read, less than asked only at end of file. */
  read(target: Buffer, positionBytes: number): Promise<number>
  /** fdatasync: resolves when data (and the size needed to read it) is on the device. */
  sync(): Promise<void>
  truncate(sizeBytes: number): Promise<void>
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

/** Held while this process owns a directory. */
export interface DirectoryLock {
  release(): Promise<void>
}

/** Files. Paths are absolute. Errors carry Node's `code` (ENOENT, ENOSPC, EACCES …) also from the twin in memory. */
export interface Disk {
  /** `create`: opens for reading and writing, made when absent; `write`: reading and writing, must exist; `read`: reading only. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile>
  readFile(path: string): Promise<Buffer>
  /** Replaces the file at once and durably: temporary file, sync, rename, sync of the directory. */
  writeFileAtomic(path: string, content: Buffer): Promise<void>
  /** Makes the directory and its missing parents. */
  makeDirectory(path: string): Promise<void>
  /** Names of the entries, sorted. ENOENT when there is no such directory. */
  list(path: string): Promise<string[]>
  /** undefined when nothing is there. */
  facts(path: string): Promise<FileFacts | undefined>
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a directory with all that is in it; nothing there is no error. */
  remove(path: string): Promise<void>
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(path: string): Promise<void>
  /** Free and total bytes of the device that holds the path. */
  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>
  /** Takes the directory for this process; rejects with {@link DirectoryLockedError} while a live process holds it. A dead holder's lock is taken over. */
  lock(directory: string): Promise<DirectoryLock>
}

/** Another live process holds the directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError'
  readonly directory: string
  /** Process id of the holder. */
  readonly holderPid: number
  constructor(directory: string, holderPid: number) {
    super(`${directory} is locked by process ${holderPid}`)
    this.directory = directory
    this.holderPid = holderPid
  }
}

/** A connected byte stream (a TCP socket, or one side of a pair in memory). `destroy()` ends it at once. */
export interface Connection extends Duplex {
  readonly remoteHost: string
  readonly remotePort: number
  readonly localHost: string
  readonly localPort: number
}

/** A socket that takes connections. */
export interface Listener {
  /** The port in use: the one asked for, or the one that the system chose for 0. */
  readonly port: number
  readonly host: string
  /** Stops taking connections; those that stand are left alone. Resolves once the port is free. */
  close(): Promise<void>
}

/** Sockets. Errors carry Node's `code` (EADDRINUSE, ECONNREFUSED …) also from the twin in memory. */
export interface Net {
  listen(host: string, port: number, onConnection: (connection: Connection) => void): Promise<Listener>
  connect(host: string, port: number, signal?: AbortSignal): Promise<Connection>
}

/** All four ports. */
export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly net: Net
}
