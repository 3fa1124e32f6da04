/**
 * @module group/next/consumer-groups — the consumer groups of one partition of `__consumer_offsets`: runs steps, writes their
 * records, answers when those are stored.
 *
 * A group has one append under way at most. What comes meanwhile waits and then goes into the next batch together, so a hundred
 * members that join at once share a few syncs. Readers see what is stored. When a batch can't be stored, nothing of it happened.
 */
import type { Clock, Timer } from '../../io/index.ts'
import type { Logger } from '../../observe/index.ts'
import { ErrorCode } from '../../wire/index.ts'
import type { GroupState } from '../machine.ts'
import type { GroupRecord } from '../records.ts'
import { groupRecord } from '../records.ts'
import { metadataOf } from '../machine.ts'
import { GroupDraft } from './draft.ts'
import type { ConsumerRecord } from './draft.ts'
import { emptyConsumerGroup } from './group.ts'
import type { ConsumerGroup } from './group.ts'
import { onLoaded, onTimer } from './leave.ts'
import { putGroupTombstones, upgrade } from './migrate.ts'
import type { Downgrade } from './migrate.ts'
import { encodeRecord } from './records.ts'
import { isRefusal, refuse } from './turn.ts'
import type { ConsumerTimer, Refusal, TimerEffect, TimerEvent, Turn } from './turn.ts'
import type { ConsumerWorld } from './world.ts'

/** The classic groups beside these, for groups that change their protocol. */
export interface ClassicGroups {
  get(groupId: string): GroupState | undefined
  /** Takes a group out; whoever waits in it is told to join again. */
  take(groupId: string): void
  /** Puts a group in; with a reason it rebalances at once. */
  put(state: GroupState, rebalanceReason: string | null): void
}

/** What these groups work with. */
export interface ConsumerGroupsTools {
  readonly clock: Clock
  readonly logger: Logger
  readonly world: ConsumerWorld
  readonly classic: ClassicGroups
  /** A group began a new epoch. */
  readonly onEpoch: () => void
  /** Appends as one batch; `settle` runs with the outcome (0, or the code for clients) in the order of the appends. */
  readonly append: (records: readonly GroupRecord[], settle: (errorCode: number) => void) => void
}

/** What a step of a group comes to. */
export interface Outcome<A> {
  readonly answer: A
  readonly downgrade: Downgrade | null
}

/** One step of a group. A refusal takes back all that it wrote. */
export type Operation<A> = (draft: GroupDraft, turn: Turn) => Outcome<A> | Refusal

/**
 * Records of others that go into the log with an operation: `records` is asked once it is their turn to be written, `settle` gets the
 * outcome in the order of the log, before anybody is answered; it also does when `records` was never asked.
 */
interface Others {
  readonly records: () => readonly GroupRecord[]
  readonly settle: (errorCode: number) => void
}

const NO_OTHERS: Others = { records: () => [], settle: () => {} }

/** An operation in line. */
interface Waiting {
  readonly run: Operation<unknown>
  /** Goes into the log with it. */
  readonly others: Others
  /** Answers it, once what it wrote is stored. */
  readonly conclude: (result: Outcome<unknown> | Refusal) => void
}

/** How a group that is not in the log yet begins. */
interface Opening {
  readonly draft: GroupDraft
  readonly timers: readonly TimerEffect[]
  /** The classic group that it takes the place of. */
  readonly classic: GroupState | null
}

/** A group with its timers and what waits for it. */
interface Cell {
  readonly groupId: string
  stored: ConsumerGroup
  opening: Opening | null
  isWriting: boolean
  readonly waiting: Waiting[]
  readonly timers: Map<ConsumerTimer, Timer>
}

/** Operations that go into the log together. */
interface Batch {
  readonly draft: GroupDraft
  readonly timers: TimerEffect[]
  readonly done: { readonly waiting: Waiting; readonly outcome: Outcome<unknown> }[]
  downgrade: Downgrade | null
}

/** Operations in one batch. */
const BATCH_OPERATION_COUNT_MAX = 500
/** How long a timer whose work could not be stored waits for its next try. */
const TIMER_RETRY_MS = 500

/** The consumer groups of one partition. */
export class ConsumerGroups {
  readonly #tools: ConsumerGroupsTools
  readonly #cells = new Map<string, Cell>()
  readonly #loading = new Map<string, GroupDraft>()

  constructor(tools: ConsumerGroupsTools) {
    this.#tools = tools
  }

  /** Folds in a record of the log, in its order. */
  replay(groupId: string, record: ConsumerRecord): void {
    const known = this.#loading.get(groupId)
    if (known === undefined && record.value === null) return
    const draft = known ?? new GroupDraft(emptyConsumerGroup(groupId))
    draft.replay(record)
    if (draft.isDeleted) this.#loading.delete(groupId)
    else this.#loading.set(groupId, draft)
  }

