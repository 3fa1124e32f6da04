/** @module cli/get-offsets — `millrace get-offsets`: offsets of partitions, by place or by time, as kafka-get-offsets.sh does. */
import type { Admin, OffsetAt, TopicPartition } from '../client/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, commonOptions, defineCommand, UsageError, verboseOption } from './command.ts'
import { plainMessage } from './error-text.ts'
import { requireOptions } from './option-rules.ts'
import type { OptionTable, ParsedOptions } from './options.ts'
import { hostPorts } from './reach.ts'
import { isInternalTopic, topicFilter } from './topic-filter.ts'

/** Options of `millrace get-offsets`. */
export const getOffsetsOptions = {
  ...commonOptions,
  ...verboseOption,
  'bootstrap-server': {
    argument: 'required',
    argumentName: 'HOST1:PORT1,...,HOST3:PORT3',
    isRequired: true,
    help: 'The servers to connect to.',
  },
  'topic-partitions': {
    argument: 'required',
    argumentName: 'topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3',
    help: 'Which partitions, by patterns: an optional regular expression for the topic, then, after a colon, a partition, or a range whose end is not included.',
  },
  topic: { argument: 'required', argumentName: 'topic', help: 'Which topics, by a regular expression. Default: all.' },
  partitions: {
    argument: 'required',
    argumentName: 'partition ids',
    help: 'Which partitions, by numbers with commas between. Default: all.',
  },
  time: {
    argument: 'required',
    argumentName:
      '<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload',
    default: 'latest',
    help: 'Which offset: of the first record at or after a time (ms since 1970), or by place.',
  },
  'command-config': { argument: 'required', argumentName: 'config file', help: 'Properties file with settings of the client.' },
  'exclude-internal-topics': { help: 'Without the topics of Kafka itself.' },
} as const satisfies OptionTable

const MALFORMED_TIME =
  'Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp'

/** `millrace get-offsets` */
export const getOffsets: Command = defineCommand({
  name: 'get-offsets',
  summary: 'An interactive shell for getting topic-partition offsets.',
  options: getOffsetsOptions,
  wordParseError: (message) => new CommandError(`Error occurred: ${message}`),
  reportFailure(error, io) {
    io.stderr.write(`Error occurred: ${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    requireOptions(options, 'bootstrap-server')
    const bootstrapServers = options.text('bootstrap-server') ?? ''
    if (hostPorts(bootstrapServers) === undefined) throw new UsageError('Please provide valid host:port like host1:9091,host2:9092\n')
    if (options.has('topic-partitions') && (options.has('topic') || options.has('partitions'))) {
      throw new Error('--topic-partitions cannot be used with --topic or --partitions')
    }
    const at = offsetAt(options.text('time') ?? '')
    const isChosen = partitionFilter(options)
    const session = { bootstrapServers, commandConfig: options.text('command-config'), clientId: 'GetOffsetShell' }
    await withAdmin(session, io, async (admin) => {
      const partitions = await chosenPartitions(admin, isChosen, options.has('exclude-internal-topics'), io.signal)
      if (partitions.length === 0) throw new Error('Could not match any topic-partitions with the specified filters')
      const listed = await admin.listOffsets(
        partitions.map((partition) => ({ ...partition, at })),
        {},
        io.signal,
      )
      const lines: [name: string, line: string][] = []
      for (const { topic, partition, offset, error } of listed) {
        const name = `${topic}-${partition}`
        if (error !== null) io.stderr.write(`Skip getting offsets for topic-partition ${name} due to error: ${plainMessage(error)}\n`)
        else if (offset >= 0) lines.push([name, `${topic}:${partition}:${offset}\n`])
      }
      // By the text of the partition, as Kafka sorts them: t-10 comes before t-2.
      lines.sort(([one], [other]) => (one < other ? -1 : 1))
      io.stdout.write(lines.map(([, line]) => line).join(''))
    })
    return 0
  },
})

async function chosenPartitions(
  admin: Admin,
  isChosen: PartitionFilter,
  excludesInternal: boolean,
  signal: AbortSignal,
): Promise<TopicPartition[]> {
  const listed = await admin.listTopics({ includeInternal: !excludesInternal }, signal)
  const names = listed.map(({ name }) => name).filter((name) => isChosen.topic(name) && !(excludesInternal && isInternalTopic(name)))
  const described = await admin.describeTopics(names, signal)
  return described.flatMap(({ partitions, error }) => {
    if (error !== null) throw error
    return partitions.filter((one) => isChosen.partition(one)).map(({ topic, partition }) => ({ topic, partition }))
  })
}

/** What `--time` says. @throws Error for a text that is none of it */
export function offsetAt(text: string): OffsetAt {
  switch (text) {
    case '-1':
    case 'latest':
      return 'latest'
    case '-2':
    case 'earliest':
      return 'earliest'
    case '-3':
    case 'max-timestamp':
      return 'max-timestamp'
    case '-4':
    case 'earliest-local':
      return 'earliest-local'
    case '-5':
    case 'latest-tiered':
      return 'latest-tiered'
    case '-6':
    case 'earliest-pending-upload':
      return { timestampMs: -6 }
    default:
      if (!/^[+-]?\d+$/.test(text)) throw new Error(`Malformed time argument ${text}. ${MALFORMED_TIME}`)
      return { timestampMs: Number(text) }
  }
}

/** Which topics to look at, and which of their partitions. */
export interface PartitionFilter {
  topic(topic: string): boolean
  partition(partition: TopicPartition): boolean
}

/** The filter that the options make. @throws Error for patterns that are none */
export function partitionFilter(options: ParsedOptions<typeof getOffsetsOptions>): PartitionFilter {
  const patterns = options.text('topic-partitions')
  if (patterns !== undefined) return anyOf(patterns.split(',').map(rule))
  const topic = topicFilter(options.text('topic') ?? '.*')
  const partitions = partitionNumbers(options.text('partitions') ?? '')
  return { topic, partition: (one) => topic(one.topic) && (partitions.size === 0 || partitions.has(one.partition)) }
}

function partitionNumbers(text: string): ReadonlySet<number> {
  if (text === '') return new Set()
  const words = text.split(',')
  if (!words.every((word) => /^[+-]?\d+$/.test(word))) {
    throw new Error(`--partitions expects a comma separated list of numeric partition ids, but received: ${text}`)
  }
  return new Set(words.map(Number))
}

function anyOf(filters: readonly PartitionFilter[]): PartitionFilter {
  return {
    topic: (topic) => filters.some((filter) => filter.topic(topic)),
    partition: (partition) => filters.some((filter) => filter.partition(partition)),
  }
}

/** `topic:partition`, `topic:from-to` (without `to`), either end or the whole may be left out. */
function rule(text: string): PartitionFilter {
  const match = /^([^:,]*)(?::(?:(\d*)|(\d*)-(\d*)))?$/.exec(text)
  if (match === null) throw new Error(`Invalid rule specification: ${text}`)
  const [, pattern, only, from, to] = match
  const topic = topicFilter(pattern === undefined || pattern === '' ? '.*' : pattern)
  const first = Number(only || from || 0)
  const end = only ? first + 1 : to ? Number(to) : Number.POSITIVE_INFINITY
  return { topic, partition: (one) => topic(one.topic) && one.partition >= first && one.partition < end }
}
