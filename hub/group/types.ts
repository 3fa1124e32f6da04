/**
 * @module group/types — consumer groups: the coordinator's calls and the one port it needs.
 *
 * The coordinator keeps groups and committed offsets of the `__consumer_offsets` partitions that this broker leads, in Kafka's
 * records. The classic state machine is pure (`classic.ts`); the shell (`coordinator.ts`) performs its effects.
 */
import type { StatePartition, StateTopic } from '../replica/index.ts'
import type {
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
  RequestOf,
  ResponseInput,
  SyncGroup,
} from '../wire/index.ts'

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
  describeGroups(request: RequestOf<typeof DescribeGroups>, caller: Caller): Promise<ResponseInput<typeof DescribeGroups>>
  listGroups(request: RequestOf<typeof ListGroups>, caller: Caller): Promise<ResponseInput<typeof ListGroups>>
  deleteGroups(request: RequestOf<typeof DeleteGroups>, caller: Caller): Promise<ResponseInput<typeof DeleteGroups>>
  /** A topic was deleted: its committed offsets go (KIP: same as Kafka's coordinator). */
  topicsDeleted(topics: readonly { readonly name: string; readonly topicId: string }[]): Promise<void>
  /** Loads every partition this broker leads; calls for a partition still loading answer COORDINATOR_LOAD_IN_PROGRESS. */
  start(): Promise<void>
  close(): Promise<void>
}
