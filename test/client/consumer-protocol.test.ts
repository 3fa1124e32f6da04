/** Consumers of group.protocol=consumer (KIP-848) with a real broker: several members, static ones, expressions, migration by a new life. */
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createProducer,
  type Subscription,
  type TopicPartition,
} from '../../hub/client/index.ts'
import { ConsumerGroupHeartbeat } from '../../hub/wire/index.ts'
import { needApi, type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
const members: Member[] = []
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(async () => {
  await Promise.all(members.map((member) => member.stop()))
  await broker.close()
})

const needProtocol = (context: TestContext): Promise<void> => needApi(broker, context, ConsumerGroupHeartbeat.key)
const numbers = (partitions: readonly TopicPartition[]): number[] =>
  partitions.map(({ partition }) => partition).sort((one, other) => one - other)

/** A consumer that is polled all the time. */
class Member {
  readonly consumer: Consumer
  /** What the listener heard, in order. */
  readonly heard: string[] = []
  readonly read: string[] = []
  failure: unknown = null
  #stopping = false
  readonly #polling: Promise<void>

  constructor(groupId: string, topics: Subscription, options: Partial<ConsumerOptions> = {}) {
    const note = (what: string) => (partitions: readonly TopicPartition[]) => {
      if (partitions.length > 0) this.heard.push(`${what} ${numbers(partitions).join()}`)
    }
    this.consumer = createConsumer({
      bootstrapServers: broker.bootstrap,
      groupId,
      groupProtocol: 'consumer',
      offsetReset: 'earliest',
      listener: { onPartitionsAssigned: note('assigned'), onPartitionsRevoked: note('revoked'), onPartitionsLost: note('lost') },
      ...options,
    })
    this.consumer.subscribe(topics)
    this.#polling = this.#poll()
    members.push(this)
  }

  get owned(): number[] {
    return numbers(this.consumer.assignment())
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#stopping) {
        for (const { partition, value } of await this.consumer.poll(100)) this.read.push(`${partition}:${String(value)}`)
      }
    } catch (error) {
      this.failure = error
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#polling
    await this.consumer.close()
  }
}

async function fill(topic: string, partitionCount: number, round: number): Promise<void> {
  const producer = createProducer({ bootstrapServers: broker.bootstrap })
  await producer.sendBatch(Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition, value: `${round}` })))
  await producer.close()
}

const soon = { timeout: 30_000, interval: 20 }

