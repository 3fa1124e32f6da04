/** @module test/interop/programs — clients of other languages, where they are on the machine: kcat, kafka-python, confluent-kafka, Kafka's Java tools. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdmin, createProducer } from '../../hub/client/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { javaTools, program } from '../services.ts'

const run = promisify(execFile)
const here = new URL('programs/', import.meta.url).pathname
const python = '/usr/bin/python3'

let hub: TestHub

beforeAll(async () => {
  hub = await startHub({ directory: 'temporary' })
})

afterAll(async () => {
  await hub[Symbol.asyncDispose]()
})

/** Runs a program with lines on its stdin; resolves with its stdout, rejects with its stderr. */
function pipe(command: string, argumentsList: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...argumentsList], { stdio: ['pipe', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (exitCode) => (exitCode === 0 ? resolve(stdout) : reject(new Error(`${command} ended with ${exitCode}: ${stderr}`))))
    child.stdin.end(input)
  })
}

/** When the first record of a timed topic was; the others follow a second apart. */
const BASE_MS = 1_700_000_000_000

/**
 * A topic of records with explicit times, which kcat and the console producer cannot give: offsets 0 to 29 of partition 0 in three compressed batches,
 * 0 to 4 of partition 1; one per second from `BASE_MS` in each. Resolves with the values of partition 0.
 */
async function timedTopic(topic: string): Promise<string[]> {
  const admin = createAdmin({ bootstrapServers: hub.bootstrap })
  // The records are years old: without this they would be due for deletion.
  await admin.createTopics([{ name: topic, partitionCount: 2, configs: { 'retention.ms': '-1' } }])
  await admin.close()
  const producer = createProducer({ bootstrapServers: hub.bootstrap, compression: 'gzip' })
  const values = Array.from({ length: 30 }, (_, offset) => `at ${offset}`)
  const send = (partition: number, first: number, end: number): Promise<unknown> =>
    producer.sendBatch(
      values.slice(first, end).map((value, index) => ({ topic, partition, value, timestampMs: BASE_MS + (first + index) * 1000 })),
    )
  for (const first of [0, 10, 20]) await send(0, first, first + 10)
  await send(1, 0, 5)
  await producer.close()
  return values
}

/** The lines of an output, none for an empty one. */
function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line !== '')
}

describe('kcat', async () => {
  const found = await program('kcat', ['-V'])
  it.skipIf(found.value === undefined)(`produces, consumes, queries and lists${found.reason ? ` (${found.reason})` : ''}`, async () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const lines = Array.from({ length: 100 }, (_, index) => `${codec}-${index}`)
      const topic = `kcat-${codec}`
      await pipe(
        'kcat',
        ['-b', hub.bootstrap, '-P', '-t', topic, '-z', codec, '-X', 'topic.request.required.acks=-1'],
        `${lines.join('\n')}\n`,
      )
      const { stdout } = await run('kcat', ['-b', hub.bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q'])
      expect(stdout.trim().split('\n')).toEqual(lines)
    }
    const query = await run('kcat', ['-b', hub.bootstrap, '-Q', '-t', 'kcat-none:0:-1'])
    expect(query.stdout).toContain('offset 100')
    const lines = Array.from({ length: 100 }, (_, index) => `gzip-${index}`)
    const consume = async (count: number): Promise<string[]> => {
      const group = ['-G', 'kcat-group', '-X', 'auto.offset.reset=earliest', '-c', String(count), '-q', 'kcat-gzip']
      return linesOf((await run('kcat', ['-b', hub.bootstrap, ...group])).stdout)
    }
    expect(await consume(40)).toEqual(lines.slice(0, 40))
    expect(await consume(60)).toEqual(lines.slice(40))
    const listing = JSON.parse((await run('kcat', ['-b', hub.bootstrap, '-L', '-J'])).stdout) as {
      topics: { topic: string; partitions: unknown[] }[]
    }
    expect(listing.topics.find(({ topic }) => topic === 'kcat-zstd')?.partitions).toHaveLength(1)
  })

  it.skipIf(found.value === undefined)(`reads from a time on, and up to one${found.reason ? ` (${found.reason})` : ''}`, async () => {
    const values = await timedTopic('kcat-timed')
    const read = async (...from: string[]): Promise<string[]> => {
      const format = ['-t', 'kcat-timed', '-e', '-q', '-f', '%p %o %T %s\\n']
      const lines = linesOf((await run('kcat', ['-b', hub.bootstrap, '-C', ...format, ...from])).stdout)
      return lines.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    }
    const wanted = (partition: number, first: number, end: number): string[] =>
      values.slice(first, end).map((value, index) => `${partition} ${first + index} ${BASE_MS + (first + index) * 1000} ${value}`)
    // Between two records of the middle batch, exactly at the last record, before all, after all.
    expect(await read('-o', `s@${BASE_MS + 14_500}`)).toEqual(wanted(0, 15, 30))
    expect(await read('-o', `s@${BASE_MS + 29_000}`)).toEqual(wanted(0, 29, 30))
    expect(await read('-o', `s@${BASE_MS - 1}`)).toEqual([...wanted(0, 0, 30), ...wanted(1, 0, 5)])
    expect(await read('-o', `s@${BASE_MS + 30_000}`)).toEqual([])
    expect(await read('-o', `s@${BASE_MS + 3500}`, '-o', `e@${BASE_MS + 21_000}`)).toEqual([...wanted(0, 4, 21), ...wanted(1, 4, 5)])
    const query = await run('kcat', ['-b', hub.bootstrap, '-Q', '-t', `kcat-timed:0:${BASE_MS + 14_500}`])
    expect(query.stdout).toBe('kcat-timed [0] offset 15\n')
  })
})

