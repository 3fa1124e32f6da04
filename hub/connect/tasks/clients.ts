/**
 * @module connect/tasks/clients — the Kafka clients of a task: our defaults, then the worker's `producer.`, `consumer.` and `admin.` keys,
 * then the connector's `….override.` keys; later ones win.
 */
import {
  type Admin,
  adminOptionsFrom,
  type Consumer,
  consumerOptionsFrom,
  createAdmin,
  createConsumer,
  createProducer,
  ignoredKeys,
  type Producer,
  producerOptionsFrom,
  type RebalanceListener,
} from '../../client/index.ts'
import type { ConfigText } from '../types.ts'
import { policyRefusal } from '../validation/override-policy.ts'
import { TaskFailure } from './failure.ts'
import { withoutPrefix } from './settings.ts'
import type { TaskEnvironment } from './types.ts'

/** For ever, in a key that is an int. */
const INT_MAX = '2147483647'
/** For ever, in a key that is a long; exact as a number. */
const LONG_MAX = '9007199254740991'

const IN_FLIGHT_KEY = 'max.in.flight.requests.per.connection'

/** What is known of a task before its clients are made. */
export type ClientPlace = Pick<TaskEnvironment, 'id' | 'connectorConfig' | 'settings' | 'world' | 'log'>

/**
 * Nothing that a source has read is given up for time: the producer goes on until the task stops. Upstream turns idempotence off and keeps
 * one request in flight, for brokers older than 0.11 and ACLs without IDEMPOTENT_WRITE; with idempotence five requests in flight keep the
 * order too, repeats after a lost answer vanish, and the way to the broker is five times as wide. Batches may grow to 256 KiB, for they
 * grow only while the broker is busy, and one partition takes one batch per request.
 */
export function sourceProducer(place: ClientPlace): Producer {
  return producer(place, `connector-producer-${place.id.connector}-${place.id.task}`, { 'batch.size': '262144' })
}

/** For dead letters; upstream's client id. */
export function deadLetterProducer(place: ClientPlace): Producer {
  return producer(place, `connector-dlq-producer-${place.id.connector}-${place.id.task}`, {})
}

function producer(place: ClientPlace, clientId: string, more: ConfigText): Producer {
  const config = merged(place, 'producer', {
    acks: 'all',
    'delivery.timeout.ms': INT_MAX,
    'max.block.ms': LONG_MAX,
    ...more,
    'client.id': clientId,
  })
  return createProducer({ ...producerOptionsFrom({ [IN_FLIGHT_KEY]: inFlightOf(config), ...config }), world: place.world })
}

/** Requests that keep the order when one has to be repeated: without idempotence that is one, as upstream has it. */
export function inFlightOf(config: ConfigText): string {
  const isIdempotent =
    ['all', '-1'].includes(config['acks'] ?? 'all') && config['enable.idempotence'] !== 'false' && config['retries'] !== '0'
  return isIdempotent ? '5' : '1'
}

/**
 * Group `connect-<name>`, from the beginning, commits by the task alone. Other than upstream it has an instance id (KIP-345): after a kill
 * the task puts the dead member out at once, where upstream's waits for its session to end; and of two that run for the same task, the older
 * is fenced. It does not take over the dead one's partitions unseen: a group that is not dealt anew would not notice that the topics have
 * changed. A task that stops leaves. An empty `consumer.override.group.instance.id` makes it a dynamic member.
 */
export function sinkConsumer(place: ClientPlace, listener: RebalanceListener): Consumer {
  const { connector, task } = place.id
  const config = merged(place, 'consumer', {
    'group.id': `connect-${connector}`,
    'group.instance.id': `${place.settings.groupId}-${connector}-${task}`,
    'auto.offset.reset': 'earliest',
    'client.id': `connector-consumer-${connector}-${task}`,
  })
  // Commits before a flush would lose records: no setting may turn them on.
  const membership = { autoCommit: false, leaveGroupOnClose: true, replacesPredecessor: true }
  return createConsumer({ ...consumerOptionsFrom(config), ...membership, world: place.world, listener })
}

/** For topics that the task makes. */
export function taskAdmin(place: ClientPlace): Admin {
  const { connector, task } = place.id
  const config = merged(place, 'admin', { 'client.id': `connector-adminclient-${connector}-${task}` })
  return createAdmin({ ...adminOptionsFrom(config), world: place.world })
}

function merged(place: ClientPlace, kind: 'producer' | 'consumer' | 'admin', defaults: ConfigText): ConfigText {
  const { workerConfig } = place.settings
  const overrides = withoutPrefix(place.connectorConfig, `${kind}.override.`)
  checkPolicy(overrides, workerConfig)
  const own = { ...withoutPrefix(workerConfig, `${kind}.`), ...overrides }
  const ignored = ignoredKeys(kind, own)
  if (ignored.length > 0) place.log.warn(`${kind} settings without effect: ${ignored.join(', ')}`)
  return { 'bootstrap.servers': workerConfig['bootstrap.servers'] ?? '', ...defaults, ...own }
}

/** What was stored under a milder policy, or by another worker, is judged again: by the policy of the worker that runs it. */
function checkPolicy(overrides: ConfigText, workerConfig: ConfigText): void {
  const refusals = Object.keys(overrides).map((name) => policyRefusal(name, workerConfig))
  const refusal = refusals.find((one) => one !== undefined)
  if (refusal !== undefined)
    throw new TaskFailure('org.apache.kafka.connect.errors.ConnectException', `Client Config Overrides not allowed: ${refusal}`)
}
