/**
 * @module group/shard — the groups and offsets of one partition of `__consumer_offsets`: performs what the state machines decide.
 *
 * Appends run side by side (many commits share a sync); their outcomes are taken in the order in which they stand in the log,
 * whatever order they arrive in, so that memory always equals some prefix of it.
 */
import type { Clock, Timer } from '../io/index.ts'
import type { Marker, VerificationGuard } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import type { StateTransaction } from '../replica/index.ts'
import { ErrorCode } from '../wire/index.ts'
import type { GroupCounts } from './counts.ts'
import { step } from './classic.ts'
import { loadPartition } from './load.ts'
import { emptyGroup, groupFromMetadata } from './machine.ts'
import type { GroupEffect, GroupEvent, GroupRules, GroupState, JoinAnswer, LeaveAnswer, SyncAnswer, TimerName } from './machine.ts'
import type { Ticket } from './member.ts'
import { ConsumerGroups } from './next/index.ts'
import type { ConsumerWorld } from './next/index.ts'
import { OffsetStore } from './offsets.ts'
import { groupRecord, offsetRecord } from './records.ts'
import type { CommittedOffset, GroupRecord, OffsetKey } from './records.ts'
import type { OffsetsPartition } from './types.ts'

/** What a shard works with. */
export interface ShardTools {
  readonly clock: Clock
  readonly logger: Logger
  readonly rules: GroupRules
  /** What consumer groups see of the cluster. */
  readonly world: ConsumerWorld
  readonly counts: GroupCounts
}

/** A change of one offset: its new value, or null for a tombstone. */
export interface OffsetChange {
  readonly key: OffsetKey
  readonly value: CommittedOffset | null
}

/** An offset that a transaction commits. */
interface PendingChange extends OffsetChange {
  readonly value: CommittedOffset
}

/** Whose transaction. */
interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

type Answer = JoinAnswer | SyncAnswer | LeaveAnswer | number

/** A group with its timers. */
interface Cell {
  state: GroupState
  readonly timers: Map<TimerName, Timer>
}

