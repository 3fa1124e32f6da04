/** A member of a KIP-848 group against a coordinator by script: what heartbeats carry, fencing, lost answers, stale epochs. */
import { describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer, type TopicPartition } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  ErrorCode,
  Fetch,
  ListOffsets,
  OffsetCommit,
} from '../../hub/wire/index.ts'
import { scriptGroup } from './scripted-group.ts'
import { type Reply, scriptedPeer, topicIdOf } from './scripted-peer.ts'

type World = ReturnType<typeof memoryWorld>
interface Answer {
  readonly errorCode?: number
  readonly epoch?: number
  /** Partitions of topic t; left out: as before. */
  readonly partitions?: readonly number[]
}

async function settle<T>(world: World, promise: Promise<T>): Promise<T> {
  let settled = false
  void Promise.allSettled([promise]).then(() => (settled = true))
  for (let turn = 0; !settled && turn < 20_000; turn++) await world.clock.advance(10)
  return promise
}

/** `answer` decides over each heartbeat in turn; null: nothing new. */
async function setUp(
  answer: (beat: ConsumerGroupHeartbeatRequest, count: number) => Answer | 'cut' | null | Promise<Answer | 'cut' | null>,
  options: Partial<ConsumerOptions> = {},
) {
  const world = memoryWorld()
  const peer = await scriptedPeer(world.net)
  scriptGroup(peer)
  const beats: ConsumerGroupHeartbeatRequest[] = []
  const beatTimesMs: number[] = []
  let epoch = 0
  peer.on(ConsumerGroupHeartbeat, async (beat): Promise<Reply<never>> => {
    beats.push(beat)
    beatTimesMs.push(world.clock.monotonicMs())
    const reply = await answer(beat, beats.length)
    if (reply === 'cut') return 'cut'
    const { errorCode = 0, partitions } = reply ?? {}
    epoch = reply?.epoch ?? (beat.memberEpoch === 0 ? epoch + 1 : epoch)
    const assignment = partitions === undefined ? null : { topicPartitions: [{ topicId: topicIdOf('t'), partitions: [...partitions] }] }
    return {
      throttleTimeMs: 0,
      errorCode,
      errorMessage: null,
      memberId: beat.memberId,
      memberEpoch: errorCode === 0 ? epoch : 0,
      heartbeatIntervalMs: 1_000,
      assignment,
    } as never
  })
  peer.on(ListOffsets, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0, timestamp: -1, offset: 0, leaderEpoch: 5 })),
    })),
  }))
  peer.on(Fetch, async ({ maxWaitMs }) => {
    await world.clock.sleep(maxWaitMs)
    return { throttleTimeMs: 0, errorCode: 0, responses: [] }
  })
  const heard: string[] = []
  const note = (what: string) => (list: readonly TopicPartition[]) => {
    heard.push(`${what} ${list.map(({ partition }) => partition).join()}`)
  }
  const consumer = createConsumer({
    bootstrapServers: peer.bootstrap,
    world,
    groupId: 'g',
    groupProtocol: 'consumer',
    rackId: 'r1',
    offsetReset: 'earliest',
    listener: { onPartitionsAssigned: note('assigned'), onPartitionsRevoked: note('revoked'), onPartitionsLost: note('lost') },
    ...options,
  })
  consumer.subscribe(['t'])
  const poll = (ms: number) => settle(world, consumer.poll(ms))
  return { world, peer, consumer, poll, beats, beatTimesMs, heard }
}

