/**
 * @module connect/validation/connector-keys — the keys that the framework itself gives every connector, every source and every sink.
 *
 * Names, types, defaults, rules, groups and places are those of Kafka Connect 4.3.1 (`ConnectorConfig`, `SourceConnectorConfig`,
 * `SinkConnectorConfig`), since forms are drawn from them.
 */
import {
  allOf,
  atLeast,
  type ConfigDefinition,
  defineConfig,
  listOf,
  nonEmptyString,
  nonEmptyStringWithoutControlCharacters,
  nonNull,
  oneOf,
  oneOfIgnoringCase,
  rule,
  type Validator,
} from '@millrace/sdk'
import { patternRefusal } from './patterns.ts'

function uniqueAliases(of: string): Validator {
  const hasDuplicates = (value: unknown): boolean => Array.isArray(value) && new Set(value).size !== value.length
  return allOf(
    nonNull,
    rule(`unique ${of}`, (value) => (hasDuplicates(value) ? 'Duplicate alias provided.' : undefined)),
  )
}

/** A rule that holds for what is there. */
function whereGiven(validator: Validator): Validator {
  return { text: validator.text, check: (name, value, type) => (value === null ? undefined : validator.check(name, value, type)) }
}

const validRegex: Validator = rule('valid regex', (value) => {
  const refusal = typeof value === 'string' && value !== '' ? patternRefusal(value) : undefined
  return refusal === undefined ? undefined : `Invalid regex: ${refusal}`
})

/** Keys of every connector. */
export const connectorKeys = defineConfig({
  name: {
    type: 'STRING',
    importance: 'HIGH',
    validator: nonEmptyStringWithoutControlCharacters,
    group: 'Common',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Connector name',
    documentation: 'Name of the connector, unique in the worker group.',
  },
  'connector.class': {
    type: 'STRING',
    importance: 'HIGH',
    group: 'Common',
    order: 2,
    width: 'LONG',
    displayName: 'Connector class',
    documentation: 'The plugin: its class, an alias, or its simple name with or without “Connector”.',
  },
  'connector.plugin.version': {
    type: 'STRING',
    default: null,
    importance: 'MEDIUM',
    group: 'Common',
    order: 3,
    width: 'MEDIUM',
    displayName: 'Connector version',
    documentation: 'Versions of the plugin that may be used: one, or a range such as [1.0,2.0). Default: the one that is installed.',
  },
  'tasks.max': {
    type: 'INT',
    default: 1,
    importance: 'HIGH',
    validator: atLeast(1),
    group: 'Common',
    order: 4,
    width: 'SHORT',
    displayName: 'Tasks max',
    documentation: 'Into how many tasks the connector may split its work.',
  },
  'tasks.max.enforce': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    group: 'Common',
    order: 5,
    width: 'SHORT',
    displayName: 'Enforce tasks max',
    documentation: 'Whether a connector that makes more tasks than tasks.max fails; otherwise it is only warned of.',
  },
  ...converterKeys('key.converter', 'Key converter', 6, 'keys'),
  ...converterKeys('value.converter', 'Value converter', 8, 'values'),
  ...converterKeys('header.converter', 'Header converter', 10, 'header values'),
  transforms: {
    type: 'LIST',
    default: '',
    importance: 'LOW',
    validator: uniqueAliases('transformation aliases'),
    group: 'Transforms',
    order: 12,
    width: 'LONG',
    displayName: 'Transforms',
    documentation: 'Aliases of the transformations that each record passes, in order; transforms.ALIAS.type says what each is.',
  },
  predicates: {
    type: 'LIST',
    default: '',
    importance: 'LOW',
    validator: uniqueAliases('predicate aliases'),
    group: 'Predicates',
    order: 13,
    width: 'LONG',
    displayName: 'Predicates',
    documentation: 'Aliases of the predicates that transformations may name; predicates.ALIAS.type says what each is.',
  },
  'config.action.reload': {
    type: 'STRING',
    default: 'restart',
    importance: 'LOW',
    validator: oneOf('none', 'restart'),
    group: 'Common',
    order: 14,
    width: 'MEDIUM',
    displayName: 'Reload Action',
    documentation: 'What happens when a value that a config provider gave has run out: the connector is restarted, or nothing.',
  },
  'errors.retry.timeout': {
    type: 'LONG',
    default: 0,
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Retry Timeout for Errors',
    documentation: 'Milliseconds for which a failed operation is tried again; 0: not at all, -1: for ever.',
  },
  'errors.retry.delay.max.ms': {
    type: 'LONG',
    default: 60_000,
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 2,
    width: 'MEDIUM',
    displayName: 'Maximum Delay Between Retries for Errors',
    documentation: 'Longest wait between two tries; waits double from 300 ms.',
  },
  'errors.tolerance': {
    type: 'STRING',
    default: 'none',
    importance: 'MEDIUM',
    validator: oneOf('none', 'all'),
    group: 'Error Handling',
    order: 3,
    width: 'SHORT',
    displayName: 'Error Tolerance',
    documentation: 'Whether a record that cannot be converted or transformed fails the task (none) or is passed over (all).',
  },
  'errors.log.enable': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 4,
    width: 'SHORT',
    displayName: 'Log Errors',
    documentation: 'Whether tolerated errors are logged.',
  },
  'errors.log.include.messages': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 5,
    width: 'SHORT',
    displayName: 'Log Error Details',
    documentation: 'Whether the log shows topic, partition, offset and timestamp of the record that failed.',
  },
})

