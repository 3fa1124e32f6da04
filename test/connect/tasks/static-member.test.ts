/** A sink's static membership: who comes back, what has changed meanwhile, and what is left in the group afterwards. */
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig, defineSink } from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Admin, type Consumer, createAdmin, createConsumer } from '../../../hub/client/index.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { committedOffsets, environmentOf, eventually, fill, startSink, textOf, world } from './workshop.ts'

let directory: string
let hub: TestHub
let bootstrap: string
let admin: Admin
const ghosts: Consumer[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-static-'))
  hub = await startHub({ directory, overrides: { 'process.roles': 'broker,controller', listeners: 'PLAINTEXT://127.0.0.1:0' } })
  bootstrap = hub.bootstrap
  admin = createAdmin({ bootstrapServers: bootstrap })
})
afterEach(async () => {
  await Promise.all(ghosts.splice(0).map((ghost) => ghost.close(AbortSignal.abort())))
  await admin.close()
  await hub.close()
  await rm(directory, { recursive: true, force: true })
})

/** Remembers what it was given. */
function collector() {
  const values: string[] = []
  const plugin = defineSink({
    class: 'test.Collector',
    version: '1.0.0',
    config: defineConfig({}),
    start: () => ({
      write: (records) => {
        for (const { value } of records) values.push(textOf(value))
      },
    }),
  })
  return { plugin, values }
}

/** The members that killed tasks leave behind: their sessions go on, nobody is there. */
async function leaveGhosts(topics: readonly string[], taskCount = 1): Promise<void> {
  const members = Array.from({ length: taskCount }, (_, task) => {
    const groupInstanceId = `connect-cluster-c-${task}`
    const member = createConsumer({
      bootstrapServers: bootstrap,
      groupId: 'connect-c',
      groupInstanceId,
      offsetReset: 'earliest',
      autoCommit: false,
    })
    member.subscribe(topics)
    return member
  })
  await eventually(async () => {
    await Promise.all(members.map((member) => member.poll(50)))
    return members.every((member) => member.assignment().length > 0)
  })
  await Promise.all(members.map((member) => member.close()))
}

async function memberCount(): Promise<number> {
  const [group] = await admin.describeGroups(['connect-c'])
  return group?.members.length ?? 0
}

describe('a sink that comes back after a kill', () => {
  it('reads what its changed configuration says, not what the one before said', async () => {
    await admin.createTopics([{ name: 'old' }, { name: 'new' }])
    await fill(bootstrap, 'new', ['1', '2'])
    await leaveGhosts(['old'])
    const { plugin, values } = collector()
    const task = startSink(plugin, environmentOf({ bootstrap, config: { topics: 'new' } }))
    await eventually(() => values.length === 2, 10_000)
    await task.stop(5_000)
    expect(await memberCount()).toBe(0)
  })

  it('sees partitions that are added after its return', async () => {
    await admin.createTopics([{ name: 't', partitionCount: 1 }])
    await leaveGhosts(['t'])
    const { plugin, values } = collector()
    const task = startSink(plugin, environmentOf({ bootstrap, config: { topics: 't', 'consumer.override.metadata.max.age.ms': '200' } }))
    await fill(bootstrap, 't', ['before'], 0)
    await eventually(() => values.includes('before'))
    await admin.createPartitions([{ name: 't', totalCount: 2 }])
    await fill(bootstrap, 't', ['after'], 1)
    await eventually(() => values.includes('after'), 10_000)
    await task.stop(5_000)
  })

  it('two of them share the work again at once', async () => {
    await admin.createTopics([{ name: 't', partitionCount: 4 }])
    for (let partition = 0; partition < 4; partition++) await fill(bootstrap, 't', [String(partition)], partition)
    await leaveGhosts(['t'], 2)
    const { plugin, values } = collector()
    const startMs = world.clock.monotonicMs()
    const tasks = [0, 1].map((task) => startSink(plugin, environmentOf({ bootstrap, task, config: { topics: 't' } })))
    await eventually(() => new Set(values).size === 4, 15_000)
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(15_000)
    await Promise.all(tasks.map((task) => task.stop(5_000)))
    expect(await memberCount()).toBe(0)
  })
})

