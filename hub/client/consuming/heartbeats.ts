/** @module client/consuming/heartbeats — what a member of a KIP-848 group tells its coordinator: all at first, then only what has changed. */
import { ConsumerGroupHeartbeat, type ConsumerGroupHeartbeatResponse, LeaveGroup } from '../../wire/index.ts'
import type { Cluster } from '../cluster.ts'
import type { ResolvedConsumerOptions } from '../consumer-options.ts'
import type { Coordinators } from '../coordinators.ts'
import { throwIfError } from '../errors.ts'
import type { Share } from './member-state.ts'

/** Member epochs with a meaning (KIP-848). */
export const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
/** Leaving for a while: the partitions wait for the member with the same instance id, for the session timeout. */
const STATIC_LEAVE_EPOCH = -2
/** First version with expressions, and in which the member makes its own id (KIP-1082). */
const PATTERN_VERSION = 1
/** First LeaveGroup version that puts out a member by its instance id alone (KIP-345). */
const LEAVE_INSTANCE_VERSION = 3

/** What is wanted: topics by name, and an expression that the broker matches; empty: none. */
export interface Wanted {
  readonly topics: readonly string[]
  readonly pattern: string
}

interface Told {
  readonly wanted: string | null
  readonly owned: string | null
}
const NOTHING: Told = { wanted: null, owned: null }

/** The heartbeats of one member. One at a time, but for the last. */
export class Heartbeats {
  readonly #cluster: Cluster
  readonly #coordinators: Coordinators
  readonly #options: ResolvedConsumerOptions
  #memberId = ''
  #told: Told = NOTHING

  constructor(cluster: Cluster, coordinators: Coordinators, options: ResolvedConsumerOptions) {
    this.#cluster = cluster
    this.#coordinators = coordinators
    this.#options = options
  }

  /** Empty before the first heartbeat. */
  get memberId(): string {
    return this.#memberId
  }

  get instanceId(): string | null {
    return this.#options.groupInstanceId === '' ? null : this.#options.groupInstanceId
  }

  /** The next heartbeat tells everything. */
  startOver(): void {
    this.#told = NOTHING
  }

  /** One heartbeat. Rejects with the answer's error, or that of the way. */
  async send(memberEpoch: number, wanted: Wanted, owned: Share): Promise<ConsumerGroupHeartbeatResponse> {
    const { groupId, groupRemoteAssignor, pollIntervalMsMax, rackId } = this.#options
    const isJoin = memberEpoch === JOIN_EPOCH
    const telling: Told = { wanted: JSON.stringify(wanted), owned: JSON.stringify(owned) }
    const told = this.#told
    const isAll = isJoin || told === NOTHING
    // Without an answer nobody knows what was heard.
    this.#told = NOTHING
    const isWantedTold = !isAll && told.wanted === telling.wanted
    const isOwnedTold = !isAll && told.owned === telling.owned
    const response = await this.#coordinators.ask(
      groupId,
      'group',
      ConsumerGroupHeartbeat,
      (version) => ({
        groupId,
        memberId: this.#idFor(version),
        memberEpoch,
        instanceId: this.instanceId,
        rackId: isJoin && rackId !== '' ? rackId : null,
        rebalanceTimeoutMs: isAll ? pollIntervalMsMax : -1,
        subscribedTopicNames: isWantedTold ? null : [...wanted.topics],
        subscribedTopicRegex: isWantedTold || version < PATTERN_VERSION ? null : regexOf(wanted.pattern, isJoin),
        serverAssignor: isAll && groupRemoteAssignor !== '' ? groupRemoteAssignor : null,
        topicPartitions: isOwnedTold ? null : owned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })),
      }),
      { signal: this.#cluster.closing, versionMin: wanted.pattern === '' ? 0 : PATTERN_VERSION },
    )
    throwIfError(response.errorCode, response.errorMessage, { groupId })
    if (response.memberId !== null && response.memberId !== '') this.#memberId = response.memberId
    this.#told = telling
    return response
  }

  /** Tells the group that the member goes, once; that it cannot be told is no matter: the session ends by itself. */
  async leave(signal: AbortSignal | undefined): Promise<void> {
    const { groupId, leaveGroupOnClose } = this.#options
    const memberId = this.#memberId
    if (memberId === '' || !(leaveGroupOnClose || this.instanceId !== null)) return
    const memberEpoch = leaveGroupOnClose ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH
    const body = {
      groupId,
      memberId,
      memberEpoch,
      instanceId: this.instanceId,
      rackId: null,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
    }
    try {
      await this.#coordinators.ask(groupId, 'group', ConsumerGroupHeartbeat, () => body, { signal: signal ?? this.#cluster.closing })
    } catch {
      // Nobody is left to act on it.
    }
  }

  /** Puts a dead member of the same instance id out of the group; that there is none, or that it cannot be told, shows in the next heartbeat. */
  async putOutPredecessor(): Promise<void> {
    const { groupId } = this.#options
    const members = [{ memberId: '', groupInstanceId: this.instanceId, reason: 'replaced by its successor' }]
    try {
      await this.#coordinators.ask(groupId, 'control', LeaveGroup, () => ({ groupId, members }), {
        signal: this.#cluster.closing,
        versionMin: LEAVE_INSTANCE_VERSION,
      })
    } catch {
      // The group keeps the place until the session of the dead one ends.
    }
  }

  #idFor(version: number): string {
    if (this.#memberId === '' && version >= PATTERN_VERSION) this.#memberId = this.#cluster.options.world.random.uuid()
    return this.#memberId
  }
}

/** Empty takes back an earlier expression, which a member that joins has none of. */
function regexOf(pattern: string, isJoin: boolean): string | null {
  return pattern === '' && isJoin ? null : pattern
}
