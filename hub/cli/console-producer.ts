/** @module cli/console-producer — `millrace console-producer`: lines of stdin to records, as kafka-console-producer.sh does. */
import {
  createProducer,
  type Producer,
  type ProducerOptions,
  type ProducerRecord,
  producerOptionsFrom,
  SendBatchError,
} from '../client/index.ts'
import { type Command, CommandError, type CommandIo, defineCommand, UsageError } from './command.ts'
import { keyValues, loadProperties } from './command-config.ts'
import { type ConsoleProducerOptions, consoleProducerOptions } from './console-producer-options.ts'
import { plainMessage } from './error-text.ts'
import { chunksUntilAborted } from './interrupt.ts'
import { type LineRecord, lineReader } from './line-reader.ts'
import { lineLists } from './lines.ts'
import { requireOptions } from './option-rules.ts'
import { hostPorts, reachAny } from './reach.ts'

const LINE_READER = 'org.apache.kafka.tools.LineMessageReader'

/** `millrace console-producer` */
export const consoleProducer: Command = defineCommand({
  name: 'console-producer',
  summary: 'This tool helps to read data from standard input and publish it to Kafka.',
  options: consoleProducerOptions,
  reportFailure(error, io) {
    io.stderr.write(`${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    requireOptions(options, 'topic')
    const bootstrapServers = options.text('bootstrap-server') ?? ''
    const servers = hostPorts(bootstrapServers)
    if (servers === undefined) {
      const isMissing = bootstrapServers === ''
      throw new UsageError(
        isMissing ? 'Error while validating the bootstrap address\n' : 'Please provide valid host:port like host1:9091,host2:9092\n',
      )
    }
    refuseTogether(options, 'command-property', 'producer-property')
    refuseTogether(options, 'command-config', 'producer.config')
    refuseTogether(options, 'reader-property', 'property')
    const settings = await producerSettings(options, bootstrapServers)
    const read = lineReader(await readerProperties(options))
    const className = options.text('line-reader')
    if (className !== LINE_READER) throw new CommandError(`${className}: there is no such line reader; there is ${LINE_READER}`)
    warnOfDeprecated(options, io)
    await reachAny(servers, io.signal)
    const producer = createProducer(settings)
    try {
      await sendLines(producer, options.text('topic') ?? '', read, options.has('sync'), io)
    } finally {
      await producer.close()
    }
    return 0
  },
})

const RENAMED = [
  ['producer-property', 'command-property'],
  ['producer.config', 'command-config'],
  ['property', 'reader-property'],
] as const

function refuseTogether(options: ConsoleProducerOptions, name: (typeof RENAMED)[number][1], oldName: (typeof RENAMED)[number][0]): void {
  if (options.has(name) && options.has(oldName)) throw new UsageError(`Options --${name} and --${oldName} cannot be specified together.`)
}

function warnOfDeprecated(options: ConsoleProducerOptions, io: CommandIo): void {
  for (const [oldName, name] of RENAMED) {
    if (!options.has(oldName)) continue
    io.stdout.write(`Warning: --${oldName} is deprecated and will be removed in a future version. Use --${name} instead.\n`)
  }
}

/** The properties, and over them the options: those that are given, and the defaults of those that no property sets. */
async function producerSettings(options: ConsoleProducerOptions, bootstrapServers: string): Promise<ProducerOptions> {
  const properties = await loadProperties(options.text('command-config') ?? options.text('producer.config'))
  for (const [key, value] of keyValues([...options.texts('command-property'), ...options.texts('producer-property')]))
    properties.set(key, value)
  const merge = (key: string, name: Parameters<ConsoleProducerOptions['text']>[0]): void => {
    const value = options.text(name)
    if (value === undefined || (!options.has(name) && properties.has(key))) return
    // A number is checked where it was written, so that the message names the option.
    if (name !== 'request-required-acks') options.number(name)
    properties.set(key, value)
  }
  merge('linger.ms', 'timeout')
  merge('acks', 'request-required-acks')
  merge('request.timeout.ms', 'request-timeout-ms')
  merge('retries', 'message-send-max-retries')
  merge('retry.backoff.ms', 'retry-backoff-ms')
  merge('buffer.memory', 'max-memory-bytes')
  merge('batch.size', 'batch-size')
  if (options.has('max-partition-memory-bytes')) merge('batch.size', 'max-partition-memory-bytes')
  merge('metadata.max.age.ms', 'metadata-expiry-ms')
  merge('max.block.ms', 'max-block-ms')
  if (options.has('compression-codec')) properties.set('compression.type', options.text('compression-codec') ?? 'gzip')
  return producerOptionsFrom({
    'client.id': 'console-producer',
    ...Object.fromEntries(properties),
    'bootstrap.servers': bootstrapServers,
  })
}

async function readerProperties(options: ConsoleProducerOptions): Promise<Map<string, string>> {
  const properties = await loadProperties(options.text('reader-config'))
  for (const [key, value] of keyValues([...options.texts('reader-property'), ...options.texts('property')])) properties.set(key, value)
  return properties
}

/** Sends until stdin or the signal ends it. What was read is sent also when a later line can't be parsed. */
async function sendLines(
  producer: Producer,
  topic: string,
  read: (line: string, lineNumber: number) => LineRecord,
  isSync: boolean,
  io: CommandIo,
): Promise<void> {
  let lineNumber = 0
  const prompt = (): void => {
    if (io.isInteractive) io.stdout.write('>')
  }
  prompt()
  for await (const lines of lineLists(chunksUntilAborted(io.stdin, io.signal))) {
    const records: ProducerRecord[] = []
    try {
      for (const line of lines) {
        const record = { topic, ...read(line, ++lineNumber) }
        if (isSync) await producer.send(record)
        else records.push(record)
        prompt()
      }
    } finally {
      if (records.length > 0) sendAll(producer, records, io)
    }
    await producer.ready()
  }
}

/** Sends without waiting; records that fail are told on stderr. */
function sendAll(producer: Producer, records: readonly ProducerRecord[], io: CommandIo): void {
  producer.sendBatch(records).catch((error: unknown) => {
    const failures = error instanceof SendBatchError ? error.failures : records.map((_record, index) => ({ index, error }))
    for (const failure of failures) {
      const { topic, key, value } = records[failure.index] as ProducerRecord
      const what = `message to topic ${topic} with key: ${sizeText(key)}, value: ${sizeText(value)}`
      io.stderr.write(`Error when sending ${what} with error: ${plainMessage(failure.error)}\n`)
    }
  })
}

function sizeText(part: ProducerRecord['key']): string {
  return part === null || part === undefined ? 'null' : `${Buffer.byteLength(part)} bytes`
}
