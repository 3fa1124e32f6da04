/**
 * @module raft/snapshot — snapshot files: `<end offset, 20 digits>-<epoch, 10 digits>.checkpoint` beside the log's segments (KIP-630).
 *
 * A snapshot is a run of record batches with offsets of its own from 0: a control batch with the header, batches of metadata
 * records, a control batch with the footer. It is written to `….checkpoint.part`, synced and renamed, so one that has its name is whole.
 */
import { join } from 'node:path'
import type { Disk } from '../io/index.ts'
import { checkBatch, type DecodedBatch, decodeBatch, encodeBatch } from '../wire/index.ts'
import {
  applyControlBatch,
  encodeSnapshotFooter,
  encodeSnapshotHeader,
  isSnapshotFooter,
  type QuorumFacts,
  STATIC_QUORUM,
  snapshotHeaderTimestampMs,
} from './control-records.ts'
import { MetadataLogError } from './metadata-log-error.ts'
import type { SnapshotContent, SnapshotId } from './types.ts'

const PART_SUFFIX = '.part'
const FILE_NAME = /^(\d{20})-(\d{10})\.checkpoint$/
const PART_NAME = /^\d{20}-\d{10}\.checkpoint\.part$/

/** File name of a snapshot. */
export function snapshotFileName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}

/** The snapshots among file names, in ascending order. */
export function snapshotsIn(names: readonly string[]): SnapshotId[] {
  return names
    .map((name) => FILE_NAME.exec(name))
    .filter((match) => match !== null)
    .map((match) => ({ endOffset: Number(match[1]), epoch: Number(match[2]) }))
    .toSorted((a, b) => a.endOffset - b.endOffset || a.epoch - b.epoch)
}

/** What an interrupted write left behind, among file names. */
export function unfinishedSnapshotsIn(names: readonly string[]): string[] {
  return names.filter((name) => PART_NAME.test(name))
}

export interface SnapshotWriteOptions {
  readonly disk: Disk
  readonly directory: string
  readonly facts: QuorumFacts
  /** Time of the snapshot's own batches. */
  readonly nowMs: number
  readonly batchBytes: number
}

/** Writes a snapshot durably, a batch at a time; of a failed one nothing stays. Resolves with its size. */
export async function writeSnapshot(id: SnapshotId, content: SnapshotContent, options: SnapshotWriteOptions): Promise<number> {
  const { disk, directory } = options
  const path = join(directory, snapshotFileName(id))
  try {
    const sizeBytes = await writePart(path + PART_SUFFIX, id, content, options)
    await disk.rename(path + PART_SUFFIX, path)
    await disk.syncDirectory(directory)
    return sizeBytes
  } catch (error) {
    // The first error counts; a part that cannot be removed goes at the next start.
    await disk.remove(path + PART_SUFFIX).catch(() => undefined)
    throw error
  }
}

async function writePart(path: string, id: SnapshotId, content: SnapshotContent, options: SnapshotWriteOptions): Promise<number> {
  const file = await options.disk.open(path, 'create')
  let sizeBytes = 0
  try {
    await file.truncate(0)
    for (const batch of snapshotBatches(id, content, options)) {
      await file.write([batch], sizeBytes)
      sizeBytes += batch.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return sizeBytes
}

function* snapshotBatches(id: SnapshotId, content: SnapshotContent, options: SnapshotWriteOptions): Generator<Buffer> {
  const { facts, nowMs, batchBytes } = options
  const leaderEpoch = id.epoch
  yield encodeSnapshotHeader(facts, content.timestampMs, leaderEpoch, nowMs)
  let baseOffset = 1 + (facts.kraftVersion > 0 ? 1 : 0) + (facts.voters === undefined ? 0 : 1)
  let pending: Buffer[] = []
  let pendingBytes = 0
  const flush = (): Buffer => {
    const records = pending.map((value) => ({ key: null, value, timestampMs: nowMs }))
    const batch = encodeBatch({ baseOffset, leaderEpoch, records })
    baseOffset += pending.length
    pending = []
    pendingBytes = 0
    return batch
  }
  for (const record of content.records) {
    pending.push(record)
    pendingBytes += record.length
    if (pendingBytes >= batchBytes) yield flush()
  }
  if (pending.length > 0) yield flush()
  yield encodeSnapshotFooter(baseOffset, leaderEpoch, nowMs)
}

export interface ReadSnapshot {
  /** Time of the last record that the snapshot covers. */
  readonly timestampMs: number
  readonly facts: QuorumFacts
  /** Batches of metadata records. */
  readonly batches: readonly DecodedBatch[]
}

/** Reads a snapshot file whole. Throws MetadataLogError for one that is damaged or not whole. */
export async function readSnapshot(disk: Disk, path: string): Promise<ReadSnapshot> {
  const batches = decodeAll(path, await disk.readFile(path))
  const [header] = batches
  const timestampMs = header === undefined ? undefined : snapshotHeaderTimestampMs(header)
  if (timestampMs === undefined) throw damaged(path, 'does not begin with a snapshot header')
  const footer = batches.at(-1)
  if (footer === undefined || !isSnapshotFooter(footer)) throw damaged(path, 'does not end with a snapshot footer')
  return {
    timestampMs,
    facts: batches.filter((batch) => batch.isControl).reduce(applyControlBatch, STATIC_QUORUM),
    batches: batches.filter((batch) => !batch.isControl),
  }
}

function decodeAll(path: string, content: Buffer): DecodedBatch[] {
  const batches: DecodedBatch[] = []
  for (let at = 0; at < content.length; ) {
    const checked = checkBatch(content, at)
    if ('errorCode' in checked) throw damaged(path, `byte ${at}: ${checked.message}`)
    batches.push(decodeBatch(content, at))
    at += checked.sizeBytes
  }
  return batches
}

function damaged(path: string, reason: string): MetadataLogError {
  return new MetadataLogError(path, `snapshot is damaged: ${reason}`, 'restore the directory from a backup')
}
