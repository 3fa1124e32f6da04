/**
 * @module replica/partitions — the partitions that this broker hosts, kept in step with the metadata image.
 *
 * The metadata log decides, the directories follow: a topic's record stands before its directories are made, and its removal stands
 * before they go. So after a crash between the two the image knows better, and `start` makes the missing directories and removes
 * the ones that no topic claims any more (also those of an earlier topic of the same name: their topic id differs, KIP-516).
 */
import type { MetadataImage, TopicImage } from '../cluster/index.ts'
import type { LogConfig, LogDirectory } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import { METADATA_TOPIC } from '../raft/index.ts'
import { type Durability, Partition } from './partition.ts'

/** Limits of this file. */
const limits = {
  /** Logs opened or removed at the same time: each costs a few file operations of libuv's pool. */
  concurrentLogsMax: 32,
} as const

/** A topic with those of its partitions that are open here, by index. */
export interface HostedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: (Partition | undefined)[]
}

interface PartitionsOptions {
  readonly nodeId: number
  readonly directory: LogDirectory
  readonly durability: Durability
  readonly logger: Logger
  /** The log settings of a topic under the configuration that the image holds. */
  readonly logConfigOf: (topic: string, image: MetadataImage) => LogConfig
  /** Called once for each topic that left the image, after its partitions are closed. */
  readonly onTopicDeleted: (topic: { readonly name: string; readonly topicId: string }) => void
}

/** Hosts logs as the image says. */
export class Partitions {
  readonly #options: PartitionsOptions
  readonly #byName = new Map<string, HostedTopic>()
  readonly #byId = new Map<string, HostedTopic>()
  /** Logs whose topic is gone and whose directory is still to be removed, by `topic-partition`. */
  readonly #doomed = new Map<string, { readonly topic: string; readonly partition: number }>()
  readonly #failed = new Map<string, Error>()
  #image: MetadataImage
  #working: Promise<void> | undefined
  #dirty = false
  #closed = false

  constructor(image: MetadataImage, options: PartitionsOptions) {
    this.#image = image
    this.#options = options
  }

