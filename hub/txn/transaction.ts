/**
 * @module txn/transaction — a transactional id as its record says it, and what can happen to it: the words of the state machine in `machine.ts`.
 *
 * ```
 *            AddPartitions, AddOffsets, first batch (TV2)         EndTxn(commit)                 all markers
 *   Empty ────────────────────────────────▶ Ongoing ──────────────▶ PrepareCommit ───────────▶ CompleteCommit ─┐
 *     ▲  ▲                                   │   ▲  └──────────────▶ PrepareAbort ────────────▶ CompleteAbort ──┤
 *     │  └── InitProducerId ── Complete… ────┼───┼── EndTxn(abort), InitProducerId, timeout ──────────┘          │
 *   InitProducerId                           │   └──────────── the next transaction ◀─────────────────────────────┘
 *     │                                      └ InitProducerId and timeout pass through PrepareEpochFence, in one step
 *   Dead: no such id (yet, or any more). With TV2 Empty and Complete… may be aborted too.
 * ```
 * Source: KIP-98, KIP-360, KIP-890; org.apache.kafka.coordinator.transaction.TransactionMetadata of Kafka 4.3.1.
 */
import type { PartitionSet, TopicPartition } from './partitions.ts'

/** By the number that a record carries. `Dead` and `PrepareEpochFence` never stand in a record. */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionState = (typeof TRANSACTION_STATES)[number]

/** Level of the feature `transaction.version`: 0 and 1 end transactions in the same epoch, 2 with a higher one (KIP-890). */
export type TransactionVersion = 0 | 1 | 2

/** The first version that raises the epoch with each end. */
export const EPOCH_BUMP_VERSION = 2
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
/** No producer is ever given this epoch, so that one can always be fenced. */
export const EPOCH_MAX = 32767
/** `startMs` of an id without a transaction. */
export const NOT_STARTED = -1
/** A timeout that never comes: the transaction is prepared by somebody else (KIP-939). */
export const NO_TIMEOUT = 0x7fffffff

/** What a record says, and the last epoch, which none says (so a retry of InitProducerId over a restart is fenced, as in Kafka). */
export interface TransactionFields {
  readonly state: TransactionState
  readonly producerId: number
  /** The id before the last transition: another one only when that exhausted the epochs. */
  readonly previousProducerId: number
  /** Of a prepared transaction whose end exhausts the epochs: the producer goes on with it (KIP-890); else −1. */
  readonly nextProducerId: number
  readonly producerEpoch: number
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly partitions: PartitionSet
  readonly startMs: number
  readonly lastUpdateMs: number
  /** Of the client that last changed the transaction. */
  readonly clientTransactionVersion: TransactionVersion
}

/** What a client hears; InitProducerId and EndTxn ≥ 5 take all of it, the others the code. */
export interface Answer {
  readonly errorCode: number
  readonly producerId: number
  readonly producerEpoch: number
}

/** A record that is being appended. */
interface Pending {
  /** In force when the record is synced; of state `Dead` for a tombstone. */
  readonly next: TransactionFields
  /** For whoever asked, when the record is synced. */
  readonly answer: Answer | null
  /** The epoch of `next` is one that nobody was given. */
  readonly isEpochFence: boolean
}

/** A transactional id in memory. */
export interface Transaction {
  /** In force. */
  readonly fields: TransactionFields
  readonly pending: Pending | null
  /** False while the record of a completion, which is in force already, is not known to be synced: see `machine.ts`. */
  readonly isLogged: boolean
  /** A fence raised the epoch in memory and its record was refused: the next one need not raise it again. */
  readonly hasFailedEpochFence: boolean
}

/** What clients and the clock ask for: answered once, at once or when a record is synced. */
export type TransactionRequest =
  | {
      readonly type: 'initProducerId'
      readonly timeoutMs: number
      /** What the producer believes to be (KIP-360). */
      readonly expected: { readonly producerId: number; readonly producerEpoch: number } | null
    }
  | {
      readonly type: 'addPartitions'
      readonly producerId: number
      readonly producerEpoch: number
      readonly partitions: readonly TopicPartition[]
      readonly clientTransactionVersion: TransactionVersion
    }
  | {
      readonly type: 'endTransaction'
      readonly producerId: number
      readonly producerEpoch: number
      readonly isCommit: boolean
      readonly clientTransactionVersion: TransactionVersion
    }

/** Everything that can happen to a transactional id. */
export type TransactionEvent =
  | TransactionRequest
  /** Look whether the transaction is open for too long. */
  | { readonly type: 'timeOut' }
  /** Look whether the id was not used for too long. */
  | { readonly type: 'expire' }
  /** It was read from the log. */
  | { readonly type: 'loaded' }
  /** The pending record is synced. */
  | { readonly type: 'synced' }
  /** The pending record was refused. */
  | { readonly type: 'refused'; readonly errorCode: number }
  /** Every partition has its marker, or is gone. */
  | { readonly type: 'markersWritten' }
  /** The record of the completion is synced. */
  | { readonly type: 'completionSynced' }
  /** It was refused a while ago: once more. */
  | { readonly type: 'completeAgain' }

/** What the shell has to do, in this order. */
export type Effect =
  /** To the request in hand, or for `synced` and `refused` to the one whose record was pending. */
  | { readonly type: 'answer'; readonly answer: Answer }
  /** Something is under way: ask again when it has moved, and answer CONCURRENT_TRANSACTIONS when that takes too long. */
  | { readonly type: 'wait' }
  /** Ask again with a new producer id. */
  | { readonly type: 'needProducerId' }
  /** Append the pending record, or the tombstone; then `synced` or `refused`. */
  | { readonly type: 'append'; readonly fields: TransactionFields }
  /** Append the record of a completion; then `completionSynced`, or later `completeAgain`. */
  | { readonly type: 'appendCompletion'; readonly fields: TransactionFields }
  /** Write the markers that the fields speak of; then `markersWritten`. */
  | { readonly type: 'writeMarkers'; readonly fields: TransactionFields }
  /** Who waits may ask again. */
  | { readonly type: 'moved' }

/** Circumstances of a step. */
export interface Circumstances {
  readonly nowMs: number
  /** The level of `transaction.version` in force. */
  readonly transactionVersion: TransactionVersion
  /** An id that nobody has, when one was asked for. */
  readonly newProducerId: number | null
  /** `transactional.id.expiration.ms` */
  readonly idExpirationMs: number
}

/** What becomes of a transactional id: null, it is gone. */
export interface Step {
  readonly transaction: Transaction | null
  readonly effects: readonly Effect[]
}