describe('python clients', async () => {
  // The codecs beyond gzip are packages of their own to kafka-python.
  for (const [name, modules, script, ...codecs] of [
    ['kafka-python', 'kafka', 'kafka_python.py', 'none', 'gzip'],
    ['kafka-python with snappy, lz4 and zstd', 'kafka, snappy, lz4.frame, zstandard', 'kafka_python.py', 'snappy', 'lz4', 'zstd'],
    ['confluent-kafka', 'confluent_kafka', 'confluent.py'],
    ['confluent-kafka with transactions', 'confluent_kafka', 'confluent_transactions.py'],
  ] as const) {
    const found = await program(python, ['-c', `import ${modules}`])
    it.skipIf(found.value === undefined)(`${name} does its round${found.reason ? ` (${found.reason})` : ''}`, async () => {
      const { stdout } = await run(python, [`${here}${script}`, hub.bootstrap, ...codecs], { timeout: 120_000 })
      expect(stdout).toMatch(/^ok \d+/)
    })
  }
})

describe('Kafka’s Java tools', async () => {
  const found = await javaTools()
  const java = async (tool: string, argumentsList: readonly string[], input = ''): Promise<string> =>
    pipe(
      'java',
      ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', found.value ?? '', tool, '--bootstrap-server', hub.bootstrap, ...argumentsList],
      input,
    )
  it.skipIf(found.value === undefined)(
    `topics, console producer and consumer, groups, offsets${found.reason ? ` (${found.reason})` : ''}`,
    async () => {
      expect(await java('org.apache.kafka.tools.TopicCommand', ['--create', '--topic', 'java', '--partitions', '2'])).toContain(
        'Created topic java.',
      )
      const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`)
      for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
        await java('org.apache.kafka.tools.ConsoleProducer', ['--topic', 'java', `--compression-codec=${codec}`], `${lines.join('\n')}\n`)
      }
      const consume = async (count: number): Promise<string[]> => {
        const group = ['--topic', 'java', '--from-beginning', '--group', 'java-group', '--max-messages', String(count)]
        return linesOf(await java('org.apache.kafka.tools.consumer.ConsoleConsumer', [...group, '--timeout-ms', '30000']))
      }
      const [first, rest] = [await consume(100), await consume(150)]
      expect([first.length, rest.length]).toEqual([100, 150])
      expect([...first, ...rest].sort()).toEqual(
        Array.from({ length: 5 }, () => lines)
          .flat()
          .sort(),
      )
      const described = await java('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', ['--describe', '--group', 'java-group'])
      expect(described).toMatch(/java-group\s+java\s+0/)
      expect(await java('org.apache.kafka.tools.GetOffsetShell', ['--topic', 'java'])).toMatch(/java:0:\d+/)
      expect(await java('org.apache.kafka.tools.TopicCommand', ['--describe', '--topic', 'java'])).toContain('PartitionCount: 2')
      await java('org.apache.kafka.tools.TopicCommand', ['--delete', '--topic', 'java'])
      expect(await java('org.apache.kafka.tools.TopicCommand', ['--list'])).not.toMatch(/^java$/m)
    },
  )
  it.skipIf(found.value === undefined)(
    `the offset of a time, and a group that is set to it${found.reason ? ` (${found.reason})` : ''}`,
    async () => {
      const values = await timedTopic('java-timed')
      const topic = ['--topic', 'java-timed']
      const timeMs = BASE_MS + 14_500
      const wanted = values.slice(15).map((value, index) => `CreateTime:${BASE_MS + (15 + index) * 1000}\tPartition:0\t${value}`)
      const shown = ['--formatter-property', 'print.timestamp=true', '--formatter-property', 'print.partition=true']
      const consume = async (...from: string[]): Promise<string[]> =>
        linesOf(await java('org.apache.kafka.tools.consumer.ConsoleConsumer', [...topic, ...shown, '--timeout-ms', '30000', ...from]))

      const asked = await java('org.apache.kafka.tools.GetOffsetShell', [...topic, '--time', String(timeMs)])
      // No record of the other partition is that young: the tool leaves it out.
      expect(asked).toBe('java-timed:0:15\n')
      expect(await consume('--partition', '0', '--offset', '15', '--max-messages', String(wanted.length))).toEqual(wanted)

      const groups = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
      const group = ['--group', 'java-timed-group']
      const reset = await java(groups, [
        '--reset-offsets',
        ...group,
        ...topic,
        '--to-datetime',
        new Date(timeMs).toISOString(),
        '--execute',
      ])
      expect(reset).toMatch(/java-timed-group\s+java-timed\s+0\s+15\b/)
      expect(reset).toMatch(/java-timed-group\s+java-timed\s+1\s+5\b/)
      expect(await consume(...group, '--max-messages', String(wanted.length))).toEqual(wanted)
      // Nothing is left behind the last one: what was read is all there is from that time on.
      const described = await java(groups, ['--describe', ...group])
      expect(described).toMatch(/java-timed\s+0\s+30\s+30\s+0\b/)
      expect(described).toMatch(/java-timed\s+1\s+5\s+5\s+0\b/)
      expect(await java(groups, ['--delete', ...group])).toContain(
        "Deletion of requested consumer groups ('java-timed-group') was successful",
      )
      expect(await java(groups, ['--list'])).not.toContain('java-timed-group')
    },
  )
})