describe('the heartbeats of a member', () => {
  it('tell everything once, then only what changes, and what was given up at once', async () => {
    const { world, consumer, poll, beats, beatTimesMs, heard } = await setUp((_beat, count) => {
      if (count === 1) return { partitions: [0, 1] }
      return count === 4 ? { epoch: 2, partitions: [0] } : null
    })
    await poll(3_500)
    const [join, owns, idle, moved, acknowledges] = beats
    expect(join).toMatchObject({
      memberEpoch: 0,
      instanceId: null,
      rackId: 'r1',
      rebalanceTimeoutMs: 300_000,
      subscribedTopicNames: ['t'],
      serverAssignor: null,
      topicPartitions: [],
    })
    expect(join?.memberId).toMatch(/^[\w-]{22}$/)
    const nothingNew = {
      memberId: join?.memberId,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
    }
    expect(owns).toMatchObject({ ...nothingNew, memberEpoch: 1, topicPartitions: [{ topicId: topicIdOf('t'), partitions: [0, 1] }] })
    expect(idle).toMatchObject({ ...nothingNew, topicPartitions: null })
    expect(moved).toMatchObject({ topicPartitions: null })
    expect(acknowledges).toMatchObject({ ...nothingNew, memberEpoch: 2, topicPartitions: [{ topicId: topicIdOf('t'), partitions: [0] }] })
    expect(heard).toEqual(['assigned 0,1', 'revoked 1', 'assigned '])
    const waitsMs = beatTimesMs.slice(1, 5).map((timeMs, index) => Math.round((timeMs - (beatTimesMs[index] ?? 0)) / 100) * 100)
    expect(waitsMs).toEqual([0, 1_000, 1_000, 0])
    consumer.subscribe(['t', 'u'])
    await poll(100)
    expect(beats.at(-1)).toMatchObject({ subscribedTopicNames: ['t', 'u'] })
    await settle(world, consumer.close())
    expect(beats.at(-1)).toMatchObject({ memberEpoch: -1, memberId: join?.memberId })
    expect(heard.at(-1)).toBe('revoked 0')
  })

  it('tell everything again when an answer was lost', async () => {
    const { world, consumer, poll, beats } = await setUp((_beat, count) => (count === 1 ? { partitions: [0] } : count === 3 ? 'cut' : null))
    await poll(2_500)
    expect(beats[3]).toMatchObject({
      memberEpoch: 1,
      subscribedTopicNames: ['t'],
      rebalanceTimeoutMs: 300_000,
      topicPartitions: [{ partitions: [0] }],
    })
    expect(consumer.assignment()).toHaveLength(1)
    await settle(world, consumer.close())
  })

  it.each([
    [{ groupInstanceId: 's' }, -2],
    [{ groupInstanceId: 's', leaveGroupOnClose: true }, -1],
    [{ leaveGroupOnClose: false }, 1],
  ])('end as the member means to go (%o)', async (options, lastEpoch) => {
    const { world, consumer, poll, beats } = await setUp((_beat, count) => (count === 1 ? { partitions: [0] } : null), options)
    await poll(500)
    await settle(world, consumer.close())
    expect(beats.at(-1)?.memberEpoch).toBe(lastEpoch)
  })
})

