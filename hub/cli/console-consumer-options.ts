/** @module cli/console-consumer-options — the options of `millrace console-consumer`, and what they come to. */
import { type ConsumerOptions, consumerOptionsFrom } from '../client/index.ts'
import { CommandError, type CommandIo, commonOptions, UsageError, verboseOption } from './command.ts'
import { keyValues, loadProperties } from './command-config.ts'
import { type MessageFormatter, messageFormatter } from './message-formatter.ts'
import { requireOneOption, requireOptions } from './option-rules.ts'
import type { OptionTable, ParsedOptions } from './options.ts'

/** The random group of a run without `--group` is `console-consumer-` and a number below this, as Kafka's. */
const RANDOM_GROUP_COUNT = 100_000

/** Options of `millrace console-consumer`. */
export const consoleConsumerOptions = {
  ...commonOptions,
  ...verboseOption,
  topic: { argument: 'required', argumentName: 'topic', help: 'The topic to consume from.' },
  include: {
    argument: 'required',
    argumentName: 'Java regex (String)',
    help: 'Consume from every topic that this regular expression matches whole.',
  },
  partition: {
    argument: 'required',
    argumentName: 'partition',
    type: 'Integer',
    help: 'The partition to consume from, from its end on unless --offset says otherwise.',
  },
  offset: {
    argument: 'required',
    argumentName: 'consume offset',
    default: 'latest',
    help: 'The offset to begin at: a number, earliest, or latest. Goes with --partition.',
  },
  'consumer-property': { argument: 'required', argumentName: 'consumer_prop', isDeprecated: true, help: 'Use --command-property.' },
  'command-property': { argument: 'required', argumentName: 'consumer_prop', help: 'A setting of the consumer, key=value.' },
  'consumer.config': { argument: 'required', argumentName: 'config file', isDeprecated: true, help: 'Use --command-config.' },
  'command-config': {
    argument: 'required',
    argumentName: 'config file',
    help: 'Properties file with settings of the consumer; --command-property goes before.',
  },
  formatter: {
    argument: 'required',
    argumentName: 'class',
    default: 'org.apache.kafka.tools.consumer.DefaultMessageFormatter',
    help: 'How records are printed.',
  },
  property: { argument: 'required', argumentName: 'prop', isDeprecated: true, help: 'Use --formatter-property.' },
  'formatter-property': {
    argument: 'required',
    argumentName: 'prop',
    help: 'A setting of the formatter, key=value: print.timestamp, print.partition, print.offset, print.delivery, print.epoch, print.headers, print.key, print.value (true|false; only the value by default), key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer.',
  },
  'formatter-config': {
    argument: 'required',
    argumentName: 'config file',
    help: 'Properties file with settings of the formatter; --formatter-property goes before.',
  },
  'from-beginning': { help: 'Begin with the first record there is, where the group has no offset yet.' },
  'max-messages': {
    argument: 'required',
    argumentName: 'num_messages',
    type: 'Integer',
    help: 'End after so many records. Default: go on.',
  },
  'timeout-ms': { argument: 'required', argumentName: 'timeout_ms', type: 'Long', help: 'End when no record came for so long.' },
  'skip-message-on-error': { help: 'Go on after a record that cannot be printed.' },
  'bootstrap-server': { argument: 'required', argumentName: 'server to connect to', isRequired: true, help: 'The servers to connect to.' },
  'key-deserializer': { argument: 'required', argumentName: 'deserializer for keys', help: 'Java class name of what reads keys.' },
  'value-deserializer': { argument: 'required', argumentName: 'deserializer for values', help: 'Java class name of what reads values.' },
  'enable-systest-events': { help: 'Print shutdown_complete at the end.' },
  'isolation-level': {
    argument: 'required',
    default: 'read_uncommitted',
    help: 'read_committed leaves out records of transactions that are open or were aborted.',
  },
  group: {
    argument: 'required',
    argumentName: 'consumer group id',
    help: 'The consumer group. Default: one of its own that commits nothing.',
  },
} as const satisfies OptionTable

type Options = ParsedOptions<typeof consoleConsumerOptions>

/** What to consume, and how to print it. */
export interface ConsumePlan {
  readonly consumer: ConsumerOptions
  readonly format: MessageFormatter
  readonly topic: string | undefined
  readonly include: string | undefined
  readonly partition: number | undefined
  /** Where to begin with `partition`. */
  readonly offset: number | 'earliest' | 'latest'
  readonly countMax: number
  readonly timeoutMs: number
}

