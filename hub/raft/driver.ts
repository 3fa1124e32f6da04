/**
 * @module raft/driver — performs what the pure core decides, on a partition log, the quorum-state file and snapshots.
 */
import { join } from 'node:path'
import type { PartitionLog } from '../log/index.ts'
import { batchHeader, checkBatch, type DecodedBatch, decodeBatch, ErrorCode, encodeBatch } from '../wire/index.ts'
import { applyControlBatch, encodeLeaderChange, type QuorumFacts, STATIC_QUORUM } from './control-records.ts'
import { initialState, type QuorumState, type RaftEffect, type RaftEvent, type RaftState, step } from './core.ts'
import { type MetadataLogLimits, metadataLogLimits } from './limits.ts'
import { MetadataLogError } from './metadata-log-error.ts'
import { decodeQuorumState, encodeQuorumState, QUORUM_STATE_FILE } from './quorum-state.ts'
import { openSnapshots, type Snapshots } from './snapshots.ts'
import {
  type CommittedMark,
  METADATA_PARTITION,
  METADATA_TOPIC,
  METADATA_TOPIC_ID,
  type MetadataLog,
  type MetadataLogOptions,
  type Proposal,
  type Refusal,
  type ReplayedBatch,
  type SnapshotContent,
  type SnapshotId,
} from './types.ts'

/**
 * Opens (or makes) the metadata log of a log directory. Throws MetadataLogError when its files contradict each other, and the
 * directory's own errors.
 */
export async function openMetadataLog(options: MetadataLogOptions): Promise<MetadataLog> {
  const limits = { ...metadataLogLimits, ...options.limits }
  const log = await options.logDirectory.openLog(METADATA_TOPIC, METADATA_PARTITION, METADATA_TOPIC_ID, logConfig(limits))
  const path = join(log.directory, QUORUM_STATE_FILE)
  const found = (await options.disk.facts(path)) !== undefined
  const quorumState = found ? decodeQuorumState(path, await options.disk.readFile(path)) : undefined
  const snapshots = await openSnapshots({ ...options, limits, log })
  const first = snapshots.latest?.endOffset ?? 0
  if (log.logStartOffset > first || log.logEndOffset < first) {
    const range = `${log.logStartOffset} to ${log.logEndOffset}`
    throw new MetadataLogError(
      log.directory,
      `its log covers offsets ${range}, its newest snapshot ends at ${first}`,
      'restore it from a backup',
    )
  }
  return new Driver(options, limits, log, quorumState, snapshots)
}

function logConfig(limits: MetadataLogLimits): Parameters<MetadataLogOptions['logDirectory']['openLog']>[3] {
  return {
    segmentBytes: limits.segmentBytes,
    segmentMs: limits.segmentMs,
    segmentJitterMs: 0,
    segmentIndexBytes: 10 * 1024 * 1024,
    indexIntervalBytes: 4096,
    // The log's own retention stays off: a prefix goes only when a snapshot holds it.
    retentionMs: -1,
    retentionBytes: -1,
    // Batches are measured before they get there.
    maxMessageBytes: limits.batchBytesMax,
    cleanupPolicies: new Set(['delete'] as const),
    deleteRetentionMs: 24 * 3600 * 1000,
    minCompactionLagMs: 0,
    maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
    minCleanableDirtyRatio: 0.5,
    messageTimestampType: 'CreateTime',
    messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
    messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
    compressionType: 'producer',
    gzipLevel: -1,
    lz4Level: 9,
    zstdLevel: 3,
    fileDeleteDelayMs: 60_000,
    flushMessages: Number.MAX_SAFE_INTEGER,
    preallocate: false,
  }
}

/** Somebody who waits for the commit of a batch, in the order of the log. */
interface Waiter {
  readonly endOffset: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

class Driver implements MetadataLog {
  readonly #options: MetadataLogOptions
  readonly #limits: MetadataLogLimits
  readonly #log: PartitionLog
  readonly #quorumState: QuorumState | undefined
  readonly #snapshots: Snapshots
  readonly #listeners = new Set<(mark: CommittedMark) => void>()
  #waiters: Waiter[] = []
  /** Undefined until `start`. */
  #state: RaftState | undefined
  #facts: QuorumFacts = STATIC_QUORUM
  #replayed = false
  /** Why nothing is taken any more although the log itself is well. */
  #broken: Error | undefined

  constructor(
    options: MetadataLogOptions,
    limits: MetadataLogLimits,
    log: PartitionLog,
    quorumState: QuorumState | undefined,
    snapshots: Snapshots,
  ) {
    this.#options = options
    this.#limits = limits
    this.#log = log
    this.#quorumState = quorumState
    this.#snapshots = snapshots
  }