describe('a static consumer that takes its place again as the leader', () => {
  it('watches the partition counts of its topics, though it is told not to deal', async () => {
    await admin.createTopics([{ name: 't', partitionCount: 1 }])
    await leaveGhosts(['t'])
    const consumer = createConsumer({
      bootstrapServers: bootstrap,
      groupId: 'connect-c',
      groupInstanceId: 'connect-cluster-c-0',
      metadataAgeMsMax: 200,
    })
    ghosts.push(consumer)
    consumer.subscribe(['t'])
    const assigned = (count: number) => async (): Promise<boolean> => {
      await consumer.poll(50)
      return consumer.assignment().length === count
    }
    await eventually(assigned(1))
    await admin.createPartitions([{ name: 't', totalCount: 2 }])
    await eventually(assigned(2), 10_000)
  })
})

/** Stands before a broker and has it say that it knows JoinGroup and LeaveGroup only as they were before static members. */
async function oldBroker(target: () => number): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((client) => {
    const broker = connect(target(), '127.0.0.1')
    client.pipe(broker)
    broker.on('data', (bytes) => client.write(withoutStaticMembers(bytes)))
    for (const [one, other] of [[client, broker] as const, [broker, client] as const]) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return { port: (server.address() as AddressInfo).port, server }
}

/** Changes an ApiVersions answer: key, lowest and highest version of an API stand side by side. */
function withoutStaticMembers(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes)
  for (const [range, versionMax] of [
    [Buffer.from([0, 11, 0, 0, 0, 9]), 4],
    [Buffer.from([0, 13, 0, 0, 0, 5]), 2],
  ] as const) {
    const at = changed.indexOf(range)
    if (at >= 0) changed[at + 5] = versionMax
  }
  return changed
}

describe('a sink of a broker without static members', () => {
  it('works as a dynamic member', async () => {
    let port = 0
    const front = await oldBroker(() => port)
    const old = await startHub({
      overrides: {
        'process.roles': 'broker,controller',
        listeners: 'PLAINTEXT://127.0.0.1:0',
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${front.port}`,
      },
    })
    port = Number(old.bootstrap.split(':')[1])
    const address = `127.0.0.1:${front.port}`
    try {
      await fill(address, 't', ['1'])
      const { plugin, values } = collector()
      const task = startSink(plugin, environmentOf({ bootstrap: address, config: { topics: 't' }, flushIntervalMs: 50 }))
      await eventually(() => values.length === 1)
      await eventually(async () => (await committedOffsets(address, 'c', 't'))['t-0'] === 1)
      await task.stop(5_000)
      await task.done
    } finally {
      await old.close()
      front.server.close()
    }
  })
})

describe('a sink that ends', () => {
  it('while its join waits for others leaves nobody behind', async () => {
    await admin.createTopics([{ name: 't', partitionCount: 2 }])
    // A member that does not join again keeps the rebalance waiting.
    const other = createConsumer({ bootstrapServers: bootstrap, groupId: 'connect-c', offsetReset: 'earliest', autoCommit: false })
    ghosts.push(other)
    other.subscribe(['t'])
    await eventually(async () => {
      await other.poll(100)
      return other.assignment().length === 2
    })
    const { plugin } = collector()
    const task = startSink(plugin, environmentOf({ bootstrap, config: { topics: 't' } }))
    await task.started
    await eventually(async () => (await admin.describeGroups(['connect-c']))[0]?.state === 'PreparingRebalance')
    await task.stop(2_000)
    await other.close()
    await eventually(async () => (await memberCount()) === 0, 5_000)
  })

  it('is fenced by its successor and does not take it out of the group', async () => {
    await admin.createTopics([{ name: 't' }])
    const first = collector()
    const zombie = startSink(
      first.plugin,
      environmentOf({ bootstrap, config: { topics: 't', 'consumer.override.heartbeat.interval.ms': '200' } }),
    )
    await fill(bootstrap, 't', ['1'])
    await eventually(() => first.values.length === 1)
    const second = collector()
    const successor = startSink(second.plugin, environmentOf({ bootstrap, config: { topics: 't' } }))
    await expect(zombie.done).rejects.toThrow(/fenced|instance/i)
    await fill(bootstrap, 't', ['2'])
    await eventually(() => second.values.includes('2'))
    expect(await memberCount()).toBe(1)
    await successor.stop(5_000)
    expect(await memberCount()).toBe(0)
    expect((await admin.deleteGroups(['connect-c']))[0]?.error ?? null).toBeNull()
  })
})
