/** @module cli/topics-options — the options of `millrace topics` and which of them go together (Kafka's TopicCommandOptions). */
import { CommandError, commonOptions, UsageError, verboseOption } from './command.ts'
import { bracketed, bracketedList, refuseOptions, requireOptions } from './option-rules.ts'
import type { OptionTable, ParsedOptions } from './options.ts'

const CONFIGS_HINT = ' (To alter topic configurations, the kafka-configs tool can be used.)'

/** Options of `millrace topics`. */
export const topicsOptions = {
  ...commonOptions,
  ...verboseOption,
  'bootstrap-server': {
    argument: 'required',
    argumentName: 'server to connect to',
    isRequired: true,
    help: 'The Kafka server to connect to.',
  },
  'command-config': {
    argument: 'required',
    argumentName: 'command config property file',
    help: 'Properties file with settings of the client.',
  },
  list: { help: 'List all topics, or those that --topic matches.' },
  create: { help: 'Create a topic.' },
  delete: { help: 'Delete topics.' },
  alter: { help: 'Give topics more partitions. (millrace configs alters their settings.)' },
  describe: { help: 'Show partitions, replicas and settings of topics.' },
  topic: {
    argument: 'required',
    argumentName: 'topic',
    help: 'The topic to create, alter, describe or delete. Except with --create it may be a regular expression.',
  },
  'topic-id': { argument: 'required', argumentName: 'topic-id', help: 'The id of the topic to describe.' },
  config: {
    argument: 'required',
    argumentName: 'name=value',
    help: 'A setting of the topic that is created; may be repeated. See https://kafka.apache.org/documentation/#topicconfigs',
  },
  'delete-config': { argument: 'required', argumentName: 'name', isDeprecated: true, help: 'Not supported since Kafka 4.0.' },
  partitions: {
    argument: 'required',
    argumentName: '# of partitions',
    type: 'Integer',
    help: 'How many partitions the topic has, or has after --alter. Default: as the cluster is set. More partitions change where keys go.',
  },
  'replication-factor': {
    argument: 'required',
    argumentName: 'replication factor',
    type: 'Integer',
    help: 'How many replicas each partition has. Default: as the cluster is set.',
  },
  'replica-assignment': {
    argument: 'required',
    argumentName:
      'broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : broker_id_for_part2_replica2 , ...',
    help: 'Which brokers hold the replicas, partition by partition.',
  },
  'under-replicated-partitions': { help: 'With --describe: only partitions with replicas that are not in sync.' },
  'unavailable-partitions': { help: 'With --describe: only partitions without a live leader.' },
  'under-min-isr-partitions': { help: 'With --describe: only partitions with fewer replicas in sync than min.insync.replicas.' },
  'at-min-isr-partitions': { help: 'With --describe: only partitions with just min.insync.replicas in sync.' },
  'topics-with-overrides': { help: 'With --describe: only topics with settings of their own, without partitions.' },
  'if-exists': { help: 'With --alter, --delete and --describe: no error when the topic is not there.' },
  'if-not-exists': { help: 'With --create: no error when the topic is there already.' },
  'exclude-internal': { help: 'With --list and --describe: without the topics of Kafka itself.' },
  'partition-size-limit-per-response': {
    argument: 'required',
    argumentName: 'maximum number of partitions per response',
    type: 'Integer',
    help: 'Accepted for the sake of scripts; pages are as large as the broker makes them.',
  },
} as const satisfies OptionTable

/** What was given to `millrace topics`. */
export type TopicsOptions = ParsedOptions<typeof topicsOptions>

const ACTIONS = ['alter', 'create', 'describe', 'list', 'delete'] as const
const REPLICATION_REPORTS = [
  'under-replicated-partitions',
  'under-min-isr-partitions',
  'at-min-isr-partitions',
  'unavailable-partitions',
] as const

/** Refuses combinations that make no sense; `warn` takes a line for stderr. @throws UsageError or CommandError */
export function checkTopicsOptions(options: TopicsOptions, warn: (line: string) => void): void {
  if (ACTIONS.filter((action) => options.has(action)).length !== 1) {
    throw new UsageError('Command must include exactly one action: --list, --describe, --create, --alter or --delete')
  }
  if (options.has('delete-config')) {
    warn(
      'delete-config option is no longer supported and deprecated since version 4.0. The config will be fully removed in future releases.',
    )
  }
  checkRequired(options)
  checkRefused(options)
}

function checkRequired(options: TopicsOptions): void {
  if (!options.has('bootstrap-server')) throw new CommandError('--bootstrap-server must be specified')
  if (options.has('describe') && options.has('if-exists') && !options.has('topic') && !options.has('topic-id')) {
    throw new UsageError('--topic or --topic-id is required to describe a topic')
  }
  if (!options.has('list') && !options.has('describe')) requireOptions(options, 'topic')
  if (!options.has('alter')) return
  if (options.has('config')) {
    const used = `[${bracketedList(['bootstrap-server', 'config'])}]`
    throw new UsageError(`Option combination "${used}" can't be used with option "${bracketed('alter')}"${CONFIGS_HINT}`)
  }
  requireOptions(options, 'partitions')
}

function checkRefused(options: TopicsOptions): void {
  const actionsBut = (...allowed: readonly string[]) => ACTIONS.filter((action) => !allowed.includes(action))
  refuseOptions(options, 'config', actionsBut('alter', 'create'))
  refuseOptions(options, 'partitions', actionsBut('alter', 'create'))
  refuseOptions(options, 'replication-factor', actionsBut('create'))
  refuseOptions(options, 'replica-assignment', actionsBut('alter', 'create'))
  if (options.has('create')) refuseOptions(options, 'replica-assignment', ['partitions', 'replication-factor'])
  for (const report of REPLICATION_REPORTS) refuseOptions(options, report, [...actionsBut('describe'), 'topics-with-overrides'])
  refuseOptions(options, 'topics-with-overrides', [...actionsBut('describe'), ...REPLICATION_REPORTS])
  refuseOptions(options, 'if-exists', actionsBut('alter', 'delete', 'describe'))
  refuseOptions(options, 'if-not-exists', actionsBut('create'))
  refuseOptions(options, 'exclude-internal', actionsBut('list', 'describe'))
}
