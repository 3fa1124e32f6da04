/** A task with all that it needs: a real broker, small plugins, the offsets topic read as the worker would. */
import {
  type ConverterPlugin,
  DataError,
  defineConfig,
  defineConverter,
  defineHeaderConverter,
  type PluginKind,
  type PluginLog,
  type SinkPlugin,
  type SourceOffset,
  type SourcePartition,
  type SourcePlugin,
  type Value,
} from '@millrace/sdk'
import { createAdmin, createConsumer, createProducer } from '../../../hub/client/index.ts'
import type { PluginLoader } from '../../../hub/connect/plugins/types.ts'
import { startSinkTask } from '../../../hub/connect/tasks/sink-task.ts'
import { startSourceTask } from '../../../hub/connect/tasks/source-task.ts'
import type { RunningTask, TaskEnvironment } from '../../../hub/connect/tasks/types.ts'
import { partitionKeyOf, readOffsetRecord } from '../../../hub/connect/stores/offset-records.ts'
import { nodeWorld } from '../../../hub/io/index.ts'

export const OFFSETS_TOPIC = 'connect-offsets'
export const world = nodeWorld()

/** UTF-8 text; bytes that are none, and the text `poison`, are refused. */
export const textConverter: ConverterPlugin = defineConverter({
  class: 'test.Text',
  version: '1.0.0',
  config: defineConfig({ 'refuse.prefix': { type: 'STRING', default: 'poison', importance: 'LOW' } }),
  create: ({ 'refuse.prefix': prefix }) => ({
    fromConnectData: (_topic, _schema, value) => (value === null ? null : Buffer.from(checked(textOf(value), prefix))),
    toConnectData: (_topic, bytes) => ({ schema: null, value: bytes === null ? null : checked(Buffer.from(bytes).toString(), prefix) }),
  }),
}) as unknown as ConverterPlugin

/** As {@link textConverter}, with a promise for every answer. */
export const slowTextConverter: ConverterPlugin = defineConverter({
  class: 'test.SlowText',
  version: '1.0.0',
  config: defineConfig({}),
  create: () => ({
    fromConnectData: async (_topic, _schema, value) => (value === null ? null : Buffer.from(checked(textOf(value), 'poison'))),
    toConnectData: async (_topic, bytes) => ({
      schema: null,
      value: bytes === null ? null : checked(Buffer.from(bytes).toString(), 'poison'),
    }),
  }),
}) as unknown as ConverterPlugin

/** A value that the tests know to be a text. */
export function textOf(value: Value): string {
  if (typeof value !== 'string') throw new TypeError('the value is no text')
  return value
}

function checked(text: string, prefix: string): string {
  if (text.startsWith(prefix)) throw new DataError(`cannot convert ${text}`)
  return text
}

export const textHeaders = defineHeaderConverter({
  class: 'test.TextHeaders',
  version: '1.0.0',
  config: defineConfig({}),
  create: () => ({
    fromConnectHeader: (_topic, _key, _schema, value) => (value === null ? null : Buffer.from(textOf(value))),
    toConnectHeader: (_topic, _key, bytes) => ({ schema: null, value: bytes === null ? null : Buffer.from(bytes).toString() }),
  }),
})

/** A loader over plugins at hand. */
export function loaderOf(...plugins: readonly { readonly class: string; readonly kind: string }[]): PluginLoader {
  const known = [textConverter, slowTextConverter, textHeaders, ...plugins]
  return {
    async load<P>(name: string, kind: PluginKind): Promise<P> {
      const found = known.find((plugin) => plugin.class === name && plugin.kind === kind)
      if (found === undefined) throw new Error(`no ${kind} ${name}`)
      return found as P
    },
  }
}

/** A log that is remembered. */
export function rememberingLog(): PluginLog & { readonly lines: string[] } {
  const lines: string[] = []
  const say =
    (level: string) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
      lines.push(`${level} ${message} ${JSON.stringify(facts)}`)
    }
  return { lines, debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
}

export interface PlaceOptions {
  readonly bootstrap: string
  readonly connector?: string
  readonly task?: number
  /** Over the connector's configuration. */
  readonly config?: Readonly<Record<string, string>>
  readonly worker?: Readonly<Record<string, string>>
  readonly flushIntervalMs?: number
  readonly plugins?: PluginLoader
}

