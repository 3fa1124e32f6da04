/** Processes that nothing but a client keeps alive: not ended by the loss of the broker, ended when their work is done. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import { DescribeTopicPartitions, ListOffsets, Produce } from '../../hub/wire/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { type NodeProcess, startNode, startScript } from '../io/child-process.ts'
import { scriptedPeer } from './scripted-peer.ts'

const root = new URL('../..', import.meta.url).pathname
const topic = 't'

describe('a process', () => {
  let folder: string
  let hub: HubProcess
  let running: NodeProcess | null = null
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-alive-'))
    hub = await startHubProcess({ directory: join(folder, 'data') })
    await produce('a')
  })
  afterEach(async () => {
    await running?.kill()
    running = null
    await hub.end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  async function produce(value: string): Promise<void> {
    const producer = createProducer({ bootstrapServers: hub.bootstrap })
    await producer.send({ topic, value })
    await producer.close()
  }

  async function restart(): Promise<void> {
    hub = await startHubProcess({ directory: join(folder, 'data'), port: Number(hub.bootstrap.split(':')[1]) })
  }

  /** Runs a script; `isThere(name)` in it tells whether the test has made this mark. */
  function start(source: string): NodeProcess {
    running = startScript(`
      import { existsSync } from 'node:fs'
      import { setTimeout as sleep } from 'node:timers/promises'
      import { createAdmin, createConsumer, createProducer } from '${root}hub/client/index.ts'
      const bootstrapServers = '${hub.bootstrap}', topic = '${topic}'
      const isThere = (name) => existsSync('${folder}/' + name)
      ${source}`)
    return running
  }
  const mark = (name: string): Promise<void> => writeFile(join(folder, name), '')

  it('that sends goes on when the broker is back', async () => {
    const script = start(`
      const producer = createProducer({ bootstrapServers })
      while (!isThere('stop')) {
        await producer.send({ topic, value: 'x' })
        console.log('sent')
      }
      await producer.close()
      console.log('done')`)
    await script.line('sent')
    await hub.end('SIGKILL')
    await restart()
    await mark('stop')
    await script.line('done')
    expect(await script.exited).toBe(0)
  })

  it('that flushes and closes delivers first', async () => {
    const script = start(`
      const producer = createProducer({ bootstrapServers, lingerMs: 60_000 })
      await producer.partitionsFor(topic)
      console.log('ready')
      while (!isThere('outage')) await sleep(10)
      const sent = [producer.send({ topic, value: 'x' }).then(({ offset }) => console.log('flushed ' + offset))]
      console.log('flushing')
      await producer.flush()
      sent.push(producer.send({ topic, value: 'y' }).then(({ offset }) => console.log('closed ' + offset)))
      await producer.close()
      await Promise.all(sent)
      console.log('done')`)
    await script.line('ready')
    await hub.end('SIGKILL')
    await mark('outage')
    await script.line('flushing')
    await restart()
    await script.line('done')
    expect(script.lines).toEqual(['ready', 'flushing', 'flushed 1', 'closed 2', 'done'])
    expect(await script.exited).toBe(0)
  })

  it.each([
    [
      'polls',
      `const consumer = createConsumer({ bootstrapServers, offsetReset: 'earliest' })
      consumer.assign([{ topic, partition: 0 }])
      for (let last = ''; last !== 'b'; ) for (const { value } of await consumer.poll(600_000)) console.log((last = String(value)))`,
    ],
    [
      'iterates as a member of a group',
      `const consumer = createConsumer({ bootstrapServers, groupId: 'g', offsetReset: 'earliest', sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 })
      consumer.subscribe([topic])
      reading: for await (const records of consumer) {
        for (const { value } of records) {
          console.log(String(value))
          if (String(value) === 'b') break reading
        }
      }`,
    ],
  ])('that %s goes on when the broker is back', async (_what, reading) => {
    const script = start(`${reading}
      await consumer.close()
      console.log('done')`)
    await script.line('a')
    await hub.end('SIGKILL')
    await restart()
    await produce('b')
    await script.line('done')
    expect(await script.exited).toBe(0)
  })

  it('that asks as an administrator gets its answers when the broker is back', async () => {
    const script = start(`
      const admin = createAdmin({ bootstrapServers })
      while (!isThere('stop')) {
        const [found] = await admin.listTopics()
        console.log(found.name)
      }
      await admin.close()
      console.log('done')`)
    await script.line(topic)
    await hub.end('SIGKILL')
    await restart()
    await mark('stop')
    await script.line('done')
    expect(await script.exited).toBe(0)
  })

  it('of the console consumer reads on when the broker is back', async () => {
    running = startNode([
      `${root}hub/bin/millrace.js`,
      'console-consumer',
      ...['--bootstrap-server', hub.bootstrap, '--topic', topic, '--from-beginning', '--max-messages', '2'],
    ])
    await running.line('a')
    await hub.end('SIGKILL')
    await restart()
    await produce('b')
    expect(await running.exited).toBe(0)
    expect(running.lines).toEqual(['a', 'b'])
  })
})

describe('a client', () => {
  it('holds the process while a caller waits, and leaves nothing behind when it is closed', async () => {
    const world = memoryWorld()
    const options = { bootstrapServers: '127.0.0.1:9', world, groupId: 'g', retryBackoffMs: 10 }
    const [producer, consumer, admin] = [createProducer(options), createConsumer(options), createAdmin(options)]
    expect(world.clock.holdCount).toBe(0)
    consumer.subscribe(['t'])
    const stop = new AbortController()
    const calls = [
      [producer.send({ topic: 't', value: 'v' }, stop.signal), producer.partitionsFor('t', stop.signal)],
      [consumer.poll(10_000, stop.signal)],
      [admin.listTopics({}, stop.signal)],
    ]
    const outcomes = Promise.allSettled(calls.flat())
    await world.clock.advance(2_000)
    expect(world.clock.holdCount).toBe(3)
    stop.abort(new Error('enough'))
    expect((await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason.message)).toEqual(Array(4).fill('enough'))
    expect(world.clock.holdCount).toBe(0)
    const closed = Promise.all([producer.close(stop.signal), consumer.close(), admin.close()])
    await world.clock.advance(20_000)
    await closed
    expect([world.clock.holdCount, world.clock.timerCount]).toEqual([0, 0])
  })

  it('leaves nothing behind when it is closed in the midst of its work', async () => {
    const world = memoryWorld()
    const peer = await scriptedPeer(world.net)
    const options = { bootstrapServers: peer.bootstrap, world }
    const [producer, consumer, admin] = [createProducer(options), createConsumer(options), createAdmin(options)]
    consumer.assign([{ topic: 't', partition: 0 }])
    const stop = new AbortController()
    for (const api of [Produce, ListOffsets, DescribeTopicPartitions]) peer.on(api as typeof Produce, () => 'silence')
    const outcomes = Promise.allSettled([
      producer.send({ topic: 't', value: 'v' }),
      consumer.poll(60_000),
      admin.listOffsets([{ topic: 't', partition: 0, at: 'latest' }]),
    ])
    await world.clock.advance(2_000)
    expect(world.clock.holdCount).toBe(3)
    const closed = Promise.all([producer.close(stop.signal), consumer.close(), admin.close()])
    stop.abort()
    await closed
    expect((await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason)).toMatchObject(Array(3).fill({ kind: 'closed' }))
    await world.clock.advance(0)
    expect([world.clock.holdCount, world.clock.timerCount]).toEqual([0, 0])
  })
})
