/**
 * @module test/interop/java-consumer — Kafka's own console consumer (Java, 4.3.1) with `group.protocol=consumer` against a hub. Skipped
 * where Java or Kafka's libraries are missing (`shared/services/kafka` puts them into SERVICES_HOME).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
import { startHub, type TestHub } from '../../hub/testing.ts'

const libraries = join(process.env['SERVICES_HOME'] ?? join(homedir(), '.cache/hub-services'), 'kafka-4.3.1/libs')
const CONSOLE_CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const GROUPS_COMMAND = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'

function whyNot(): string | null {
  if (!existsSync(libraries)) return `no Kafka libraries in ${libraries}`
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'no java'
  }
}

const reason = whyNot()
if (reason !== null) console.warn(`the Java console consumer is not tried: ${reason}`)

let hub: TestHub
const running = new Set<ChildProcess>()

beforeAll(async () => {
  hub = await startHub({ overrides: { 'group.consumer.heartbeat.interval.ms': '500', 'group.consumer.min.heartbeat.interval.ms': '500' } })
})

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await hub[Symbol.asyncDispose]()
})

/** Runs a tool of Kafka's; resolves with what it wrote when it ends. */
function java(main: string, args: readonly string[]): Promise<string> {
  const child = spawn('java', ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', `${libraries}/*`, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      running.delete(child)
      resolve(output)
    })
  })
}

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const admin = new Admin({ clientId: 'interop', bootstrapBrokers: [hub.bootstrap] })
  await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 })
  await admin.close()
  const producer = new Producer({ clientId: 'interop', bootstrapBrokers: [hub.bootstrap], serializers: stringSerializers })
  await producer.send({ messages: values.map((value, at) => ({ topic, value, partition: at % 3 })) })
  await producer.close()
}

function consume(groupId: string, subscription: readonly string[], count: number): Promise<string> {
  return java(CONSOLE_CONSUMER, [
    ...[
      '--bootstrap-server',
      hub.bootstrap,
      ...subscription,
      '--group',
      groupId,
      '--from-beginning',
      '--max-messages',
      String(count),
      '--timeout-ms',
      '40000',
    ],
    ...['--consumer-property', 'group.protocol=consumer'],
  ])
}

describe.skipIf(reason !== null)('Kafka’s console consumer in the consumer protocol', () => {
  it('reads a topic in a group that is described as a consumer group', { timeout: 120_000 }, async () => {
    const values = Array.from({ length: 30 }, (_, at) => `v${at}`)
    await produce('java', values)
    const output = await consume('java-group', ['--topic', 'java'], values.length)
    expect(
      output
        .split('\n')
        .filter((line) => values.includes(line))
        .sort(),
    ).toEqual([...values].sort())
    const listed = await java(GROUPS_COMMAND, ['--bootstrap-server', hub.bootstrap, '--list', '--type', 'consumer'])
    expect(listed).toContain('java-group')
    const described = await java(GROUPS_COMMAND, [
      '--bootstrap-server',
      hub.bootstrap,
      '--describe',
      '--group',
      'java-group',
      '--state',
      '--verbose',
    ])
    expect(described).toMatch(/java-group.*uniform.*Empty/s)
  })

  it('subscribes by a regular expression', { timeout: 120_000 }, async () => {
    await produce('regex.one', ['a', 'b', 'c'])
    const output = await consume('java-regex', ['--include', 'regex\\..*'], 3)
    expect(
      output
        .split('\n')
        .filter((line) => /^[abc]$/.test(line))
        .sort(),
    ).toEqual(['a', 'b', 'c'])
  })
})
