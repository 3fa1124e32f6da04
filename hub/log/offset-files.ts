/**
 * @module log/offset-files — the three offset checkpoints of a directory. They name every partition that was ever opened here and not
 * deleted, whether it is open now or not. Saves that come while one is under way share the next.
 */
import type { Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { formatOffsets, parseOffsets } from './checkpoints.ts'
import { HIGH_WATERMARK_CHECKPOINT, LOG_START_CHECKPOINT, parsePartitionDirectory, RECOVERY_POINT_CHECKPOINT } from './file-names.ts'
import { CorruptLogError } from './log-error.ts'
import { readOrNothing } from './segment.ts'

/** One checkpoint file. */
class OffsetFile {
  readonly path: string
  readonly #disk: Disk
  readonly offsets: Map<string, number>
  #saving: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(path: string, disk: Disk, offsets: Map<string, number>) {
    this.path = path
    this.#disk = disk
    this.offsets = offsets
  }

  /** Resolves when what `offsets` holds now is durable. */
  save(): Promise<void> {
    const begin = (): Promise<void> => {
      this.#next = undefined
      this.#saving = this.#write()
      return this.#saving
    }
    // After a failed save as after a good one.
    this.#next ??= this.#saving.then(begin, begin)
    return this.#next
  }

  async #write(): Promise<void> {
    const lines = [...this.offsets].flatMap(([name, offset]) => {
      const found = parsePartitionDirectory(name)
      return found === undefined ? [] : [{ ...found, offset }]
    })
    await this.#disk.writeFileAtomic(this.path, formatOffsets(lines))
  }
}

/** What the checkpoints say of an open log. */
export interface CheckpointedLog {
  readonly writer: {
    readonly recoveryPoint: number
    /** Set once that is durable. */
    savedRecoveryPoint: number
  }
  readonly syncedOffset: number
  readonly logStartOffset: number
  readonly firstFileOffset: number
}

/** The three of them; names are `topic-partition`. */
export class OffsetFiles {
  /** The recovery points are lost: everything has to be scanned, clean shutdown or not. */
  readonly scanAll: boolean
  readonly #recoveryPoints: OffsetFile
  readonly #highWatermarks: OffsetFile
  readonly #logStarts: OffsetFile
  /** A save failed: the next pass tries again. */
  #areLogStartsUnsaved = false

  constructor(recoveryPoints: OffsetFile, highWatermarks: OffsetFile, logStarts: OffsetFile, scanAll: boolean) {
    this.#recoveryPoints = recoveryPoints
    this.#highWatermarks = highWatermarks
    this.#logStarts = logStarts
    this.scanAll = scanAll
  }

  /** 0 for a log that is not known, or new. */
  recoveryPointOf(name: string): number {
    return this.#recoveryPoints.offsets.get(name) ?? 0
  }

  /** Start of the log if it stands inside its first segment, else 0. */
  logStartOf(name: string): number {
    return this.#logStarts.offsets.get(name) ?? 0
  }

  /** Makes durable where the open logs stand. */
  async save(logs: ReadonlyMap<string, CheckpointedLog>): Promise<void> {
    for (const [name, log] of logs) {
      this.#recoveryPoints.offsets.set(name, log.writer.recoveryPoint)
      this.#highWatermarks.offsets.set(name, log.syncedOffset)
    }
    const saved = Array.from(logs.values(), ({ writer }) => [writer, writer.recoveryPoint] as const)
    await Promise.all([this.#recoveryPoints.save(), this.#highWatermarks.save(), this.saveLogStarts(logs)])
    for (const [writer, recoveryPoint] of saved) writer.savedRecoveryPoint = recoveryPoint
  }

  /** The same for their starts only, if any has moved. */
  async saveLogStarts(logs: ReadonlyMap<string, CheckpointedLog>): Promise<void> {
    const { offsets } = this.#logStarts
    let changed = false
    for (const [name, log] of logs) {
      const start = log.logStartOffset
      // As in Kafka, only starts inside a segment are kept: the others show in the name of the first file.
      const isInside = start > log.firstFileOffset
      if ((isInside ? start : undefined) === offsets.get(name)) continue
      changed = true
      if (isInside) offsets.set(name, start)
      else offsets.delete(name)
    }
    if (!changed && !this.#areLogStartsUnsaved) return
    this.#areLogStartsUnsaved = true
    await this.#logStarts.save()
    this.#areLogStartsUnsaved = false
  }

  /** The log is gone: one that is made anew under this name must not inherit anything. */
  async forget(name: string): Promise<void> {
    const files = [this.#recoveryPoints, this.#highWatermarks, this.#logStarts]
    await Promise.all(files.filter((file) => file.offsets.delete(name)).map((file) => file.save()))
  }
}

/** Reads the checkpoints. Rejects for a damaged log-start-offset-checkpoint: without it deleted records would come back. */
export async function readOffsetFiles(root: string, disk: Disk, logger: Logger): Promise<OffsetFiles> {
  const read = async (name: string): Promise<Map<string, number>> => {
    const content = await readOrNothing(disk, `${root}/${name}`)
    return content === undefined ? new Map() : parseOffsets(`${root}/${name}`, content)
  }
  let scanAll = false
  const readOrForget = async (name: string): Promise<Map<string, number>> => {
    try {
      return await read(name)
    } catch (error) {
      if (!(error instanceof CorruptLogError)) throw error
      logger.warn({ path: error.path }, `${error.message}: every log is scanned instead`)
      scanAll = true
      return new Map()
    }
  }
  const file = (name: string, offsets: Map<string, number>): OffsetFile => new OffsetFile(`${root}/${name}`, disk, offsets)
  const recoveryPoints = file(RECOVERY_POINT_CHECKPOINT, await readOrForget(RECOVERY_POINT_CHECKPOINT))
  const highWatermarks = file(HIGH_WATERMARK_CHECKPOINT, await readOrForget(HIGH_WATERMARK_CHECKPOINT))
  const logStarts = file(LOG_START_CHECKPOINT, await read(LOG_START_CHECKPOINT))
  return new OffsetFiles(recoveryPoints, highWatermarks, logStarts, scanAll)
}
