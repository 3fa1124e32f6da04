/**
 * @module group/types — consumer groups: the coordinator's calls and the one port it needs.
 *
 * The coordinator keeps groups and committed offsets of the `__consumer_offsets` partitions that this broker leads, in Kafka's
 * records. The classic state machine is pure (`classic.ts`); the shell (`coordinator.ts`) performs its effects.
 */
import type { Marker } from '../log/index.ts'
import type { StatePartition, StateTopic } from '../replica/index.ts'
import type {
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  RequestOf,
  ResponseInput,
  SyncGroup,
  TxnOffsetCommit,
} from '../wire/index.ts'
import type { GroupCounts, GroupFacts } from './counts.ts'

/** One partition of `__consumer_offsets`. */
export type OffsetsPartition = StatePartition

/** The topic `__consumer_offsets`. */
export type OffsetsTopic = StateTopic

/** Who asks: client id and host go into the member's description. */
export interface Caller {
  readonly clientId: string
  /** As Kafka writes it, with the slash that Java's addresses begin with: `/127.0.0.1`. */
  readonly clientHost: string
  /** Aborted when the connection closes. */
  readonly signal: AbortSignal
  readonly apiVersion: number
}

/** TxnOffsetCommit with the ids of the topics, which the API does not name: members of consumer groups are judged by them. */
export interface TxnOffsetCommitRequest extends Omit<RequestOf<typeof TxnOffsetCommit>, 'topics'> {
  readonly topics: readonly (RequestOf<typeof TxnOffsetCommit>['topics'][number] & { readonly topicId: string })[]
}

/**
 * Asks the transaction coordinator to take a partition of `__consumer_offsets` into the request's transaction or, with `verifyOnly`, whether it
 * is in it. Resolves with 0 or the coordinator's code.
 */
export type Enrol = (partitionIndex: number, options: { readonly verifyOnly: boolean }) => Promise<number>

/** Group coordinator; requests and responses are the wire's shapes without throttle. A request is answered for its own api version's rules. */
export interface GroupCoordinator {
  joinGroup(request: RequestOf<typeof JoinGroup>, caller: Caller): Promise<ResponseInput<typeof JoinGroup>>
  syncGroup(request: RequestOf<typeof SyncGroup>, caller: Caller): Promise<ResponseInput<typeof SyncGroup>>
  heartbeat(request: RequestOf<typeof Heartbeat>, caller: Caller): Promise<ResponseInput<typeof Heartbeat>>
  leaveGroup(request: RequestOf<typeof LeaveGroup>, caller: Caller): Promise<ResponseInput<typeof LeaveGroup>>
  /** `topicName` / `topicExists` resolution by id is the handler's: here topics carry both name and id where known. */
  offsetCommit(request: RequestOf<typeof OffsetCommit>, caller: Caller): Promise<ResponseInput<typeof OffsetCommit>>
  /** Topics carry both name and id where known, in the answer too (an id of zero: the offset was committed without one). */
  offsetFetch(request: RequestOf<typeof OffsetFetch>, caller: Caller): Promise<ResponseInput<typeof OffsetFetch>>
  /** The offsets are pending until {@link completeTransaction}. `enrol` is asked when the transaction is not open in the group's partition. */
  txnOffsetCommit(request: TxnOffsetCommitRequest, caller: Caller, enrol: Enrol): Promise<ResponseInput<typeof TxnOffsetCommit>>
  /**
   * Ends a producer's transaction in a partition of `__consumer_offsets`: writes the marker, then its offsets are visible or dropped. Resolves
   * with 0 when the marker is synced, else with the log's code or why the partition is not served here.
   */
  completeTransaction(partitionIndex: number, marker: Marker): Promise<number>
  /** Every topic and partition named is taken to exist: the handler refuses others. */
  offsetDelete(request: RequestOf<typeof OffsetDelete>): Promise<ResponseInput<typeof OffsetDelete>>
  describeGroups(request: RequestOf<typeof DescribeGroups>, caller: Caller): Promise<ResponseInput<typeof DescribeGroups>>
  listGroups(request: RequestOf<typeof ListGroups>, caller: Caller): Promise<ResponseInput<typeof ListGroups>>
  deleteGroups(request: RequestOf<typeof DeleteGroups>, caller: Caller): Promise<ResponseInput<typeof DeleteGroups>>
  consumerGroupHeartbeat(
    request: RequestOf<typeof ConsumerGroupHeartbeat>,
    caller: Caller,
  ): Promise<ResponseInput<typeof ConsumerGroupHeartbeat>>
  consumerGroupDescribe(request: RequestOf<typeof ConsumerGroupDescribe>): Promise<ResponseInput<typeof ConsumerGroupDescribe>>
  /** A topic was deleted: its committed offsets go (KIP: same as Kafka's coordinator). */
  topicsDeleted(topics: readonly { readonly name: string; readonly topicId: string }[]): Promise<void>
  /** Every group of the partitions that are loaded, as it stands while one iterates. */
  facts(): Iterable<GroupFacts>
  /** What happened since the coordinator was made. */
  counts(): Readonly<GroupCounts>
  /** Loads every partition this broker leads; calls for a partition still loading answer COORDINATOR_LOAD_IN_PROGRESS. */
  start(): Promise<void>
  close(): Promise<void>
}
