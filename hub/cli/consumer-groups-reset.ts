/** @module cli/consumer-groups-reset — `millrace consumer-groups --reset-offsets`. */
import type { Admin, OffsetAt, TopicPartition } from '../client/index.ts'
import { nodeClock } from '../io/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { type CommandIo, UsageError } from './command.ts'
import { readNamedFile } from './command-config.ts'
import { type ConsumerGroupsOptions, missingScenario } from './consumer-groups-options.ts'
import { parseDateTimeMs, parseDurationMs } from './java-time.ts'
import { parseResetPlan } from './reset-plan.ts'
import { tableLines } from './table.ts'
import { byPartition, topicPartitionsOf } from './topic-partitions.ts'

/** A partition and the offset that its group gets. */
export type NewOffset = TopicPartition & { readonly offset: number }

/** Resets the offsets of groups without members, or shows what it would do, and prints the outcome. */
export async function resetOffsets(
  admin: Admin,
  groupIds: readonly string[],
  options: ConsumerGroupsOptions,
  io: CommandIo,
): Promise<void> {
  const outcome: [groupId: string, offsets: readonly NewOffset[]][] = []
  for (const group of await admin.describeGroups(groupIds, io.signal)) {
    const { groupId, state, error } = group
    if (error !== null && error.code !== ErrorCode.GROUP_ID_NOT_FOUND) throw error
    if (error === null && state !== 'Empty' && state !== 'Dead') {
      io.stdout.write(`\nError: Assignments can only be reset if the group '${groupId}' is inactive, but the current state is ${state}.\n`)
      outcome.push([groupId, []])
    } else {
      outcome.push([groupId, await resetGroup(new Resetter(admin, groupId, options, io))])
    }
  }
  io.stdout.write(options.has('export') ? csvText(outcome, options) : tableText(outcome))
}

async function resetGroup(resetter: Resetter): Promise<readonly NewOffset[]> {
  const partitions = await resetter.partitions()
  const offsets = [...(await resetter.plan(partitions))].sort(byPartition)
  if (resetter.options.has('execute')) await resetter.execute(offsets)
  return offsets
}

function tableText(outcome: readonly [groupId: string, offsets: readonly NewOffset[]][]): string {
  if (outcome.length === 0) return '\n'
  const columns = [
    { title: 'GROUP', widthMin: Math.max(15, ...outcome.map(([groupId]) => groupId.length)) },
    { title: 'TOPIC', widthMin: 15, grows: true },
    { title: 'PARTITION', widthMin: 10 },
    { title: 'NEW-OFFSET' },
  ]
  const rows = outcome.flatMap(([groupId, offsets]) =>
    offsets.map(({ topic, partition, offset }) => [groupId, topic, String(partition), String(offset)]),
  )
  return `\n${tableLines(columns, rows).join('\n')}\n`
}

/** Lines `topic,partition,offset`, with the group in front unless just one was asked for; an empty line at the end. */
function csvText(outcome: readonly [groupId: string, offsets: readonly NewOffset[]][], options: ConsumerGroupsOptions): string {
  const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const isOne = options.texts('group').length === 1
  const lines = outcome.flatMap(([groupId, offsets]) =>
    offsets.map(({ topic, partition, offset }) => [...(isOne ? [] : [quoted(groupId)]), topic, partition, offset].join(',')),
  )
  return `${lines.map((line) => `${line}\n`).join('')}\n`
}

/** Finds out where one group's offsets go. */
class Resetter {
  readonly options: ConsumerGroupsOptions
  readonly #admin: Admin
  readonly #groupId: string
  readonly #io: CommandIo

  constructor(admin: Admin, groupId: string, options: ConsumerGroupsOptions, io: CommandIo) {
    this.#admin = admin
    this.#groupId = groupId
    this.options = options
    this.#io = io
  }

  /** What `--all-topics` or `--topic` name; nothing with `--from-file`, which names its own. */
  async partitions(): Promise<readonly TopicPartition[]> {
    const { options } = this
    if (options.has('all-topics')) return this.#committed()
    if (!options.has('topic')) {
      if (options.has('from-file')) return []
      throw new UsageError('One of the reset scopes should be defined: --all-topics, --topic.')
    }
    const { partitions, failures } = await topicPartitionsOf(this.#admin, options.texts('topic'), this.#io.signal)
    if (failures[0] !== undefined) throw failures[0].error
    await this.#checkPartitions(partitions)
    return partitions
  }

  /** The new offsets by the scenario that is given. */
  async plan(partitions: readonly TopicPartition[]): Promise<readonly NewOffset[]> {
    const { options } = this
    const toOffset = options.number('to-offset')
    if (toOffset !== undefined) return this.#inRange(partitions.map((one) => ({ ...one, offset: toOffset })))
    if (options.has('to-earliest')) return this.#at(partitions, 'earliest')
    if (options.has('to-latest')) return this.#at(partitions, 'latest')
    const shiftBy = options.number('shift-by')
    if (shiftBy !== undefined) return this.#shifted(partitions, shiftBy)
    if (options.has('to-datetime')) return this.#sinceTime(partitions, dateTimeOf(options.text('to-datetime') ?? ''))
    if (options.has('by-duration')) {
      return this.#sinceTime(partitions, nodeClock().nowMs() - durationOf(options.text('by-duration') ?? ''))
    }
    if (options.has('from-file')) return this.#fromFile(options.text('from-file') ?? '')
    if (options.has('to-current')) return this.#current(partitions)
    throw missingScenario()
  }

  async execute(offsets: readonly NewOffset[]): Promise<void> {
    if (offsets.length === 0) return
    const results = await this.#admin.alterConsumerGroupOffsets(this.#groupId, offsets, this.#io.signal)
    for (const { error } of results) if (error !== null) throw error
  }

  async #committed(): Promise<readonly NewOffset[]> {
    const committed = await this.#admin.fetchOffsets(this.#groupId, null, {}, this.#io.signal)
    return committed.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  }

