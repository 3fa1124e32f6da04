/** @module config/relations — rules between broker keys (KafkaConfig.validateValues). */
import { ConfigError } from './error.ts'
import type { BrokerConfig } from './topic-config.ts'

type NumberKey = { [K in keyof BrokerConfig]: BrokerConfig[K] extends number ? K : never }[keyof BrokerConfig]

/** The first must not be larger than the second. */
const ORDERED: readonly (readonly [NumberKey, NumberKey])[] = [
  ['group.min.session.timeout.ms', 'group.max.session.timeout.ms'],
  ['group.consumer.min.session.timeout.ms', 'group.consumer.session.timeout.ms'],
  ['group.consumer.session.timeout.ms', 'group.consumer.max.session.timeout.ms'],
  ['group.consumer.min.heartbeat.interval.ms', 'group.consumer.heartbeat.interval.ms'],
  ['group.consumer.heartbeat.interval.ms', 'group.consumer.max.heartbeat.interval.ms'],
  ['log.cleaner.min.compaction.lag.ms', 'log.cleaner.max.compaction.lag.ms'],
]

/** @throws ConfigError for the first rule that does not hold */
export function checkRelations(config: BrokerConfig): void {
  for (const [smaller, larger] of ORDERED) {
    if (config[smaller] <= config[larger]) continue
    const cause = `must be less than or equal to ${larger}=${config[larger]}`
    throw new ConfigError({ key: smaller, value: String(config[smaller]), cause, remedy: 'change one of them' })
  }
  const metadataBytes = config['offset.metadata.max.bytes']
  if (metadataBytes < 0) {
    throw new ConfigError({
      key: 'offset.metadata.max.bytes',
      value: String(metadataBytes),
      cause: 'must not be negative',
      remedy: 'correct it',
    })
  }
  const queuedBytes = config['queued.max.request.bytes']
  if (queuedBytes > 0 && queuedBytes < config['socket.request.max.bytes']) {
    const cause = `must be larger or equal to socket.request.max.bytes=${config['socket.request.max.bytes']}`
    throw new ConfigError({ key: 'queued.max.request.bytes', value: String(queuedBytes), cause, remedy: 'change one of them' })
  }
}
