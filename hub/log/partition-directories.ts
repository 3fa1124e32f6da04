/** @module log/partition-directories — the partitions' directories of a log directory: which there are, whose they are, and their marking. */
import type { Disk } from '../io/index.ts'
import { parsePartitionMetadata } from './checkpoints.ts'
import {
  type DirectoryMark,
  markedDirectory,
  PARTITION_METADATA,
  parsePartitionDirectory,
  parseSegmentFile,
  partitionDirectory,
} from './file-names.ts'
import { readOrNothing } from './segment.ts'

/** A directory of a log; `name` is `topic-partition`. */
export interface PartitionDirectory {
  readonly name: string
  readonly topic: string
  readonly partition: number
}

/** See the module. Names are relative to the root, which is the log directory. */
export class PartitionDirectories {
  readonly #root: string
  readonly #disk: Disk
  readonly #randomFloat: () => number

  constructor(root: string, disk: Disk, randomFloat: () => number) {
    this.#root = root
    this.#disk = disk
    this.#randomFloat = randomFloat
  }

  pathOf(name: string): string {
    return `${this.#root}/${name}`
  }

  /** The directories that hold a log, or that of an open log (`open` has its name), which may hold nothing yet. Others are somebody else's. */
  async list(open: { has(name: string): boolean }): Promise<PartitionDirectory[]> {
    const found: PartitionDirectory[] = []
    for (const name of await this.#disk.list(this.#root)) {
      const parsed = parsePartitionDirectory(name)
      if (parsed !== undefined && (open.has(name) || (await this.#isLog(this.pathOf(name))))) found.push({ name, ...parsed })
    }
    return found
  }

  /** Topic id of the directory's partition.metadata, undefined when there is none. Rejects with CorruptLogError when it cannot be read. */
  async topicIdOf(name: string): Promise<string | undefined> {
    const path = `${this.pathOf(name)}/${PARTITION_METADATA}`
    const content = await readOrNothing(this.#disk, path)
    return content === undefined ? undefined : parsePartitionMetadata(path, content)
  }

  /** Renames the directory to its marked name, durably. Returns the new path; undefined when there is no such directory. */
  async mark(topic: string, partition: number, mark: DirectoryMark): Promise<string | undefined> {
    const from = this.pathOf(partitionDirectory(topic, partition))
    if ((await this.#disk.facts(from)) === undefined) return undefined
    const to = this.pathOf(markedDirectory(topic, partition, this.#uniqueId(), mark))
    await this.#disk.rename(from, to)
    await this.#disk.syncDirectory(this.#root)
    return to
  }

  async #isLog(path: string): Promise<boolean> {
    if ((await this.#disk.facts(path))?.kind !== 'directory') return false
    const names = await this.#disk.list(path)
    return names.some((name) => name === PARTITION_METADATA || parseSegmentFile(name)?.marked === false)
  }

  #uniqueId(): string {
    return Array.from({ length: 32 }, () => Math.floor(this.#randomFloat() * 16).toString(16)).join('')
  }
}
