/** Consumers whose topic is deleted, and commits that get nowhere: nothing that a caller waits for may wait for them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Consumer, type ConsumerOptions, createConsumer, createProducer, type TopicPartition } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import { ErrorCode, Fetch, Heartbeat, OffsetCommit } from '../../hub/wire/index.ts'
import { eventually, type TestBroker, testBroker } from './broker.ts'
import { scriptGroup } from './scripted-group.ts'
import { scriptedPeer } from './scripted-peer.ts'

/** What a poll, a commit or a close may take beyond what it was given, on a busy machine. */
const GRACE_MS = 5_000

describe('a deleted topic', () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await testBroker()
  }, 60_000)
  afterAll(() => broker.close())

  async function elapsedMs(call: () => Promise<unknown>): Promise<number> {
    const beganMs = performance.now()
    await call()
    return performance.now() - beganMs
  }

  /** A member that has read the first record of both topics, the first of which is gone then. */
  async function setUp(options: Partial<ConsumerOptions>) {
    const [gone, kept] = [await broker.topic({ partitionCount: 2 }), await broker.topic()]
    const groupId = broker.name('deleted')
    const { bootstrap: bootstrapServers } = broker
    const consumer = createConsumer({
      bootstrapServers,
      groupId,
      offsetReset: 'earliest',
      metadataAgeMsMax: 200,
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 10_000,
      autoCreateTopics: false,
      ...options,
    })
    const producer = createProducer({ bootstrapServers })
    consumer.subscribe([gone, kept])
    await producer.sendBatch([gone, kept].map((topic) => ({ topic, partition: 0, value: 'first' })))
    for (let count = 0; count < 2; ) count += (await consumer.poll(500)).count
    await broker.admin.deleteTopics([gone])
    return { consumer, producer, gone, kept, groupId }
  }

  const committedOf = (consumer: Consumer, topic: string) => consumer.committed([{ topic, partition: 0 }])

  it.each([['range'], ['cooperative-sticky']])('does not hold up poll and close, nor the commit of the others (%s)', async (assignor) => {
    const { consumer, producer, kept, groupId } = await setUp({ assignors: [assignor] })
    await producer.send({ topic: kept, value: 'second' })
    const values: string[] = []
    let longestMs = 0
    while (values.length < 1 || consumer.assignment().length !== 1) {
      const ms = await elapsedMs(async () => {
        for (const { topic, value } of await consumer.poll(100)) if (topic === kept) values.push(String(value))
      })
      longestMs = Math.max(longestMs, ms)
    }
    expect(longestMs).toBeLessThan(GRACE_MS)
    expect(values).toEqual(['second'])
    expect(await elapsedMs(() => consumer.close())).toBeLessThan(GRACE_MS)
    expect(await broker.admin.fetchOffsets(groupId, [{ topic: kept, partition: 0 }])).toMatchObject([{ offset: 2 }])
    await producer.close()
  })

  it('makes a commit fail at once, after the offsets of the others are committed', async () => {
    const { consumer, producer, gone, kept } = await setUp({ autoCommit: false })
    await eventually(async () => (await broker.admin.describeTopics([gone]))[0]?.error !== null)
    const offsets = [gone, kept].map((topic) => ({ topic, partition: 0, offset: 1 }))
    const ms = await elapsedMs(() =>
      expect(consumer.commit(offsets)).rejects.toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION', place: { topic: gone } }),
    )
    expect(ms).toBeLessThan(GRACE_MS)
    expect(await committedOf(consumer, kept)).toMatchObject([{ offset: 1 }])
    await Promise.all([consumer.close(), producer.close()])
  })
})

describe('a commit without an answer', () => {
  const at: TopicPartition = { topic: 't', partition: 0 }

  /** A member of a group that rebalances after its first poll, while commits stay without an answer. */
  async function setUp(options: Partial<ConsumerOptions> = {}) {
    const world = memoryWorld()
    const peer = await scriptedPeer(world.net)
    scriptGroup(peer)
    let rebalances = false
    const asked: string[] = []
    peer.on(OffsetCommit, () => {
      asked.push('commit')
      return 'silence'
    })
    peer.on(Heartbeat, () => {
      const errorCode = rebalances ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
      rebalances = false
      return { throttleTimeMs: 0, errorCode }
    })
    peer.on(Fetch, () => 'silence')
    const consumer = createConsumer({
      bootstrapServers: peer.bootstrap,
      world,
      groupId: 'g',
      assignors: ['range'],
      autoCommitIntervalMs: 600_000,
      heartbeatIntervalMs: 100,
      requestTimeoutMs: 600_000,
      ...options,
    })
    /** Moves time on until the promise settles; how long that took. */
    const settledAfterMs = async (promise: Promise<unknown>): Promise<number> => {
      let settled = false
      void Promise.allSettled([promise]).then(() => (settled = true))
      const beganMs = world.clock.monotonicMs()
      for (let turn = 0; !settled && turn < 20_000; turn++) await world.clock.advance(10)
      return world.clock.monotonicMs() - beganMs
    }
    consumer.subscribe(['t'])
    while (consumer.assignment().length === 0) await settledAfterMs(consumer.poll(100))
    await settledAfterMs(consumer.position(at))
    rebalances = true
    await world.clock.advance(200)
    return { world, peer, consumer, asked, settledAfterMs }
  }

  it('does not hold up a poll before a rebalance, and holds up the rebalance in bounds', async () => {
    const { peer, consumer, asked, settledAfterMs } = await setUp({ pollIntervalMsMax: 20_000 })
    const joinCount = () => peer.asked.filter((name) => name === 'JoinGroup').length
    expect(await settledAfterMs(consumer.poll(200))).toBeLessThanOrEqual(210)
    expect([asked.length, joinCount()]).toEqual([1, 1])
    await settledAfterMs(consumer.poll(9_000))
    expect([asked.length, joinCount()]).toEqual([1, 1])
    await settledAfterMs(consumer.poll(1_500))
    expect([asked.length, joinCount()]).toEqual([1, 2])
    await settledAfterMs(consumer.close())
  })

  it('leaves a poll to its signal and to wakeup', async () => {
    const { consumer, settledAfterMs } = await setUp()
    const stop = new AbortController()
    const polled = consumer.poll(60_000, stop.signal)
    const refused = expect(polled).rejects.toThrow('enough')
    stop.abort(new Error('enough'))
    expect(await settledAfterMs(polled)).toBeLessThanOrEqual(10)
    await refused
    const woken = consumer.poll(60_000)
    consumer.wakeup()
    expect(await settledAfterMs(woken)).toBeLessThanOrEqual(10)
    await settledAfterMs(consumer.close())
  })

  it('does not hold up close beyond its time, and the group is told', async () => {
    const { peer, consumer, settledAfterMs } = await setUp({ closeTimeoutMs: 4_000 })
    expect(await settledAfterMs(consumer.close())).toBeLessThanOrEqual(4_010)
    expect(peer.asked).toContain('LeaveGroup')
  })

  it('leaves close to its signal', async () => {
    const { consumer, settledAfterMs } = await setUp()
    const stop = new AbortController()
    const closed = consumer.close(stop.signal)
    stop.abort()
    expect(await settledAfterMs(closed)).toBeLessThanOrEqual(10)
    await closed
  })
})
