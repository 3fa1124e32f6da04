/** @module cli/console-producer-options — the options of `millrace console-producer`. */
import { commonOptions, verboseOption } from './command.ts'
import type { OptionTable, ParsedOptions } from './options.ts'

/** Options of `millrace console-producer`. */
export const consoleProducerOptions = {
  ...commonOptions,
  ...verboseOption,
  topic: { argument: 'required', argumentName: 'topic', isRequired: true, help: 'The topic to produce to.' },
  'bootstrap-server': { argument: 'required', argumentName: 'server to connect to', isRequired: true, help: 'The servers to connect to.' },
  sync: { help: 'Send one record at a time, and stop at the first that fails.' },
  'compression-codec': {
    argument: 'optional',
    argumentName: 'compression-codec',
    help: 'none, gzip, snappy, lz4 or zstd; gzip when no codec is named.',
  },
  'batch-size': { argument: 'required', argumentName: 'size', type: 'Integer', default: '16384', help: 'Bytes of a batch (batch.size).' },
  'message-send-max-retries': {
    argument: 'required',
    type: 'Integer',
    default: '3',
    help: 'How often a record is tried again (retries).',
  },
  'retry-backoff-ms': {
    argument: 'required',
    type: 'Long',
    default: '100',
    help: 'How long to wait before trying again (retry.backoff.ms).',
  },
  timeout: {
    argument: 'required',
    argumentName: 'timeout_ms',
    type: 'Long',
    default: '1000',
    help: 'How long a batch that is not full waits for more records, in ms (linger.ms).',
  },
  'request-required-acks': {
    argument: 'required',
    argumentName: 'request required acks',
    default: '-1',
    help: 'Whom to wait for (acks): -1 or all, 1 for the leader, 0 for nobody.',
  },
  'request-timeout-ms': {
    argument: 'required',
    argumentName: 'request timeout ms',
    type: 'Integer',
    default: '1500',
    help: 'How long to wait for an answer (request.timeout.ms).',
  },
  'metadata-expiry-ms': {
    argument: 'required',
    argumentName: 'metadata expiration interval',
    type: 'Long',
    default: '300000',
    help: 'How old metadata may grow (metadata.max.age.ms).',
  },
  'max-block-ms': {
    argument: 'required',
    argumentName: 'max block on send',
    type: 'Long',
    default: '60000',
    help: 'How long sending waits for metadata or for room (max.block.ms).',
  },
  'max-memory-bytes': {
    argument: 'required',
    argumentName: 'total memory in bytes',
    type: 'Long',
    default: '33554432',
    help: 'Bytes of records that wait to be delivered (buffer.memory).',
  },
  'max-partition-memory-bytes': {
    argument: 'required',
    argumentName: 'memory in bytes per partition',
    type: 'Integer',
    default: '16384',
    isDeprecated: true,
    help: 'Use --batch-size.',
  },
  'socket-buffer-size': {
    argument: 'required',
    argumentName: 'size',
    type: 'Integer',
    default: '102400',
    help: 'Accepted for the sake of scripts; the system chooses its socket buffers itself.',
  },
  'line-reader': {
    argument: 'required',
    argumentName: 'reader_class',
    default: 'org.apache.kafka.tools.LineMessageReader',
    help: 'How lines become records.',
  },
  property: { argument: 'required', argumentName: 'prop', isDeprecated: true, help: 'Use --reader-property.' },
  'reader-property': {
    argument: 'required',
    argumentName: 'prop',
    help: 'A setting of the line reader, key=value: parse.key=true|false, parse.headers=true|false, key.separator, headers.delimiter (both a tab), headers.separator (,), headers.key.separator (:), null.marker (a text that stands for null), ignore.error=true|false. A line is h1:v1,h2:v2<TAB>key<TAB>value.',
  },
  'reader-config': {
    argument: 'required',
    argumentName: 'config file',
    help: 'Properties file with settings of the line reader; --reader-property goes before.',
  },
  'producer-property': { argument: 'required', argumentName: 'producer_prop', isDeprecated: true, help: 'Use --command-property.' },
  'command-property': { argument: 'required', argumentName: 'producer_prop', help: 'A setting of the producer, key=value.' },
  'producer.config': { argument: 'required', argumentName: 'config file', isDeprecated: true, help: 'Use --command-config.' },
  'command-config': {
    argument: 'required',
    argumentName: 'config file',
    help: 'Properties file with settings of the producer; --command-property goes before.',
  },
} as const satisfies OptionTable

/** What was given to `millrace console-producer`. */
export type ConsoleProducerOptions = ParsedOptions<typeof consoleProducerOptions>