  /** The log was read to its end: sessions begin. Returns the ids of the groups found. */
  loaded(): string[] {
    const groupIds = [...this.#loading.keys()]
    for (const [groupId, draft] of this.#loading) {
      const cell = this.#put(groupId, draft.group, null)
      void this.#queue(cell, (group, turn) => {
        onLoaded(group, turn)
        return { answer: undefined, downgrade: null }
      })
    }
    this.#loading.clear()
    return groupIds
  }

  /** The group as it is stored, or undefined. */
  group(groupId: string): ConsumerGroup | undefined {
    const cell = this.#cells.get(groupId)
    return cell?.opening === null ? cell.stored : undefined
  }

  /** All groups as they are stored. */
  *groups(): Generator<ConsumerGroup> {
    for (const { stored, opening } of this.#cells.values()) if (opening === null) yield stored
  }

  /** Whether requests for the group belong here: it is one of these, or is becoming one. */
  has(groupId: string): boolean {
    return this.#cells.has(groupId)
  }

  /** Runs a step of a group that is here; GROUP_ID_NOT_FOUND when it is not. */
  ask<A>(groupId: string, run: Operation<A>, others: Others = NO_OTHERS): Promise<A | Refusal> {
    const cell = this.#cells.get(groupId)
    if (cell !== undefined) return this.#queue(cell, run, others)
    const isClassic = this.#tools.classic.get(groupId) !== undefined
    const why = isClassic ? `Group ${groupId} is not a consumer group.` : `Consumer group ${groupId} not found.`
    others.settle(ErrorCode.GROUP_ID_NOT_FOUND)
    return Promise.resolve(refuse(ErrorCode.GROUP_ID_NOT_FOUND, why))
  }

  /** What a description of a group says that is none of these. */
  whyAbsent(groupId: string): string {
    const isClassic = this.#tools.classic.get(groupId) !== undefined
    return isClassic ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`
  }

  /** Runs a step of a group that is made, or made of a classic one, where it is not here. */
  askOrMake<A>(groupId: string, run: Operation<A>): Promise<A | Refusal> {
    const known = this.#cells.get(groupId)
    if (known !== undefined) return this.#queue(known, run)
    const classic = this.#tools.classic.get(groupId) ?? null
    const turn = this.#turn(groupId, [])
    const isUsed = classic !== null && classic.members.size > 0
    const draft = isUsed ? upgrade(classic, turn) : new GroupDraft(emptyConsumerGroup(groupId))
    if (isRefusal(draft)) return Promise.resolve(draft)
    const cell = this.#put(groupId, draft.group, { draft, timers: turn.timers, classic })
    return this.#queue(cell, run)
  }

  /** Writes the end of an Empty group, and other records with it; 0, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, or why it could not be stored. */
  async remove(groupId: string, others: Others = NO_OTHERS): Promise<number> {
    const end: Operation<number> = (draft) => {
      if (draft.group.members.size > 0) return refuse(ErrorCode.NON_EMPTY_GROUP, 'The group is not empty.')
      putGroupTombstones(draft)
      return { answer: ErrorCode.NONE, downgrade: null }
    }
    const result = await this.ask(groupId, end, others)
    return isRefusal(result) ? result.errorCode : result
  }

  /** Gives every group up; whoever waits is told NOT_COORDINATOR. */
  unload(): void {
    for (const cell of this.#cells.values()) this.#drop(cell, refuse(ErrorCode.NOT_COORDINATOR, 'The group is given up.'))
  }

  #put(groupId: string, stored: ConsumerGroup, opening: Opening | null): Cell {
    const cell: Cell = { groupId, stored, opening, isWriting: false, waiting: [], timers: new Map() }
    this.#cells.set(groupId, cell)
    return cell
  }

  /** Forgets a group and answers who waits for it. */
  #drop(cell: Cell, why: Refusal): void {
    if (this.#cells.get(cell.groupId) === cell) this.#cells.delete(cell.groupId)
    for (const timer of cell.timers.values()) timer.cancel()
    cell.timers.clear()
    for (const { conclude } of cell.waiting.splice(0)) conclude(why)
  }

  #queue<A>(cell: Cell, run: Operation<A>, others: Others = NO_OTHERS): Promise<A | Refusal> {
    return new Promise((resolve) => {
      const conclude = (result: Outcome<unknown> | Refusal): void => {
        others.settle(isRefusal(result) ? result.errorCode : ErrorCode.NONE)
        resolve(isRefusal(result) ? result : (result.answer as A))
      }
      cell.waiting.push({ run, others, conclude })
      this.#drain(cell)
    })
  }

  #drain(cell: Cell): void {
    while (!cell.isWriting && cell.waiting.length > 0 && this.#cells.get(cell.groupId) === cell) this.#runBatch(cell)
  }

  #runBatch(cell: Cell): void {
    const draft = cell.opening?.draft ?? new GroupDraft(cell.stored)
    const batch: Batch = { draft, timers: [...(cell.opening?.timers ?? [])], done: [], downgrade: null }
    const turn = this.#turn(cell.groupId, batch.timers)
    for (const waiting of cell.waiting.splice(0, BATCH_OPERATION_COUNT_MAX)) {
      // What comes behind the end of the group, or behind its change to a classic one, is for another group to answer.
      if (batch.downgrade !== null || draft.isDeleted) waiting.conclude(movedOn(cell.groupId))
      else this.#runOne(waiting, batch, turn)
    }
    if (cell.opening !== null) {
      if (batch.done.length === 0) {
        this.#drop(cell, movedOn(cell.groupId))
        return
      }
      if (cell.opening.classic !== null) this.#tools.classic.take(cell.groupId)
    }
    this.#write(cell, batch)
  }

  #runOne(waiting: Waiting, batch: Batch, turn: Turn): void {
    const { draft, timers } = batch
    const [recordCount, timerCount] = [draft.records.length, timers.length]
    const outcome = waiting.run(draft, turn)
    if (isRefusal(outcome)) {
      draft.rewind(recordCount)
      timers.length = timerCount
      waiting.conclude(outcome)
      return
    }
    batch.done.push({ waiting, outcome })
    batch.downgrade = outcome.downgrade
  }

  #write(cell: Cell, batch: Batch): void {
    const records = [...this.#recordsOf(cell, batch)]
    if (records.length === 0) {
      this.#stored(cell, batch)
      return
    }
    cell.isWriting = true
    this.#tools.append(records, (errorCode) => {
      cell.isWriting = false
      if (errorCode === ErrorCode.NONE) this.#stored(cell, batch)
      else this.#failed(cell, batch, errorCode)
      this.#drain(cell)
    })
  }

  *#recordsOf({ groupId, opening }: Cell, { draft, done, downgrade }: Batch): Generator<GroupRecord> {
    if (opening !== null && opening.classic !== null) yield groupRecord(groupId, null)
    for (const { waiting } of done) yield* waiting.others.records()
    for (const record of draft.records) yield encodeRecord(groupId, record)
    if (downgrade !== null) yield groupRecord(groupId, metadataOf(downgrade.state))
  }

  #stored(cell: Cell, { draft, timers, done, downgrade }: Batch): void {
    cell.stored = draft.group
    cell.opening = null
    for (const record of draft.records) if (record.type === 'group' && record.value !== null) this.#tools.onEpoch()
    const isHere = this.#cells.get(cell.groupId) === cell
    if (isHere && (downgrade !== null || draft.isDeleted)) {
      this.#drop(cell, movedOn(cell.groupId))
      if (downgrade !== null) this.#tools.classic.put(downgrade.state, downgrade.rebalanceReason)
    } else if (isHere) {
      for (const effect of timers) this.#perform(cell, effect)
    }
    for (const { waiting, outcome } of done) waiting.conclude(outcome)
  }

  /** Nothing of the batch happened. A classic group that was to change stays what it was. */
  #failed(cell: Cell, { done }: Batch, errorCode: number): void {
    const { opening } = cell
    const isHere = this.#cells.get(cell.groupId) === cell
    const why = refuse(errorCode, 'The records of the group could not be stored.')
    if (opening !== null) {
      this.#drop(cell, why)
      if (isHere && opening.classic !== null) this.#tools.classic.put(opening.classic, 'the change to a consumer group could not be stored')
    }
    for (const { waiting } of done) waiting.conclude(why)
  }

  #perform(cell: Cell, effect: TimerEffect): void {
    const running = cell.timers.get(effect.name)
    if (effect.type === 'set' && effect.ifAbsent && running !== undefined) return
    running?.cancel()
    cell.timers.delete(effect.name)
    if (effect.type === 'set') this.#setTimer(cell, effect.name, effect.delayMs, effect.event)
  }

  #setTimer(cell: Cell, name: ConsumerTimer, delayMs: number, event: TimerEvent): void {
    const timer = this.#tools.clock.timer(delayMs, () => {
      if (cell.timers.get(name) !== timer) return
      cell.timers.delete(name)
      void this.#timeOut(cell, name, event)
    })
    cell.timers.set(name, timer)
  }

  async #timeOut(cell: Cell, name: ConsumerTimer, event: TimerEvent): Promise<void> {
    const result = await this.#queue(cell, (draft, turn) => {
      const before = draft.group.members.size
      const downgrade = onTimer(draft, event, turn)
      const isGone = downgrade !== null || draft.group.members.size < before
      if (isGone) this.#tools.logger.info(`group ${cell.groupId}: member ${event.memberId} is removed, its ${event.kind} time is over`)
      return { answer: undefined, downgrade }
    })
    const isHere = this.#cells.get(cell.groupId) === cell
    if (isRefusal(result) && isHere && !cell.timers.has(name)) this.#setTimer(cell, name, TIMER_RETRY_MS, event)
  }

  #turn(groupId: string, timers: TimerEffect[]): Turn {
    const { clock, world } = this.#tools
    return {
      nowMs: clock.nowMs(),
      rules: world.rules(groupId),
      topics: world.topics(),
      matchTopics: (regex) => world.matchTopics(regex),
      newMemberId: () => world.newMemberId(),
      timers,
    }
  }
}

/** The client asks again, and finds what the group has become. */
function movedOn(groupId: string): Refusal {
  return refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, `Group ${groupId} is changing.`)
}
