/**
 * @module txn/types — the transaction coordinator: its calls, and the ports it needs.
 *
 * It keeps the transactional ids of the `__transaction_state` partitions that this broker leads, in Kafka's records. What may happen to an
 * id is pure (`machine.ts`); the shell (`shard.ts`) appends the records and has the markers written.
 */
import type { Clock } from '../io/index.ts'
import type { Marker } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import type { StateTopic } from '../replica/index.ts'
import type {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  DescribeTransactions,
  EndTxn,
  InitProducerId,
  ListTransactions,
  RequestOf,
  ResponseInput,
} from '../wire/index.ts'
import type { TopicPartition } from './partitions.ts'
import type { TransactionVersion } from './transaction.ts'
import type { TransactionConfig, TransactionLimits } from './transaction-config.ts'

/** Which of Kafka's rules apply to a request. */
export interface Requester {
  readonly apiVersion: number
}

/** Transaction coordinator; requests and responses are the wire's shapes. Answers are protocol errors, never rejections. */
export interface TransactionCoordinator {
  initProducerId(request: RequestOf<typeof InitProducerId>, requester: Requester): Promise<ResponseInput<typeof InitProducerId>>
  /** Every partition named is taken to exist: the handler refuses others. */
  addPartitionsToTxn(request: RequestOf<typeof AddPartitionsToTxn>, requester: Requester): Promise<ResponseInput<typeof AddPartitionsToTxn>>
  addOffsetsToTxn(request: RequestOf<typeof AddOffsetsToTxn>, requester: Requester): Promise<ResponseInput<typeof AddOffsetsToTxn>>
  endTxn(request: RequestOf<typeof EndTxn>, requester: Requester): Promise<ResponseInput<typeof EndTxn>>
  describeTransactions(request: RequestOf<typeof DescribeTransactions>): Promise<ResponseInput<typeof DescribeTransactions>>
  listTransactions(request: RequestOf<typeof ListTransactions>): Promise<ResponseInput<typeof ListTransactions>>
  /**
   * Before an append to partitions of a transaction: enrols them (TV2), or with `verifyOnly` looks whether they are enrolled (TV1). An error code
   * per partition, 0 = go on; PRODUCER_FENCED and TRANSACTION_ABORTABLE are the caller's to translate for its clients.
   */
  enrol(
    transactionalId: string,
    producer: { readonly producerId: number; readonly producerEpoch: number },
    partitions: readonly TopicPartition[],
    options: { readonly verifyOnly: boolean },
  ): Promise<readonly number[]>
  /** Makes `__transaction_state` when it is absent; resolves with the error code. */
  ensureTopic(): Promise<number>
  /** Counts for metrics, read when asked. */
  facts(): TransactionFacts
  /** Loads every partition this broker leads, and completes what was decided; calls for a partition still loading answer COORDINATOR_LOAD_IN_PROGRESS. */
  start(): Promise<void>
  close(): Promise<void>
}

/** What the coordinator holds and did since the start. */
export interface TransactionFacts {
  readonly transactionalIdCount: number
  /** Transactions whose markers are not all written. */
  readonly completingCount: number
  readonly timedOutCount: number
}

/** Writes markers to the partitions of a transaction. */
export interface MarkerWriter {
  /**
   * Resolves with 0 when the marker is synced, UNKNOWN_TOPIC_OR_PARTITION when there is no such partition any more, else with the error code.
   * Never rejects.
   */
  write(partition: TopicPartition, marker: Marker): Promise<number>
}

/** What the coordinator is made of. */
export interface TransactionCoordinatorOptions {
  readonly topic: StateTopic
  readonly clock: Clock
  readonly logger: Logger
  readonly config: TransactionConfig
  readonly limits?: Partial<TransactionLimits>
  readonly markers: MarkerWriter
  /** Resolves with an id that was never given before; rejects when there is none to be had now. */
  readonly newProducerId: () => Promise<number>
  /** The level of `transaction.version` in force. */
  readonly transactionVersion: () => TransactionVersion
  /** The leader epoch of a partition of `__transaction_state`: markers carry it, so that an older coordinator's are refused. */
  readonly coordinatorEpoch: (partitionIndex: number) => number
  /** Which partition of `__consumer_offsets` serves a group. */
  readonly offsetsPartition: (groupId: string) => number
}
