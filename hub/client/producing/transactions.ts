/**
 * @module client/producing/transactions — a transactional producer's dealings with its coordinator.
 *
 * Two generations. Before KIP-890 a partition is added to the transaction before its first batch goes out, and the epoch stays
 * while all goes well. From transaction.version 2 on the partition's leader enrols it when the first batch comes, and each end of
 * a transaction brings a new epoch, so that nothing late can slip into the next one. Requests go one after another; those that
 * may be repeated are, until they are answered: a call that is given up (its signal, max.block.ms) can be made again and waits on.
 */
import { EndTxn, ErrorCode } from '../../wire/index.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import { Coordinators } from '../coordinators.ts'
import { abortable, withDeadline } from '../deadline.ts'
import { ClientError, KafkaError, TransactionError } from '../errors.ts'
import type { OffsetToCommit } from '../group-offsets.ts'
import type { ResolvedProducerOptions } from '../producer-options.ts'
import { type GroupMetadata, partitionKey, type TopicPartition } from '../types.ts'
import type { ProducerBatch, ProducerIdentity } from './batch.ts'
import * as requests from './transaction-requests.ts'
import { nextState, type TransactionEvent, type TransactionState, type TransactionStatus, UNINITIALIZED } from './transaction-state.ts'

/** The level of transaction.version from which on the second generation is spoken. */
const SECOND_GENERATION_LEVEL = 2
const EPOCH_BUMP_VERSION = 5

/** What the transactions need of the batches. */
export interface TransactionBatches {
  /** Resolves when all that was taken is acknowledged or given up. */
  flush(): Promise<void>
  /** Gives up what is not on its way; `all`: also what was sent before and is to be tried again. */
  drop(error: unknown, all: boolean): void
  /** Gives up everything, now and later. */
  stop(error: unknown): void
  /** Something may go that could not. */
  wake(): void
}

/** The transactions of one producer. */
export class Transactions {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #options: ResolvedProducerOptions
  readonly #batches: TransactionBatches
  readonly #transactor: requests.Transactor
  readonly #groups: Coordinators
  #state: TransactionState = UNINITIALIZED
  #identity: ProducerIdentity | null = null
  /** The second generation is spoken. */
  #bumps = false
  /** The coordinator knows, or may know, of the transaction. */
  #started = false
  /** Sequences were lost: the next transaction needs another epoch. */
  #needsEpoch = false
  /** The coordinator knows the producer id no longer and would take no EndTxn. */
  #isForgotten = false
  readonly #enrolled = new Set<string>()
  readonly #enrolledGroups = new Set<string>()
  readonly #toEnrol = new Map<string, TopicPartition>()
  #enrolling = false
  /** Requests to the coordinators, in order. */
  #line: Promise<unknown> = Promise.resolve()
  /** What init, commit or abort wait for. */
  #running: Promise<void> | null = null

