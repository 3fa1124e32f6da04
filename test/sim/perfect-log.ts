/** @module test/sim/perfect-log — histories of a log that does everything right, with every outcome that clients can meet: what the checker must pass. */
import { seededRandom } from '../../hub/io/index.ts'
import { type History, type Isolation, type PartitionName, Recorder, type SeenRecord } from './history.ts'

const PARTITIONS: readonly PartitionName[] = ['p-0', 'p-1', 'p-2']
const GROUP = 'g'

interface Entry {
  readonly offset: number
  /** Undefined: a marker. */
  readonly value: string | undefined
  status: 'open' | 'committed' | 'aborted'
}

interface Writer {
  readonly process: string
  transaction: string | undefined
  readonly open: Entry[]
  readonly touched: Set<PartitionName>
  offsets: { partition: PartitionName; offset: number }[]
}

/** A log in memory and those who use it, driven by a seed. */
class PerfectLog {
  readonly recorder = new Recorder(() => 0)
  readonly #chance: () => number
  readonly #log = new Map<PartitionName, Entry[]>(PARTITIONS.map((partition) => [partition, []]))
  readonly #committed = new Map<PartitionName, number>()
  readonly #positions = new Map<string, Map<PartitionName, number>>()
  #count = 0

  constructor(seed: number) {
    const random = seededRandom(seed)
    this.#chance = () => random.float()
  }

  run(stepCount: number): History {
    const writers: Writer[] = ['w1', 'w2', 'w3'].map((process) => ({
      process,
      transaction: undefined,
      open: [],
      touched: new Set(),
      offsets: [],
    }))
    for (let step = 0; step < stepCount; step++) {
      const draw = this.#chance()
      if (draw < 0.5) this.#write(this.#pick(writers))
      else if (draw < 0.6) this.#end(this.#pick(writers))
      else if (draw < 0.7) this.#poll('r1', 'read_uncommitted')
      else if (draw < 0.8) this.#poll(this.#pick(['r2', 'r3']), 'read_committed')
      else if (draw < 0.95) this.#consume()
      else this.#see(false)
    }
    for (const writer of writers) if (writer.transaction !== undefined) this.#end(writer)
    for (const partition of PARTITIONS) {
      for (const isolation of ['read_uncommitted', 'read_committed'] as const) {
        this.recorder.note('auditor', { f: 'read all', isolation, partition, records: this.#visible(partition, isolation, 0) })
      }
    }
    this.#see(true)
    return this.recorder.events
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#chance() * list.length)] as T
  }

  #write(writer: Writer): void {
    if (writer.transaction === undefined && this.#chance() < 0.3) writer.transaction = `t${this.#count++}`
    const { process, transaction } = writer
    const partition = this.#pick(PARTITIONS)
    const value = `v${this.#count++}`
    const begun = this.recorder.invoke(process, { f: 'send', partition, value, ...(transaction === undefined ? {} : { transaction }) })
    const draw = this.#chance()
    if (draw < 0.05) {
      this.recorder.failed(begun, 'refused', 'fail')
      return
    }
    if (draw < 0.1) {
      this.recorder.failed(begun, 'no answer')
      return
    }
    const log = this.#log.get(partition) as Entry[]
    const entry: Entry = { offset: log.length, value, status: transaction === undefined ? 'committed' : 'open' }
    log.push(entry)
    if (transaction !== undefined) {
      writer.open.push(entry)
      writer.touched.add(partition)
    }
    if (draw < 0.2) this.recorder.failed(begun, 'no answer')
    else this.recorder.ok(begun, draw < 0.25 ? -1 : entry.offset)
  }

  /** Ends a transaction: both outcomes, told or not. */
  #end(writer: Writer): void {
    const { transaction, process } = writer
    if (transaction === undefined) return
    const draw = this.#chance()
    const asks = draw < 0.6 ? 'commit' : 'abort'
    const commits = asks === 'commit' && draw > 0.1
    const begun = this.recorder.invoke(process, { f: asks, transaction })
    for (const entry of writer.open.splice(0)) entry.status = commits ? 'committed' : 'aborted'
    for (const partition of writer.touched) {
      const log = this.#log.get(partition) as Entry[]
      log.push({ offset: log.length, value: undefined, status: commits ? 'committed' : 'aborted' })
    }
    for (const { partition, offset } of writer.offsets.splice(0)) if (commits) this.#committed.set(partition, offset)
    writer.touched.clear()
    writer.transaction = undefined
    if (draw < 0.2) this.recorder.failed(begun, 'no answer')
    else this.recorder.ok(begun)
  }

  #visible(partition: PartitionName, isolation: Isolation, from: number): SeenRecord[] {
    const seen: SeenRecord[] = []
    for (const { offset, value, status } of (this.#log.get(partition) ?? []).slice(from)) {
      if (isolation === 'read_committed' && status === 'open') break
      if (value === undefined || (isolation === 'read_committed' && status === 'aborted')) continue
      seen.push({ partition, offset, value })
    }
    return seen
  }

  #poll(process: string, isolation: Isolation): void {
    let positions = this.#positions.get(process)
    if (positions === undefined || this.#chance() < 0.1) this.#positions.set(process, (positions = new Map()))
    const partition = this.#pick(PARTITIONS)
    if (!positions.has(partition)) {
      positions.set(partition, 0)
      this.recorder.note(process, { f: 'assign', partition, position: 0 })
    }
    const records = this.#visible(partition, isolation, positions.get(partition) ?? 0).slice(0, 1 + Math.floor(this.#chance() * 5))
    const last = records.at(-1)
    if (last === undefined) return
    positions.set(partition, last.offset + 1)
    this.recorder.note(process, { f: 'poll', isolation, records })
  }

  /** A member of the group reads from what is committed and commits, alone or in a transaction. */
  #consume(): void {
    const partition = this.#pick(PARTITIONS)
    const process = `m${this.#count++}`
    this.recorder.note(process, { f: 'assign', partition, group: GROUP })
    const records = this.#visible(partition, 'read_committed', Math.max(0, this.#committed.get(partition) ?? 0)).slice(0, 3)
    const last = records.at(-1)
    if (last === undefined) return
    this.recorder.note(process, { f: 'poll', isolation: 'read_committed', records })
    const offset = last.offset + 1
    const transaction = this.#chance() < 0.5 ? `t${this.#count++}` : undefined
    const begun = this.recorder.invoke(process, {
      f: 'commit offset',
      group: GROUP,
      partition,
      offset,
      ...(transaction === undefined ? {} : { transaction }),
    })
    this.recorder.ok(begun)
    if (transaction === undefined) this.#committed.set(partition, offset)
    else this.#end({ process, transaction, open: [], touched: new Set(), offsets: [{ partition, offset }] })
  }

  #see(isLast: boolean): void {
    for (const partition of PARTITIONS) {
      const begun = this.recorder.invoke('auditor', { f: 'see offset', group: GROUP, partition, isLast })
      this.recorder.ok(begun, this.#committed.get(partition) ?? -1)
    }
  }
}

/** A history of `stepCount` steps and the audit after them. */
export function perfectHistory(seed: number, stepCount: number): History {
  return new PerfectLog(seed).run(stepCount)
}
