/**
 * @module log/file-names — names of files and directories in a Kafka log directory. Source: org.apache.kafka.storage.internals.log.LogFileUtils.
 */

/** Largest length of a file name on every file system that we know. */
const NAME_CHARS_MAX = 255
const PARTITION_DIRECTORY = /^(.+)-(\d{1,10})$/
const DELETE_DIRECTORY = /-\d+\.[0-9a-f]{32}-delete$/
const SEGMENT_FILE = /^(\d{20})(\.[a-z]+)(\.deleted|\.cleaned|\.swap)?$/

export const META_PROPERTIES = 'meta.properties'
export const CLEAN_SHUTDOWN = '.kafka_cleanshutdown'
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint'
export const HIGH_WATERMARK_CHECKPOINT = 'replication-offset-checkpoint'
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint'
export const CLEANER_CHECKPOINT = 'cleaner-offset-checkpoint'
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'
export const PARTITION_METADATA = 'partition.metadata'

/** Files of a segment; the last one is there only when transactions were aborted in it. */
export const SEGMENT_SUFFIXES = ['.log', '.index', '.timeindex', '.txnindex'] as const

export type SegmentSuffix = (typeof SEGMENT_SUFFIXES)[number]

/** `00000000000000000042.log` for 42. */
export function segmentFile(offset: number, suffix: SegmentSuffix | '.snapshot'): string {
  return `${String(offset).padStart(20, '0')}${suffix}`
}

/** Offset and suffix of a segment's file, undefined for other names; `marked` for files that await deletion or never were finished. */
export function parseSegmentFile(name: string): { readonly offset: number; readonly suffix: string; readonly marked: boolean } | undefined {
  const match = SEGMENT_FILE.exec(name)
  if (match === null) return undefined
  return { offset: Number(match[1]), suffix: match[2] ?? '', marked: match[3] !== undefined }
}

/** `topic-0`: key of a partition and name of its directory. */
export function partitionDirectory(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Topic and partition of a directory's name, undefined when it is none of a live log. */
export function parsePartitionDirectory(name: string): { readonly topic: string; readonly partition: number } | undefined {
  if (isDeleteDirectory(name) || name.endsWith('-future') || name.endsWith('-stray')) return undefined
  const match = PARTITION_DIRECTORY.exec(name)
  if (match === null) return undefined
  return { topic: match[1] ?? '', partition: Number(match[2]) }
}

/** What a log's directory is marked with: it is to be removed, or no topic claims it and it is kept. */
export type DirectoryMark = '-delete' | '-stray'

/** `topic-0.<32 hex digits>-delete` (or `-stray`), the topic cut so that the name fits. `uniqueId` is 32 hex digits. */
export function markedDirectory(topic: string, partition: number, uniqueId: string, mark: DirectoryMark): string {
  const tail = `-${partition}.${uniqueId}${mark}`
  return `${topic.slice(0, NAME_CHARS_MAX - tail.length)}${tail}`
}

/** Whether the directory was marked for deletion. */
export function isDeleteDirectory(name: string): boolean {
  return DELETE_DIRECTORY.test(name)
}
