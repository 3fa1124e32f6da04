/** @module client/consumer-options — what a consumer can be told. */
import { assignors as knownAssignors } from './assignors/index.ts'
import type { Assignor } from './assignors/types.ts'
import { ClientError } from './errors.ts'
import { checkNumbers, type ClientOptions, defined, resolveClientOptions, type ResolvedClientOptions } from './options.ts'
import type { TopicPartition } from './types.ts'

/** Where to begin when no offset is committed or the position is out of range; `sinceMs` goes back by a duration (KIP-1106). */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly sinceMs: number }

/**
 * Hears of changes in the assignment; awaited, within `poll`, before it goes on. Revoked: still owned, commit now. Lost:
 * taken away already (the session expired), committing would fail. A handler that throws makes `poll` reject.
 */
export interface RebalanceListener {
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>
  /** Default: as revoked. */
  onPartitionsLost?(partitions: readonly TopicPartition[]): void | Promise<void>
}

/** Options of {@link createConsumer}; the Kafka key of each stands beside it. */
export interface ConsumerOptions extends ClientOptions {
  /** group.id: needed for subscribe and for commits. */
  readonly groupId?: string
  /** group.protocol: `classic`, or `consumer`, where the coordinator deals (KIP-848). */
  readonly groupProtocol?: 'classic' | 'consumer'
  /** group.remote.assignor: how the coordinator deals, with groupProtocol `consumer`; empty: as it likes. */
  readonly groupRemoteAssignor?: string
  /** group.instance.id: a static member keeps its partitions over a restart within the session timeout (KIP-345). */
  readonly groupInstanceId?: string
  /**
   * Whether `close` takes the member out of its group. Default: a dynamic member leaves, a static one stays, for it means to come back
   * (KIP-1092's GroupMembershipOperation).
   */
  readonly leaveGroupOnClose?: boolean
  /**
   * A static member that puts a dead one of the same groupInstanceId out of the group at once, but does not take its place: the group deals
   * anew, so that nothing that has changed meanwhile is missed. On a broker without static membership it is a dynamic member.
   */
  readonly replacesPredecessor?: boolean
  /** auto.offset.reset */
  readonly offsetReset?: OffsetReset
  /** enable.auto.commit: commit what earlier polls returned every autoCommitIntervalMs, and before a rebalance and the end. */
  readonly autoCommit?: boolean
  /** auto.commit.interval.ms */
  readonly autoCommitIntervalMs?: number
  /** session.timeout.ms: without a heartbeat for so long the group goes on without this member. */
  readonly sessionTimeoutMs?: number
  /** heartbeat.interval.ms */
  readonly heartbeatIntervalMs?: number
  /** max.poll.interval.ms: without a poll for so long the member leaves its group. */
  readonly pollIntervalMsMax?: number
  /** How long `close` may take to commit and to leave the group, when its signal does not end that before. */
  readonly closeTimeoutMs?: number
  /** max.poll.records: records that one poll returns. */
  readonly pollRecordsMax?: number
  /** fetch.min.bytes */
  readonly fetchBytesMin?: number
  /** fetch.max.wait.ms: how long a broker waits for fetchBytesMin. */
  readonly fetchWaitMsMax?: number
  /** fetch.max.bytes: of one answer; also the most that is fetched ahead. */
  readonly fetchBytesMax?: number
  /** max.partition.fetch.bytes: of one partition in one answer. */
  readonly partitionFetchBytesMax?: number
  /** isolation.level: with `read_committed` records of aborted and open transactions are left out. */
  readonly isolation?: 'read_uncommitted' | 'read_committed'
  /** partition.assignment.strategy: the group takes the first that all members know. Names of Kafka's, or assignors of your own. */
  readonly assignors?: readonly (string | Assignor)[]
  /** check.crcs */
  readonly checkCrcs?: boolean
  /** client.rack: fetch from a replica in the same rack where the broker says so (KIP-392), and prefer near partitions. */
  readonly rackId?: string
  /** allow.auto.create.topics */
  readonly autoCreateTopics?: boolean
  /** exclude.internal.topics: a pattern does not match them. */
  readonly excludeInternalTopics?: boolean
  /** Hears of rebalances. */
  readonly listener?: RebalanceListener
}