  get voters(): readonly number[] {
    return this.#facts.voters?.map((voter) => voter.voterId) ?? this.#options.voterIds
  }

  get leaderId(): number {
    return this.#state?.leaderId ?? -1
  }

  get epoch(): number {
    return this.#state?.epoch ?? this.#quorumState?.leaderEpoch ?? 0
  }

  get logStartOffset(): number {
    return this.#log.logStartOffset
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  get highWatermark(): number {
    return this.#state?.highWatermark ?? 0
  }

  get latestSnapshot(): SnapshotId | undefined {
    return this.#snapshots.latest
  }

  get failure(): Error | undefined {
    return this.#log.fenced ?? this.#broken
  }

  async *replay(): AsyncGenerator<ReplayedBatch, void, undefined> {
    const snapshot = await this.#snapshots.read()
    let offset = 0
    if (snapshot !== undefined) {
      const { id, timestampMs, facts, batches } = snapshot
      this.#facts = facts
      offset = id.endOffset
      const at = { baseOffset: id.endOffset - 1, lastOffset: id.endOffset - 1, epoch: id.epoch, timestampMs }
      for (const batch of batches) yield { ...at, records: valuesOf(batch) }
    }
    while (offset < this.#log.logEndOffset) {
      for (const batch of await this.#read(offset)) {
        offset = batch.lastOffset + 1
        this.#snapshots.logged(batch.sizeBytes)
        if (batch.isControl) this.#facts = applyControlBatch(this.#facts, batch)
        else yield toReplayed(batch)
      }
    }
    this.#replayed = true
  }

  /** The whole batches that begin at or after `offset`. */
  async #read(offset: number): Promise<DecodedBatch[]> {
    const limits = { maxBytes: this.#limits.replayReadBytes, minOneBatch: true, endOffset: this.#log.logEndOffset }
    const { records } = await this.#log.read(offset, limits)
    const batches: DecodedBatch[] = []
    for (const chunk of records) {
      for (let at = 0; at < chunk.length; ) {
        const checked = checkBatch(chunk, at)
        if ('errorCode' in checked) throw this.#damaged(offset, checked.message)
        if (batchHeader.lastOffset(chunk, at) >= offset) batches.push(decodeBatch(chunk, at))
        at += checked.sizeBytes
      }
    }
    if (batches.length === 0) throw this.#damaged(offset, 'nothing is there')
    return batches
  }

  #damaged(offset: number, reason: string): MetadataLogError {
    return new MetadataLogError(
      this.#log.directory,
      `batch at offset ${offset} cannot be read: ${reason}`,
      'restore the directory from a backup',
    )
  }

  async start(): Promise<void> {
    if (!this.#replayed) throw new Error('raft: start before the end of replay')
    const { nodeId } = this.#options
    const { voters } = this
    if (voters.length !== 1 || voters[0] !== nodeId) {
      const remedy = 'this release runs a quorum of one; start the node whose directory holds the whole cluster alone'
      throw new MetadataLogError(this.#log.directory, `the voters are [${voters.join(', ')}], this node is ${nodeId}`, remedy)
    }
    const endOffset = this.#log.logEndOffset
    const lastEpoch = this.#log.latestEpoch
    const effects = this.#step(this.#state ?? initialState(nodeId, voters), {
      kind: 'start',
      quorumState: this.#quorumState,
      lastEpoch,
      endOffset,
    })
    await this.#perform(effects)
  }

  append(records: readonly Buffer[]): Proposal | Refusal {
    if (records.length === 0) throw new RangeError('raft: an empty batch')
    const { epoch } = this.#started()
    const timestampMs = this.#options.clock.nowMs()
    const baseOffset = this.#log.logEndOffset
    const batch = encodeBatch({ baseOffset, leaderEpoch: epoch, records: records.map((value) => ({ key: null, value, timestampMs })) })
    const { batchBytesMax } = this.#limits
    if (batch.length > batchBytesMax) {
      const message = `The change would be a batch of ${batch.length} bytes in the metadata log; the limit is ${batchBytesMax}.`
      return refusal(ErrorCode.RECORD_LIST_TOO_LARGE, message)
    }
    return this.#append(batch, epoch, timestampMs)
  }

