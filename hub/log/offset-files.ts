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

export interface OffsetFiles {
  readonly recoveryPoints: OffsetFile
  readonly highWatermarks: OffsetFile
  readonly logStarts: OffsetFile
  /** The recovery points are lost: everything has to be scanned, clean shutdown or not. */
  readonly scanAll: boolean
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
  return {
    recoveryPoints: file(RECOVERY_POINT_CHECKPOINT, await readOrForget(RECOVERY_POINT_CHECKPOINT)),
    highWatermarks: file(HIGH_WATERMARK_CHECKPOINT, await readOrForget(HIGH_WATERMARK_CHECKPOINT)),
    logStarts: file(LOG_START_CHECKPOINT, await read(LOG_START_CHECKPOINT)),
    get scanAll() {
      return scanAll
    },
  }
}
