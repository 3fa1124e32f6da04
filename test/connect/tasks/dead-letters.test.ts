/** The dead letter cases that were recorded from Kafka Connect 4.3.1, on a real broker. */
import { readFileSync } from 'node:fs'
import * as converters from '@millrace/connector-converters'
import { type ConverterPlugin, DataError, defineConfig, defineConverter, defineSink, defineTransform, isPlugin } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdmin } from '../../../hub/client/index.ts'
import { traceOf } from '../../../hub/connect/failure.ts'
import { contextHeaders, ensureDeadLetterTopic } from '../../../hub/connect/tasks/dead-letters.ts'
import { failureSettings } from '../../../hub/connect/tasks/settings.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { environmentOf, eventually, fill, loaderOf, readTopic, startSink, textOf } from './workshop.ts'

interface Case {
  readonly case: string
  readonly connector: string
  readonly config: Readonly<Record<string, string>>
  readonly status: { readonly tasks: readonly { readonly state: string; readonly trace?: string }[] }
  readonly deadLetterRecords: readonly {
    readonly topic: string
    readonly partition: number
    readonly key: string | null
    readonly value: string | null
    readonly headers: readonly (readonly [string, string])[]
  }[]
}

const golden = JSON.parse(readFileSync(new URL('../../golden/connect/dlq.json', import.meta.url), 'utf8')) as {
  readonly input: { readonly topic: string; readonly partition: number; readonly values: readonly string[] }
  readonly cases: readonly Case[]
}

/** What the cases need of plugins that are no part of this version: they do what the recorded records do, no more. */
const integers = defineConverter({
  class: 'org.apache.kafka.connect.converters.IntegerConverter',
  version: '4.3.1',
  config: defineConfig({}),
  create: () => ({
    fromConnectData: () => null,
    toConnectData: (_topic, bytes) => {
      if (bytes === null) return { schema: null, value: null }
      throw new DataError('Size of data received by IntegerDeserializer is not 4')
    },
  }),
})
const cast = defineTransform({
  class: 'org.apache.kafka.connect.transforms.Cast$Value',
  version: '4.3.1',
  config: defineConfig({ spec: { type: 'STRING', importance: 'HIGH' } }),
  create: () => (record) => {
    if (/^\d+$/.test(textOf(record.value))) return record
    throw new DataError(`Value (${textOf(record.value)}) was out of range for requested data type`)
  },
})

let hub: TestHub

beforeAll(async () => {
  hub = await startHub({ overrides: { 'process.roles': 'broker,controller' } })
  await fill(hub.bootstrap, golden.input.topic, golden.input.values, golden.input.partition)
})
afterAll(() => hub.close())

describe('dead letters as Kafka Connect keeps them', () => {
  it.each(golden.cases.map((one) => [one.case, one] as const))('%s', async (_name, { connector, config, status, deadLetterRecords }) => {
    let seenCount = 0
    const sink = defineSink({
      class: 'test.Sink',
      version: '4.3.1',
      config: defineConfig({}),
      start: () => ({
        write: (records) => {
          seenCount += records.length
        },
      }),
    })
    const plugins = Object.values(converters as Record<string, unknown>).filter(isPlugin) as unknown as ConverterPlugin[]
    const environment = environmentOf({
      bootstrap: hub.bootstrap,
      connector,
      config,
      plugins: loaderOf(...plugins, integers, cast),
    })
    const task = startSink(sink, environment)
    const [expected] = status.tasks
    if (expected?.state === 'FAILED') {
      const failure: unknown = await task.done.catch((error: unknown) => error)
      const [first, second] = traceOf(failure).split('\n')
      expect(first).toBe(expected.trace)
      expect(second).toMatch(/^Caused by: org\.apache\.kafka\.connect\.errors\.DataException: .*record dlq-lines-0@\d, stage /)
    } else {
      const skippedCount = Math.max(deadLetterRecords.length, 1)
      await Promise.race([task.done, eventually(() => seenCount === golden.input.values.length - skippedCount)])
    }
    await task.stop(5_000)
    const topic = config['errors.deadletterqueue.topic.name']
    const letters = topic === undefined ? [] : await readTopic(hub.bootstrap, topic)
    const shown = letters.map(({ topic: at, partition, key, value, headers }) => ({
      topic: at,
      partition,
      key,
      value,
      headers: headers.map((header) => [header.key, String(header.value).split('\n')[0]]),
    }))
    expect(shown).toEqual(deadLetterRecords)
    if (config['errors.log.enable'] === 'true') {
      expect(environment.log.lines.filter((line) => line.startsWith('error')).join()).toContain('"offset\\":1')
    }
  })
})

describe('the topic of dead letters', () => {
  const signal = new AbortController().signal

  it('gets as many replicas as there are brokers when nobody has said how many, and exactly what was said otherwise', async () => {
    const admin = createAdmin({ bootstrapServers: hub.bootstrap })
    const settings = (factor: Record<string, string>) =>
      failureSettings({ 'errors.deadletterqueue.topic.name': factor['name'] ?? '', ...factor })
    await ensureDeadLetterTopic(admin, settings({ name: 'letters' }), signal)
    await ensureDeadLetterTopic(admin, settings({ name: 'letters' }), signal)
    const [described] = await admin.describeTopics(['letters'])
    expect(described?.partitions).toHaveLength(1)
    await expect(
      ensureDeadLetterTopic(admin, settings({ name: 'more', 'errors.deadletterqueue.topic.replication.factor': '3' }), signal),
    ).rejects.toThrow(/Could not initialize dead letter queue with topic=more: .*errors\.deadletterqueue\.topic\.replication\.factor/)
    await admin.close()
  })

  it('context headers tell causes below the first line of the stack trace', () => {
    const error = new DataError('wrong', { cause: new SyntaxError('Unexpected end') })
    const headers = contextHeaders(
      { connector: 'c', task: 1 },
      {
        raw: { key: null, value: null, headers: [], timestampMs: 1, offset: 5 },
        origin: { topic: 't', partition: 2 },
        step: { stage: 'VALUE_CONVERTER', className: 'X', setting: 'value.converter' },
        error,
      },
    )
    expect(String(headers.at(-1)?.value)).toMatch(
      /^org\.apache\.kafka\.connect\.errors\.DataException: wrong\n[\s\S]*\nCaused by: SyntaxError: Unexpected end\n/,
    )
  })
})
