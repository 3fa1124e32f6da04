/** @module cli/topics — `millrace topics`: list, create, alter, describe and delete topics, as kafka-topics.sh does. */
import type { Admin, KafkaError } from '../client/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, type CommandIo, defineCommand } from './command.ts'
import { plainMessage } from './error-text.ts'
import { describeTopics } from './topics-describe.ts'
import { checkTopicsOptions, type TopicsOptions, topicsOptions } from './topics-options.ts'
import { existingTopics, matchingTopics } from './topics-selection.ts'

const REPLICATION_FACTOR_MAX = 32_767
const COLLISION_WARNING =
  "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. " +
  'To avoid issues it is best to use either, but not both.'

/** `millrace topics` */
export const topics: Command = defineCommand({
  name: 'topics',
  summary: 'This tool helps to create, delete, describe, or change a topic.',
  options: topicsOptions,
  wordParseError: (message) => new CommandError(message),
  reportFailure(error, io) {
    io.stdout.write(`Error while executing topic command : ${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    checkTopicsOptions(options, (line) => io.stderr.write(`${line}\n`))
    if (options.has('topic') && options.has('topic-id') && options.has('describe') && options.has('if-exists')) {
      io.stdout.write('Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID\n')
    }
    const session = { bootstrapServers: options.text('bootstrap-server') ?? '', commandConfig: options.text('command-config') }
    await withAdmin(session, io, (admin) => actionOf(options)(admin, options, io))
    return 0
  },
})

type Action = (admin: Admin, options: TopicsOptions, io: CommandIo) => Promise<void>

function actionOf(options: TopicsOptions): Action {
  if (options.has('create')) return createTopic
  if (options.has('alter')) return alterTopics
  if (options.has('delete')) return deleteTopics
  return options.has('list') ? listTopics : describeTopics
}

const listTopics: Action = async (admin, options, io) => {
  io.stdout.write(`${(await matchingTopics(admin, options, io.signal)).join('\n')}\n`)
}

const createTopic: Action = async (admin, options, io) => {
  const name = options.text('topic') ?? ''
  const partitionCount = options.number('partitions')
  const replicationFactor = options.number('replication-factor')
  const assignments = assignmentsOf(options)
  const configs = configsOf(options)
  if (/[._]/.test(name)) io.stdout.write(`${COLLISION_WARNING}\n`)
  if (replicationFactor !== undefined && (replicationFactor < 1 || replicationFactor > REPLICATION_FACTOR_MAX)) {
    throw new Error(`The replication factor must be between 1 and ${REPLICATION_FACTOR_MAX} inclusive`)
  }
  if (partitionCount !== undefined && partitionCount < 1) throw new Error('The partitions must be greater than 0')
  const [created] = await admin.createTopics(
    [
      {
        name,
        configs,
        ...(partitionCount === undefined ? {} : { partitionCount }),
        ...(replicationFactor === undefined ? {} : { replicationFactor }),
        ...(assignments === undefined ? {} : { assignments }),
      },
    ],
    {},
    io.signal,
  )
  const error = created?.error ?? null
  if (error === null) io.stdout.write(`Created topic ${name}.\n`)
  else if (!(error.code === ErrorCode.TOPIC_ALREADY_EXISTS && options.has('if-not-exists'))) throw error
}

const alterTopics: Action = async (admin, options, io) => {
  const totalCount = options.number('partitions') ?? 0
  const assignments = assignmentsOf(options)
  const names = await existingTopics(admin, options, io.signal)
  if (names.length === 0) return
  const described = assignments === undefined ? [] : await admin.describeTopics(names, io.signal)
  const results = await admin.createPartitions(
    names.map((name) => {
      if (assignments === undefined) return { name, totalCount }
      // The list is of all partitions, as for a new topic; those that are there already stay where they are.
      const standingCount = described.find((topic) => topic.name === name)?.partitions.length ?? 0
      return { name, totalCount, assignments: assignments.slice(standingCount) }
    }),
    {},
    io.signal,
  )
  throwFirst(results)
}

const deleteTopics: Action = async (admin, options, io) => {
  const names = await existingTopics(admin, options, io.signal)
  if (names.length > 0) throwFirst(await admin.deleteTopics(names, io.signal))
}

function throwFirst(results: readonly { readonly error: KafkaError | null }[]): void {
  for (const { error } of results) if (error !== null) throw error
}

function configsOf(options: TopicsOptions): Record<string, string> {
  const configs: Record<string, string> = Object.create(null) as Record<string, string>
  for (const word of options.texts('config')) {
    // Java's split drops empty parts at the end: `name=` is no pair.
    const [name, value, ...rest] = word.split(/\s*=\s*/)
    if (name === undefined || value === undefined || value === '' || rest.some((part) => part !== '')) {
      throw new Error('requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".')
    }
    configs[name.trim()] = value.trim()
  }
  return configs
}

/** `1:2,2:3` as broker ids by partition; undefined without the option. */
function assignmentsOf(options: TopicsOptions): number[][] | undefined {
  const text = options.text('replica-assignment')
  if (text === undefined || text === '') return undefined
  const assignments = text.split(',').map((part) => part.split(':').map(brokerId))
  for (const [partition, brokerIds] of assignments.entries()) {
    const duplicates = [...new Set(brokerIds.filter((id, index) => brokerIds.indexOf(id) !== index))]
    if (duplicates.length > 0) throw new Error(`Partition replica lists may not contain duplicate entries: ${duplicates.join(',')}`)
    if (brokerIds.length !== assignments[0]?.length) {
      throw new Error(`Partition ${partition} has different replication factor: [${brokerIds.join(', ')}]`)
    }
  }
  return assignments
}

function brokerId(text: string): number {
  if (!/^[+-]?\d+$/.test(text.trim())) throw new Error(`For input string: "${text.trim()}"`)
  return Number(text)
}
