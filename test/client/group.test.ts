/** Consumers in groups with a real broker: sharing, moving and losing partitions. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createGroupMember,
  createProducer,
  type GroupMember,
  type TopicPartition,
} from '../../hub/client/index.ts'
import { type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
let open: TestMember[] = []
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterEach(async () => {
  await Promise.all(open.map((member) => member.stop()))
  open = []
})
afterAll(() => broker.close())

/** A consumer that polls all the time, as an application would, and notes what happens to it. */
class TestMember {
  readonly consumer: Consumer
  readonly events: string[] = []
  readonly values: number[] = []
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>

  constructor(topics: readonly string[] | RegExp, options: Partial<ConsumerOptions>) {
    const note = (what: string) => (partitions: readonly TopicPartition[]) =>
      void this.events.push(
        `${what} ${partitions
          .map(({ partition }) => partition)
          .sort((one, other) => one - other)
          .join()}`,
      )
    this.consumer = createConsumer({
      bootstrapServers: broker.bootstrap,
      offsetReset: 'earliest',
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 10_000,
      metadataAgeMsMax: 300,
      listener: {
        onPartitionsAssigned: note('assigned'),
        onPartitionsRevoked: note('revoked'),
        onPartitionsLost: note('lost'),
      },
      ...options,
    })
    this.consumer.subscribe(topics)
    this.#running = this.#run()
    open.push(this)
  }

  get assigned(): number[] {
    return this.consumer
      .assignment()
      .map(({ partition }) => partition)
      .sort((one, other) => one - other)
  }

  /** Stops polling without leaving, as a process that hangs. */
  async freeze(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async stop(): Promise<void> {
    await this.freeze()
    await this.consumer.close()
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        for (const { value } of await this.consumer.poll(1_000, this.#stopping.signal)) this.values.push(Number(value))
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.events.push(`failed ${(error as Error).name}`)
    }
  }
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 25_000, interval: 20 }).toBe(true)
}

async function fill(topic: string, partitionCount: number, from: number, count: number): Promise<void> {
  const producer = createProducer({ bootstrapServers: broker.bootstrap })
  await producer.sendBatch(
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition: index % partitionCount,
      value: `${from + index}`,
    })),
  )
  await producer.close()
}

const sorted = (...members: TestMember[]): number[] => members.flatMap(({ values }) => values).sort((one, other) => one - other)
const all = (...members: TestMember[]): number[] => members.flatMap(({ assigned }) => assigned).sort((one, other) => one - other)
const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index)

