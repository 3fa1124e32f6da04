/**
 * @module raft/snapshots — when snapshots are taken and removed, and which one a restart begins with.
 */
import { join } from 'node:path'
import type { Clock, Disk, Timer } from '../io/index.ts'
import type { PartitionLog } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import type { QuorumFacts } from './control-records.ts'
import type { MetadataLogLimits } from './limits.ts'
import { expiredSnapshots, type SnapshotFacts } from './retention.ts'
import { type ReadSnapshot, readSnapshot, snapshotFileName, snapshotsIn, unfinishedSnapshotsIn, writeSnapshot } from './snapshot.ts'
import type { SnapshotContent, SnapshotId } from './types.ts'

export interface SnapshotsOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly limits: MetadataLogLimits
  readonly log: PartitionLog
}

/** Whom to ask for what a snapshot holds. */
export interface SnapshotSource {
  readonly content: () => SnapshotContent
  readonly facts: () => QuorumFacts
}

/** Finds the snapshots beside a log and removes what an interrupted write left. */
export async function openSnapshots(options: SnapshotsOptions): Promise<Snapshots> {
  const { disk, log } = options
  const names = await disk.list(log.directory)
  for (const name of unfinishedSnapshotsIn(names)) await disk.remove(join(log.directory, name))
  const found: SnapshotFacts[] = []
  for (const id of snapshotsIn(names)) {
    const facts = await disk.facts(join(log.directory, snapshotFileName(id)))
    if (facts !== undefined) found.push({ ...id, sizeBytes: facts.sizeBytes, takenMs: facts.modifiedMs })
  }
  return new Snapshots(options, found)
}

export class Snapshots {
  /** Nothing is taken while this is undefined. */
  source: SnapshotSource | undefined
  readonly #options: SnapshotsOptions
  /** In ascending order. */
  #kept: readonly SnapshotFacts[]
  /** Bytes of log that the newest snapshot lacks. */
  #loggedBytes = 0
  #timer: Timer | undefined
  #running: Promise<SnapshotId> | undefined
  #closed = false

  constructor(options: SnapshotsOptions, found: readonly SnapshotFacts[]) {
    this.#options = options
    this.#kept = found
  }

  get latest(): SnapshotId | undefined {
    const newest = this.#kept.at(-1)
    return newest === undefined ? undefined : { endOffset: newest.endOffset, epoch: newest.epoch }
  }

  /** The newest snapshot's content. */
  async read(): Promise<(ReadSnapshot & { readonly id: SnapshotId }) | undefined> {
    const id = this.latest
    if (id === undefined) return undefined
    const { disk, log } = this.#options
    return { id, ...(await readSnapshot(disk, join(log.directory, snapshotFileName(id)))) }
  }

  /** Tells of bytes that the newest snapshot lacks; begins one when it is due. */
  logged(sizeBytes: number): void {
    const { clock, limits } = this.#options
    this.#loggedBytes += sizeBytes
    if (this.source === undefined || this.#closed) return
    if (this.#loggedBytes >= limits.snapshotBytes) this.#takeInBackground()
    else if (limits.snapshotMs > 0) this.#timer ??= clock.timer(limits.snapshotMs, () => this.#takeInBackground())
  }

  /** Takes one now, unless there is nothing new; joins the one that is being taken. */
  take(): Promise<SnapshotId> {
    this.#running ??= this.#take().finally(() => (this.#running = undefined))
    return this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    // Whoever asked for it has the error; here only its end matters.
    await this.#running?.catch(() => undefined)
  }

  #takeInBackground(): void {
    this.take().catch((error: Error) => {
      // The log still has everything: the next one is tried after as many bytes, or as long, again.
      this.#options.logger.error('metadata snapshot failed', { directory: this.#options.log.directory, error })
    })
  }

  async #take(): Promise<SnapshotId> {
    const { source } = this
    if (source === undefined) throw new Error('raft: a snapshot without a source')
    const content = source.content()
    const id = { endOffset: content.offset + 1, epoch: content.epoch }
    this.#timer?.cancel()
    this.#timer = undefined
    this.#loggedBytes = 0
    if (this.latest?.endOffset === id.endOffset) return this.latest
    const sizeBytes = await this.#write(id, content, source.facts())
    this.#kept = [...this.#kept, { ...id, sizeBytes, takenMs: this.#options.clock.nowMs() }]
    await this.#removeExpired()
    return id
  }

  async #write(id: SnapshotId, content: SnapshotContent, facts: QuorumFacts): Promise<number> {
    const { clock, disk, limits, log } = this.#options
    return writeSnapshot(id, content, {
      disk,
      directory: log.directory,
      facts,
      nowMs: clock.nowMs(),
      batchBytes: limits.snapshotBatchBytes,
    })
  }

  /** The log's prefix goes first: a snapshot without its log is no loss, a log without its snapshot would be. */
  async #removeExpired(): Promise<void> {
    const { clock, disk, limits, log } = this.#options
    const expired = expiredSnapshots(this.#kept, log.sizeBytes, clock.nowMs(), limits)
    const oldest = this.#kept[expired.length]
    if (expired.length === 0 || oldest === undefined) return
    await log.advanceLogStart(oldest.endOffset)
    for (const id of expired) await disk.remove(join(log.directory, snapshotFileName(id)))
    this.#kept = this.#kept.slice(expired.length)
  }
}
