/**
 * @module txn/shard — the transactional ids of one partition of `__transaction_state`: performs what the state machine decides.
 *
 * Records are appended in the order of the decisions and synced with the rounds of the log directory, many ids together. Whoever waits for
 * an id is asked again in the order of arrival as soon as something moved.
 */
import type { Clock, Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import type { StatePartition } from '../replica/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { loadedTransaction, step } from './machine.ts'
import { markerOf, writeMarkers } from './markers.ts'
import { decodeRecord, transactionRecord } from './records.ts'
import { code } from './steps.ts'
import type {
  Answer,
  Circumstances,
  Effect,
  Transaction,
  TransactionEvent,
  TransactionFields,
  TransactionRequest,
  TransactionVersion,
} from './transaction.ts'
import type { TransactionConfig, TransactionLimits } from './transaction-config.ts'
import type { MarkerWriter } from './types.ts'

/** What a shard works with. */
export interface ShardTools {
  readonly clock: Clock
  readonly logger: Logger
  readonly config: TransactionConfig
  readonly limits: TransactionLimits
  readonly markers: MarkerWriter
  readonly newProducerId: () => Promise<number>
  readonly transactionVersion: () => TransactionVersion
  readonly coordinatorEpoch: (partitionIndex: number) => number
}

/** A request that was not answered yet. */
interface Asked {
  readonly event: TransactionRequest
  readonly answer: (answer: Answer) => void
  /** Set when it had to wait. */
  timer: Timer | null
}

/** A transactional id and who wants something of it. */
interface Cell {
  readonly transactionalId: string
  transaction: Transaction | null
  /** Whose record is pending. */
  asker: Asked | null
  waiting: Asked[]
  /** Requests for which a producer id is being fetched. */
  fetchingCount: number
  /** The completion whose record is on its way. */
  completing: TransactionFields | null
  retry: Timer | null
  retryBackoffMs: number
}

/** One partition's coordinator. */
export class TransactionShard {
  readonly #partition: StatePartition
  readonly #index: number
  readonly #tools: ShardTools
  readonly #cells = new Map<string, Cell>()
  readonly #closing = new AbortController()
  /** Appends without an outcome, and what waits for their end. */
  #appendCount = 0
  #onSettled: (() => void) | undefined
  #completingCount = 0

  constructor(partition: StatePartition, index: number, tools: ShardTools) {
    this.#partition = partition
    this.#index = index
    this.#tools = tools
  }

  /** Reads the partition, the last record of an id winning, and goes on with what was decided. Throws DecodeError for a malformed record. */
  async load(name: string): Promise<void> {
    const { logger } = this.#tools
    const passedOver = new Map<string, number>()
    for await (const records of this.#partition.load()) {
      for (const record of records) {
        const read = record.kind === 'record' && record.key !== null ? decodeRecord(record.key, record.value) : undefined
        if (read === undefined || read.kind === 'unknown') {
          const what = read?.what ?? 'record without a key'
          passedOver.set(what, (passedOver.get(what) ?? 0) + 1)
        } else if (read.fields === null) this.#cells.delete(read.transactionalId)
        else this.#cells.set(read.transactionalId, newCell(read.transactionalId, loadedTransaction(read.fields)))
      }
    }
    for (const [what, count] of passedOver) logger.warn(`${name}: passed over ${count} × ${what}`)
    for (const cell of [...this.#cells.values()]) this.#dispatch(cell, { type: 'loaded' }, null)
  }

  get idCount(): number {
    return this.#cells.size
  }

  get completingCount(): number {
    return this.#completingCount
  }

  /** The id as it is in force, null: there is none. */
  transaction(transactionalId: string): Transaction | null {
    return this.#cells.get(transactionalId)?.transaction ?? null
  }

  /** All ids. */
  *transactions(): Generator<readonly [string, TransactionFields]> {
    for (const { transactionalId, transaction } of this.#cells.values())
      if (transaction !== null) yield [transactionalId, transaction.fields]
  }

  /** Resolves with the answer. */
  ask(transactionalId: string, event: TransactionRequest): Promise<Answer> {
    if (this.#closing.signal.aborted) return Promise.resolve(code(ErrorCode.NOT_COORDINATOR))
    return new Promise((resolve) => {
      const cell = this.#cells.get(transactionalId) ?? newCell(transactionalId, null)
      this.#dispatch(cell, event, { event, answer: resolve, timer: null })
    })
  }

  /** Aborts what is open for too long; returns how many. */
  abortTimedOut(): number {
    let count = 0
    for (const cell of [...this.#cells.values()]) {
      if (cell.transaction?.fields.state !== 'Ongoing' || cell.transaction.pending !== null) continue
      this.#dispatch(cell, { type: 'timeOut' }, null)
      if (cell.transaction.pending !== null) count++
    }
    return count
  }

  /** Forgets ids that were not used for too long. Resolves when their tombstones have an outcome. */
  async removeExpired(): Promise<void> {
    const circumstances = this.#circumstances(null)
    const expired: Cell[] = []
    for (const cell of this.#cells.values()) {
      const { transaction, effects } = step(cell.transaction, { type: 'expire' }, circumstances)
      if (effects.length === 0) continue
      cell.transaction = transaction
      expired.push(cell)
    }
    const { tombstoneBatchRecordCountMax: size } = this.#tools.limits
    const batches = Array.from({ length: Math.ceil(expired.length / size) }, (_, at) => expired.slice(at * size, (at + 1) * size))
    await Promise.all(batches.map((batch) => this.#bury(batch)))
  }

  /** Gives up: whoever waits is sent to look for the coordinator. Nothing is appended or written any more. */
  unload(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    for (const cell of this.#cells.values()) {
      cell.retry?.cancel()
      for (const asked of cell.waiting.splice(0)) finish(asked, code(ErrorCode.NOT_COORDINATOR))
      if (cell.asker !== null) finish(cell.asker, code(ErrorCode.NOT_COORDINATOR))
      cell.asker = null
    }
    this.#cells.clear()
  }

  /** Resolves when every append made so far has its outcome. */
  async settled(): Promise<void> {
    if (this.#appendCount === 0) return
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve
    })
  }

  #circumstances(newProducerId: number | null): Circumstances {
    const { clock, config, transactionVersion } = this.#tools
    return { nowMs: clock.nowMs(), transactionVersion: transactionVersion(), newProducerId, idExpirationMs: config.idExpirationMs }
  }

  /** Lets something happen to an id, by `asked` or (null) by itself. */
  #dispatch(cell: Cell, event: TransactionEvent, asked: Asked | null, newProducerId: number | null = null): void {
    const { transaction, effects } = step(cell.transaction, event, this.#circumstances(newProducerId))
    cell.transaction = transaction
    for (const effect of effects) this.#perform(cell, effect, asked)
    const isVacant = cell.transaction === null && cell.waiting.length === 0 && cell.fetchingCount === 0
    if (isVacant) this.#cells.delete(cell.transactionalId)
    else if (!this.#closing.signal.aborted) this.#cells.set(cell.transactionalId, cell)
  }

  #perform(cell: Cell, effect: Effect, asked: Asked | null): void {
    switch (effect.type) {
      case 'answer':
        if (asked !== null) finish(asked, effect.answer)
        return
      case 'wait':
        if (asked !== null) this.#wait(cell, asked)
        return
      case 'needProducerId':
        this.#fetchProducerId(cell, asked)
        return
      case 'append':
        cell.asker = asked
        this.#append(cell, effect.fields)
        return
      case 'appendCompletion':
        this.#complete(cell, effect.fields)
        return
      case 'writeMarkers':
        this.#writeMarkers(cell, effect.fields)
        return
      case 'moved':
        this.#askAgain(cell)
    }
  }

  #wait(cell: Cell, asked: Asked): void {
    const { clock, config, limits } = this.#tools
    if (cell.waiting.length >= limits.waitingRequestCountMax) {
      finish(asked, code(ErrorCode.CONCURRENT_TRANSACTIONS))
      return
    }
    cell.waiting.push(asked)
    asked.timer ??= clock.timer(config.waitMsMax, () => {
      const at = cell.waiting.indexOf(asked)
      if (at >= 0) cell.waiting.splice(at, 1)
      // Else a record of its own is on its way, which answers it.
      if (at >= 0) finish(asked, code(ErrorCode.CONCURRENT_TRANSACTIONS))
    })
  }

  /** In order; those that have to wait on keep their places. */
  #askAgain(cell: Cell): void {
    const waiting = cell.waiting
    if (waiting.length === 0) return
    cell.waiting = []
    for (const asked of waiting) this.#dispatch(cell, asked.event, asked)
  }

  #fetchProducerId(cell: Cell, asked: Asked | null): void {
    const event = asked?.event ?? { type: 'timeOut' as const }
    cell.fetchingCount++
    this.#tools.newProducerId().then(
      (producerId) => {
        cell.fetchingCount--
        if (!this.#closing.signal.aborted) this.#dispatch(cell, event, asked, producerId)
        else if (asked !== null) finish(asked, code(ErrorCode.NOT_COORDINATOR))
      },
      (error: unknown) => {
        cell.fetchingCount--
        this.#tools.logger.error('cannot allocate producer ids', { error })
        if (asked !== null) finish(asked, code(ErrorCode.COORDINATOR_NOT_AVAILABLE))
        if (cell.transaction === null && cell.waiting.length === 0 && cell.fetchingCount === 0) this.#cells.delete(cell.transactionalId)
      },
    )
  }

  #append(cell: Cell, fields: TransactionFields): void {
    void this.#appendRecords([{ cell, fields }]).then((errorCode) => this.#onOutcome(cell, errorCode))
  }

  #onOutcome(cell: Cell, errorCode: number): void {
    if (this.#closing.signal.aborted) return
    const { asker } = cell
    cell.asker = null
    this.#dispatch(
      cell,
      errorCode === ErrorCode.NONE ? { type: 'synced' } : { type: 'refused', errorCode: errorForClient(errorCode) },
      asker,
    )
  }

  async #bury(cells: readonly Cell[]): Promise<void> {
    const errorCode = await this.#appendRecords(
      cells.flatMap((cell) => (cell.transaction?.pending == null ? [] : [{ cell, fields: cell.transaction.pending.next }])),
    )
    for (const cell of cells) this.#onOutcome(cell, errorCode)
  }

  #complete(cell: Cell, fields: TransactionFields): void {
    if (cell.completing === fields) return
    cell.completing = fields
    cell.retry?.cancel()
    cell.retry = null
    void this.#appendRecords([{ cell, fields }]).then((errorCode) => {
      if (this.#closing.signal.aborted || cell.completing !== fields) return
      cell.completing = null
      if (errorCode === ErrorCode.NONE) {
        cell.retryBackoffMs = this.#tools.limits.retryBackoffMs
        this.#dispatch(cell, { type: 'completionSynced' }, null)
        return
      }
      this.#tools.logger.warn(`the completion of transactional id ${cell.transactionalId} is not in the log yet; trying on`, { errorCode })
      this.#completeLater(cell)
    })
  }

  #completeLater(cell: Cell): void {
    const { clock, limits } = this.#tools
    cell.retry = clock.timer(cell.retryBackoffMs, () => {
      cell.retry = null
      this.#dispatch(cell, { type: 'completeAgain' }, null)
    })
    cell.retryBackoffMs = Math.min(Math.max(cell.retryBackoffMs * 2, limits.retryBackoffMs), limits.retryBackoffMsMax)
  }

  #writeMarkers(cell: Cell, fields: TransactionFields): void {
    const marker = markerOf(fields, this.#tools.coordinatorEpoch(this.#index))
    const { signal } = this.#closing
    this.#completingCount++
    writeMarkers(cell.transactionalId, fields, marker, this.#tools, signal).then(
      () => {
        this.#completingCount--
        if (!signal.aborted) this.#dispatch(cell, { type: 'markersWritten' }, null)
      },
      (error: unknown) => {
        this.#completingCount--
        if (!signal.aborted) this.#tools.logger.error(`cannot write the markers of transactional id ${cell.transactionalId}`, { error })
      },
    )
  }

  /** One batch; resolves with the error code. */
  async #appendRecords(records: readonly { readonly cell: Cell; readonly fields: TransactionFields }[]): Promise<number> {
    const level = this.#tools.transactionVersion()
    this.#appendCount++
    try {
      return await this.#partition.append(records.map(({ cell, fields }) => transactionRecord(cell.transactionalId, fields, level)))
    } finally {
      this.#appendCount--
      if (this.#appendCount === 0) this.#onSettled?.()
    }
  }
}

function newCell(transactionalId: string, transaction: Transaction | null): Cell {
  const nobody = { asker: null, waiting: [], fetchingCount: 0, completing: null, retry: null, retryBackoffMs: 0 }
  return { transactionalId, transaction, ...nobody }
}

function finish(asked: Asked, answer: Answer): void {
  asked.timer?.cancel()
  asked.answer(answer)
}

/** What a client can do nothing about is not told in detail (as in Kafka). */
function errorForClient(errorCode: number): number {
  return errorCode === ErrorCode.RECORD_LIST_TOO_LARGE ? ErrorCode.UNKNOWN_SERVER_ERROR : errorCode
}