describe('a group', () => {
  it('shares partitions among its members, and gives them back to those that stay', async () => {
    const topic = await broker.topic({ partitionCount: 4 })
    const groupId = broker.name('group')
    const first = new TestMember([topic], { groupId })
    await until(() => first.assigned.length === 4)
    const second = new TestMember([topic], { groupId })
    await until(() => first.assigned.length === 2 && second.assigned.length === 2)
    expect(all(first, second)).toEqual([0, 1, 2, 3])
    expect(first.events.slice(0, 3)).toEqual(['assigned 0,1,2,3', 'revoked 0,1,2,3', `assigned ${first.assigned.join()}`])
    await fill(topic, 4, 0, 100)
    await until(() => sorted(first, second).length === 100)
    expect(sorted(first, second)).toEqual(range(100))
    await second.stop()
    await until(() => first.assigned.length === 4)
    await fill(topic, 4, 100, 20)
    await until(() => sorted(first, second).length >= 120)
    expect(sorted(first, second)).toEqual(range(120))
  }, 60_000)

  it('moves only what must move when all members are cooperative', async () => {
    const topic = await broker.topic({ partitionCount: 4 })
    const groupId = broker.name('group')
    const assignors = ['cooperative-sticky']
    const first = new TestMember([topic], { groupId, assignors })
    await until(() => first.assigned.length === 4)
    const second = new TestMember([topic], { groupId, assignors })
    await until(() => first.assigned.length === 2 && second.assigned.length === 2)
    expect(all(first, second)).toEqual([0, 1, 2, 3])
    // What stays is never taken away.
    expect(first.events).toContain(`revoked ${second.assigned.join()}`)
    expect(first.events).not.toContain('revoked 0,1,2,3')
    await fill(topic, 4, 0, 100)
    await until(() => sorted(first, second).length === 100)
    expect(sorted(first, second)).toEqual(range(100))
  }, 60_000)

  it.each(['roundrobin', 'sticky'])(
    'works with the %s assignor',
    async (assignor) => {
      const topic = await broker.topic({ partitionCount: 4 })
      const groupId = broker.name('group')
      const members = [0, 1].map(() => new TestMember([topic], { groupId, assignors: [assignor] }))
      await until(() => members.every(({ assigned }) => assigned.length === 2))
      expect(all(...members)).toEqual([0, 1, 2, 3])
    },
    60_000,
  )

  it('goes on from what was committed', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('group')
    await fill(topic, 2, 0, 40)
    const first = new TestMember([topic], { groupId })
    await until(() => first.values.length === 40)
    await first.stop()
    await fill(topic, 2, 40, 10)
    const second = new TestMember([topic], { groupId })
    await until(() => second.values.length >= 10)
    expect(sorted(second)).toEqual(range(50).slice(40))
  }, 60_000)

  it('keeps a static member’s partitions over a restart, without a rebalance of the others', async () => {
    const topic = await broker.topic({ partitionCount: 4 })
    const groupId = broker.name('group')
    const first = new TestMember([topic], { groupId, groupInstanceId: 'a' })
    const second = new TestMember([topic], { groupId, groupInstanceId: 'b' })
    await until(() => first.assigned.length === 2 && second.assigned.length === 2)
    const before = second.assigned
    const eventCount = first.events.length
    await second.stop()
    const again = new TestMember([topic], { groupId, groupInstanceId: 'b' })
    await until(() => again.assigned.length > 0)
    expect(again.assigned).toEqual(before)
    expect(first.events).toHaveLength(eventCount)
  }, 60_000)

  it('takes a static member out of its group when it is told to leave on close (KIP-1092)', async () => {
    const topic = await broker.topic({ partitionCount: 4 })
    const groupId = broker.name('group')
    const first = new TestMember([topic], { groupId, groupInstanceId: 'a' })
    const second = new TestMember([topic], { groupId, groupInstanceId: 'b', leaveGroupOnClose: true })
    await until(() => first.assigned.length === 2 && second.assigned.length === 2)
    await second.stop()
    await until(() => first.assigned.length === 4)
  }, 60_000)

  it('fences a member whose instance id another one takes', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('group')
    const first = new TestMember([topic], { groupId, groupInstanceId: 'a' })
    await until(() => first.assigned.length === 2)
    const second = new TestMember([topic], { groupId, groupInstanceId: 'a' })
    await until(() => second.assigned.length === 2 && first.events.some((event) => event.startsWith('failed')))
    expect(first.events.at(-1)).toBe('failed FENCED_INSTANCE_ID')
  }, 60_000)

  it('leaves when it is not polled for max.poll.interval.ms, and comes back when it is', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    const groupId = broker.name('group')
    const slow = new TestMember([topic], { groupId, pollIntervalMsMax: 1_500 })
    await until(() => slow.assigned.length === 2)
    await slow.freeze()
    const other = new TestMember([topic], { groupId })
    await until(() => other.assigned.length === 2)
    expect(slow.events).toEqual(['assigned 0,1'])
    await slow.consumer.poll(0)
    expect(slow.events).toEqual(['assigned 0,1', 'lost 0,1'])
  }, 60_000)

  it('follows topics that match a pattern, as they come', async () => {
    const prefix = broker.name('pattern')
    const { admin } = broker
    await admin.createTopics([{ name: `${prefix}.a`, partitionCount: 1, replicationFactor: 1 }])
    const member = new TestMember(new RegExp(`^${prefix}\\.`), {
      groupId: broker.name('group'),
    })
    await until(() => member.consumer.assignment().length === 1)
    await admin.createTopics([{ name: `${prefix}.b`, partitionCount: 2, replicationFactor: 1 }])
    await until(() => member.consumer.assignment().length === 3)
    await admin.createPartitions([{ name: `${prefix}.a`, totalCount: 2 }])
    await until(() => member.consumer.assignment().length === 4)
    expect(new Set(member.consumer.assignment().map(({ topic }) => topic))).toEqual(new Set([`${prefix}.a`, `${prefix}.b`]))
  }, 60_000)

  it('refuses a member with no assignor in common', async () => {
    const topic = await broker.topic()
    const groupId = broker.name('group')
    const first = new TestMember([topic], { groupId, assignors: ['range'] })
    await until(() => first.assigned.length === 1)
    const second = new TestMember([topic], {
      groupId,
      assignors: ['roundrobin'],
    })
    await until(() => second.events.length > 0)
    expect(second.events).toEqual(['failed INCONSISTENT_GROUP_PROTOCOL'])
  }, 60_000)

  it('rejects commits of a member that was put out, and rejoins', async () => {
    const topic = await broker.topic({ partitionCount: 1 })
    const groupId = broker.name('group')
    const zombie = new TestMember([topic], {
      groupId,
      pollIntervalMsMax: 1_000,
      autoCommit: false,
    })
    await until(() => zombie.assigned.length === 1)
    await zombie.freeze()
    const other = new TestMember([topic], { groupId, autoCommit: false })
    await until(() => other.assigned.length === 1)
    await expect(zombie.consumer.commit([{ topic, partition: 0, offset: 1 }])).rejects.toMatchObject({ name: 'UNKNOWN_MEMBER_ID' })
  }, 60_000)
})

describe('a group member of another protocol', () => {
  it('brings its own bytes to the leader and gets the leader’s', async () => {
    const groupId = broker.name('workers')
    const closers: (() => Promise<void>)[] = []
    const memberOf = (name: string): GroupMember => {
      const { member, ...rest } = createGroupMember(
        {
          bootstrapServers: broker.bootstrap,
          groupId,
          groupInstanceId: null,
          protocolType: 'connect',
          sessionTimeoutMs: 10_000,
          heartbeatIntervalMs: 100,
          rebalanceTimeoutMs: 10_000,
        },
        {
          protocols: () => [{ name: 'sessioned', metadata: Buffer.from(`i am ${name}`) }],
          onJoinedAsLeader: async (protocolName, members) =>
            new Map(
              members.map(({ memberId, metadata }) => [
                memberId,
                Buffer.from(`${protocolName}: ${members.length} of us, ${String(metadata)}`),
              ]),
            ),
          onAttention: () => {},
        },
      )
      closers.push(() => rest.close())
      return member
    }
    const signal = AbortSignal.timeout(20_000)
    const first = memberOf('one')
    const alone = await first.join(signal)
    expect(alone).toMatchObject({
      isLeader: true,
      protocolName: 'sessioned',
      assignment: Buffer.from('sessioned: 1 of us, i am one'),
    })
    const second = memberOf('two')
    const joining = second.join(signal)
    await until(() => first.rejoinNeeded)
    const [again, joined] = await Promise.all([first.join(signal), joining])
    expect(again.generationId).toBe(joined.generationId)
    expect([String(again.assignment), String(joined.assignment)]).toEqual(['sessioned: 2 of us, i am one', 'sessioned: 2 of us, i am two'])
    await Promise.all(closers.map((close) => close()))
  }, 60_000)
})
