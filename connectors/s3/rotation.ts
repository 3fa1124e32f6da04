/**
 * @module connector-s3/rotation — when the open objects of a topic partition end. Pure.
 *
 * They all end together, so that what an object holds depends on nothing but the records since the last end: after a restart from a
 * committed offset the very same objects come out. The wall clock and a lack of memory are not in the records: see `isRepeatable`.
 */

/** The keys about ends. */
export interface RotationSettings {
  /** Records. */
  readonly flushSize: number
  /** Milliseconds of records' time; null: not by time. */
  readonly intervalMs: number | null
  /** Whether a record for another directory ends the objects, with `intervalMs` and a partitioner by time. */
  readonly isEndedByPath: boolean
  readonly openObjectsMax: number
}

/** What is open. */
export interface OpenFacts {
  readonly recordCount: number
  /** Time of the first record; NaN where times do not count. */
  readonly startMs: number
  /** Where the latest record went. */
  readonly latestPath: string
  readonly objectCount: number
}

/** A record about to be written. */
export interface NextFacts {
  readonly path: string
  readonly timeMs: number
  /** No open object is for its path. */
  readonly isNewObject: boolean
  /** It has the schema of the object that is open for its path. */
  readonly fits: boolean
}

/** Why objects end. */
export type RotationReason =
  | 'flush.size'
  | 'rotate.interval.ms'
  | 'path'
  | 'schema'
  | 'open objects'
  | 'rotate.schedule.interval.ms'
  | 'memory'
  | 'parts'

/** Why the open objects must end before this record; null: they need not. */
export function reasonBefore(settings: RotationSettings, open: OpenFacts, next: NextFacts): RotationReason | null {
  if (open.recordCount === 0) return null
  const { intervalMs, isEndedByPath, openObjectsMax } = settings
  if (intervalMs !== null) {
    if (next.timeMs - open.startMs >= intervalMs) return 'rotate.interval.ms'
    if (isEndedByPath && next.path !== open.latestPath) return 'path'
  }
  if (!next.fits) return 'schema'
  return next.isNewObject && open.objectCount >= openObjectsMax ? 'open objects' : null
}

/** Why the open objects end after the record that was written last; null: they go on. */
export function reasonAfter(settings: RotationSettings, open: OpenFacts): RotationReason | null {
  return open.recordCount >= settings.flushSize ? 'flush.size' : null
}