/** One partition's coordinator. All methods but `load` act at once; only appends take time. */
export class GroupShard {
  readonly offsets = new OffsetStore()
  /** The consumer groups of KIP-848. A group id is either one of them or a classic group. */
  readonly next: ConsumerGroups
  readonly counts: GroupCounts
  readonly #partition: OffsetsPartition
  readonly #tools: ShardTools
  readonly #cells = new Map<string, Cell>()
  readonly #waiting = new Map<Ticket, (answer: Answer) => void>()
  #keptAside: ReadonlySet<string> = new Set()
  /** Groups that a record which is stored speaks of, and no tombstone of a group behind it: a restart would find them. */
  #inLog = new Set<string>()
  #ticketCount = 0
  /** Settles when every append so far has its outcome. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(partition: OffsetsPartition, tools: ShardTools) {
    this.#partition = partition
    this.#tools = tools
    this.counts = tools.counts
    this.next = new ConsumerGroups({
      clock: tools.clock,
      logger: tools.logger,
      world: tools.world,
      classic: {
        get: (groupId) => this.group(groupId),
        take: (groupId) => this.dispatch(groupId, { type: 'upgraded' }),
        put: (state, rebalanceReason) => this.#takeOver(state, rebalanceReason),
      },
      onEpoch: () => void this.counts.consumerRebalanceCount++,
      append: (records, settle) => void this.#append(records, settle),
    })
  }

  /** Replays the partition; sessions of the members found begin now. */
  async load(name: string): Promise<void> {
    const loaded = await loadPartition(this.#partition, this.offsets, this.next)
    this.#keptAside = loaded.keptAsideGroupIds
    this.#inLog = loaded.groupIdsInLog
    for (const [groupId, metadata] of loaded.groups) this.#put(groupFromMetadata(groupId, metadata))
    for (const groupId of this.next.loaded()) this.#cells.delete(groupId)
    for (const groupId of this.#inLog) {
      if (!this.#cells.has(groupId) && !this.next.has(groupId)) this.#put(emptyGroup(groupId, this.#tools.clock.nowMs()))
    }
    for (const [what, count] of loaded.passedOver) this.#tools.logger.warn(`${name}: passed over ${count} × ${what}`)
    for (const groupId of [...this.#cells.keys()]) this.dispatch(groupId, { type: 'loaded' })
  }

  /** The group, or undefined. */
  group(groupId: string): GroupState | undefined {
    return this.#cells.get(groupId)?.state
  }

  /** All groups. */
  *groups(): Generator<GroupState> {
    for (const cell of this.#cells.values()) yield cell.state
  }

  /** Whether this is no classic group, but only holds the offsets of one of another protocol that was met in the log. */
  isKeptAside(group: GroupState): boolean {
    return group.protocolType === null && this.#keptAside.has(group.groupId)
  }

  /** Resolves when every append made so far has its outcome. */
  async settled(): Promise<void> {
    await this.#tail
  }

  /** Makes the group if there is none. True: it is new. */
  ensureGroup(groupId: string): boolean {
    if (this.#cells.has(groupId) || this.next.has(groupId)) return false
    this.#put(emptyGroup(groupId, this.#tools.clock.nowMs()))
    return true
  }

  /** Forgets a group of which nothing was stored and that holds nothing: nobody, no promised id, no offset. Others go when their time is over. */
  dropIfVacant(groupId: string): void {
    const state = this.group(groupId)
    if (this.#inLog.has(groupId) || state === undefined) return
    if (state.phase !== 'Empty' || state.protocolType !== null || state.generationId > 0) return
    if (state.pendingMemberIds.size > 0 || state.storing.size > 0 || this.offsets.hasGroup(groupId)) return
    this.dispatch(groupId, { type: 'deleted' })
  }

  /** Lets an event happen to a group; nothing when there is none. */
  dispatch(groupId: string, event: GroupEvent): void {
    const cell = this.#cells.get(groupId)
    if (cell !== undefined) this.#step(cell, event)
  }

  /** Lets a request happen to a group and resolves with its answer. When the caller's connection closes first, the group hears of it. */
  ask<A extends JoinAnswer | SyncAnswer | LeaveAnswer>(
    groupId: string,
    signal: AbortSignal,
    request: (ticket: Ticket) => GroupEvent,
  ): Promise<A> {
    const ticket = ++this.#ticketCount
    return new Promise<A>((resolve) => {
      const onAbort = (): void => this.dispatch(groupId, { type: 'disconnected', ticket })
      this.#waiting.set(ticket, (answer) => {
        signal.removeEventListener('abort', onAbort)
        resolve(answer as A)
      })
      this.dispatch(groupId, request(ticket))
      if (!this.#waiting.has(ticket)) return
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Lets a request that is answered at once with a code happen to a group. */
  judge(groupId: string, request: (ticket: Ticket) => GroupEvent): number {
    const ticket = ++this.#ticketCount
    let errorCode: number = ErrorCode.UNKNOWN_SERVER_ERROR
    this.#waiting.set(ticket, (answer) => {
      if (typeof answer === 'number') errorCode = answer
    })
    this.dispatch(groupId, request(ticket))
    this.#waiting.delete(ticket)
    return errorCode
  }

  /** Writes changes of offsets, and tombstones of groups, as one batch. Resolves with 0 once they are visible, else with the code for clients. */
  write(changes: readonly OffsetChange[], goneGroupIds: readonly string[] = []): Promise<number> {
    for (const change of changes) this.offsets.begin(change.key)
    const records = [
      ...changes.map((change) => offsetRecord(change.key, change.value)),
      ...goneGroupIds.map((groupId) => groupRecord(groupId, null)),
    ]
    return this.#append(records, (errorCode) => {
      for (const change of changes) this.offsets.settle(change.key, errorCode === ErrorCode.NONE ? change.value : undefined)
      if (errorCode === ErrorCode.NONE) {
        for (const { key, value } of changes) if (value !== null) this.#inLog.add(key.groupId)
        for (const groupId of goneGroupIds) this.#inLog.delete(groupId)
      }
      for (const groupId of new Set(changes.map(({ key }) => key.groupId))) this.dropIfVacant(groupId)
    })
  }

  /** Before the transaction coordinator is asked to enrol this partition: undefined when the transaction is open here, else the guard for {@link writePending}. */
  beginVerification(producer: Producer, supportsEpochBump: boolean): VerificationGuard | undefined {
    return this.#partition.beginVerification(producer.producerId, producer.producerEpoch, supportsEpochBump)
  }

  /** Writes offsets as one batch of a producer's transaction; resolves as {@link write}. They are pending until {@link completeTransaction}. */
  writePending(changes: readonly PendingChange[], transaction: StateTransaction): Promise<number> {
    for (const { key } of changes) this.offsets.begin(key)
    const records = changes.map(({ key, value }) => offsetRecord(key, value))
    return this.#inOrder(this.#partition.append(records, transaction), (errorCode) => {
      const isStored = errorCode === ErrorCode.NONE
      for (const { key, value } of changes) {
        this.offsets.settlePending(key, transaction.producerId, isStored ? value : undefined)
        if (isStored) this.#inLog.add(key.groupId)
        else this.dropIfVacant(key.groupId)
      }
    }).then(clientCode)
  }

  /** Writes the marker that ends a producer's transaction here; once it is stored, the offsets count or are gone. Resolves with 0, or the log's code. */
  completeTransaction(marker: Marker): Promise<number> {
    return this.#inOrder(this.#partition.appendMarker(marker), (errorCode) => {
      if (errorCode === ErrorCode.NONE) this.offsets.completeTransaction(marker.producerId, marker.isCommit)
    })
  }

  /** Removes an Empty group at once and resolves when that is stored, or with the code for clients; then the group is back unless somebody made it anew. */
  async remove(groupIds: readonly string[], changes: readonly OffsetChange[]): Promise<number> {
    const removed = groupIds.flatMap((groupId) => this.group(groupId) ?? [])
    for (const { groupId } of removed) this.dispatch(groupId, { type: 'deleted' })
    const errorCode = await this.write(changes, groupIds)
    if (errorCode === ErrorCode.NONE) return errorCode
    for (const state of removed) {
      if (!this.#cells.has(state.groupId)) this.#put({ ...state, pendingMemberIds: new Set(), storing: new Map() })
      this.dropIfVacant(state.groupId)
    }
    return errorCode
  }

  /** Removes an Empty consumer group with its offsets, in one batch. Resolves with 0 when that is stored, else with the code for clients. */
  removeConsumerGroup(groupId: string): Promise<number> {
    let keys: OffsetKey[] = []
    const records = (): GroupRecord[] => {
      keys = [...this.offsets.ofGroup(groupId)].map(({ key }) => key)
      for (const key of keys) this.offsets.begin(key)
      return keys.map((key) => offsetRecord(key, null))
    }
    const settle = (errorCode: number): void => {
      for (const key of keys) this.offsets.settle(key, errorCode === ErrorCode.NONE ? null : undefined)
      if (errorCode !== ErrorCode.NONE) return
      this.#inLog.delete(groupId)
      // Somebody from outside committed behind the end of the group.
      if (this.offsets.hasGroup(groupId)) this.ensureGroup(groupId)
    }
    return this.next.remove(groupId, { records, settle })
  }

  /** Gives every group up: whoever waits is told, no timer stays. */
  unload(): void {
    for (const groupId of [...this.#cells.keys()]) this.dispatch(groupId, { type: 'unloaded' })
    this.next.unload()
  }

  /** A group that was a consumer group, or was to become one, is a classic group again. */
  #takeOver(state: GroupState, rebalanceReason: string | null): void {
    const members = new Map([...state.members].map(([id, member]) => [id, { ...member, joinTicket: null, syncTicket: null }]))
    const phase = members.size === 0 ? 'Empty' : 'Stable'
    this.#put({ ...state, phase, members, pendingMemberIds: new Set(), pendingSyncIds: new Set(), initialDelay: null, storing: new Map() })
    this.dispatch(state.groupId, { type: 'loaded' })
    if (rebalanceReason !== null) this.dispatch(state.groupId, { type: 'downgraded', reason: rebalanceReason })
  }

  #put(state: GroupState): void {
    this.#cells.set(state.groupId, { state, timers: new Map() })
  }

  #step(cell: Cell, event: GroupEvent): void {
    const { state, effects } = step(cell.state, event, this.#tools.clock.nowMs(), this.#tools.rules)
    if (cell.state.phase === 'CompletingRebalance' && state.phase === 'Stable') this.counts.classicRebalanceCount++
    cell.state = state
    const stored = new Map<number, Promise<number>>()
    for (const effect of effects) this.#perform(cell, effect, stored)
    if (state.phase === 'Dead' && this.#cells.get(state.groupId) === cell) this.#cells.delete(state.groupId)
  }

  #perform(cell: Cell, effect: GroupEffect, stored: Map<number, Promise<number>>): void {
    switch (effect.type) {
      case 'answerJoin':
      case 'answerSync':
        this.#answer(effect.ticket, effect.answer)
        return
      case 'answerHeartbeat':
      case 'answerCommit':
        this.#answer(effect.ticket, effect.errorCode)
        return
      case 'answerLeave':
        this.#answerLeave(effect, stored)
        return
      case 'setTimer':
        this.#setTimer(cell, effect)
        return
      case 'cancelTimer':
        cell.timers.get(effect.name)?.cancel()
        cell.timers.delete(effect.name)
        return
      case 'persist':
        stored.set(
          effect.token,
          this.#append([groupRecord(cell.state.groupId, effect.metadata)], (errorCode) => {
            if (errorCode === ErrorCode.NONE) this.#inLog.add(cell.state.groupId)
            this.#step(cell, { type: 'stored', token: effect.token, errorCode })
          }),
        )
        return
      case 'log':
        this.#tools.logger.info(effect.message)
    }
  }

