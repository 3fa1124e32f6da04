/** @module connect/stores/storage-topic — makes sure of one of the worker's topics: there, compacted, of the right shape. */
import { type Admin, KafkaError } from '../../client/index.ts'
import type { StorageTopic } from '../../config/index.ts'
import type { Logger } from '../../observe/index.ts'

/** A storage topic that cannot be used as it is. One line that names key, topic, cause and remedy; trying again does not help. */
export class StorageTopicError extends Error {
  override readonly name = 'StorageTopicError'

  constructor({ key, name }: StorageTopic, cause: string, remedy: string, options?: ErrorOptions) {
    super(`${key}=${name}: ${cause}; ${remedy}`, options)
  }
}

/** Kafka's names of the answers that another worker, or an older broker, may give. */
const EXISTS = 'TOPIC_ALREADY_EXISTS'
const IS_NOT_THERE = 'UNKNOWN_TOPIC_OR_PARTITION'

/**
 * Creates the topic if it is not there and checks it if it is. Resolves with its count of partitions.
 * @throws StorageTopicError when it cannot be used, KafkaError and ClientError when the cluster cannot be asked
 */
export async function ensureStorageTopic(admin: Admin, topic: StorageTopic, logger: Logger, signal: AbortSignal): Promise<number> {
  const found = await describe(admin, topic, signal)
  const partitionCount = found ?? (await create(admin, topic, logger, signal))
  if (topic.key === 'config.storage.topic' && partitionCount !== 1) {
    const cause = `has ${partitionCount} partitions, and the order of its records would be lost with more than one`
    throw new StorageTopicError(topic, cause, 'name another topic, or delete this one')
  }
  if (found !== undefined) await checkCompacted(admin, topic, logger, signal)
  return partitionCount
}

/** Its count of partitions; undefined when there is no such topic. */
async function describe(admin: Admin, topic: StorageTopic, signal: AbortSignal): Promise<number | undefined> {
  const [described] = await admin.describeTopics([topic.name], signal)
  if (described === undefined || described.error?.name === IS_NOT_THERE) return undefined
  if (described.error !== null) throw finalOr(described.error, topic, 'cannot be described')
  return described.partitions.length
}

async function create(admin: Admin, topic: StorageTopic, logger: Logger, signal: AbortSignal): Promise<number> {
  const replicationFactor = await factorOf(admin, topic, signal)
  const wanted = {
    name: topic.name,
    ...(topic.partitionCount === -1 ? {} : { partitionCount: topic.partitionCount }),
    ...(replicationFactor === -1 ? {} : { replicationFactor }),
    configs: { ...topic.configs, 'cleanup.policy': 'compact' },
  }
  const [created] = await admin.createTopics([wanted], {}, signal)
  const error = created?.error ?? null
  if (error !== null && error.name !== EXISTS) throw finalOr(error, topic, 'cannot be created')
  if (error === null)
    logger.info(`created topic ${topic.name}`, { topic: topic.name, partitions: created?.partitionCount, replicationFactor })
  const partitionCount = await describe(admin, topic, signal)
  // Another worker was faster; or the broker that answers has not heard yet.
  if (partitionCount === undefined) throw new KafkaError(UNKNOWN_TOPIC_CODE, null, { topic: topic.name })
  if (error !== null) await checkCompacted(admin, topic, logger, signal)
  return partitionCount
}

/** Kafka's error code of a topic that is not there: retriable, since metadata spreads with a delay. */
const UNKNOWN_TOPIC_CODE = 3

/** What was set counts strictly; a default gives way to a small cluster (design §2). */
async function factorOf(admin: Admin, topic: StorageTopic, signal: AbortSignal): Promise<number> {
  if (topic.isReplicationFactorSet || topic.replicationFactor === -1) return topic.replicationFactor
  const { brokers } = await admin.describeCluster({}, signal)
  return Math.min(topic.replicationFactor, Math.max(1, brokers.length))
}

/** Any other policy would lose what is kept: `delete` after a time, `compact,delete` too. */
async function checkCompacted(admin: Admin, topic: StorageTopic, logger: Logger, signal: AbortSignal): Promise<void> {
  const resource = { type: 'topic', name: topic.name, names: ['cleanup.policy'] } as const
  const [described] = await admin.describeConfigs([resource], {}, signal)
  const error = described?.error ?? null
  if (error !== null) {
    // As upstream: whoever may not look trusts whoever made the topic.
    if (!error.name.endsWith('AUTHORIZATION_FAILED')) throw error
    logger.warn(`cannot check that topic ${topic.name} is compacted: ${error.text}`, { topic: topic.name })
    return
  }
  const policy = described?.entries.find(({ name }) => name === 'cleanup.policy')?.value
  if (policy === undefined || policy === null || policy === 'compact') return
  const cause = `its cleanup.policy is ${policy}, which deletes what the worker keeps there`
  throw new StorageTopicError(topic, cause, 'set its cleanup.policy to compact, or name another topic')
}

/** A retriable error as it is; a final one with what the operator can do. */
function finalOr(error: KafkaError, topic: StorageTopic, what: string): Error {
  if (error.retriable) return error
  const remedy =
    error.name === 'INVALID_REPLICATION_FACTOR'
      ? `set ${topic.key.replace(/\.topic$/, '.replication.factor')} to at most the number of brokers`
      : 'see to it in the cluster, or name another topic'
  return new StorageTopicError(topic, `${what}: ${error.text}`, remedy, { cause: error })
}