  /** The hosted topic of that name, undefined when there is none (or none of its logs is open yet). */
  byName(name: string): HostedTopic | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: string): HostedTopic | undefined {
    return this.#byId.get(topicId)
  }

  get(topic: string, partition: number): Partition | undefined {
    return this.#byName.get(topic)?.partitions[partition]
  }

  /** Why a partition's log could not be opened, undefined when it could or has not been tried. */
  failure(topic: string, partition: number): Error | undefined {
    return this.#failed.get(keyOf(topic, partition))
  }

  /** All hosted topics. */
  topics(): IterableIterator<HostedTopic> {
    return this.#byName.values()
  }

  /** Compares the directories with the image, removes strays, opens every log. Rejects when a log cannot be opened. */
  async start(): Promise<void> {
    for (const found of await this.#options.directory.listPartitions()) {
      if (found.topic === METADATA_TOPIC) continue
      const claimed = this.#image.topicsByName.get(found.topic)
      const wanted = claimed?.partitions[found.partition]
      if (wanted !== undefined && (found.topicId === undefined || found.topicId === claimed?.topicId)) continue
      this.#options.logger.warn(`removing ${keyOf(found.topic, found.partition)}: no topic of the metadata log claims it`, {
        topicId: found.topicId,
      })
      await this.#options.directory.deleteLog(found.topic, found.partition)
    }
    this.#follow()
    await this.settled()
    const [failure] = this.#failed.values()
    if (failure !== undefined) throw failure
  }

  /** Takes a new image: topics that left are no longer served when this returns; logs of new ones open in the background. */
  apply(image: MetadataImage, previous: MetadataImage): void {
    this.#image = image
    for (const [topicId, topic] of this.#byId) {
      const now = image.topicsById.get(topicId)
      if (now === undefined) this.#unhost(topic)
      else if (now !== previous.topicsById.get(topicId)) adoptEpochs(topic, now)
    }
    if (image.configs !== previous.configs) this.#reconfigure(image, previous)
    this.#follow()
  }

  /** Resolves once every log that the present image asks for is open (or has failed) and every other is removed. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  /** Stops serving; the logs belong to the directory, which closes them. */
  async close(): Promise<void> {
    this.#closed = true
    await this.settled()
    for (const topic of this.#byName.values()) for (const partition of topic.partitions) partition?.close()
    this.#byName.clear()
    this.#byId.clear()
  }

  #unhost(topic: HostedTopic): void {
    this.#byId.delete(topic.topicId)
    if (this.#byName.get(topic.name) === topic) this.#byName.delete(topic.name)
    topic.partitions.forEach((partition, index) => {
      if (partition === undefined) return
      partition.close()
      this.#doomed.set(keyOf(topic.name, index), { topic: topic.name, partition: index })
    })
    this.#options.onTopicDeleted({ name: topic.name, topicId: topic.topicId })
  }

  #reconfigure(image: MetadataImage, previous: MetadataImage): void {
    const brokerKeys = [`broker:${this.#options.nodeId}`, 'broker:']
    const everywhere = brokerKeys.some((key) => image.configs.get(key) !== previous.configs.get(key))
    for (const topic of this.#byName.values()) {
      const key = `topic:${topic.name}`
      if (!everywhere && image.configs.get(key) === previous.configs.get(key)) continue
      const config = this.#options.logConfigOf(topic.name, image)
      for (const partition of topic.partitions) if (partition !== undefined) partition.log.config = config
    }
  }

  /** Starts the worker unless it runs; a running one looks again before it ends. */
  #follow(): void {
    this.#dirty = true
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async #work(): Promise<void> {
    while (this.#dirty && !this.#closed) {
      this.#dirty = false
      const doomed = [...this.#doomed.values()]
      this.#doomed.clear()
      await each(doomed, (log) => this.#remove(log.topic, log.partition))
      const missing: { topic: TopicImage; index: number }[] = []
      for (const topic of this.#image.topicsByName.values()) {
        const open = this.#byId.get(topic.topicId)?.partitions
        topic.partitions.forEach((partition, index) => {
          if (open?.[index] !== undefined) return
          if (partition.replicas.includes(this.#options.nodeId)) missing.push({ topic, index })
        })
      }
      await each(missing, ({ topic, index }) => this.#open(topic, index))
    }
  }

  async #remove(topic: string, partition: number): Promise<void> {
    try {
      await this.#options.directory.deleteLog(topic, partition)
    } catch (error) {
      // The next start finds the directory unclaimed and removes it.
      this.#options.logger.error(`cannot remove the log of ${keyOf(topic, partition)}`, { error })
    }
  }

  async #open(topic: TopicImage, index: number): Promise<void> {
    const key = keyOf(topic.name, index)
    try {
      const config = this.#options.logConfigOf(topic.name, this.#image)
      const log = await this.#options.directory.openLog(topic.name, index, topic.topicId, config)
      this.#failed.delete(key)
      if (!this.#image.topicsById.has(topic.topicId)) {
        // Deleted while it was being made.
        this.#doomed.set(key, { topic: topic.name, partition: index })
        this.#dirty = true
        return
      }
      this.#host(topic, index, log)
    } catch (error) {
      this.#failed.set(key, error as Error)
      this.#options.logger.error(`cannot open the log of ${key}`, { error })
    }
  }

  #host(topic: TopicImage, index: number, log: Partition['log']): void {
    let hosted = this.#byId.get(topic.topicId)
    if (hosted === undefined) {
      hosted = { name: topic.name, topicId: topic.topicId, partitions: [] }
      this.#byId.set(topic.topicId, hosted)
      this.#byName.set(topic.name, hosted)
    }
    const leaderEpoch = topic.partitions[index]?.leaderEpoch ?? 0
    hosted.partitions[index] = new Partition(log, { leaderEpoch, durability: this.#options.durability })
  }
}

function adoptEpochs(hosted: HostedTopic, topic: TopicImage): void {
  for (const { partition, leaderEpoch } of topic.partitions) {
    const open = hosted.partitions[partition]
    if (open !== undefined) open.leaderEpoch = leaderEpoch
  }
}

/** Kafka's directory name of a partition. */
function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Runs `action` over all items, at most {@link limits.concurrentLogsMax} at a time. */
async function each<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const runner = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await action(item)
  }
  await Promise.all(Array.from({ length: Math.min(items.length, limits.concurrentLogsMax) }, runner))
}