describe('a member', () => {
  it.each([ErrorCode.FENCED_MEMBER_EPOCH, ErrorCode.UNKNOWN_MEMBER_ID])(
    'has lost its partitions after %s, and joins again with the same id',
    async (errorCode) => {
      const { world, consumer, poll, beats, heard } = await setUp((beat, count) => {
        if (beat.memberEpoch === 0) return { partitions: count === 1 ? [0, 1] : [1] }
        return count === 3 ? { errorCode } : null
      })
      await poll(2_000)
      expect(heard).toEqual(['assigned 0,1', 'lost 0,1', 'assigned 1'])
      expect(beats[3]).toMatchObject({ memberEpoch: 0, memberId: beats[0]?.memberId, subscribedTopicNames: ['t'], topicPartitions: [] })
      await settle(world, consumer.close())
    },
  )

  it.each([
    ErrorCode.GROUP_AUTHORIZATION_FAILED,
    ErrorCode.UNSUPPORTED_ASSIGNOR,
    ErrorCode.UNRELEASED_INSTANCE_ID,
    ErrorCode.INVALID_REGULAR_EXPRESSION,
  ])('says so in each poll when the group will not have it (%s)', async (errorCode) => {
    const { world, consumer, poll, beats } = await setUp(() => ({ errorCode }))
    await expect(poll(5_000)).rejects.toMatchObject({ code: errorCode })
    await expect(poll(5_000)).rejects.toMatchObject({ code: errorCode })
    expect(beats).toHaveLength(1)
    await settle(world, consumer.close())
  })

  it('says in words that a cluster lacks the protocol', async () => {
    const { world, consumer, peer, poll } = await setUp(() => null)
    peer.limit(ConsumerGroupHeartbeat, 7, 7)
    await expect(poll(5_000)).rejects.toMatchObject({
      kind: 'unsupported-version',
      message: 'the cluster does not support group.protocol=consumer',
    })
    await settle(world, consumer.close())
  })

  it('tries again while its coordinator moves or loads', async () => {
    const codes = [ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.COORDINATOR_NOT_AVAILABLE]
    const { world, consumer, poll, heard } = await setUp((_beat, count) =>
      count <= 3 ? { errorCode: codes[count - 1] ?? 0 } : count === 4 ? { partitions: [1] } : null,
    )
    await poll(3_000)
    expect(heard).toEqual(['assigned 1'])
    await settle(world, consumer.close())
  })

  it('commits what it read of a partition before it gives it up, and hands out nothing of it meanwhile', async () => {
    const { world, consumer, peer, poll, heard } = await setUp((_beat, count) =>
      count === 1 ? { partitions: [0, 1] } : count === 3 ? { epoch: 2, partitions: [0] } : null,
    )
    const order: string[] = []
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    peer.on(OffsetCommit, async ({ topics, generationIdOrMemberEpoch }) => {
      order.push(`commit ${generationIdOrMemberEpoch}`)
      await held
      return {
        throttleTimeMs: 0,
        topics: topics.map(({ name, topicId, partitions }) => ({
          name,
          topicId,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
        })),
      }
    })
    await poll(1_500)
    expect(order).toEqual(['commit 2'])
    expect(heard).toEqual(['assigned 0,1'])
    release()
    await poll(200)
    expect(heard).toEqual(['assigned 0,1', 'revoked 1', 'assigned '])
    await settle(world, consumer.close())
  })

  it('commits under the new epoch when its own has become stale', async () => {
    const { world, consumer, peer, poll } = await setUp((_beat, count) => (count === 1 ? { partitions: [0] } : { epoch: 2 }), {
      autoCommit: false,
    })
    const epochs: number[] = []
    peer.on(OffsetCommit, ({ topics, generationIdOrMemberEpoch }) => {
      epochs.push(generationIdOrMemberEpoch)
      const errorCode = generationIdOrMemberEpoch === 2 && epochs.length > 1 ? 0 : ErrorCode.STALE_MEMBER_EPOCH
      return {
        throttleTimeMs: 0,
        topics: topics.map(({ name, topicId, partitions }) => ({
          name,
          topicId,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      }
    })
    await poll(300)
    await settle(world, consumer.commit([{ topic: 't', partition: 0, offset: 1 }]))
    expect(epochs.at(-1)).toBe(2)
    expect(epochs.length).toBeGreaterThan(1)
    await settle(world, consumer.close())
  })

  it('goes on after a listener has thrown', async () => {
    let count = 0
    const listener = {
      onPartitionsAssigned: () => {
        if (++count === 1) throw new Error('not yet')
      },
    }
    const { world, consumer, poll, beats } = await setUp((_beat, beat) => (beat === 1 ? { partitions: [0] } : null), { listener })
    await expect(poll(1_000)).rejects.toThrow('not yet')
    await poll(100)
    expect(consumer.assignment()).toHaveLength(1)
    expect(beats[1]).toMatchObject({ topicPartitions: [{ partitions: [0] }] })
    await settle(world, consumer.close())
  })
})
