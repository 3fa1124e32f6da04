/**
 * @module api/produce-transactions — transactional batches of Produce: the coordinator is asked before the first one of a transaction in a
 * partition is appended (KIP-890): to enrol the partition (version 12 on), before that whether it is enrolled.
 *
 * Requests overlap, so that a batch that waits for the coordinator must not be overtaken by the next ones of its producer. Those that come
 * meanwhile queue up behind it, whatever partition they are for, as they do in Kafka, where a connection has one request in work. All that is
 * in order is the appending; being synced is waited for side by side.
 *
 * ```
 * transaction open in every partition, nobody queued      append now
 * else                                                    [queue of the producer] → begin verification → ask → append → next
 * ```
 */
import type { Verification, VerificationGuard } from '../log/index.ts'
import type { Partition } from '../replica/index.ts'
import { batchHeader, BATCH_HEADER_BYTES, ErrorCode, errorMessage, type Produce, type RequestOf } from '../wire/index.ts'
import type { Broker } from './handler.ts'

/** First version whose batches enrol their partition. */
const ENROL_VERSION_MIN = 12
/** First version whose clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_VERSION_MIN = 11

type Request = RequestOf<typeof Produce>

/** Whose transaction a request belongs to. */
export interface TransactionalProducer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** A transactional batch that is to be appended. */
export interface TransactionalBatch {
  readonly partition: Partition
  readonly baseSequence: number
}

/** The coordinator has nothing against the batch. */
interface Admitted {
  readonly verification: Verification
}

/** What the coordinator says: append with that verification, or answer the error. */
type Admission = Admitted | { readonly errorCode: number; readonly message: string | null }

/** By partition; one that is missing has no transactional batch. */
export type Admissions = ReadonlyMap<Partition, Admission>

const OPEN: Admission = { verification: undefined }
const TRUSTED: Admission = { verification: 'trusted' }

/** Whether the batch may be appended. */
export function isAdmitted(admission: Admission): admission is Admitted {
  return 'verification' in admission
}

/** The producer of a request's transactional batches; undefined when it has none, the error code for all of the request when it has no right to them. */
export function transactionalProducer(request: Request): TransactionalProducer | number | undefined {
  const { transactionalId } = request
  let producer: TransactionalProducer | undefined
  for (const { partitionData } of request.topicData) {
    for (const { records } of partitionData) {
      if (!isTransactional(records)) continue
      if (transactionalId === null) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      const producerId = batchHeader.producerId(records, 0)
      const producerEpoch = batchHeader.producerEpoch(records, 0)
      producer ??= { transactionalId, producerId, producerEpoch }
      if (producer.producerId !== producerId || producer.producerEpoch !== producerEpoch) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
    }
  }
  return producer
}

/** Whether the records are a batch of a transaction. */
export function isTransactional(records: Buffer | null): records is Buffer {
  return records !== null && records.length >= BATCH_HEADER_BYTES && batchHeader.isTransactional(records, 0)
}

/** The queues of a broker's transactional producers. */
export class TransactionalAppends {
  readonly #broker: Broker
  /** Settles when the producer's last queued request has been appended. */
  readonly #tails = new Map<number, Promise<unknown>>()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Calls `append` once, when it is the request's turn and the coordinator has said what it says: now, where there is nothing to wait for. */
  run<T>(
    producer: TransactionalProducer,
    batches: readonly TransactionalBatch[],
    apiVersion: number,
    append: (admissions: Admissions) => T,
  ): T | Promise<T> {
    const { producerId } = producer
    const tail = this.#tails.get(producerId)
    if (tail === undefined) {
      const guards = this.#begin(producer, batches, apiVersion)
      if (!(guards instanceof Map)) return append(admitted(batches, guards))
      return this.#enqueue(producerId, this.#ask(producer, batches, guards, apiVersion).then(append))
    }
    const turn = tail.then(() => {
      const guards = this.#begin(producer, batches, apiVersion)
      if (!(guards instanceof Map)) return append(admitted(batches, guards))
      return this.#ask(producer, batches, guards, apiVersion).then(append)
    })
    return this.#enqueue(producerId, turn)
  }

  #enqueue<T>(producerId: number, appended: Promise<T>): Promise<T> {
    const release = (): void => {
      if (this.#tails.get(producerId) === settled) this.#tails.delete(producerId)
    }
    const settled: Promise<unknown> = appended.then(release, release)
    this.#tails.set(producerId, settled)
    return appended
  }

  /** The guards of the batches about which the coordinator is to be asked; one admission for all when there are none. */
  #begin(
    { producerId, producerEpoch }: TransactionalProducer,
    batches: readonly TransactionalBatch[],
    apiVersion: number,
  ): Map<Partition, VerificationGuard> | Admission {
    const enrols = apiVersion >= ENROL_VERSION_MIN
    if (!enrols && !this.#broker.config().brokerConfig['transaction.partition.verification.enable']) return TRUSTED
    const guards = new Map<Partition, VerificationGuard>()
    for (const { partition, baseSequence } of batches) {
      const guard = partition.beginVerification(producerId, producerEpoch, baseSequence, enrols)
      if (guard !== undefined) guards.set(partition, guard)
    }
    return guards.size === 0 ? OPEN : guards
  }

  async #ask(
    { transactionalId, ...producer }: TransactionalProducer,
    batches: readonly TransactionalBatch[],
    guards: ReadonlyMap<Partition, VerificationGuard>,
    apiVersion: number,
  ): Promise<Admissions> {
    const admissions = new Map(admitted(batches, OPEN))
    const asked = [...guards.keys()]
    const names = asked.map(({ topic, partition }) => ({ topic, partition }))
    const verifyOnly = apiVersion < ENROL_VERSION_MIN
    const errorCodes = await this.#broker.transactions.enrol(transactionalId, producer, names, { verifyOnly })
    for (const [at, partition] of asked.entries()) {
      const errorCode = errorCodes[at] ?? ErrorCode.UNKNOWN_SERVER_ERROR
      const verification = guards.get(partition)
      admissions.set(partition, errorCode === ErrorCode.NONE ? { verification } : refusal(errorCode, apiVersion))
    }
    return admissions
  }
}

function admitted(batches: readonly TransactionalBatch[], admission: Admission): Admissions {
  return new Map(batches.map(({ partition }) => [partition, admission]))
}

/** The coordinator's code in words that producers know what to do with (as Kafka's AddPartitionsToTxnManager and ReplicaManager). */
function refusal(errorCode: number, apiVersion: number): Admission {
  switch (errorCode) {
    case ErrorCode.PRODUCER_FENCED:
      return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, message: null }
    case ErrorCode.TRANSACTION_ABORTABLE:
      return apiVersion >= ABORTABLE_VERSION_MIN ? { errorCode, message: null } : notAdded
    case ErrorCode.INVALID_TXN_STATE:
      return notAdded
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return apiVersion >= ENROL_VERSION_MIN ? { errorCode, message: null } : unverified(errorCode)
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return unverified(errorCode)
    default:
      return { errorCode, message: null }
  }
}

const notAdded: Admission = { errorCode: ErrorCode.INVALID_TXN_STATE, message: 'the partition was not added to the transaction' }

/** Retriable for every client, without new metadata. */
function unverified(errorCode: number): Admission {
  const message = `the transaction coordinator could not be asked: ${errorMessage(errorCode) ?? errorCode}`
  return { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, message }
}
