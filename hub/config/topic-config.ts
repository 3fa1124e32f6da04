/** @module config/topic-config — what a topic's settings come to: its own, else the broker's, else the default. */
import { type ConfigOf, parseConfig } from '@millrace/sdk'
import type { brokerConfigDefinition } from './keys/broker.ts'
import { topicKeys } from './keys/topic.ts'

/** Parsed broker keys. */
export type BrokerConfig = ConfigOf<typeof brokerConfigDefinition>
type TopicValues = ConfigOf<typeof topicKeys>

/** Definition of what a topic can set for itself. */
export const topicConfigDefinition = topicKeys

/** Settings of a topic in force. Times in ms, sizes in bytes; -1 is no limit where Kafka says so; Number.MAX_SAFE_INTEGER stands for Long.MAX_VALUE. */
export interface TopicConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly maxMessageBytes: number
  readonly cleanupPolicies: ReadonlySet<'delete' | 'compact'>
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly gzipLevel: number
  readonly lz4Level: number
  readonly zstdLevel: number
  readonly fileDeleteDelayMs: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly minInsyncReplicas: number
  readonly preallocate: boolean
  readonly uncleanLeaderElectionEnable: boolean
}

/** The broker key that gives a topic key its value where the topic does not. Topic keys that are missing here have only their default. */
export const topicSynonyms: Readonly<Record<string, string>> = {
  'cleanup.policy': 'log.cleanup.policy',
  'compression.gzip.level': 'compression.gzip.level',
  'compression.lz4.level': 'compression.lz4.level',
  'compression.type': 'compression.type',
  'compression.zstd.level': 'compression.zstd.level',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'index.interval.bytes': 'log.index.interval.bytes',
  'local.retention.bytes': 'log.local.retention.bytes',
  'local.retention.ms': 'log.local.retention.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'min.insync.replicas': 'min.insync.replicas',
  preallocate: 'log.preallocate',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.ms': 'log.roll.ms',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
}

/** Broker keys of one fact, the strongest first; `perUnitMs` turns their numbers into milliseconds. */
const FALLBACKS: Readonly<Record<string, readonly { readonly key: keyof BrokerConfig; readonly perUnitMs: number }[]>> = {
  'log.retention.ms': [
    { key: 'log.retention.ms', perUnitMs: 1 },
    { key: 'log.retention.minutes', perUnitMs: 60_000 },
    { key: 'log.retention.hours', perUnitMs: 3_600_000 },
  ],
  'log.roll.ms': [
    { key: 'log.roll.ms', perUnitMs: 1 },
    { key: 'log.roll.hours', perUnitMs: 3_600_000 },
  ],
  'log.roll.jitter.ms': [
    { key: 'log.roll.jitter.ms', perUnitMs: 1 },
    { key: 'log.roll.jitter.hours', perUnitMs: 3_600_000 },
  ],
  'log.flush.interval.ms': [
    { key: 'log.flush.interval.ms', perUnitMs: 1 },
    { key: 'log.flush.scheduler.interval.ms', perUnitMs: 1 },
  ],
}

/** The names under which a broker key may be set, the strongest first (KafkaConfig's synonyms). */
export function brokerSynonyms(name: string): readonly string[] {
  for (const fallbacks of Object.values(FALLBACKS)) {
    // The flush interval's two names are told apart when asked for the scheduler's.
    const isMember = fallbacks.some(({ key }) => key === name) && name !== 'log.flush.scheduler.interval.ms'
    if (isMember) return fallbacks.map(({ key }) => key)
  }
  return [name]
}

/** The broker's parsed values as a topic sees them, by topic key; what the broker has no key for is the topic key's default. */
export function topicDefaults(broker: BrokerConfig): Record<string, unknown> {
  const defaults: Record<string, unknown> = parseConfig(topicKeys, {})
  for (const [topicKey, brokerKey] of Object.entries(topicSynonyms)) {
    defaults[topicKey] = effectiveBrokerValue(broker, brokerKey)
  }
  return defaults
}

function effectiveBrokerValue(broker: BrokerConfig, name: string): unknown {
  for (const { key, perUnitMs } of FALLBACKS[name] ?? []) {
    const value = broker[key]
    if (typeof value !== 'number') continue
    // Any negative retention is "no limit".
    return value < 0 ? -1 : Math.min(value * perUnitMs, Number.MAX_SAFE_INTEGER)
  }
  return broker[name as keyof BrokerConfig]
}

/**
 * A topic's settings in force. `overrides`: the topic's own, as text. Memoise by image: the result is for reading.
 * @throws ConfigException when an override does not parse (they were checked when they were set)
 */
export function resolveTopicConfig(overrides: ReadonlyMap<string, string>, broker: BrokerConfig): TopicConfig {
  const values = { ...topicDefaults(broker), ...parseOverrides(overrides) } as TopicValues
  return {
    segmentBytes: values['internal.segment.bytes'] ?? values['segment.bytes'],
    segmentMs: values['segment.ms'],
    segmentJitterMs: values['segment.jitter.ms'],
    segmentIndexBytes: values['segment.index.bytes'],
    indexIntervalBytes: values['index.interval.bytes'],
    retentionMs: values['retention.ms'],
    retentionBytes: values['retention.bytes'],
    maxMessageBytes: values['max.message.bytes'],
    cleanupPolicies: new Set(values['cleanup.policy'] as readonly ('delete' | 'compact')[]),
    deleteRetentionMs: values['delete.retention.ms'],
    minCompactionLagMs: values['min.compaction.lag.ms'],
    maxCompactionLagMs: values['max.compaction.lag.ms'],
    minCleanableDirtyRatio: values['min.cleanable.dirty.ratio'],
    messageTimestampType: values['message.timestamp.type'] as TopicConfig['messageTimestampType'],
    messageTimestampBeforeMaxMs: values['message.timestamp.before.max.ms'],
    messageTimestampAfterMaxMs: values['message.timestamp.after.max.ms'],
    compressionType: values['compression.type'] as TopicConfig['compressionType'],
    gzipLevel: values['compression.gzip.level'],
    lz4Level: values['compression.lz4.level'],
    zstdLevel: values['compression.zstd.level'],
    fileDeleteDelayMs: values['file.delete.delay.ms'],
    flushMessages: values['flush.messages'],
    flushMs: values['flush.ms'],
    minInsyncReplicas: values['min.insync.replicas'],
    preallocate: values.preallocate,
    uncleanLeaderElectionEnable: values['unclean.leader.election.enable'],
  }
}

/** The parsed values of the keys that are there and known. */
export function parseOverrides(overrides: ReadonlyMap<string, string>): Partial<TopicValues> {
  const known = Object.fromEntries([...overrides].filter(([name]) => Object.hasOwn(topicKeys, name)))
  const parsed = parseConfig(topicKeys, known)
  return Object.fromEntries(Object.keys(known).map((name) => [name, parsed[name as keyof TopicValues]])) as Partial<TopicValues>
}
