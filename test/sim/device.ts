/** @module test/sim/device — the disk of the simulated machine: each operation takes its time, may fail, and is cut short by the end of its process. */
import {
  type DirectoryLock,
  DirectoryLockedError,
  type Disk,
  type DiskFile,
  type DiskOperation,
  type FileFacts,
  memoryDisk,
  type MemoryDisk,
} from '../../hub/io/index.ts'
import type { Scheduler, Task } from './scheduler.ts'

/** Where the log directory stands. */
export const DATA_DIRECTORY = '/data'

/** How slow the device is, in milliseconds of one operation. */
interface Pace {
  readonly operationMsMax: number
  readonly syncMsMax: number
  /** Share of operations that take much longer. */
  readonly slowShare: number
  readonly slowMsMax: number
}

/** A write that its process has handed over and that is not done yet. */
interface PendingWrite {
  /** Does the first part of it; what a kernel or a device may do though the process is gone. */
  partly(share: number): void
}

/** The machine's disk; it outlives the processes. */
export class Device {
  disk: MemoryDisk
  /** All operations wait until this time. */
  stalledUntilMs = 0
  readonly #scheduler: Scheduler
  readonly #pace: Pace
  readonly #faults: { readonly kind: 'write' | 'sync'; readonly path: RegExp }[] = []
  readonly #pending = new Map<Task, Set<PendingWrite>>()
  readonly #holders = new Map<string, Task>()

