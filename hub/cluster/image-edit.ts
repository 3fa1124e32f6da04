/**
 * @module cluster/image-edit — a batch of changes to an image: copies are made once per batch, not once per record.
 */
import type { BrokerState, ClusterImage, PartitionState, TopicState } from './image.ts'
import { collisionKey } from './topic-names.ts'
import type { ScramCredential } from './types.ts'

/** Where a batch stood in the log. */
export interface BatchPosition {
  readonly lastOffset: number
  readonly epoch: number
  readonly timestampMs: number
}

interface OpenTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: PartitionState[]
}

/** Changes on top of an image, which stays as it is; reads see the changes. */
export class ImageEdit {
  readonly base: ClusterImage
  readonly #byName
  readonly #byId
  readonly #collisions
  readonly #configs
  #brokers: Map<number, BrokerState> | undefined
  #features: Map<string, number> | undefined
  #otherFeatures: Map<string, number> | undefined
  #scramCredentials: Map<string, ScramCredential> | undefined
  /** Topics whose partitions this batch changes, by id. */
  readonly #open = new Map<string, OpenTopic>()
  /** Overrides that this batch changes. */
  readonly #openConfigs = new Map<string, Map<string, string>>()
  #partitionCount: number
  nextProducerId: number

  constructor(base: ClusterImage) {
    this.base = base
    this.#byName = base.topicsByName.edit()
    this.#byId = base.topicsById.edit()
    this.#collisions = base.collisions.edit()
    this.#configs = base.configs.edit()
    this.#partitionCount = base.partitionCount
    this.nextProducerId = base.nextProducerId
  }

  get brokers(): Map<number, BrokerState> {
    this.#brokers ??= new Map(this.base.brokers)
    return this.#brokers
  }

  get features(): Map<string, number> {
    this.#features ??= new Map(this.base.features)
    return this.#features
  }

  get otherFeatures(): Map<string, number> {
    this.#otherFeatures ??= new Map(this.base.otherFeatures)
    return this.#otherFeatures
  }

  get scramCredentials(): Map<string, ScramCredential> {
    this.#scramCredentials ??= new Map(this.base.scramCredentials)
    return this.#scramCredentials
  }

  /** False when the name or the id is taken. */
  addTopic(name: string, topicId: string): boolean {
    if (this.#open.has(topicId) || this.#byId.get(topicId) !== undefined || this.#byName.get(name) !== undefined) return false
    this.#open.set(topicId, { name, topicId, partitions: [] })
    const key = collisionKey(name)
    if (key !== undefined) this.#collisions.set(key, [...(this.#collisions.get(key) ?? []), name])
    return true
  }

  /** Partitions of a topic, to be changed in place; undefined when there is no such topic. */
  partitions(topicId: string): PartitionState[] | undefined {
    const open = this.#open.get(topicId)
    if (open !== undefined) return open.partitions
    const topic = this.#byId.get(topicId)
    if (topic === undefined) return undefined
    const partitions = [...topic.partitions]
    this.#open.set(topicId, { name: topic.name, topicId, partitions })
    return partitions
  }

  /** The topic's id, when it exists; looks into this batch first. */
  topicIdOf(name: string): string | undefined {
    for (const topic of this.#open.values()) if (topic.name === name) return topic.topicId
    return this.#byName.get(name)?.topicId
  }

  /** False when there is no such topic. Its settings go with it. */
  removeTopic(topicId: string): boolean {
    const topic = this.#open.get(topicId) ?? this.#byId.get(topicId)
    if (topic === undefined) return false
    const { name } = topic
    this.#partitionCount -= this.base.topicsById.get(topicId)?.partitions.length ?? 0
    this.#open.delete(topicId)
    this.#byId.delete(topicId)
    this.#byName.delete(name)
    this.#removeCollision(name)
    this.#openConfigs.delete(`topic:${name}`)
    this.#configs.delete(`topic:${name}`)
    return true
  }

  /** Null removes the override. */
  setConfig(key: string, name: string, value: string | null): void {
    let overrides = this.#openConfigs.get(key)
    if (overrides === undefined) {
      overrides = new Map(this.#configs.get(key))
      this.#openConfigs.set(key, overrides)
    }
    if (value === null) overrides.delete(name)
    else overrides.set(name, value)
  }

  /** The changed image. The edit is over. */
  done(position: BatchPosition): ClusterImage {
    for (const { name, topicId, partitions } of this.#open.values()) {
      const topic: TopicState = { name, topicId, partitions }
      this.#partitionCount += partitions.length - (this.#byId.get(topicId)?.partitions.length ?? 0)
      this.#byName.set(name, topic)
      this.#byId.set(topicId, topic)
    }
    for (const [key, overrides] of this.#openConfigs) {
      if (overrides.size === 0) this.#configs.delete(key)
      else this.#configs.set(key, overrides)
    }
    return {
      clusterId: this.base.clusterId,
      controllerId: this.base.controllerId,
      offset: position.lastOffset,
      epoch: position.epoch,
      timestampMs: position.timestampMs,
      partitionCount: this.#partitionCount,
      topicsByName: this.#byName.done(),
      topicsById: this.#byId.done(),
      collisions: this.#collisions.done(),
      brokers: this.#brokers ?? this.base.brokers,
      configs: this.#configs.done(),
      features: this.#features ?? this.base.features,
      otherFeatures: this.#otherFeatures ?? this.base.otherFeatures,
      scramCredentials: this.#scramCredentials ?? this.base.scramCredentials,
      nextProducerId: this.nextProducerId,
    }
  }

  #removeCollision(name: string): void {
    const key = collisionKey(name)
    if (key === undefined) return
    const others = (this.#collisions.get(key) ?? []).filter((other) => other !== name)
    if (others.length === 0) this.#collisions.delete(key)
    else this.#collisions.set(key, others)
  }
}
