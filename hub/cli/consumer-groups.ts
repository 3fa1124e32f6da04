/** @module cli/consumer-groups — `millrace consumer-groups`: list, describe, reset and delete, as kafka-consumer-groups.sh does. */
import { type Admin, ClientError, type KafkaError, type TopicPartition } from '../client/index.ts'
import { ErrorCode, errorMessage, errorName } from '../wire/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, type CommandIo, defineCommand, UsageError } from './command.ts'
import { describeGroups } from './consumer-groups-describe.ts'
import { type ConsumerGroupsOptions, checkConsumerGroupsOptions, consumerGroupsOptions } from './consumer-groups-options.ts'
import { resetOffsets } from './consumer-groups-reset.ts'
import { javaText, plainMessage } from './error-text.ts'
import { re2Problem } from './re2.ts'
import { tableLines } from './table.ts'
import { topicPartitionsOf } from './topic-partitions.ts'

/** `millrace consumer-groups` */
export const consumerGroups: Command = defineCommand({
  name: 'consumer-groups',
  summary:
    'This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset consumer group offsets.',
  options: consumerGroupsOptions,
  wordParseError: (message) => new CommandError(message),
  reportFailure(error, io) {
    io.stdout.write(`\nError: Executing consumer group command failed due to ${plainMessage(error)}\n`)
    // Kafka ends with 0 even so. That holds for what a broker answered; without an answer a script must not go on.
    return error instanceof ClientError ? 1 : 0
  },
  async run(options, io) {
    checkConsumerGroupsOptions(options, io)
    if (options.has('validate-regex')) {
      io.stdout.write(regexVerdict(options.text('validate-regex') ?? ''))
      return 0
    }
    const session = {
      bootstrapServers: options.text('bootstrap-server') ?? '',
      commandConfig: options.text('command-config'),
      timeoutMs: options.number('timeout'),
    }
    await withAdmin(session, io, (admin) => actionOf(options)(admin, options, io))
    return 0
  },
})

type Action = (admin: Admin, options: ConsumerGroupsOptions, io: CommandIo) => Promise<void>

function actionOf(options: ConsumerGroupsOptions): Action {
  if (options.has('list')) return listGroups
  if (options.has('describe'))
    return async (admin, _options, io) => describeGroups(admin, await chosenGroups(admin, options, io), options, io)
  if (options.has('delete')) return deleteGroups
  if (options.has('delete-offsets')) return deleteOffsets
  return async (admin, _options, io) => resetOffsets(admin, await chosenGroups(admin, options, io), options, io)
}

function regexVerdict(regex: string): string {
  const problem = re2Problem(regex)
  return `The regular expression \`${regex}\` is ${problem === undefined ? 'valid' : `invalid: ${problem}`}.\n`
}

const GROUP_STATES = ['Dead', 'Assigning', 'PreparingRebalance', 'Stable', 'Reconciling', 'CompletingRebalance', 'Empty'] as const
const GROUP_TYPES = ['Consumer', 'Classic'] as const
/** Room that a list leaves behind the longest group, and the least width of a group's column. */
const GROUP_COLUMN = { widthMin: 15, gap: 10 } as const

