/**
 * @module cluster/types — the metadata image and who may change it.
 *
 * Every change of topics, configs, features goes through the metadata log as Kafka's own metadata records, one batch and one
 * sync per request (design §3 Metadata). Handlers read an immutable `MetadataImage`; `Controller` methods decide, append, and
 * resolve when the new image is in force.
 */

export interface PartitionImage {
  readonly partition: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly directories: readonly string[]
  /** Replicas that a reassignment under way takes away and adds (KIP-455); both are among `replicas`. */
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** Replicas outside the ISR that may lead safely (KIP-966). */
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export interface TopicImage {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly PartitionImage[]
}

export interface BrokerImage {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly incarnationId: string
  readonly rack: string | null
  readonly fenced: boolean
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number; readonly securityProtocol: number }[]
  /** Ids of its log directories (KIP-858). */
  readonly logDirs: readonly string[]
  /** Directories that take no new replicas (KIP-1066); null where the record could not say. */
  readonly cordonedLogDirs: readonly string[] | null
}

/** What is kept of a user's password for one mechanism (RFC 5802): 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
export interface ScramCredential {
  readonly name: string
  readonly mechanism: number
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** Immutable: a change makes a new one that shares what did not change. */
export interface MetadataImage {
  readonly clusterId: string
  /** Offset of the last record applied and its epoch. */
  readonly offset: number
  readonly epoch: number
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllerId: number
  /** Overrides only, by `topic:name`, `broker:1`, `broker:` (cluster default), `group:id` … */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly features: ReadonlyMap<string, number>
  /** SCRAM credentials of users, by mechanism and name (see `scramKey`). */
  readonly scramCredentials: ReadonlyMap<string, ScramCredential>
  /** First producer id not yet handed out in a block. */
  readonly nextProducerId: number
}

/**
 * One resource's result: `errorCode` 0 for success; message null when none. When the metadata log cannot be written, every outcome of the
 * call says so (KAFKA_STORAGE_ERROR, or what the log refused with).
 */
export interface Outcome {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface CreateTopicSpec {
  readonly name: string
  /** −1: the broker's `num.partitions`. */
  readonly partitionCount: number
  /** −1: the broker's `default.replication.factor`, capped at the live brokers when nobody set it. */
  readonly replicationFactor: number
  /** Manual assignment: partition index → broker ids; empty for automatic. */
  readonly assignments: readonly { readonly partition: number; readonly brokerIds: readonly number[] }[]
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

export interface CreateTopicOutcome extends Outcome {
  readonly name: string
  readonly topicId: string
  readonly partitionCount: number
  readonly replicationFactor: number
}

export type ConfigResource = { readonly type: 'topic' | 'broker' | 'group' | 'client-metrics'; readonly name: string }

export type ConfigOperation = {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  readonly value: string | null
}

/** One setting of a replacement. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
}

/** How an update of a feature may go: up only, or down as long as no metadata is lost, or down at any price. */
export type UpgradeType = 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade' | 'unknown'

export interface FeatureUpdate {
  readonly name: string
  readonly level: number
  readonly upgradeType: UpgradeType
}

/** `preferred`: the first replica; `unclean`: whoever is alive, where nobody leads. */
export type ElectionType = 'preferred' | 'unclean'

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface PartitionOutcome extends Outcome {
  readonly topic: string
  readonly partition: number
}

/** New replicas of a partition, preferred leader first; null takes a reassignment under way back. */
export interface ReassignmentSpec {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[] | null
}

export interface ScramDeletion {
  readonly name: string
  readonly mechanism: number
}

/** A new credential; `saltedPassword` is a secret. */
export interface ScramUpsertion extends ScramDeletion {
  readonly iterations: number
  readonly salt: Buffer
  readonly saltedPassword: Buffer
}

export interface ScramAlterations {
  readonly deletions: readonly ScramDeletion[]
  readonly upsertions: readonly ScramUpsertion[]
}

export type UserOutcome = Outcome & { readonly user: string }

/** The quorum of the metadata log (KIP-595): a lone voter, which leads. */
export interface QuorumFacts {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly logEndOffset: number
}

/** Decides on changes of the metadata. Every call is one batch in the metadata log; a refused part never disturbs the others. */
export interface Controller {
  readonly image: MetadataImage
  /** Called synchronously with each new image, after it is in force. Returns the way to stop. */
  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void
  /** One outcome per distinct name, in the order of the request. */
  createTopics(specs: readonly CreateTopicSpec[], options: { readonly validateOnly: boolean }): Promise<CreateTopicOutcome[]>
  /** By name or by id (the other null / zero). One outcome per distinct topic; a success names it both ways. */
  deleteTopics(
    topics: readonly { readonly name: string | null; readonly topicId: string }[],
  ): Promise<(Outcome & { readonly name: string | null; readonly topicId: string })[]>
  /** One outcome per distinct name, in the order of the request. */
  createPartitions(
    specs: readonly { readonly name: string; readonly count: number; readonly assignments: readonly (readonly number[])[] | null }[],
    options: { readonly validateOnly: boolean },
  ): Promise<(Outcome & { readonly name: string })[]>
  /** One outcome per change, in the order of the request. */
  incrementalAlterConfigs(
    changes: readonly { readonly resource: ConfigResource; readonly operations: readonly ConfigOperation[] }[],
    options: { readonly validateOnly: boolean },
  ): Promise<(Outcome & { readonly resource: ConfigResource })[]>
  /** The old AlterConfigs: settings of the resource that are not named lose their value. One outcome per replacement, in order. */
  replaceConfigs(
    replacements: readonly { readonly resource: ConfigResource; readonly entries: readonly ConfigEntry[] }[],
    options: { readonly validateOnly: boolean },
  ): Promise<(Outcome & { readonly resource: ConfigResource })[]>
  /** One outcome per partition named; for null only the partitions of the cluster whose leader was not the one wanted. */
  electLeaders(type: ElectionType, partitions: readonly TopicPartitions[] | null): Promise<PartitionOutcome[]>
  /** One outcome per spec, in the order of the request. */
  reassignPartitions(
    specs: readonly ReassignmentSpec[],
    options: { readonly allowReplicationFactorChange: boolean },
  ): Promise<PartitionOutcome[]>
  /** All updates or none: one outcome. */
  updateFeatures(updates: readonly FeatureUpdate[], options: { readonly validateOnly: boolean }): Promise<Outcome>
  /** Takes a broker's registration away, with its places in the ISRs. */
  unregisterBroker(brokerId: number): Promise<Outcome>
  /** One outcome per user named. */
  alterScramCredentials(alterations: ScramAlterations): Promise<UserOutcome[]>
  /** How the metadata log stands. */
  quorum(): QuorumFacts
  /** Hands out a block of producer ids, durable before it resolves (KIP-730). Rejects when the metadata log cannot be written. */
  allocateProducerIds(count: number): Promise<{ readonly first: number; readonly count: number }>
  close(): Promise<void>
}