/** Keys that only sources have. */
export const sourceKeys = defineConfig({
  'topic.creation.groups': {
    type: 'LIST',
    default: '',
    importance: 'LOW',
    validator: uniqueAliases('topic creation groups'),
    group: 'Topic Creation',
    order: 1,
    width: 'LONG',
    displayName: 'Topic Creation Groups',
    documentation: 'Groups of topics that the source makes with settings of their own: topic.creation.GROUP.include, .partitions …',
  },
  'exactly.once.support': {
    type: 'STRING',
    default: 'requested',
    importance: 'MEDIUM',
    validator: oneOfIgnoringCase('required', 'requested'),
    group: 'Exactly Once Support',
    order: 2,
    width: 'SHORT',
    displayName: 'Exactly once support',
    documentation: 'With “required” the connector is refused where each record could not be stored exactly once.',
  },
  'transaction.boundary': {
    type: 'STRING',
    default: 'poll',
    importance: 'MEDIUM',
    validator: oneOfIgnoringCase('interval', 'poll', 'connector'),
    group: 'Exactly Once Support',
    order: 3,
    width: 'SHORT',
    displayName: 'Transaction Boundary',
    documentation: 'What a transaction holds where the source is exactly-once: a batch, or what comes within an interval.',
  },
  'transaction.boundary.interval.ms': {
    type: 'LONG',
    default: null,
    importance: 'LOW',
    validator: whereGiven(atLeast(0)),
    group: 'Exactly Once Support',
    order: 4,
    width: 'SHORT',
    displayName: 'Transaction boundary interval',
    documentation: 'Milliseconds between commits with transaction.boundary=interval. Default: the worker’s offset.flush.interval.ms.',
  },
  'offsets.storage.topic': {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    validator: nonEmptyString,
    group: 'offsets.topic',
    order: 1,
    width: 'LONG',
    displayName: 'Offsets topic',
    documentation: 'A topic of its own for the positions of this source. Default: the worker’s.',
  },
})

/** Keys that only sinks have. */
export const sinkKeys = defineConfig({
  topics: {
    type: 'LIST',
    default: '',
    importance: 'HIGH',
    validator: listOf(),
    group: 'Common',
    order: 4,
    width: 'LONG',
    displayName: 'Topics',
    documentation: 'Topics to read, separated by commas. Either this or topics.regex.',
  },
  'topics.regex': {
    type: 'STRING',
    default: '',
    importance: 'HIGH',
    validator: validRegex,
    group: 'Common',
    order: 4,
    width: 'LONG',
    displayName: 'Topics regex',
    documentation: 'Java regular expression of the topics to read; the whole name must match. Either this or topics.',
  },
  'errors.deadletterqueue.topic.name': {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 6,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Name',
    documentation: 'Topic that takes the records which were passed over with errors.tolerance=all. Empty: none does.',
  },
  'errors.deadletterqueue.topic.replication.factor': {
    type: 'SHORT',
    default: 3,
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 7,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Replication Factor',
    documentation: 'Replicas of that topic where it does not exist yet.',
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    group: 'Error Handling',
    order: 8,
    width: 'MEDIUM',
    displayName: 'Enable Error Context Headers',
    documentation: 'Whether those records carry headers that tell where they came from and why they are there.',
  },
})

/** All framework keys of a kind of connector, in the order in which they are shown. */
export const frameworkKeys: Readonly<Record<'source' | 'sink', ConfigDefinition>> = {
  source: { ...connectorKeys, ...sourceKeys },
  sink: { ...connectorKeys, ...sinkKeys },
}

function converterKeys<const Name extends string>(name: Name, title: string, order: number, what: string) {
  const common = { default: null, importance: 'LOW', group: 'Common', width: 'SHORT' } as const
  return {
    [name]: {
      ...common,
      type: 'CLASS',
      order,
      displayName: `${title} class`,
      documentation: `Converter of ${what}; its own keys follow as ${name}.KEY. Default: the worker’s.`,
    },
    [`${name}.plugin.version`]: {
      ...common,
      type: 'STRING',
      order: order + 1,
      displayName: `${title} version`,
      documentation: `Versions of that converter that may be used. Default: the one that is installed.`,
    },
  } as { readonly [Key in Name]: typeof common & { readonly type: 'CLASS' } } & {
    readonly [Key in `${Name}.plugin.version`]: typeof common & { readonly type: 'STRING' }
  }
}
