/** @module io/memory-disk — a file system in memory that can lose power, run full and fail. */
import { type DirectoryNode, type FileNode, MemoryTree, fileError } from './memory-tree.ts'
import { type Disk, type DirectoryLock, DirectoryLockedError, type DiskFile } from './ports.ts'

/** What is about to be done, shown to {@link MemoryDisk.intercept}. */
export interface DiskOperation {
  readonly kind: 'open' | 'write' | 'read' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncDirectory' | 'replace'
  readonly path: string
  /** Bytes to be written or read; 0 for others. */
  readonly sizeBytes: number
}

export interface MemoryDiskOptions {
  /** The device's size; a write beyond it writes the part that fits and rejects with ENOSPC. Default: no limit. */
  readonly limitBytes?: number
  /** Directories that are there, durable, from the start. Default: `/data`. */
  readonly directories?: readonly string[]
  /** Whether `crash` can be called; false keeps no undo (a disk that serves as a data directory). Default: true. */
  readonly crashable?: boolean
  /** Time of `modifiedMs`. Default: stands still at 0. */
  readonly nowMs?: () => number
}

/** A disk with levers for its faults. Files share one process: `lock` never finds a dead holder. */
export interface MemoryDisk extends Disk {
  /**
   * What a power cut would leave, as a disk of its own; this one goes on as if nothing had happened. Kept are contents as
   * of their last `sync` (or `writeFileAtomic`) and names as of the last `syncDirectory` of their directory; locks are
   * gone. With `chance` (floats in [0, 1), see `seededRandom`) a random part of the rest got to the device too: some
   * sectors of unsynced writes, a file size in between, the first few of the unsynced name changes.
   */
  crash(chance?: () => number): MemoryDisk
  /** The device's size from now on. */
  setLimitBytes(limitBytes: number): void
  /** Bytes of all files that are reachable by name. */
  usedBytes(): number
  /**
   * Called before each operation, which waits for it: throw to make it fail (nothing is done), wait to hold it back.
   * Undefined: no interception.
   */
  intercept: ((operation: DiskOperation) => void | Promise<void>) | undefined
  /** The next write fails with `code` after `partBytes` of it (default 0) have been written. Once per call, first come first served. */
  failNextWrite(code?: string, partBytes?: number): void
  /**
   * The next file sync fails with `code` and syncs nothing. `drops`: nor will a later one, of what was not synced by then, as on Linux, though reads
   * go on to show it. Default false.
   */
  failNextSync(code?: string, drops?: boolean): void
}

interface SyncFault {
  readonly code: string
  readonly drops: boolean
}

interface WriteFault {
  readonly code: string
  readonly partBytes: number
}

/** A new disk; see {@link MemoryDiskOptions}. */
export function memoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  const nowMs = options.nowMs ?? ((): number => 0)
  const tree = new MemoryTree(options.crashable ?? true, nowMs)
  for (const directory of options.directories ?? ['/data']) tree.makeDirectories(directory)
  const disk = new TreeDisk(tree, options.limitBytes ?? Number.MAX_SAFE_INTEGER, nowMs)
  disk.syncAllDirectories()
  return disk
}

class TreeDisk implements MemoryDisk {
  intercept: ((operation: DiskOperation) => void | Promise<void>) | undefined
  readonly #tree: MemoryTree
  readonly #nowMs: () => number
  readonly #locked = new Set<string>()
  readonly #writeFaults: WriteFault[] = []
  readonly #syncFaults: SyncFault[] = []
  #limitBytes: number

  constructor(tree: MemoryTree, limitBytes: number, nowMs: () => number) {
    this.#tree = tree
    this.#limitBytes = limitBytes
    this.#nowMs = nowMs
  }