const listGroups: Action = async (admin, options, io) => {
  const filter = {
    states: choices(options.text('state'), GROUP_STATES, 'state', 'states'),
    types: choices(options.text('type'), GROUP_TYPES, 'types', 'types'),
  }
  const groups = (await admin.listGroups(filter, io.signal)).filter(isConsumerGroup)
  const [showsType, showsState] = [options.has('type'), options.has('state')]
  if (!showsType && !showsState) {
    io.stdout.write(groups.map(({ groupId }) => `${groupId}\n`).join(''))
    return
  }
  const columns = [
    { title: 'GROUP', widthMin: Math.max(GROUP_COLUMN.widthMin, ...groups.map(({ groupId }) => groupId.length)) + GROUP_COLUMN.gap },
    ...(showsType ? [{ title: 'TYPE', widthMin: 20 }] : []),
    ...(showsState ? [{ title: 'STATE', widthMin: 20 }] : []),
  ]
  const rows = groups.map(({ groupId, type, state }) => [
    groupId,
    ...(showsType ? [capitalized(type)] : []),
    ...(showsState ? [state || 'Unknown'] : []),
  ])
  io.stdout.write(
    tableLines(columns, rows)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

/** Groups of other protocols (Connect workers …) are not listed; a group that only holds offsets has none. */
function isConsumerGroup({ protocolType, type }: { readonly protocolType: string; readonly type: string }): boolean {
  return (protocolType === '' || protocolType === 'consumer') && ['', 'classic', 'consumer'].includes(type.toLowerCase())
}

function capitalized(type: string): string {
  return type === '' ? 'Unknown' : type.charAt(0).toUpperCase() + type.slice(1)
}

function choices(text: string | undefined, valid: readonly string[], one: string, many: string): string[] {
  if (text === undefined || text === '') return []
  const words = text.split(',').map((word) => word.trim().toLowerCase())
  const known = valid.filter((name) => words.includes(name.toLowerCase()))
  if (known.length !== new Set(words).size) throw new UsageError(`Invalid ${one} list '${text}'. Valid ${many} are: ${valid.join(', ')}`)
  return known
}

async function chosenGroups(admin: Admin, options: ConsumerGroupsOptions, io: CommandIo): Promise<string[]> {
  if (!options.has('all-groups')) return [...new Set(options.texts('group'))].sort()
  return (await admin.listGroups({}, io.signal)).filter(isConsumerGroup).map(({ groupId }) => groupId)
}

const deleteGroups: Action = async (admin, options, io) => {
  const results = await admin.deleteGroups(await chosenGroups(admin, options, io), io.signal)
  const quoted = (list: typeof results): string => list.map(({ groupId }) => `'${groupId}'`).join(', ')
  const failed = results.filter(({ error }) => error !== null)
  const deleted = results.filter(({ error }) => error === null)
  if (failed.length === 0) {
    io.stdout.write(`Deletion of requested consumer groups (${quoted(deleted)}) was successful.\n`)
    return
  }
  io.stdout.write('\nError: Deletion of some consumer groups failed:\n')
  for (const { groupId, error } of failed) io.stdout.write(`* Group '${groupId}' could not be deleted due to: ${javaText(error)}\n`)
  if (deleted.length > 0) io.stdout.write(`\nThese consumer groups were deleted successfully: ${quoted(deleted)}\n`)
}

const GROUP_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_GROUP_ID,
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.NON_EMPTY_GROUP,
])
const PARTITION_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])

const deleteOffsets: Action = async (admin, options, io) => {
  const groupId = options.text('group') ?? ''
  const { partitions, failures } = await topicPartitionsOf(admin, options.texts('topic'), io.signal)
  const { groupError, results } = await deletedOffsets(admin, groupId, partitions, io.signal)
  if (groupError === null) io.stdout.write(`Request succeeded for deleting offsets from group ${groupId}.\n`)
  else io.stdout.write(`\nError: ${deletionErrorText(groupError)}\n`)
  const rows: { topic: string; partition: number; error: KafkaError | null }[] = [
    ...results,
    ...failures.map(({ topic, error }) => ({ topic, partition: -1, error })),
  ]
  rows.sort((one, other) => (`${one.topic}${one.partition}` < `${other.topic}${other.partition}` ? -1 : 1))
  const lines = tableLines(
    [
      { title: 'TOPIC', widthMin: 15, grows: true },
      { title: 'PARTITION', widthMin: 10 },
      { title: 'STATUS', widthMin: 15 },
    ],
    rows.map(({ topic, partition, error }) => [
      topic,
      partition < 0 ? '-' : String(partition),
      error === null ? 'Successful' : `Error: ${javaText(error)}`,
    ]),
  )
  io.stdout.write(`\n${lines.join('\n')}\n`)
}

type OffsetResult = TopicPartition & { readonly error: KafkaError | null }

/** The outcome per partition, and the error that the whole is told by: the group's, or the first partition's. */
async function deletedOffsets(
  admin: Admin,
  groupId: string,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<{
  groupError: KafkaError | null
  results: readonly OffsetResult[]
}> {
  if (partitions.length === 0) return { groupError: null, results: [] }
  const results = await admin.deleteConsumerGroupOffsets(groupId, partitions, signal).catch((error: unknown): OffsetResult[] => {
    if (error instanceof ClientError || !(error instanceof Error) || !('code' in error)) throw error
    return partitions.map(({ topic, partition }) => ({ topic, partition, error: error as KafkaError }))
  })
  return { groupError: results.find(({ error }) => error !== null)?.error ?? null, results }
}

function deletionErrorText({ code }: KafkaError): string {
  if (GROUP_ERRORS.has(code)) return errorMessage(code) ?? errorName(code)
  if (PARTITION_ERRORS.has(code)) return 'Encountered some partition-level error, see the follow-up details.'
  return `Encountered some unknown error: ${errorName(code)}`
}
