/**
 * @module log/checkpoints — the line files of a log directory: offsets per partition, leader epochs, topic id, identity, clean mark. Text
 * in, values out; pure. Source: org.apache.kafka.server.common.CheckpointFile, PartitionMetadataFile, MetaProperties, CleanShutdownFileHandler.
 */
import { partitionDirectory } from './file-names.ts'
import { CorruptLogError } from './log-error.ts'
import type { DirectoryIdentity } from './types.ts'

const VERSION_LINE = '0'
const DROP_IT =
  'remove this file and start again: what it held is found anew from the segments (records that delete-records removed may come back)'

/** An entry of `leader-epoch-checkpoint`: the epoch and the first offset that a leader of it wrote (KIP-101). */
export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

/** Content of an offsets checkpoint, from `topic-partition` → offset. */
export function formatOffsets(offsets: Iterable<{ readonly topic: string; readonly partition: number; readonly offset: number }>): Buffer {
  const lines = [...offsets].map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`)
  return formatLines(lines)
}

/** Offsets by `topic-partition`. Throws CorruptLogError that names the file. */
export function parseOffsets(path: string, content: Buffer): Map<string, number> {
  const offsets = new Map<string, number>()
  for (const line of parseLines(path, content)) {
    const match = /^(\S+) (\d+) (\d+)$/.exec(line)
    if (match === null) throw new CorruptLogError(path, `line "${line}" is not "topic partition offset"`, DROP_IT)
    offsets.set(partitionDirectory(match[1] ?? '', Number(match[2])), Number(match[3]))
  }
  return offsets
}

/** Content of `leader-epoch-checkpoint`. */
export function formatEpochs(entries: readonly EpochEntry[]): Buffer {
  return formatLines(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
}

/** Entries of `leader-epoch-checkpoint`, both fields growing. Throws CorruptLogError that names the file. */
export function parseEpochs(path: string, content: Buffer): EpochEntry[] {
  const entries: EpochEntry[] = []
  for (const line of parseLines(path, content)) {
    const match = /^(\d+) (\d+)$/.exec(line)
    if (match === null) throw new CorruptLogError(path, `line "${line}" is not "epoch offset"`, DROP_IT)
    const entry = { epoch: Number(match[1]), startOffset: Number(match[2]) }
    const last = entries.at(-1)
    if (last !== undefined && (last.epoch >= entry.epoch || last.startOffset > entry.startOffset)) {
      throw new CorruptLogError(path, `epoch ${entry.epoch} does not come after ${last.epoch}`, DROP_IT)
    }
    entries.push(entry)
  }
  return entries
}

/** Content of `partition.metadata`; `topicId` in 22 characters of base64url. */
export function formatPartitionMetadata(topicId: string): Buffer {
  return Buffer.from(`version: 0\ntopic_id: ${topicId}`)
}

/** Topic id of `partition.metadata`, undefined when the file says none. */
export function parsePartitionMetadata(path: string, content: Buffer): string {
  const topicId = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(content.toString('utf8'))?.[1]
  if (topicId === undefined) {
    throw new CorruptLogError(
      path,
      'it does not hold "version: 0" and a topic id',
      'restore it from a backup, or remove it to take the id that the metadata gives',
    )
  }
  return topicId
}

/** Content of `meta.properties` version 1 (KIP-858). */
export function formatMetaProperties(identity: DirectoryIdentity): Buffer {
  const { clusterId, nodeId, directoryId } = identity
  return Buffer.from(`#\ncluster.id=${clusterId}\ndirectory.id=${directoryId}\nnode.id=${nodeId}\nversion=1\n`)
}

/** Identity from `meta.properties`. Throws CorruptLogError that names the file and what is missing. */
export function parseMetaProperties(path: string, content: Buffer): DirectoryIdentity {
  const values = new Map<string, string>()
  for (const line of content.toString('utf8').split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s]+)\s*[=:]\s*(.*)$/.exec(line)
    if (match !== null) values.set(match[1] ?? '', (match[2] ?? '').trimEnd().replaceAll('\\', ''))
  }
  const get = (key: string): string => {
    const value = values.get(key)
    if (value !== undefined && value !== '') return value
    throw new CorruptLogError(path, `${key} is missing`, 'restore it from a backup, or set log.dirs to another directory')
  }
  const version = get('version')
  if (version !== '1')
    throw new CorruptLogError(path, `version ${version} is not 1`, 'format the directory with a tool of the version that wrote it')
  const nodeId = Number(get('node.id'))
  if (!Number.isInteger(nodeId)) throw new CorruptLogError(path, `node.id ${get('node.id')} is no number`, 'restore it from a backup')
  return { clusterId: get('cluster.id'), nodeId, directoryId: get('directory.id') }
}

/** Content of `.kafka_cleanshutdown`; its presence says that nothing needs a scan. Broker epoch −1: not known (KIP-966). */
export function formatCleanShutdown(): Buffer {
  return Buffer.from('{"version":0,"brokerEpoch":-1}')
}

function formatLines(lines: readonly string[]): Buffer {
  return Buffer.from(`${VERSION_LINE}\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`)
}

function parseLines(path: string, content: Buffer): string[] {
  // Kafka makes these files empty at its first start and fills them later.
  if (content.length === 0) return []
  const [version, count, ...lines] = content.toString('utf8').split('\n')
  if (version !== VERSION_LINE) throw new CorruptLogError(path, `version line "${version}" is not "${VERSION_LINE}"`, DROP_IT)
  if (lines.at(-1) === '') lines.pop()
  if (Number(count) !== lines.length) throw new CorruptLogError(path, `it announces ${count} entries and holds ${lines.length}`, DROP_IT)
  return lines
}
