/** @module test/interop/programs — clients of other languages, where they are on the machine: kcat, kafka-python, confluent-kafka, Kafka's Java tools. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
    const grouped = await run('kcat', [
      '-b',
      hub.bootstrap,
      '-G',
      'kcat-group',
      '-X',
      'auto.offset.reset=earliest',
      '-c',
      '100',
      '-q',
      'kcat-gzip',
    ])
    expect(grouped.stdout.trim().split('\n')).toHaveLength(100)
    const listing = JSON.parse((await run('kcat', ['-b', hub.bootstrap, '-L', '-J'])).stdout) as { topics: { topic: string }[] }
    expect(listing.topics.map(({ topic }) => topic)).toContain('kcat-zstd')
  })
})

describe('python clients', async () => {
  for (const [name, module, script] of [
    ['kafka-python', 'kafka', 'kafka_python.py'],
    ['confluent-kafka', 'confluent_kafka', 'confluent.py'],
  ] as const) {
    const found = await program(python, ['-c', `import ${module}`])
    it.skipIf(found.value === undefined)(`${name} does its round${found.reason ? ` (${found.reason})` : ''}`, async () => {
      const { stdout } = await run(python, [`${here}${script}`, hub.bootstrap], { timeout: 120_000 })
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
      const consumed = await java('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...['--topic', 'java', '--from-beginning', '--group', 'java-group', '--max-messages', '250', '--timeout-ms', '30000'],
      ])
      expect(consumed.trim().split('\n').sort()).toEqual(
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
})
