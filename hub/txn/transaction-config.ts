/** @module txn/transaction-config — the broker settings and the limits of the transaction coordinator. */

/** Settings, from the broker's configuration. */
export interface TransactionConfig {
  /** `transaction.max.timeout.ms` */
  readonly maxTimeoutMs: number
  /** `transactional.id.expiration.ms` */
  readonly idExpirationMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly timeoutCheckIntervalMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly expirationCheckIntervalMs: number
  /**
   * `add.partitions.to.txn.retry.backoff.max.ms`: how long a request waits for what is under way before it is answered CONCURRENT_TRANSACTIONS. In
   * Kafka Produce and TxnOffsetCommit wait so long at most; the others are sent away at once.
   */
  readonly waitMsMax: number
}

/** The broker's keys that {@link TransactionConfig} is made of. */
export type TransactionConfigKey =
  | 'transaction.max.timeout.ms'
  | 'transactional.id.expiration.ms'
  | 'transaction.abort.timed.out.transaction.cleanup.interval.ms'
  | 'transaction.remove.expired.transaction.cleanup.interval.ms'
  | 'add.partitions.to.txn.retry.backoff.max.ms'

/** Limits that no setting of Kafka's covers. */
export interface TransactionLimits {
  /** Pause before a marker or the record of a completion is written again, ms: doubled each time … */
  readonly retryBackoffMs: number
  /** … up to this. */
  readonly retryBackoffMsMax: number
  /** Tombstones per batch when ids expire. */
  readonly tombstoneBatchRecordCountMax: number
  /** Requests that wait for one transactional id; more are answered CONCURRENT_TRANSACTIONS. */
  readonly waitingRequestCountMax: number
}

/** The defaults of {@link TransactionLimits}. */
export const TRANSACTION_LIMITS: TransactionLimits = {
  retryBackoffMs: 50,
  retryBackoffMsMax: 1000,
  tombstoneBatchRecordCountMax: 1000,
  waitingRequestCountMax: 100,
}

/** Reads the settings by Kafka's keys; `number` gives a key's parsed value. */
export function transactionConfig(number: (key: TransactionConfigKey) => number): TransactionConfig {
  return {
    maxTimeoutMs: number('transaction.max.timeout.ms'),
    idExpirationMs: number('transactional.id.expiration.ms'),
    timeoutCheckIntervalMs: number('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    expirationCheckIntervalMs: number('transaction.remove.expired.transaction.cleanup.interval.ms'),
    waitMsMax: number('add.partitions.to.txn.retry.backoff.max.ms'),
  }
}
