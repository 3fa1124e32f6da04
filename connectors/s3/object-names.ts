/**
 * @module connector-s3/object-names — where an object stands in the bucket. Pure.
 *
 * `<topics.dir>/<topic>/<path>/<original topic>+<partition>+<start offset>.<extension>`, as Confluent's connector names them. The file says
 * where its records were read, the directory what transforms made of the topic: two topics that are routed into one never meet in one name.
 */
import { DataError } from '@millrace/sdk'
import { s3Limits } from './limits.ts'

/** How names are put together. */
export interface NameSettings {
  /** The first directory; blank: none. */
  readonly topicsDir: string
  readonly directoryDelim: string
  readonly fileDelim: string
  /** Digits of an offset at least. */
  readonly offsetWidth: number
  /** Without its dot. */
  readonly extension: string
}

/** What a name tells. */
export interface ObjectPlace {
  /** The topic as transforms left it. */
  readonly topic: string
  /** What the partitioner gave: `partition=0`, `year=2026/month=11`. */
  readonly path: string
  readonly originalTopic: string
  readonly originalPartition: number
  /** Of the first record in the object. */
  readonly startOffset: number
}

/** The name (S3's key) of an object. @throws DataError for one that S3 does not take, or that leads out of its directory */
export function objectName(settings: NameSettings, place: ObjectPlace): string {
  const { topicsDir, directoryDelim, fileDelim, offsetWidth, extension } = settings
  const offset = String(place.startOffset).padStart(offsetWidth, '0')
  const file = `${[place.originalTopic, place.originalPartition, offset].join(fileDelim)}.${extension}`
  const directories = topicsDir.trim() === '' ? [place.topic, place.path] : [topicsDir, place.topic, place.path]
  const name = [...directories, file].join(directoryDelim)
  const sizeBytes = Buffer.byteLength(name)
  if (sizeBytes > s3Limits.nameBytesMax) {
    const shown = `${name.slice(0, 100)}…`
    throw new DataError(`the object's name would have ${sizeBytes} bytes, S3 takes ${s3Limits.nameBytesMax}: ${shown}`)
  }
  // Stores that keep objects as files would leave the directory, and HTTP clients cut such steps out of addresses.
  if (place.path.split('/').some((step) => step === '.' || step === '..')) {
    throw new DataError(`the record's path has a step "." or "..": ${place.path}`)
  }
  if (!name.isWellFormed()) throw new DataError("half of a surrogate pair in the object's name has no form in UTF-8")
  return name
}