  async #checkPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const described = await this.#admin.describeTopics([...new Set(partitions.map(({ topic }) => topic))], this.#io.signal)
    const found = described.flatMap((topic) => topic.partitions)
    const same = (one: TopicPartition) => (other: TopicPartition) => other.topic === one.topic && other.partition === one.partition
    const refuse = (list: readonly TopicPartition[], cause: string): void => {
      if (list.length === 0) return
      throw new Error(`The partitions "${list.map(({ topic, partition }) => `${topic}-${partition}`).join(',')}" ${cause}`)
    }
    for (const { error } of described) if (error !== null) throw error
    refuse(
      partitions.filter((one) => !found.some(same(one))),
      'do not exist',
    )
    refuse(
      found.filter(({ leaderId }) => leaderId < 0).filter((one) => partitions.some(same(one))),
      'have no leader',
    )
  }

  async #at(partitions: readonly TopicPartition[], at: OffsetAt): Promise<readonly NewOffset[]> {
    const listed = await this.#admin.listOffsets(
      partitions.map(({ topic, partition }) => ({ topic, partition, at })),
      {},
      this.#io.signal,
    )
    return listed.map(({ topic, partition, offset, error }) => {
      if (error !== null) throw error
      return { topic, partition, offset }
    })
  }

  /** The wish, or the nearest offset that the log has. */
  async #inRange(wishes: readonly NewOffset[]): Promise<readonly NewOffset[]> {
    const starts = await this.#at(wishes, 'earliest')
    const ends = await this.#at(wishes, 'latest')
    return wishes.map(({ topic, partition, offset }, index) => {
      const [start = 0, end = 0] = [starts[index]?.offset, ends[index]?.offset]
      if (offset >= start && offset <= end) return { topic, partition, offset }
      const [side, bound] = offset > end ? ['higher than latest', end] : ['lower than earliest', start]
      this.#io.stderr.write(
        `WARN: New offset (${offset}) is ${side} offset for topic partition ${topic}-${partition}. Value will be set to ${bound}.\n`,
      )
      return { topic, partition, offset: bound }
    })
  }

  async #shifted(partitions: readonly TopicPartition[], shiftBy: number): Promise<readonly NewOffset[]> {
    const committed = new Map((await this.#committed()).map((one) => [`${one.topic}-${one.partition}`, one.offset]))
    const wishes = partitions.map(({ topic, partition }) => {
      const offset = committed.get(`${topic}-${partition}`)
      if (offset === undefined) {
        throw new UsageError(`Cannot shift offset for partition ${topic}-${partition} since there is no current committed offset`)
      }
      return { topic, partition, offset: offset + shiftBy }
    })
    return this.#inRange(wishes)
  }

  /** The first record at or after the time; the end of a partition that has none. */
  async #sinceTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<readonly NewOffset[]> {
    const found = await this.#at(partitions, { timestampMs })
    const without = found.filter(({ offset }) => offset < 0)
    for (const { topic, partition } of without) {
      this.#io.stdout.write(`\nWarn: Partition ${partition} from topic ${topic} is empty. Falling back to latest known offset.\n`)
    }
    return [...found.filter(({ offset }) => offset >= 0), ...(await this.#at(without, 'latest'))]
  }

  async #current(partitions: readonly TopicPartition[]): Promise<readonly NewOffset[]> {
    const committed = new Map((await this.#committed()).map((one) => [`${one.topic}-${one.partition}`, one]))
    const standing = partitions.map(({ topic, partition }) => committed.get(`${topic}-${partition}`)).filter((one) => one !== undefined)
    const missing = partitions.filter(({ topic, partition }) => !committed.has(`${topic}-${partition}`))
    return [...standing, ...(await this.#at(missing, 'latest'))]
  }

  async #fromFile(path: string): Promise<readonly NewOffset[]> {
    const plan = parseResetPlan(await readNamedFile(path), this.options.texts('group'))
    const wishes = plan.get(this.#groupId)
    if (wishes !== undefined) return this.#inRange(wishes)
    this.#io.stdout.write(`\nError: No reset plan for group ${this.#groupId} found.\n`)
    return []
  }
}

function dateTimeOf(text: string): number {
  const timeMs = parseDateTimeMs(text)
  if (timeMs === undefined) throw new Error(`--to-datetime ${text} is no time like 2020-01-31T23:59:59.999`)
  return timeMs
}

function durationOf(text: string): number {
  const durationMs = parseDurationMs(text)
  if (durationMs === undefined) throw new Error(`--by-duration ${text} is no duration like P1DT2H3M4S`)
  return durationMs
}