export function environmentOf(
  options: PlaceOptions,
): TaskEnvironment & { readonly log: ReturnType<typeof rememberingLog>; readonly topics: string[] } {
  const connector = options.connector ?? 'c'
  const config = { name: connector, ...options.config }
  const topics: string[] = []
  return {
    id: { connector, task: options.task ?? 0 },
    config,
    connectorConfig: config,
    settings: {
      groupId: 'connect-cluster',
      offsetStorageTopic: OFFSETS_TOPIC,
      offsetFlushIntervalMs: options.flushIntervalMs ?? 60_000,
      offsetFlushTimeoutMs: 5_000,
      topicCreationEnable: true,
      workerConfig: {
        'bootstrap.servers': options.bootstrap,
        'key.converter': 'test.Text',
        'value.converter': 'test.Text',
        'header.converter': 'test.TextHeaders',
        ...options.worker,
      },
    },
    plugins: options.plugins ?? loaderOf(),
    world,
    log: rememberingLog(),
    offsets: { read: (partitions) => readOffsets(options.bootstrap, connector, partitions) },
    events: { onTopic: (topic) => topics.push(topic) },
    topics,
  }
}

/** Starts a task of a plugin, whatever its definition. */
export function startSource(plugin: unknown, environment: TaskEnvironment, isPaused = false): RunningTask {
  return startSourceTask(plugin as SourcePlugin, environment, isPaused)
}

export function startSink(plugin: unknown, environment: TaskEnvironment, isPaused = false): RunningTask {
  return startSinkTask(plugin as SinkPlugin, environment, isPaused)
}

/** All records of a topic, partition by partition, as text. */
export async function readTopic(bootstrap: string, topic: string) {
  const consumer = createConsumer({ bootstrapServers: bootstrap })
  const admin = createAdmin({ bootstrapServers: bootstrap })
  try {
    const [described] = await admin.describeTopics([topic])
    if (described === undefined || described.error !== null) return []
    const partitions = described.partitions.map(({ partition }) => ({ topic, partition }))
    consumer.assign(partitions)
    consumer.seekToBeginning()
    const ends = await consumer.endOffsets(partitions)
    const records = []
    for (;;) {
      const positions = await Promise.all(ends.map((end) => consumer.position(end)))
      if (positions.every((position, index) => position >= (ends[index]?.offset ?? 0))) break
      records.push(...(await consumer.poll(1_000)))
    }
    return records.map((record) => ({ ...record, key: record.key?.toString() ?? null, value: record.value?.toString() ?? null }))
  } finally {
    await Promise.all([consumer.close(), admin.close()])
  }
}

/** Stored positions, as the worker's store would find them. */
export async function readOffsets(
  bootstrap: string,
  connector: string,
  partitions: readonly SourcePartition[],
): Promise<(SourceOffset | null)[]> {
  const stored = new Map<string, SourceOffset | null>()
  for (const { key, value } of await readTopic(bootstrap, OFFSETS_TOPIC)) {
    const read = readOffsetRecord(key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value))
    if (read.kind === 'record' && read.record.connector === connector) stored.set(read.record.partitionKey, read.record.offset)
  }
  return partitions.map((partition) => stored.get(partitionKeyOf(partition)) ?? null)
}

/** Puts values into a topic, one partition unless it exists otherwise. */
export async function fill(bootstrap: string, topic: string, values: readonly (string | null)[], partition?: number): Promise<void> {
  const producer = createProducer({ bootstrapServers: bootstrap })
  await producer.sendBatch(values.map((value) => ({ topic, value, ...(partition === undefined ? {} : { partition }) })))
  await producer.close()
}

/** Committed offsets of a sink, by `topic-partition`. */
export async function committedOffsets(
  bootstrap: string,
  connector: string,
  topic: string,
  partitionCount = 1,
): Promise<Record<string, number>> {
  const consumer = createConsumer({ bootstrapServers: bootstrap, groupId: `connect-${connector}` })
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
  const committed = await consumer.committed(partitions)
  await consumer.close()
  return Object.fromEntries(committed.map(({ partition, offset }) => [`${topic}-${partition}`, offset]))
}

/** Looks until a condition holds. */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const untilMs = world.clock.monotonicMs() + timeoutMs
  while (!(await condition())) {
    if (world.clock.monotonicMs() > untilMs) throw new Error(`not within ${timeoutMs} ms: ${String(condition)}`)
    await world.clock.sleep(10)
  }
}