describe('consumers of a KIP-848 group', () => {
  it('share the partitions, hand them on, and read each record once', async (context) => {
    await needProtocol(context)
    const topic = await broker.topic({ partitionCount: 4 })
    const groupId = broker.name('shared')
    const one = new Member(groupId, [topic])
    await expect.poll(() => one.owned, soon).toEqual([0, 1, 2, 3])
    await fill(topic, 4, 0)
    await expect.poll(() => one.read.length, soon).toBe(4)
    const two = new Member(groupId, [topic])
    await expect.poll(() => [one.owned.length, two.owned.length], soon).toEqual([2, 2])
    await fill(topic, 4, 1)
    await expect.poll(() => one.read.length + two.read.length, soon).toBe(8)
    await one.stop()
    await expect.poll(() => two.owned, soon).toEqual([0, 1, 2, 3])
    await fill(topic, 4, 2)
    await expect.poll(() => one.read.length + two.read.length, soon).toBe(12)
    await two.stop()
    const all = [...one.read, ...two.read]
    expect(new Set(all).size).toBe(12)
    expect((await broker.admin.fetchOffsets(groupId)).map(({ offset }) => offset)).toEqual([3, 3, 3, 3])
    // What was given up was told as revoked before it was the other's, and all of it at the end.
    expect(one.heard[0]).toBe('assigned 0,1,2,3')
    expect(one.heard.filter((what) => what.startsWith('revoked'))).toHaveLength(2)
    expect(two.heard.at(-1)).toBe('revoked 0,1,2,3')
    expect([...one.heard, ...two.heard].filter((what) => what.startsWith('lost'))).toEqual([])
  }, 90_000)

  it('take what a chosen assignor deals', async (context) => {
    await needProtocol(context)
    const topic = await broker.topic({ partitionCount: 4 })
    const groupId = broker.name('range')
    const two = [0, 1].map(() => new Member(groupId, [topic], { groupRemoteAssignor: 'range' }))
    await expect.poll(() => two.map(({ owned }) => owned.join()).sort(), soon).toEqual(['0,1', '2,3'])
    expect((await broker.admin.describeGroups([groupId]))[0]).toMatchObject({ type: 'consumer', protocolName: 'range', state: 'Stable' })
    await Promise.all(two.map((member) => member.stop()))
  }, 60_000)

  it('subscribe by expression, here or at the broker, and follow new topics and changed subscriptions', async (context) => {
    await needProtocol(context)
    const groupId = broker.name('by-expression')
    const prefix = broker.name('expression')
    const make = (name: string) => broker.admin.createTopics([{ name, partitionCount: 1, replicationFactor: 1 }])
    await make(`${prefix}-a`)
    const here = new Member(`${groupId}-here`, new RegExp(`^${prefix}-[a-c]$`), { metadataAgeMsMax: 200 })
    const there = new Member(`${groupId}-there`, { pattern: `${prefix}-[a-c]` })
    const topicsOf = (member: Member) =>
      member.consumer
        .assignment()
        .map(({ topic }) => topic.slice(prefix.length + 1))
        .sort()
    await expect.poll(() => [topicsOf(here), topicsOf(there)], soon).toEqual([['a'], ['a']])
    await make(`${prefix}-b`)
    await make(`${prefix}-x`)
    await expect.poll(() => topicsOf(here), soon).toEqual(['a', 'b'])
    here.consumer.subscribe([`${prefix}-x`])
    there.consumer.subscribe([`${prefix}-x`])
    await expect.poll(() => [topicsOf(here), topicsOf(there)], soon).toEqual([['x'], ['x']])
    await Promise.all([here.stop(), there.stop()])
    const broken = new Member(`${groupId}-broken`, { pattern: '(' })
    await expect.poll(() => broken.failure, soon).toMatchObject({ name: 'INVALID_REGULAR_EXPRESSION' })
  }, 90_000)

  it('keep a static member’s partitions for it, and refuse a second one of its name', async (context) => {
    await needProtocol(context)
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('static')
    const first = new Member(groupId, [topic], { groupInstanceId: 'one' })
    const other = new Member(groupId, [topic], { groupInstanceId: 'two' })
    await expect.poll(() => [first.owned.length, other.owned.length], soon).toEqual([1, 1])
    const mine = first.owned
    const twin = new Member(groupId, [topic], { groupInstanceId: 'one' })
    await expect.poll(() => twin.failure, soon).toMatchObject({ name: 'UNRELEASED_INSTANCE_ID' })
    await first.stop()
    const second = new Member(groupId, [topic], { groupInstanceId: 'one' })
    await expect.poll(() => second.owned, soon).toEqual(mine)
    expect(other.heard.filter((what) => what.startsWith('assigned')).at(-1)).toBe(`assigned ${other.owned.join()}`)
    // One that takes the place of a dead one does not wait for its session to end.
    const successor = new Member(groupId, [topic], { groupInstanceId: 'two', replacesPredecessor: true })
    await expect.poll(() => successor.owned.length, soon).toBe(1)
    await Promise.all([second.stop(), successor.stop(), other.stop()])
  }, 90_000)

  it('leave when nobody polls for max.poll.interval.ms, and join again with the next poll', async (context) => {
    await needProtocol(context)
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('slow')
    const heard: string[] = []
    const slow = createConsumer({
      bootstrapServers: broker.bootstrap,
      groupId,
      groupProtocol: 'consumer',
      offsetReset: 'earliest',
      pollIntervalMsMax: 300,
      listener: {
        onPartitionsAssigned: (list) => void heard.push(`assigned ${list.length}`),
        onPartitionsLost: (list) => void heard.push(`lost ${list.length}`),
      },
    })
    slow.subscribe([topic])
    while (slow.assignment().length < 2) await slow.poll(50)
    const quick = new Member(groupId, [topic])
    await expect.poll(() => quick.owned, soon).toEqual([0, 1])
    while (slow.assignment().length !== 1) await slow.poll(50)
    expect(heard.filter((what) => what !== 'assigned 0').slice(0, 3)).toEqual(['assigned 2', 'lost 2', 'assigned 1'])
    await slow.close()
    await quick.stop()
  }, 60_000)

  it('commit by hand under their epoch, and no longer once they are out', async (context) => {
    await needProtocol(context)
    const topic = await broker.topic()
    const groupId = broker.name('by-hand')
    const member = new Member(groupId, [topic], { autoCommit: false })
    await expect.poll(() => member.owned, soon).toEqual([0])
    await member.consumer.commit([{ topic, partition: 0, offset: 7, metadata: 'seven' }])
    expect(await member.consumer.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 7, metadata: 'seven' }])
    expect(member.consumer.groupMetadata()).toMatchObject({ groupId, groupInstanceId: null, generationId: expect.any(Number) })
    const outsider = createConsumer({ bootstrapServers: broker.bootstrap, groupId })
    await expect(outsider.commit([{ topic, partition: 0, offset: 1 }])).rejects.toMatchObject({ name: 'UNKNOWN_MEMBER_ID' })
    await outsider.close()
    await member.stop()
  }, 60_000)
})
