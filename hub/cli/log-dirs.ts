/** @module cli/log-dirs — `millrace log-dirs`: what the brokers' data directories hold, as kafka-log-dirs.sh prints it: one line of JSON. */
import type { Admin } from '../client/index.ts'
import { DescribeLogDirs, type DescribeLogDirsResponse, ErrorCode, errorMessage, errorName } from '../wire/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, type CommandIo, commonOptions, defineCommand, verboseOption } from './command.ts'
import { plainMessage } from './error-text.ts'
import { javaClassOf } from './java-names.ts'
import { requireOptions } from './option-rules.ts'
import type { OptionTable } from './options.ts'

/** Options of `millrace log-dirs`. */
export const logDirsOptions = {
  ...commonOptions,
  ...verboseOption,
  'bootstrap-server': {
    argument: 'required',
    argumentName: 'The server(s) to use for bootstrapping',
    isRequired: true,
    help: 'The servers to connect to.',
  },
  'command-config': {
    argument: 'required',
    argumentName: 'Admin client property file',
    help: 'Properties file with settings of the client.',
  },
  describe: { help: 'Print the directories with the partitions in them.' },
  'topic-list': { argument: 'required', argumentName: 'Topic list', default: '', help: 'Only these topics: t1,t2. Default: all.' },
  'broker-list': { argument: 'required', argumentName: 'Broker list', default: '', help: 'Only these brokers: 0,1. Default: all.' },
} as const satisfies OptionTable

/** `millrace log-dirs` */
export const logDirs: Command = defineCommand({
  name: 'log-dirs',
  summary: 'This tool helps to query log directory usage on the specified brokers.',
  options: logDirsOptions,
  wordParseError: (message) => new CommandError(message),
  reportFailure(error, io) {
    io.stderr.write(`${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    requireOptions(options, 'bootstrap-server', 'describe')
    const topics = listOf(options.text('topic-list'))
    const wanted = listOf(options.text('broker-list'))
    const session = { bootstrapServers: options.text('bootstrap-server') ?? '', commandConfig: options.text('command-config') }
    await withAdmin(session, io, async (admin) => {
      const nodeIds = await brokerIds(admin, wanted, io.signal)
      io.stdout.write('Querying brokers for log directories information\n')
      const brokers = await Promise.all(nodeIds.map((nodeId) => describeBroker(admin, nodeId, topics, io)))
      io.stdout.write(`Received log directory information from brokers ${nodeIds.join(',')}\n`)
      io.stdout.write(`${JSON.stringify({ brokers, version: 1 })}\n`)
    })
    return 0
  },
})

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((word) => word !== '')
}

async function brokerIds(admin: Admin, wanted: readonly string[], signal: AbortSignal): Promise<number[]> {
  const known = (await admin.describeCluster({}, signal)).brokers.map(({ nodeId }) => nodeId).sort((one, other) => one - other)
  const absent = wanted.filter((id) => !known.includes(Number(id)))
  if (absent.length > 0) {
    throw new CommandError(
      `ERROR: The given brokers do not exist from --broker-list: ${absent.join(',')}. Current existent brokers: ${known.join(',')}`,
    )
  }
  return wanted.length === 0 ? known : known.filter((id) => wanted.map(Number).includes(id))
}

/** A broker in the form of the JSON that Kafka's script prints. */
async function describeBroker(admin: Admin, nodeId: number, topics: readonly string[], io: CommandIo): Promise<object> {
  const { errorCode, results } = await admin.request({ nodeId }, DescribeLogDirs, { topics: null }, { signal: io.signal })
  if (errorCode !== ErrorCode.NONE) throw new Error(errorMessage(errorCode) ?? errorName(errorCode))
  const logDirs = results.map((directory) => ({
    partitions: partitionsOf(directory, topics),
    error: directory.errorCode === ErrorCode.NONE ? null : `${javaClassOf(directory.errorCode)}: ${errorMessage(directory.errorCode)}`,
    logDir: directory.logDir,
  }))
  return { broker: nodeId, logDirs }
}

function partitionsOf(directory: DescribeLogDirsResponse['results'][number], names: readonly string[]): object[] {
  const chosen = directory.topics.filter(({ name }) => names.length === 0 || names.includes(name))
  chosen.sort((one, other) => (one.name < other.name ? -1 : 1))
  return chosen.flatMap(({ name, partitions }) =>
    [...partitions]
      .sort((one, other) => one.partitionIndex - other.partitionIndex)
      .map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        partition: `${name}-${partitionIndex}`,
        size: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
  )
}