  #answer(ticket: Ticket, answer: Answer): void {
    const waiter = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    waiter?.(answer)
  }

  #answerLeave(effect: Extract<GroupEffect, { type: 'answerLeave' }>, stored: ReadonlyMap<number, Promise<number>>): void {
    const outcome = effect.token === null ? undefined : stored.get(effect.token)
    if (outcome === undefined) {
      this.#answer(effect.ticket, effect.answer)
      return
    }
    void outcome.then((errorCode) => this.#answer(effect.ticket, errorCode === ErrorCode.NONE ? effect.answer : { errorCode, members: [] }))
  }

  #setTimer(cell: Cell, effect: Extract<GroupEffect, { type: 'setTimer' }>): void {
    cell.timers.get(effect.name)?.cancel()
    const timer = this.#tools.clock.timer(effect.delayMs, () => {
      if (cell.timers.get(effect.name) !== timer) return
      cell.timers.delete(effect.name)
      this.#step(cell, effect.event)
    })
    cell.timers.set(effect.name, timer)
  }

  /** Appends as one batch; `settle` runs with the outcome, after that of every earlier append. */
  #append(records: readonly GroupRecord[], settle: (errorCode: number) => void): Promise<number> {
    return this.#inOrder(this.#partition.append(records), (errorCode) => settle(clientCode(errorCode))).then(clientCode)
  }

  /** Takes the outcome of an append, the log's code, after that of every earlier one. */
  #inOrder(appended: Promise<number>, settle: (errorCode: number) => void): Promise<number> {
    const written = appended.catch((error: unknown) => {
      this.#tools.logger.error('an append to the offsets topic threw', { error })
      return ErrorCode.KAFKA_STORAGE_ERROR
    })
    const outcome = Promise.all([written, this.#tail]).then(([errorCode]) => {
      settle(errorCode)
      return errorCode
    })
    this.#tail = outcome
    return outcome
  }
}

/** What a client is told of a failed append: to find the coordinator again, or that its request can't be stored (as Kafka maps them). */
function clientCode(appendCode: number): number {
  switch (appendCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.UNKNOWN_SERVER_ERROR
    default:
      return appendCode
  }
}