/** Checks the options and reads the files that they name. @throws UsageError, CommandError, OptionError, ClientError */
export async function consumePlan(options: Options, io: CommandIo, randomNumber: () => number = Math.random): Promise<ConsumePlan> {
  requireOneOption(options, 'topic', 'include')
  const partition = options.number('partition')
  checkPartition(options)
  requireOptions(options, 'bootstrap-server')
  refuseTogether(options, 'consumer-property', 'command-property')
  refuseTogether(options, 'consumer.config', 'command-config')
  warnOfDeprecated(options, io, 'consumer-property', 'command-property')
  warnOfDeprecated(options, io, 'consumer.config', 'command-config')
  const consumer = await consumerSettings(options, randomNumber)
  const offset = offsetOf(options)
  const timeoutMs = options.number('timeout-ms') ?? -1
  refuseTogether(options, 'property', 'formatter-property')
  warnOfDeprecated(options, io, 'property', 'formatter-property')
  const formatterSettings = await formatterProperties(options)
  return {
    consumer,
    format: formatterOf(options.text('formatter') ?? '', formatterSettings),
    topic: options.text('topic'),
    include: options.text('include'),
    partition,
    offset,
    countMax: options.number('max-messages') ?? -1,
    timeoutMs: timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs,
  }
}

type Name = Parameters<Options['text']>[0]

function refuseTogether(options: Options, oldName: Name, name: Name): void {
  if (options.has(oldName) && options.has(name)) throw new UsageError(`Options --${oldName} and --${name} cannot be specified together.`)
}

function warnOfDeprecated(options: Options, io: CommandIo, oldName: Name, name: Name): void {
  if (!options.has(oldName)) return
  io.stdout.write(`Option --${oldName} is deprecated and will be removed in a future version. Use --${name} instead.\n`)
}

function checkPartition(options: Options): void {
  if (!options.has('partition')) {
    if (options.has('offset')) throw new UsageError('The partition is required when offset is specified.')
    return
  }
  if (!options.has('topic')) throw new UsageError('The topic is required when partition is specified.')
  if (options.has('from-beginning') && options.has('offset')) {
    throw new UsageError('Options from-beginning and offset cannot be specified together.')
  }
}

async function consumerSettings(options: Options, randomNumber: () => number): Promise<ConsumerOptions> {
  const fromFile = await loadProperties(options.text('command-config') ?? options.text('consumer.config'))
  const fromWords = keyValues([...options.texts('command-property'), ...options.texts('consumer-property')])
  const groupIds = new Set([options.text('group'), fromFile.get('group.id'), fromWords.get('group.id')].filter((id) => id !== undefined))
  if (groupIds.size > 1) {
    const list = [...groupIds].map((id) => `'${id}'`).join(', ')
    throw new UsageError(
      `The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: ${list}`,
    )
  }
  if (groupIds.size > 0 && options.has('partition')) throw new UsageError('Options group and partition cannot be specified together.')
  const properties = new Map([...fromFile, ...fromWords])
  const reset = properties.get('auto.offset.reset')
  if (reset !== undefined && options.has('from-beginning') && reset !== 'earliest') {
    throw new CommandError(`Can't simultaneously specify --from-beginning and 'auto.offset.reset=${reset}', please remove one option`)
  }
  if (reset === undefined) properties.set('auto.offset.reset', options.has('from-beginning') ? 'earliest' : 'latest')
  if (options.has('isolation-level') || !properties.has('isolation.level')) {
    properties.set('isolation.level', options.text('isolation-level') ?? '')
  }
  const [groupId] = groupIds
  // A group that nobody named is not meant to be used again, so it commits nothing.
  if (groupId === undefined && !properties.has('enable.auto.commit')) properties.set('enable.auto.commit', 'false')
  return consumerOptionsFrom({
    'client.id': 'console-consumer',
    ...Object.fromEntries(properties),
    'group.id': groupId ?? `console-consumer-${Math.floor(randomNumber() * RANDOM_GROUP_COUNT)}`,
    'bootstrap.servers': options.text('bootstrap-server') ?? '',
  })
}

function offsetOf(options: Options): ConsumePlan['offset'] {
  if (!options.has('offset')) return options.has('from-beginning') ? 'earliest' : 'latest'
  const text = options.text('offset') ?? ''
  const word = text.toLowerCase()
  if (word === 'earliest' || word === 'latest') return word
  if (!/^\+?\d+$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new UsageError(`The provided offset value '${text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`)
  }
  return Number(text)
}

async function formatterProperties(options: Options): Promise<Map<string, string>> {
  const properties = await loadProperties(options.text('formatter-config'))
  for (const [option, property] of [
    ['key-deserializer', 'key.deserializer'],
    ['value-deserializer', 'value.deserializer'],
  ] as const) {
    const className = options.text(option)
    if (className !== undefined && className !== '') properties.set(property, className)
  }
  for (const [key, value] of keyValues([...options.texts('formatter-property'), ...options.texts('property')])) properties.set(key, value)
  return properties
}

function formatterOf(className: string, properties: ReadonlyMap<string, string>): MessageFormatter {
  try {
    return messageFormatter(className, properties)
  } catch (error) {
    throw new CommandError((error as Error).message, 1, { cause: error })
  }
}
