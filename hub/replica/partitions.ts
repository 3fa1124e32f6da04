/**
 * @module replica/partitions — the partitions that this broker hosts, kept in step with the metadata image.
 *
 * The metadata log decides, the directories follow: a topic's record stands before its directories are made, and its removal stands
 * before they go. So after a crash between the two the image knows better, and `start` makes the missing directories and sets the logs
 * aside that no topic claims any more (also those of an earlier topic of the same name: their topic id differs, KIP-516). What cannot be
 * opened or removed while the hub runs (no descriptor is free, the device is full) is tried again by and by.
 */
import type { MetadataImage, TopicImage } from '../cluster/index.ts'
import type { Clock, Timer } from '../io/index.ts'
import type { LogConfig, LogDirectory } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import { METADATA_TOPIC } from '../raft/index.ts'
import { type Durability, Partition } from './partition.ts'
import { addTraffic, noTraffic, type TopicTraffic } from './traffic.ts'

/** Limits of this file. */
const limits = {
  /** Logs opened or removed at the same time: each costs a few file operations of libuv's pool. */
  concurrentLogsMax: 32,
  /** Until what could not be opened or removed is tried again: twice as long after each try … */
  retryMsMin: 500,
  /** … up to this. */
  retryMsMax: 30_000,
} as const

/** A topic with those of its partitions that are open here, by index. */
export interface HostedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: (Partition | undefined)[]
  readonly traffic: TopicTraffic
}

/** A log by its place. */
interface Place {
  readonly topic: string
  readonly partition: number
}

/** A log that could not be opened, and is tried again. */
export interface OpenFailure extends Place {
  readonly topicId: string
  readonly error: Error
}

interface PartitionsOptions {
  readonly nodeId: number
  readonly clock: Clock
  readonly directory: LogDirectory
  readonly durability: Durability
  readonly logger: Logger
  /** The log settings of a topic under the configuration that the image holds. */
  readonly logConfigOf: (topic: string, image: MetadataImage) => LogConfig
  /** Called once for each topic that left the image, after its partitions are closed. Must not throw. */
  readonly onTopicDeleted: (topic: { readonly name: string; readonly topicId: string }) => void
}