  constructor(cluster: Cluster, options: ResolvedProducerOptions, batches: TransactionBatches) {
    this.transactionalId = options.transactionalId
    this.#cluster = cluster
    this.#options = options
    this.#batches = batches
    this.#groups = new Coordinators(cluster)
    this.#transactor = {
      coordinators: new Coordinators(cluster, 'transaction'),
      transactionalId: options.transactionalId,
      signal: cluster.closing,
    }
  }

  get status(): TransactionStatus {
    return this.#state.status
  }

  /** Who produces; null before initTransactions. */
  get identity(): ProducerIdentity | null {
    return this.#identity
  }

  /** Whether batches are sent by the second generation's rules (Produce from v12 on). */
  get isImplicit(): boolean {
    return this.#bumps
  }

  /** Whether a batch that failed is not to be tried again: the epoch's end makes its fate irrelevant. */
  get isPastRetrying(): boolean {
    return this.#bumps && (this.status === 'abortable-error' || this.status === 'aborting')
  }

  /** Whether a batch of the partition may go now; if not, sees to it that it may later. */
  admits(topic: string, partition: number): boolean {
    if (this.#identity === null) return false
    if (this.#bumps) {
      if (!this.#isOpen) return false
      this.#started = true
      return true
    }
    const key = partitionKey(topic, partition)
    // While aborting, what was sent already is followed to its end: it must not turn up behind the marker.
    if (this.#enrolled.has(key)) return this.status !== 'fatal-error'
    if (!this.#isOpen) return false
    if (!this.#toEnrol.has(key)) this.#toEnrol.set(key, { topic, partition })
    this.#enrol()
    return false
  }

  /** A record or batch was given up: the transaction is no longer whole. `batch`: null for records that had none. */
  onGivenUp(batch: ProducerBatch | null, error: unknown): void {
    if (batch !== null && batch.baseSequence >= 0) this.#needsEpoch = true
    this.#move(requests.classifyProduce(error), error)
  }

  /** Throws unless records can be taken. */
  checkOpen(): void {
    if (this.status !== 'in-transaction') throw this.#refusal('send')
  }

  initialize(signal: AbortSignal | undefined): Promise<void> {
    if (this.status !== 'initializing') this.#start('init', 'initialize transactions', () => this.#initialize())
    return this.#wait('initTransactions', signal)
  }

  begin(): void {
    this.#call('begin', 'begin a transaction')
  }

  commit(signal: AbortSignal | undefined): Promise<void> {
    if (this.status !== 'committing') this.#start('commit', 'commit', () => this.#end(true))
    return this.#wait('commitTransaction', signal)
  }

  abort(signal: AbortSignal | undefined): Promise<void> {
    if (this.status !== 'aborting') this.#start('abort', 'abort', () => this.#end(false))
    return this.#wait('abortTransaction', signal)
  }

  /** Before the end of the producer: what was decided is carried out, what is open is aborted, so that readers need not wait for a timeout. */
  async leave(signal: AbortSignal | undefined): Promise<void> {
    if (this.status === 'in-transaction' || this.status === 'abortable-error') await this.abort(signal)
    else if (this.status === 'committing' || this.status === 'aborting') await this.#wait('closing', signal)
  }

  /** Makes offsets of a group part of the transaction. */
  async sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata, signal: AbortSignal | undefined): Promise<void> {
    if (this.status !== 'in-transaction') throw this.#refusal('send offsets')
    if (offsets.length === 0) return
    const sent = this.#inLine(() => this.#sendOffsets(offsets, group)).catch((error: unknown) => {
      throw this.#fail(error)
    })
    sent.catch(() => {})
    await this.#bounded('sendOffsets', sent, signal)
  }

  get #isOpen(): boolean {
    return this.status === 'in-transaction' || this.status === 'committing'
  }

  #start(event: TransactionEvent, what: string, run: () => Promise<void>): void {
    this.#call(event, what)
    this.#running = run()
    // Nobody may be waiting for it by then; the state tells the outcome.
    this.#running.catch(() => {})
  }

  #wait(what: string, signal: AbortSignal | undefined): Promise<void> {
    return this.#bounded(what, this.#running ?? Promise.resolve(), signal)
  }

  #bounded(what: string, promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const { world, blockMsMax } = this.#options
    return withDeadline(world.clock, blockMsMax, [signal, this.#cluster.closing], what, (bounded) => abortable(promise, bounded))
  }

  async #initialize(): Promise<void> {
    const { transactionTimeoutMs } = this.#options
    try {
      this.#identity = await this.#inLine(() =>
        this.#persist(async () => {
          await this.#learnGeneration()
          return requests.initProducer(this.#transactor, transactionTimeoutMs, null)
        }),
      )
    } catch (error) {
      throw this.#fail(error)
    }
    this.#move('initialized')
  }

  /** The feature's level as the coordinator told it when the connection to it was made. */
  async #learnGeneration(): Promise<void> {
    const { coordinators, transactionalId, signal } = this.#transactor
    const { features, ranges } = await coordinators.connect(transactionalId, 'control', signal)
    const level = features.get('transaction.version') ?? 0
    this.#bumps = level >= SECOND_GENERATION_LEVEL && ranges.has(EndTxn, EPOCH_BUMP_VERSION)
  }

  async #end(committed: boolean): Promise<void> {
    if (!committed) this.#batches.drop(new ClientError('state', 'the transaction was aborted'), this.#bumps)
    try {
      await this.#batches.flush()
      await this.#inLine(() => this.#finish(committed))
    } catch (error) {
      throw this.#fail(error, committed)
    }
    this.#started = false
    this.#needsEpoch = false
    this.#isForgotten = false
    this.#enrolled.clear()
    this.#enrolledGroups.clear()
    this.#toEnrol.clear()
    this.#move('ended')
  }

  async #finish(committed: boolean): Promise<void> {
    // A record or an offset was given up on the way.
    if (committed && this.status !== 'committing') throw this.#refusal('commit')
    const identity = this.#identity
    if (identity === null) throw new Error('a transaction without an identity')
    if (this.#started && !this.#isForgotten) {
      this.#identity = (await this.#persist(() => requests.endTransaction(this.#transactor, identity, committed, this.#bumps))) ?? identity
    }
    if (this.#needsEpoch && !this.#bumps) {
      this.#identity = await this.#persist(() => requests.initProducer(this.#transactor, this.#options.transactionTimeoutMs, identity))
    }
    // A cluster may be taken to the next generation while its clients run.
    await this.#persist(() => this.#learnGeneration())
  }

  async #sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void> {
    const identity = this.#identity
    if (identity === null || !this.#isOpen) throw this.#refusal('send offsets')
    const { groupId } = group
    if (!this.#bumps && !this.#enrolledGroups.has(groupId)) {
      await this.#persistOpen(() => requests.addOffsets(this.#transactor, identity, groupId))
      this.#enrolledGroups.add(groupId)
    }
    this.#started = true
    await this.#persistOpen(() => requests.commitInTransaction(this.#groups, this.#transactor, identity, offsets, group, this.#bumps))
  }

  /** Adds to the transaction what has asked for it until its turn comes. */
  #enrol(): void {
    if (this.#enrolling) return
    this.#enrolling = true
    this.#inLine(async () => {
      this.#enrolling = false
      const partitions = [...this.#toEnrol.values()]
      this.#toEnrol.clear()
      const identity = this.#identity
      if (identity === null || !this.#isOpen || partitions.length === 0) return
      await this.#persistOpen(() => requests.addPartitions(this.#transactor, identity, partitions))
      this.#started = true
      for (const { topic, partition } of partitions) this.#enrolled.add(partitionKey(topic, partition))
      this.#batches.wake()
    }).catch((error: unknown) => this.#fail(error))
  }

  #inLine<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#line.then(run)
    this.#line = done.catch(() => {})
    return done
  }

  #persistOpen<T>(attempt: () => Promise<T>): Promise<T> {
    return this.#persist(attempt, () => this.#isOpen)
  }

  /** Until it succeeds, fails for good, or need not go on. */
  async #persist<T>(attempt: () => Promise<T>, goesOn: () => boolean = () => true): Promise<T> {
    const { world, retryBackoffMsMax } = this.#options
    for (let count = 0; ; count++) {
      try {
        return await attempt()
      } catch (error) {
        this.#cluster.closing.throwIfAborted()
        this.#noteCoordinator(error)
        if (requests.classify(error, !this.#bumps) !== 'retry') throw error
        if (!goesOn()) throw this.#refusal('go on')
        const pauseMs = backoffMs(count, retryFirstMs(error, this.#options), retryBackoffMsMax, world.random)
        await world.clock.sleep(pauseMs, this.#cluster.closing)
      }
    }
  }

  /** An answer may say that another broker coordinates the transactional id, or the group. */
  #noteCoordinator(error: unknown): void {
    const groupId = error instanceof KafkaError ? error.place.groupId : undefined
    if (groupId === undefined) this.#transactor.coordinators.noteError(this.transactionalId, error)
    else this.#groups.noteError(groupId, error)
  }

  /** Draws the consequences; returns what a caller is to hear. */
  #fail(error: unknown, mayAbort = true): unknown {
    if (error instanceof TransactionError || this.#cluster.closing.aborted) return error
    if (error instanceof ClientError && error.kind === 'state') return error
    const verdict = requests.classify(error, !this.#bumps)
    if (requests.isUnknownProducer(error)) {
      this.#needsEpoch = true
      this.#isForgotten = true
    }
    this.#move(verdict === 'abortable' && mayAbort ? 'abortable' : 'fatal', error)
    return this.#failure ?? error
  }

  get #failure(): TransactionError | null {
    const { status, failure } = this.#state
    if (status === 'fatal-error') return new TransactionError('fatal', failure)
    return status === 'abortable-error' ? new TransactionError('abortable', failure) : null
  }

  #refusal(what: string): Error {
    return this.#failure ?? new ClientError('state', `cannot ${what}: the transactional producer is ${this.status}`)
  }

  #call(event: TransactionEvent, what: string): void {
    const next = nextState(this.#state, event)
    if (next === null) throw this.#refusal(what)
    this.#state = next
  }

  #move(event: TransactionEvent, failure: unknown = null): void {
    const next = nextState(this.#state, event, failure)
    if (next === null) throw new Error(`a producer that is ${this.status} has no ${event}`)
    if (next.status === this.status) return
    this.#state = next
    const heard = this.#failure
    if (heard === null) return
    // Whoever tells of the failure may be walking through the queues.
    queueMicrotask(() => {
      if (heard.kind === 'fatal') this.#batches.stop(heard)
      else this.#batches.drop(heard, this.#bumps)
    })
  }
}

/** First wait after CONCURRENT_TRANSACTIONS, in ms: the markers of the transaction before are written within a few. */
const CONCURRENT_BACKOFF_MS = 20

/** First wait before the request that failed so is made again, in ms. */
export function retryFirstMs(error: unknown, { retryBackoffMs }: { readonly retryBackoffMs: number }): number {
  const isConcurrent = error instanceof KafkaError && error.code === ErrorCode.CONCURRENT_TRANSACTIONS
  return isConcurrent ? Math.min(CONCURRENT_BACKOFF_MS, retryBackoffMs) : retryBackoffMs
}