  crash(chance?: () => number): MemoryDisk {
    return new TreeDisk(this.#tree.crashed(chance), this.#limitBytes, this.#nowMs)
  }

  setLimitBytes(limitBytes: number): void {
    this.#limitBytes = limitBytes
  }

  usedBytes(): number {
    return usedBytesOf(this.#tree.root)
  }

  failNextWrite(code = 'EIO', partBytes = 0): void {
    this.#writeFaults.push({ code, partBytes })
  }

  failNextSync(code = 'EIO', drops = false): void {
    this.#syncFaults.push({ code, drops })
  }

  syncAllDirectories(directory: DirectoryNode = this.#tree.root): void {
    this.#tree.sync(directory)
    for (const node of directory.entries.values()) if (node.kind === 'directory') this.syncAllDirectories(node)
  }

  async open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile> {
    await this.#before('open', path)
    const found = this.#tree.find(path)
    const node = found === undefined && mode === 'create' ? this.#tree.createFile(path) : this.#tree.file(path, 'open')
    return new TreeFile(path, node, mode !== 'read', {
      before: (kind, sizeBytes) => this.#before(kind, path, sizeBytes),
      write: (chunks, positionBytes) => this.#write(path, node, chunks, positionBytes),
      sync: () => this.#sync(path, node),
      modified: () => this.#nowMs(),
    })
  }

  async readFile(path: string): Promise<Buffer> {
    await this.#before('read', path)
    return this.#tree.file(path, 'open').content.bytes()
  }

  async writeFileAtomic(path: string, content: Buffer): Promise<void> {
    await this.#before('replace', path, content.length)
    const temporary = `${path}.tmp`
    const node = this.#tree.createFile(temporary)
    try {
      this.#write(temporary, node, [content], 0)
      this.#sync(temporary, node)
    } catch (error) {
      this.#tree.remove(temporary)
      throw error
    }
    this.#tree.rename(temporary, path)
    this.#tree.sync(this.#tree.directory(parentOf(path), 'fsync'))
  }

  async makeDirectory(path: string): Promise<void> {
    this.#tree.makeDirectories(path)
  }

  async list(path: string): Promise<string[]> {
    return [...this.#tree.directory(path, 'scandir').entries.keys()].sort()
  }

  async facts(path: string): ReturnType<Disk['facts']> {
    const node = this.#tree.find(path)
    if (node === undefined) return undefined
    const sizeBytes = node.kind === 'file' ? node.content.sizeBytes : 0
    return { kind: node.kind, sizeBytes, modifiedMs: node.modifiedMs }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#before('rename', from)
    this.#tree.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    await this.#before('remove', path)
    this.#tree.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#before('syncDirectory', path)
    this.#tree.sync(this.#tree.directory(path, 'open'))
  }

  async space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    if (this.#tree.find(path) === undefined) throw fileError('ENOENT', 'statfs', path)
    return { freeBytes: Math.max(0, this.#limitBytes - this.usedBytes()), totalBytes: this.#limitBytes }
  }

  async lock(directory: string): Promise<DirectoryLock> {
    this.#tree.directory(directory, 'open')
    if (this.#locked.has(directory)) throw new DirectoryLockedError(directory, process.pid)
    this.#locked.add(directory)
    let held = true
    return {
      release: async () => {
        if (held) this.#locked.delete(directory)
        held = false
      },
    }
  }

  #write(path: string, node: FileNode, chunks: readonly Buffer[], positionBytes: number): void {
    const fault = this.#writeFaults.shift()
    let allowedBytes = fault?.partBytes ?? Number.MAX_SAFE_INTEGER
    let code = fault?.code
    let position = positionBytes
    for (const chunk of chunks) {
      const roomBytes = this.#roomBytes(node, position, chunk.length)
      if (roomBytes < Math.min(allowedBytes, chunk.length)) {
        allowedBytes = roomBytes
        code = 'ENOSPC'
      }
      const part = chunk.subarray(0, allowedBytes)
      node.content.write(part, position)
      node.modifiedMs = this.#nowMs()
      position += part.length
      allowedBytes -= part.length
      if (part.length < chunk.length) break
    }
    if (code !== undefined) throw fileError(code, 'write', path)
  }

  /** How much of `sizeBytes` at `positionBytes` the device still takes; overwriting needs no room. */
  #roomBytes(node: FileNode, positionBytes: number, sizeBytes: number): number {
    if (this.#limitBytes === Number.MAX_SAFE_INTEGER) return sizeBytes
    const growthBytes = Math.max(0, positionBytes + sizeBytes - node.content.sizeBytes)
    const freeBytes = Math.max(0, this.#limitBytes - this.usedBytes())
    return sizeBytes - Math.min(sizeBytes, Math.max(0, growthBytes - freeBytes))
  }

  #sync(path: string, node: FileNode): void {
    const fault = this.#syncFaults.shift()
    if (fault?.drops === true) node.content.drop()
    if (fault !== undefined) throw fileError(fault.code, 'fdatasync', path)
    node.content.sync()
  }

  /** Without interception the operation takes effect before the call returns its promise. */
  #before(kind: DiskOperation['kind'], path: string, sizeBytes = 0): void | Promise<void> {
    return this.intercept?.({ kind, path, sizeBytes })
  }
}

interface FileEffects {
  readonly before: (kind: DiskOperation['kind'], sizeBytes: number) => void | Promise<void>
  readonly write: (chunks: readonly Buffer[], positionBytes: number) => void
  readonly sync: () => void
  readonly modified: () => number
}

class TreeFile implements DiskFile {
  readonly path: string
  readonly #node: FileNode
  readonly #writable: boolean
  readonly #effects: FileEffects
  #closed = false

  constructor(path: string, node: FileNode, writable: boolean, effects: FileEffects) {
    this.path = path
    this.#node = node
    this.#writable = writable
    this.#effects = effects
  }

  async write(chunks: readonly Buffer[], positionBytes: number): Promise<void> {
    const totalBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    this.#check('write', true)
    if (totalBytes === 0) return
    const held = this.#effects.before('write', totalBytes)
    if (held !== undefined) await held
    this.#effects.write(chunks, positionBytes)
  }

  async read(target: Buffer, positionBytes: number): Promise<number> {
    this.#check('read', false)
    const held = this.#effects.before('read', target.length)
    if (held !== undefined) await held
    return this.#node.content.read(target, positionBytes)
  }

  async sync(): Promise<void> {
    this.#check('fdatasync', false)
    const held = this.#effects.before('sync', 0)
    if (held !== undefined) await held
    this.#effects.sync()
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#check('ftruncate', true)
    const held = this.#effects.before('truncate', 0)
    if (held !== undefined) await held
    this.#node.content.truncate(sizeBytes)
    this.#node.modifiedMs = this.#effects.modified()
  }

  async sizeBytes(): Promise<number> {
    this.#check('fstat', false)
    return this.#node.content.sizeBytes
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #check(call: string, writes: boolean): void {
    if (this.#closed) throw fileError('EBADF', call, this.path)
    if (writes && !this.#writable) throw fileError(call === 'ftruncate' ? 'EINVAL' : 'EBADF', call, this.path)
  }
}

function usedBytesOf(directory: DirectoryNode): number {
  let totalBytes = 0
  for (const node of directory.entries.values()) {
    totalBytes += node.kind === 'file' ? node.content.sizeBytes : usedBytesOf(node)
  }
  return totalBytes
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}
