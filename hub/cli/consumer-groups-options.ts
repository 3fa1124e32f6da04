/** @module cli/consumer-groups-options — the options of `millrace consumer-groups` and which go together (Kafka's ConsumerGroupCommandOptions). */
import { type CommandIo, commonOptions, UsageError } from './command.ts'
import { bracketed, bracketedList, refuseOptions, requireOptions } from './option-rules.ts'
import type { OptionTable, ParsedOptions } from './options.ts'

/** Options of `millrace consumer-groups`. */
export const consumerGroupsOptions = {
  ...commonOptions,
  'bootstrap-server': {
    argument: 'required',
    argumentName: 'server to connect to',
    help: 'The servers to connect to (needed but for --validate-regex).',
  },
  group: { argument: 'required', argumentName: 'consumer group', help: 'The consumer group; may be repeated.' },
  topic: {
    argument: 'required',
    argumentName: 'topic',
    help: 'The topic whose offsets are reset or deleted, with partitions behind a colon if it is not all: t:0,1. May be repeated.',
  },
  'all-topics': { help: 'With --reset-offsets: all topics that the group has offsets of.' },
  list: { help: 'List all consumer groups.' },
  describe: { help: 'Show the offsets of a group, and how far they are behind the end; or its members, or its state.' },
  'all-groups': { help: 'Every consumer group.' },
  delete: { help: 'Delete groups with all their offsets.' },
  timeout: {
    argument: 'required',
    argumentName: 'timeout (ms)',
    type: 'Long',
    default: '30000',
    help: 'How long each request may take, retries included.',
  },
  'command-config': {
    argument: 'required',
    argumentName: 'command config property file',
    help: 'Properties file with settings of the client.',
  },
  'reset-offsets': {
    help: 'Set the offsets of a group without members. Say which topics (--topic, --all-topics or --from-file) and where to (one of --to-… , --shift-by, --by-duration, --from-file); --execute does it, --dry-run only shows it.',
  },
  'delete-offsets': { help: 'Delete offsets of a group, by topics.' },
  'dry-run': { help: 'With --reset-offsets: only show what would be done.' },
  execute: { help: 'With --reset-offsets: do it.' },
  export: { help: 'With --reset-offsets: print the result as CSV, as --from-file reads it.' },
  'to-offset': { argument: 'required', argumentName: 'offset', type: 'Long', help: 'Reset to this offset.' },
  'from-file': {
    argument: 'required',
    argumentName: 'path to CSV file',
    help: 'Reset to the offsets in a file: lines topic,partition,offset.',
  },
  'to-datetime': {
    argument: 'required',
    argumentName: 'datetime',
    help: 'Reset to the first record at or after a time: YYYY-MM-DDTHH:mm:SS.sss, UTC unless an offset follows.',
  },
  'by-duration': { argument: 'required', argumentName: 'duration', help: 'Reset to the first record of the last PnDTnHnMnS.' },
  'to-earliest': { help: 'Reset to the first record.' },
  'to-latest': { help: 'Reset to the end.' },
  'to-current': { help: 'Reset to where the offsets are; to the end where there is none.' },
  'shift-by': {
    argument: 'required',
    argumentName: 'number-of-offsets',
    type: 'Long',
    help: 'Move offsets forward, or back by a number below 0.',
  },
  members: { availableIf: ['describe'], help: 'With --describe: the members.' },
  verbose: { availableIf: ['describe'], help: 'With --describe: more columns. When something fails, also print the stack.' },
  offsets: { availableIf: ['describe'], help: 'With --describe: the offsets (the default).' },
  state: {
    argument: 'optional',
    availableIf: ['describe', 'list'],
    help: 'With --describe: the state. With --list: show states, or only groups in these: stable,empty.',
  },
  type: { argument: 'optional', availableIf: ['list'], help: 'With --list: show types, or only groups of these: classic,consumer.' },
  'validate-regex': { argument: 'required', argumentName: 'regex', help: 'Check a regular expression for subscriptions (RE2).' },
} as const satisfies OptionTable

/** What was given to `millrace consumer-groups`. */
export type ConsumerGroupsOptions = ParsedOptions<typeof consumerGroupsOptions>

const ACTIONS = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets', 'validate-regex'] as const
const SCENARIOS = ['to-offset', 'to-datetime', 'by-duration', 'to-earliest', 'to-latest', 'to-current', 'shift-by', 'from-file'] as const

const DRY_RUN_WARNING =
  'WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will require either --dry-run or ' +
  '--execute to be specified. You should add the --dry-run option explicitly if you are scripting this command and want to keep the ' +
  'current default behavior without prompting.'

/** Refuses combinations that make no sense, in the order in which Kafka looks. @throws UsageError */
export function checkConsumerGroupsOptions(options: ConsumerGroupsOptions, io: CommandIo): void {
  if (!options.has('validate-regex')) requireOptions(options, 'bootstrap-server')
  checkDescribe(options)
  checkDelete(options)
  checkReset(options, io)
  refuseOptions(options, 'group', ['all-groups', 'list'])
  refuseOptions(options, 'topic', ['list', 'describe'])
  if (ACTIONS.filter((action) => options.has(action)).length !== 1) {
    throw new UsageError(`Command must include exactly one action: ${ACTIONS.map((action) => `--${action}`).join(', ')}`)
  }
}

function requireGroups(options: ConsumerGroupsOptions, action: (typeof ACTIONS)[number], names: readonly ('group' | 'all-groups')[]): void {
  if (names.some((name) => options.has(name))) return
  throw new UsageError(`Option ${bracketed(action)} takes one of these options: ${bracketedList(names)}`)
}

function checkDescribe(options: ConsumerGroupsOptions): void {
  if (!options.has('describe')) return
  requireGroups(options, 'describe', ['group', 'all-groups'])
  const views = ['members', 'offsets', 'state'] as const
  if (views.filter((view) => options.has(view)).length > 1) {
    throw new UsageError(`Option [describe] takes at most one of these options: ${bracketedList(views)}`)
  }
  if (options.text('state') !== undefined) throw new UsageError('Option [describe] does not take a value for [state]')
}

function checkDelete(options: ConsumerGroupsOptions): void {
  if (options.has('delete')) {
    requireGroups(options, 'delete', ['group', 'all-groups'])
    if (options.has('topic')) {
      throw new UsageError('The consumer does not support topic-specific offset deletion from a consumer group.')
    }
  }
  if (options.has('delete-offsets') && !(options.has('group') && options.has('topic'))) {
    throw new UsageError(`Option [delete-offsets] takes the following options: ${bracketedList(['group', 'topic'])}`)
  }
}

function checkReset(options: ConsumerGroupsOptions, io: CommandIo): void {
  if (!options.has('reset-offsets')) return
  if (options.has('dry-run') && options.has('execute')) {
    throw new UsageError('Option [reset-offsets] only accepts one of [execute] and [dry-run]')
  }
  if (!options.has('dry-run') && !options.has('execute')) io.stderr.write(`${DRY_RUN_WARNING}\n`)
  requireGroups(options, 'reset-offsets', ['all-groups', 'group'])
  for (const scenario of SCENARIOS) {
    refuseOptions(
      options,
      scenario,
      SCENARIOS.filter((other) => other !== scenario),
    )
  }
}

/** The error of `--reset-offsets` without anywhere to reset to. */
export function missingScenario(): UsageError {
  return new UsageError(`Option '[reset-offsets]' requires one of the following scenarios: [${bracketedList(SCENARIOS)}]`)
}