  onCommit(listener: (mark: CommittedMark) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  snapshotFrom(source: () => SnapshotContent): void {
    this.#snapshots.source = { content: source, facts: () => this.#facts }
  }

  snapshot(): Promise<SnapshotId> {
    return this.#snapshots.take()
  }

  close(): Promise<void> {
    return this.#snapshots.close()
  }

  #started(): RaftState {
    if (this.#state === undefined) throw new Error('raft: append before start')
    return this.#state
  }

  #step(state: RaftState, event: RaftEvent): readonly RaftEffect[] {
    const next = step(state, event)
    this.#state = next.state
    return next.effects
  }

  /** In their order, each before the next; a leading commit is done when this returns. */
  async #perform(effects: readonly RaftEffect[]): Promise<void> {
    for (const effect of effects) {
      if (effect.kind === 'persist') await this.#persist(effect.quorumState)
      else if (effect.kind === 'append-leader-change') await this.#appendLeaderChange(effect)
      else this.#commit(effect.highWatermark)
    }
  }

  async #persist(quorumState: QuorumState): Promise<void> {
    await this.#options.disk.writeFileAtomic(join(this.#log.directory, QUORUM_STATE_FILE), encodeQuorumState(quorumState))
  }

  async #appendLeaderChange(effect: Extract<RaftEffect, { kind: 'append-leader-change' }>): Promise<void> {
    const timestampMs = this.#options.clock.nowMs()
    const { epoch, leaderId, voters, grantingVoters } = effect
    const baseOffset = this.#log.logEndOffset
    const batch = encodeLeaderChange({ leaderId, voters, grantingVoters, baseOffset, leaderEpoch: epoch, timestampMs })
    const appended = this.#append(batch, epoch, timestampMs)
    if (appended.kind === 'refused') throw new MetadataLogError(this.#log.directory, appended.message, 'free some space and start again')
    await appended.committed
  }

  /** Appends one batch; the core hears of it once it is synced, and says when it is committed. */
  #append(batch: Buffer, epoch: number, timestampMs: number): Proposal | Refusal {
    if (this.failure !== undefined) return refusal(ErrorCode.KAFKA_STORAGE_ERROR, this.failure.message)
    const appended = this.#log.append(batch, { origin: 'raft', leaderEpoch: epoch })
    if (appended.kind === 'refused') return refusal(appended.errorCode, appended.message)
    const { baseOffset, lastOffset } = appended
    const committed = new Promise<void>((resolve, reject) => {
      const waiter = { endOffset: lastOffset + 1, resolve, reject }
      this.#waiters.push(waiter)
      const lost = (error: Error): void => {
        // A full device takes back what it could not write: other batches will stand at these offsets.
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(error)
      }
      this.#log.whenSynced(lastOffset + 1).then(() => this.#synced(batch.length).catch((error: Error) => this.#break(error)), lost)
    })
    return { kind: 'proposed', baseOffset, lastOffset, epoch, timestampMs, committed }
  }

  /** One round of the log syncs many batches: the first of them to be told moves the watermark over all. */
  async #synced(sizeBytes: number): Promise<void> {
    if (this.#broken !== undefined) return
    const endOffset = this.#log.syncedOffset
    const effects = this.#step(this.#started(), { kind: 'synced', voterId: this.#options.nodeId, endOffset })
    await this.#perform(effects)
    this.#snapshots.logged(sizeBytes)
  }

  #commit(highWatermark: number): void {
    const mark = { highWatermark, epoch: this.epoch }
    for (const listener of this.#listeners) listener(mark)
    const reached = this.#waiters.filter((waiter) => waiter.endOffset <= highWatermark)
    this.#waiters = this.#waiters.filter((waiter) => waiter.endOffset > highWatermark)
    for (const waiter of reached) waiter.resolve()
  }

  /**
   * Whoever follows the log (or this code) failed at a commit: what is in force is not what the log says any more, so nothing further is
   * built on it until a restart replays the log. What is served without the metadata log goes on.
   */
  #break(error: Error): void {
    if (this.#broken !== undefined) return
    this.#broken = new MetadataLogError(
      this.#log.directory,
      `a committed change could not be applied: ${error.message}`,
      'start the hub again',
    )
    this.#options.logger.error('the metadata log takes no changes until restart: a committed change could not be applied', { error })
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#broken)
  }
}

function refusal(errorCode: number, message: string): Refusal {
  return { kind: 'refused', errorCode, message }
}

function valuesOf(batch: DecodedBatch): Buffer[] {
  return batch.records.map(({ value }) => value).filter((value) => value !== null)
}

function toReplayed(batch: DecodedBatch): ReplayedBatch {
  const { baseOffset, lastOffset, leaderEpoch, maxTimestampMs } = batch
  return { baseOffset, lastOffset, epoch: leaderEpoch, timestampMs: maxTimestampMs, records: valuesOf(batch) }
}