/** Defaults of {@link ConsumerOptions}: Kafka 4's. */
export const CONSUMER_DEFAULTS = {
  groupId: '',
  groupProtocol: 'classic',
  groupRemoteAssignor: '',
  groupInstanceId: '',
  offsetReset: 'latest',
  autoCommit: true,
  autoCommitIntervalMs: 5_000,
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 3_000,
  pollIntervalMsMax: 300_000,
  closeTimeoutMs: 30_000,
  replacesPredecessor: false,
  pollRecordsMax: 500,
  fetchBytesMin: 1,
  fetchWaitMsMax: 500,
  fetchBytesMax: 52_428_800,
  partitionFetchBytesMax: 1_048_576,
  isolation: 'read_uncommitted',
  assignors: ['range', 'cooperative-sticky'],
  checkCrcs: true,
  rackId: '',
  autoCreateTopics: true,
  excludeInternalTopics: true,
} as const

/** Options with nothing left out. */
export interface ResolvedConsumerOptions
  extends ResolvedClientOptions,
    Required<Omit<ConsumerOptions, keyof ClientOptions | 'assignors' | 'listener'>> {
  readonly assignors: readonly Assignor[]
  readonly listener: RebalanceListener
}

/** Fills in the defaults. Throws a ClientError of kind `config`. */
export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  const given = defined(options)
  const resolved = {
    ...CONSUMER_DEFAULTS,
    listener: {},
    leaveGroupOnClose: (given.groupInstanceId ?? '') === '',
    ...given,
    ...resolveClientOptions(options),
    assignors: (given.assignors ?? CONSUMER_DEFAULTS.assignors).map(assignorOf),
  }
  checkNumbers(resolved)
  checkProtocol(resolved, given)
  if (resolved.heartbeatIntervalMs >= resolved.sessionTimeoutMs) {
    throw new ClientError('config', 'heartbeat.interval.ms must be below session.timeout.ms')
  }
  if (resolved.assignors.length === 0) throw new ClientError('config', 'partition.assignment.strategy names no assignor')
  if (resolved.pollRecordsMax < 1) throw new ClientError('config', 'max.poll.records must be at least 1')
  // Without a group there is nothing to commit to; Kafka's consumer turns it off as well.
  return resolved.groupId === '' ? { ...resolved, autoCommit: false } : resolved
}

/** With the protocol `consumer` these are the coordinator's business: a value here would be a promise that nobody keeps (KIP-848). */
function checkProtocol(resolved: ResolvedConsumerOptions, given: Partial<ConsumerOptions>): void {
  const foreign: readonly (readonly [keyof ConsumerOptions, string])[] =
    resolved.groupProtocol === 'consumer'
      ? [
          ['assignors', 'partition.assignment.strategy'],
          ['sessionTimeoutMs', 'session.timeout.ms'],
          ['heartbeatIntervalMs', 'heartbeat.interval.ms'],
        ]
      : [['groupRemoteAssignor', 'group.remote.assignor']]
  for (const [option, key] of foreign) {
    if (given[option] === undefined || given[option] === '') continue
    throw new ClientError('config', `${key} cannot be set when group.protocol=${resolved.groupProtocol.toUpperCase()}`)
  }
}

function assignorOf(assignor: string | Assignor): Assignor {
  if (typeof assignor !== 'string') return assignor
  const known = knownAssignors.get(assignor)
  if (known !== undefined) return known
  const names = [...knownAssignors.keys()].join(', ')
  throw new ClientError('config', `partition.assignment.strategy: unknown assignor ${assignor}; known: ${names}`)
}