  constructor(scheduler: Scheduler, wallMs: () => number) {
    this.#scheduler = scheduler
    this.disk = memoryDisk({ directories: [DATA_DIRECTORY], nowMs: wallMs })
    const isSlow = scheduler.random.float() < 0.3
    this.#pace = {
      operationMsMax: isSlow ? 2 : 0.2,
      syncMsMax: isSlow ? 20 : 2,
      slowShare: scheduler.random.float() * 0.01,
      slowMsMax: isSlow ? 1_000 : 100,
    }
  }

  /** The next write to, or sync of, a file whose path matches fails with EIO. */
  failNext(kind: 'write' | 'sync', path: RegExp): void {
    this.#faults.push({ kind, path })
  }

  /** Takes back the faults that have not happened. */
  heal(): void {
    this.#faults.length = 0
    this.stalledUntilMs = 0
    this.disk.setLimitBytes(Number.MAX_SAFE_INTEGER)
  }

  /** The process is gone: of what it was writing some got through, whole or in part. Its locks are free. */
  onKilled(task: Task): void {
    for (const write of this.#pending.get(task) ?? []) {
      const draw = this.#scheduler.random.float()
      if (draw < 0.5) write.partly(this.#scheduler.random.float())
      else if (draw < 0.75) write.partly(1)
    }
    this.#pending.delete(task)
    for (const [directory, holder] of this.#holders) if (holder === task) this.#holders.delete(directory)
  }

  /** The power is gone: what was not synced is there or not, whole or in part. Processes must be killed first. */
  cutPower(): void {
    const { random } = this.#scheduler
    const keepsNothing = random.float() < 0.3
    this.disk = this.disk.crash(keepsNothing ? undefined : () => random.float())
  }

  /** The disk as one process sees it. */
  diskOf(task: Task): Disk {
    return new TaskDisk(this, task)
  }

  /** Does something to the disk when its time has come: before the end of the operation, at any point. */
  async operate<T>(task: Task, { kind, path, sizeBytes }: DiskOperation, effect: () => Promise<T>): Promise<T> {
    const { random } = this.#scheduler
    const { operationMsMax, syncMsMax, slowShare, slowMsMax } = this.#pace
    const usualMs = random.float() * (kind === 'sync' || kind === 'syncDirectory' || kind === 'replace' ? syncMsMax : operationMsMax)
    const durationMs = usualMs + (random.float() < slowShare ? random.float() * slowMsMax : 0)
    const effectMs = durationMs * [0, 0.5, 1][Math.floor(random.float() * 3)]!
    const stallMs = Math.max(0, this.stalledUntilMs - this.#scheduler.nowMs)
    const label = `${kind} ${path}${sizeBytes > 0 ? ` ${sizeBytes} B` : ''}`
    await this.#scheduler.delay(task, stallMs + effectMs, label)
    this.#failIfDue(kind, path)
    try {
      const result = await effect()
      if (durationMs > effectMs) await this.#scheduler.delay(task, durationMs - effectMs, `done: ${label}`)
      return result
    } catch (error) {
      this.#scheduler.tell(task.name, `failed: ${label}: ${(error as Error).message}`)
      throw error
    }
  }

  #failIfDue(kind: DiskOperation['kind'], path: string): void {
    const at = this.#faults.findIndex((fault) => fault.kind === kind && fault.path.test(path))
    if (at < 0) return
    this.#faults.splice(at, 1)
    if (kind === 'write') this.disk.failNextWrite('EIO', Math.floor(this.#scheduler.random.float() * 200))
    else this.disk.failNextSync('EIO', this.#scheduler.random.float() < 0.7)
  }

  async pending<T>(task: Task, write: PendingWrite, run: () => Promise<T>): Promise<T> {
    let writes = this.#pending.get(task)
    if (writes === undefined) this.#pending.set(task, (writes = new Set()))
    writes.add(write)
    try {
      return await run()
    } finally {
      writes.delete(write)
    }
  }

  async lock(task: Task, directory: string): Promise<DirectoryLock> {
    if (this.#holders.has(directory)) throw new DirectoryLockedError(directory, 1)
    this.#holders.set(directory, task)
    return {
      release: async () => {
        if (this.#holders.get(directory) === task) this.#holders.delete(directory)
      },
    }
  }
}

class TaskDisk implements Disk {
  readonly #device: Device
  readonly #task: Task

  constructor(device: Device, task: Task) {
    this.#device = device
    this.#task = task
  }

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile> {
    return this.#do('open', path, async () => new TaskFile(this.#device, this.#task, await this.#disk.open(path, mode)))
  }
  readFile(path: string): Promise<Buffer> {
    return this.#do('read', path, () => this.#disk.readFile(path))
  }
  writeFileAtomic(path: string, content: Buffer): Promise<void> {
    return this.#do('replace', path, () => this.#disk.writeFileAtomic(path, content), content.length)
  }
  makeDirectory(path: string): Promise<void> {
    return this.#do('open', path, () => this.#disk.makeDirectory(path))
  }
  list(path: string): Promise<string[]> {
    return this.#do('read', path, () => this.#disk.list(path))
  }
  facts(path: string): Promise<FileFacts | undefined> {
    return this.#do('read', path, () => this.#disk.facts(path))
  }
  rename(from: string, to: string): Promise<void> {
    return this.#do('rename', from, () => this.#disk.rename(from, to))
  }
  remove(path: string): Promise<void> {
    return this.#do('remove', path, () => this.#disk.remove(path))
  }
  syncDirectory(path: string): Promise<void> {
    return this.#do('syncDirectory', path, () => this.#disk.syncDirectory(path))
  }
  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
    return this.#do('read', path, () => this.#disk.space(path))
  }
  lock(directory: string): Promise<DirectoryLock> {
    return this.#device.lock(this.#task, directory)
  }

  get #disk(): MemoryDisk {
    return this.#device.disk
  }

  #do<T>(kind: DiskOperation['kind'], path: string, effect: () => Promise<T>, sizeBytes = 0): Promise<T> {
    return this.#device.operate(this.#task, { kind, path, sizeBytes }, effect)
  }
}

class TaskFile implements DiskFile {
  readonly path: string
  readonly #device: Device
  readonly #task: Task
  readonly #file: DiskFile

  constructor(device: Device, task: Task, file: DiskFile) {
    this.path = file.path
    this.#device = device
    this.#task = task
    this.#file = file
  }

  write(chunks: readonly Buffer[], positionBytes: number): Promise<void> {
    // What the kernel takes it copies; until then the buffers are the caller's.
    const sizeBytes = chunks.reduce((sum, { length }) => sum + length, 0)
    const partly = (share: number): void => {
      const part = Buffer.concat(chunks).subarray(0, Math.floor(share * sizeBytes))
      if (part.length > 0) void this.#file.write([part], positionBytes).catch(() => {})
    }
    return this.#device.pending(this.#task, { partly }, () => this.#do('write', () => this.#file.write(chunks, positionBytes), sizeBytes))
  }
  read(target: Buffer, positionBytes: number): Promise<number> {
    return this.#do('read', () => this.#file.read(target, positionBytes), target.length)
  }
  sync(): Promise<void> {
    return this.#do('sync', () => this.#file.sync())
  }
  truncate(sizeBytes: number): Promise<void> {
    return this.#do('truncate', () => this.#file.truncate(sizeBytes))
  }
  sizeBytes(): Promise<number> {
    return this.#file.sizeBytes()
  }
  close(): Promise<void> {
    return this.#file.close()
  }

  #do<T>(kind: DiskOperation['kind'], effect: () => Promise<T>, sizeBytes = 0): Promise<T> {
    return this.#device.operate(this.#task, { kind, path: this.path, sizeBytes }, effect)
  }
}