/** Hosts logs as the image says. */
export class Partitions {
  readonly #options: PartitionsOptions
  readonly #byName = new Map<string, HostedTopic>()
  readonly #byId = new Map<string, HostedTopic>()
  /** Logs whose topic is gone and whose directory is still to be removed, by `topic-partition` … */
  readonly #doomed = new Map<string, Place>()
  /** … and those where that failed. */
  readonly #unremoved = new Map<string, Place>()
  /** Only logs of topics of the image. */
  readonly #failed = new Map<string, OpenFailure>()
  /** What went through topics that are hosted no more. */
  readonly #goneTraffic = noTraffic()
  #image: MetadataImage
  #working: Promise<void> | undefined
  #dirty = false
  #closed = false
  #retry: Timer | undefined
  #retryMs: number = limits.retryMsMin
  /** The next round tries again what failed. */
  #isRetryDue = false

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
    return this.#failed.get(keyOf(topic, partition))?.error
  }

  /** All logs that could not be opened so far. */
  failures(): IterableIterator<OpenFailure> {
    return this.#failed.values()
  }

  /** All hosted topics. */
  topics(): IterableIterator<HostedTopic> {
    return this.#byName.values()
  }

  /** What went through all topics since the start, those that were deleted too. */
  trafficOfAll(): TopicTraffic {
    const sum = { ...this.#goneTraffic }
    for (const { traffic } of this.#byId.values()) addTraffic(sum, traffic)
    return sum
  }

  /** Compares the directories with the image, sets strays aside, opens every log. Rejects when a log cannot be opened. */
  async start(): Promise<void> {
    const { directory, logger } = this.#options
    for (const { topic, partition, topicId } of await directory.listPartitions()) {
      if (topic === METADATA_TOPIC) continue
      const claimed = this.#image.topicsByName.get(topic)
      if (claimed?.partitions[partition] !== undefined && (topicId === undefined || topicId === claimed.topicId)) continue
      const path = await directory.setAside(topic, partition)
      if (path === undefined) continue
      const message = `no topic of the metadata log claims the log ${keyOf(topic, partition)}; it is kept as ${path}: remove it if nobody needs it`
      logger.warn(message, { topicId })
    }
    this.#follow()
    await this.settled()
    const [failure] = this.#failed.values()
    if (failure !== undefined) throw failure.error
  }

  /** Takes a new image: topics that left are no longer served when this returns; logs of new ones open in the background. */
  apply(image: MetadataImage, previous: MetadataImage): void {
    this.#image = image
    for (const topic of previous.topicsById.values()) if (!image.topicsById.has(topic.topicId)) this.#unhost(topic)
    for (const [topicId, hosted] of this.#byId) {
      const now = image.topicsById.get(topicId)
      if (now !== undefined && now !== previous.topicsById.get(topicId)) adoptEpochs(hosted, now)
    }
    if (image.configs !== previous.configs) this.#reconfigure(image, previous)
    this.#follow()
  }

  /** Resolves once every log that the present image asks for is open (or has failed) and every other is removed (or that has failed). */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  /** Stops serving; the logs belong to the directory, which closes them. */
  async close(): Promise<void> {
    this.#closed = true
    this.#retry?.cancel()
    await this.settled()
    for (const topic of this.#byName.values()) for (const partition of topic.partitions) partition?.close()
    this.#byName.clear()
    this.#byId.clear()
  }

  #unhost({ name, topicId, partitions }: TopicImage): void {
    const hosted = this.#byId.get(topicId)
    this.#byId.delete(topicId)
    if (hosted !== undefined) addTraffic(this.#goneTraffic, hosted.traffic)
    if (this.#byName.get(name) === hosted) this.#byName.delete(name)
    for (const { partition } of partitions) {
      const key = keyOf(name, partition)
      const open = hosted?.partitions[partition]
      open?.close()
      // A log that is being opened right now is removed once it is.
      if (this.#failed.delete(key) || open !== undefined) this.#doomed.set(key, { topic: name, partition })
    }
    this.#options.onTopicDeleted({ name, topicId })
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
      const isRetry = this.#isRetryDue
      this.#isRetryDue = false
      if (isRetry) {
        for (const [key, place] of this.#unremoved) this.#doomed.set(key, place)
        this.#unremoved.clear()
      }
      // Down to the last before the image is asked: a topic that is made anew under its name must not find the old one's log.
      while (this.#doomed.size > 0) {
        const doomed = [...this.#doomed.values()]
        this.#doomed.clear()
        await each(doomed, (place) => this.#remove(place))
      }
      await each(this.#missing(isRetry), ({ topic, index }) => this.#open(topic, index))
    }
    this.#armRetry()
  }

  /** What the image asks for and is not open; with `withFailed` also what could not be opened before. */
  #missing(withFailed: boolean): { readonly topic: TopicImage; readonly index: number }[] {
    const missing: { topic: TopicImage; index: number }[] = []
    for (const topic of this.#image.topicsByName.values()) {
      const open = this.#byId.get(topic.topicId)?.partitions
      topic.partitions.forEach((partition, index) => {
        if (open?.[index] !== undefined || !partition.replicas.includes(this.#options.nodeId)) return
        if (withFailed || !this.#failed.has(keyOf(topic.name, index))) missing.push({ topic, index })
      })
    }
    return missing
  }

  #armRetry(): void {
    if (this.#failed.size === 0 && this.#unremoved.size === 0) {
      this.#retryMs = limits.retryMsMin
      return
    }
    if (this.#closed || this.#retry !== undefined) return
    this.#retry = this.#options.clock.timer(this.#retryMs, () => {
      this.#retry = undefined
      this.#isRetryDue = true
      this.#follow()
    })
    this.#retryMs = Math.min(this.#retryMs * 2, limits.retryMsMax)
  }

  async #remove(place: Place): Promise<void> {
    const key = keyOf(place.topic, place.partition)
    try {
      await this.#options.directory.deleteLog(place.topic, place.partition)
    } catch (error) {
      this.#unremoved.set(key, place)
      this.#options.logger.error(`cannot remove the log of ${key}; it is tried again`, { error })
    }
  }

  async #open(topic: TopicImage, index: number): Promise<void> {
    const place = { topic: topic.name, partition: index }
    const key = keyOf(topic.name, index)
    const isWanted = (): boolean => this.#image.topicsById.has(topic.topicId)
    if (!isWanted()) return
    const { directory, logger, logConfigOf } = this.#options
    let log: Partition['log'] | undefined
    let failed: Error | undefined
    try {
      log = await directory.openLog(topic.name, index, topic.topicId, logConfigOf(topic.name, this.#image))
    } catch (error) {
      failed = error as Error
    }
    if (!isWanted()) {
      // Deleted while it was being made; what there is of it goes in the next round.
      this.#doomed.set(key, place)
      this.#dirty = true
      return
    }
    const before = this.#failed.get(key)
    if (log !== undefined) {
      this.#failed.delete(key)
      if (before !== undefined) logger.info(`opened the log of ${key} after all`)
      this.#host(topic, index, log)
      return
    }
    const error = failed as Error
    this.#failed.set(key, { ...place, topicId: topic.topicId, error })
    if (before?.error.message !== error.message) logger.error(`cannot open the log of ${key}; it is tried again`, { error })
  }

  #host(topic: TopicImage, index: number, log: Partition['log']): void {
    let hosted = this.#byId.get(topic.topicId)
    if (hosted === undefined) {
      hosted = { name: topic.name, topicId: topic.topicId, partitions: [], traffic: noTraffic() }
      this.#byId.set(topic.topicId, hosted)
      this.#byName.set(topic.name, hosted)
    }
    const leaderEpoch = topic.partitions[index]?.leaderEpoch ?? 0
    hosted.partitions[index] = new Partition(log, { leaderEpoch, durability: this.#options.durability, traffic: hosted.traffic })
  }
}

function adoptEpochs(hosted: HostedTopic, topic: TopicImage): void {
  for (const { partition, leaderEpoch } of topic.partitions) hosted.partitions[partition]?.lead(leaderEpoch)
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
