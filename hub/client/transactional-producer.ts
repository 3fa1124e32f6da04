/**
 * @module client/transactional-producer — records and consumed offsets that count together or not at all.
 *
 * @example
 * const producer = createTransactionalProducer({ bootstrapServers: '127.0.0.1:9092', transactionalId: 'invoices-0' })
 * await producer.initTransactions()
 * producer.beginTransaction()
 * const sent = producer.sendBatch(invoices)
 * await producer.sendOffsets([{ topic: 'orders', partition: 0, offset: 42 }], consumer.groupMetadata())
 * await Promise.all([sent, producer.commitTransaction()])
 */
import { ClientError } from './errors.ts'
import type { OffsetToCommit } from './group-offsets.ts'
import { KafkaProducer, type Producer } from './producer.ts'
import { type ProducerOptions, resolveProducerOptions, type ResolvedProducerOptions } from './producer-options.ts'
import type { TransactionStatus } from './producing/transaction-state.ts'
import type { Transactions } from './producing/transactions.ts'
import type { GroupMetadata } from './types.ts'

/**
 * Records, and offsets of consumer groups, that consumers with read_committed see all or not at all.
 *
 * First `initTransactions`, once: it puts out any earlier producer with the same id and ends what that one left open. Then, again and
 * again, `beginTransaction`, any number of `send` and `sendOffsets`, and one `commitTransaction` or `abortTransaction`. Sends need
 * not be awaited: a commit waits for them, and fails when one of them did. When anything fails in a way that concerns the transaction,
 * every further call rejects with a {@link TransactionError}: of kind `abortable` until `abortTransaction`, of kind `fatal` for good.
 * A call that ends early (its signal, or a `timeout` after max.block.ms) goes on in the background: the only thing to do is to call
 * the same again, which waits on.
 */
export interface TransactionalProducer extends Producer {
  /** Where it stands. */
  readonly transactionStatus: TransactionStatus
  initTransactions(signal?: AbortSignal): Promise<void>
  /** Throws a ClientError of kind `state` unless the producer is ready. */
  beginTransaction(): void
  /** Next offsets to read: they become the group's when the transaction commits. The group fences members that it no longer has (KIP-447). */
  sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata, signal?: AbortSignal): Promise<void>
  /** Waits for all that was sent, then commits. Rejects with a TransactionError when something was not delivered. */
  commitTransaction(signal?: AbortSignal): Promise<void>
  /** Gives up what is not sent yet, and aborts. */
  abortTransaction(signal?: AbortSignal): Promise<void>
}

/** A {@link TransactionalProducer}; it connects when it is first used. Throws a ClientError of kind `config`. */
export function createTransactionalProducer(options: ProducerOptions & { readonly transactionalId: string }): TransactionalProducer {
  return new KafkaTransactionalProducer(resolveProducerOptions(options))
}

class KafkaTransactionalProducer extends KafkaProducer implements TransactionalProducer {
  readonly #transactions: Transactions

  constructor(options: ResolvedProducerOptions) {
    super(options)
    if (this.transactions === null) throw new ClientError('config', 'transactional.id must not be empty')
    this.#transactions = this.transactions
  }

  get transactionStatus(): TransactionStatus {
    return this.#transactions.status
  }

  initTransactions(signal?: AbortSignal): Promise<void> {
    return this.run(async () => this.#transactions.initialize(signal))
  }

  beginTransaction(): void {
    this.#transactions.begin()
  }

  sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata, signal?: AbortSignal): Promise<void> {
    return this.run(() => this.#transactions.sendOffsets(offsets, group, signal))
  }

  commitTransaction(signal?: AbortSignal): Promise<void> {
    return this.run(async () => this.#transactions.commit(signal))
  }

  abortTransaction(signal?: AbortSignal): Promise<void> {
    return this.run(async () => this.#transactions.abort(signal))
  }
}
