/** A consumer against a broker by script: moved and fenced leaders, cut logs, lost coordinators, lost memberships. */
import { describe, expect, it } from 'vitest'
import { type Consumer, type ConsumerOptions, createConsumer, type TopicPartition } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import {
  ConsumerProtocolAssignment,
  encodeBatch,
  encodeVersioned,
  ErrorCode,
  Fetch,
  type FetchRequest,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  OffsetForLeaderEpoch,
  SyncGroup,
} from '../../hub/wire/index.ts'
import { metadataOf, type ScriptedPeer, scriptedPeer, topicNameOf } from './scripted-peer.ts'

type World = ReturnType<typeof memoryWorld>
const at: TopicPartition = { topic: 't', partition: 0 }

/** Moves time on until the promise settles, and passes on its outcome. */
async function settle<T>(world: World, promise: Promise<T>): Promise<T> {
  let settled = false
  void Promise.allSettled([promise]).then(() => (settled = true))
  for (let turn = 0; !settled && turn < 20_000; turn++) await world.clock.advance(10)
  return promise
}

function batch(baseOffset: number, values: readonly string[], leaderEpoch = 5): Buffer {
  return encodeBatch({
    baseOffset,
    leaderEpoch,
    records: values.map((value) => ({
      key: null,
      value: Buffer.from(value),
      timestampMs: 1,
    })),
  })
}

/** An answer for the first partition that was asked for; its records, or an error. */
function fetched(
  request: FetchRequest,
  outcome: {
    errorCode?: number
    records?: Buffer
    leader?: { leaderId: number; leaderEpoch: number }
  },
) {
  return {
    throttleTimeMs: 0,
    responses: request.topics.map(({ topicId, partitions }) => ({
      topic: topicNameOf(topicId),
      topicId,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode: outcome.errorCode ?? 0,
        highWatermark: 100,
        abortedTransactions: null,
        records: outcome.records ?? null,
        ...(outcome.leader === undefined ? {} : { currentLeader: outcome.leader }),
      })),
    })),
  }
}

const offsetOf = (request: FetchRequest): number => request.topics[0]?.partitions[0]?.fetchOffset ?? -1

async function setUp(script: (peer: ScriptedPeer, port: number) => void, options: Partial<ConsumerOptions> = {}) {
  const world = memoryWorld()
  const peer = await scriptedPeer(world.net)
  const port = Number(peer.bootstrap.split(':')[1])
  peer.on(FindCoordinator, ({ coordinatorKeys }) => ({
    throttleTimeMs: 0,
    coordinators: coordinatorKeys.map((key) => ({
      key,
      nodeId: 1,
      host: '127.0.0.1',
      port,
      errorCode: 0,
      errorMessage: null,
    })),
  }))
  peer.on(ListOffsets, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => ({
        partitionIndex,
        errorCode: 0,
        offset: timestamp === -2 ? 0 : 100,
        leaderEpoch: 5,
      })),
    })),
  }))
  script(peer, port)
  const consumer = createConsumer({
    bootstrapServers: peer.bootstrap,
    world,
    offsetReset: 'earliest',
    ...options,
  })
  return { world, peer, consumer }
}

async function readValues(world: World, consumer: Consumer): Promise<string[]> {
  const records = await settle(world, consumer.poll(20_000))
  return [...records].map(({ value }) => String(value))
}

describe('a consumer', () => {
  it.each(['FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_ID', 'KAFKA_STORAGE_ERROR'] as const)(
    'asks for metadata and goes on after %s',
    async (name) => {
      let fetchCount = 0
      const { world, peer, consumer } = await setUp((script) => {
        script.on(Fetch, (request) =>
          fetched(request, fetchCount++ === 0 ? { errorCode: ErrorCode[name] } : { records: batch(offsetOf(request), ['v']) }),
        )
      })
      consumer.assign([at])
      expect(await readValues(world, consumer)).toEqual(['v'])
      expect(peer.asked.filter((asked) => asked === 'Metadata').length).toBeGreaterThan(1)
      await consumer.close()
    },
  )

  it('delivers nothing twice when a fetch is cut in the middle of its answer', async () => {
    let fetchCount = 0
    const { world, consumer } = await setUp((script) => {
      script.on(Fetch, (request) => {
        fetchCount++
        if (fetchCount % 2 === 1) return 'half'
        return fetched(request, {
          records: batch(offsetOf(request), [`v${offsetOf(request)}`]),
        })
      })
    })
    consumer.assign([at])
    const values: string[] = []
    while (values.length < 3) values.push(...(await readValues(world, consumer)))
    expect(values.slice(0, 3)).toEqual(['v0', 'v1', 'v2'])
    await consumer.close()
  })

  it('checks its position under a new leader, and goes back to where the log was cut (KIP-320)', async () => {
    let leaderEpoch = 5
    const asked: number[] = []
    const { world, consumer } = await setUp((script, port) => {
      script.on(Metadata, () => ({
        throttleTimeMs: 0,
        ...metadataOf(port, ['t'], leaderEpoch),
      }))
      script.on(Fetch, (request) => {
        const offset = offsetOf(request)
        if (offset === 0) return fetched(request, { records: batch(0, ['a', 'b', 'c']) })
        if (leaderEpoch === 5) {
          leaderEpoch = 6
          return fetched(request, {
            errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
          })
        }
        return fetched(request, {
          records: batch(offset, [`again ${offset}`], 6),
        })
      })
      script.on(OffsetForLeaderEpoch, ({ topics }) => {
        asked.push(topics[0]?.partitions[0]?.leaderEpoch ?? -1)
        return {
          throttleTimeMs: 0,
          topics: [
            {
              topic: 't',
              partitions: [{ errorCode: 0, partition: 0, leaderEpoch: 5, endOffset: 2 }],
            },
          ],
        }
      })
    })
    consumer.assign([at])
    expect(await readValues(world, consumer)).toEqual(['a', 'b', 'c'])
    expect(await readValues(world, consumer)).toEqual(['again 2'])
    expect(asked).toEqual([5])
    await consumer.close()
  })

  it('tells of a cut log where there is no reset policy', async () => {
    let leaderEpoch = 5
    const { world, consumer } = await setUp(
      (script, port) => {
        script.on(Metadata, () => ({
          throttleTimeMs: 0,
          ...metadataOf(port, ['t'], leaderEpoch),
        }))
        script.on(Fetch, (request) => {
          if (offsetOf(request) === 0) return fetched(request, { records: batch(0, ['a']) })
          leaderEpoch = 6
          return fetched(request, { errorCode: ErrorCode.FENCED_LEADER_EPOCH })
        })
        script.on(OffsetForLeaderEpoch, () => ({
          throttleTimeMs: 0,
          topics: [
            {
              topic: 't',
              partitions: [{ errorCode: 0, partition: 0, leaderEpoch: 5, endOffset: 0 }],
            },
          ],
        }))
      },
      { offsetReset: 'none' },
    )
    consumer.assign([at])
    consumer.seek(at, 0)
    expect(await readValues(world, consumer)).toEqual(['a'])
    await expect(readValues(world, consumer)).rejects.toMatchObject({
      kind: 'truncated',
      place: at,
    })
    await consumer.close()
  })

  it('takes over a leader that an answer names (KIP-951)', async () => {
    let fetchCount = 0
    const { world, peer, consumer } = await setUp((script) => {
      script.on(Fetch, (request) =>
        fetchCount++ === 0
          ? fetched(request, {
              errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
              leader: { leaderId: 1, leaderEpoch: 9 },
            })
          : fetched(request, {
              records: batch(offsetOf(request), [`epoch ${request.topics[0]?.partitions[0]?.currentLeaderEpoch}`]),
            }),
      )
    })
    consumer.assign([at])
    expect(await readValues(world, consumer)).toEqual(['epoch 9'])
    expect(peer.asked).toContain('Fetch')
    await consumer.close()
  })

  it('looks for its coordinator again when that has moved', async () => {
    const outcomes: number[] = [ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 0]
    const { world, peer, consumer } = await setUp(
      (script) => {
        script.on(OffsetCommit, ({ topics }) => {
          const errorCode = outcomes.shift() ?? 0
          return {
            throttleTimeMs: 0,
            topics: topics.map(({ name, topicId, partitions }) => ({
              name,
              topicId,
              partitions: partitions.map(({ partitionIndex }) => ({
                partitionIndex,
                errorCode,
              })),
            })),
          }
        })
      },
      { groupId: 'g', autoCommit: false },
    )
    consumer.assign([at])
    await settle(world, consumer.commit([{ ...at, offset: 3 }]))
    expect(outcomes).toEqual([])
    expect(peer.asked.filter((asked) => asked === 'FindCoordinator')).toHaveLength(2)
    await settle(world, consumer.close())
  })

  it('hears that its partitions are lost when the group has put it out, and joins as a new member', async () => {
    let memberCount = 0
    let putOut = false
    const events: string[] = []
    const note = (what: string) => (partitions: readonly TopicPartition[]) =>
      void events.push(`${what} ${partitions.map(({ partition }) => partition).join()}`)
    const joinedAs: string[] = []
    const { world, consumer } = await setUp(
      (script) => {
        script.on(JoinGroup, ({ memberId, protocols }) => {
          joinedAs.push(memberId)
          if (memberId === '')
            return {
              throttleTimeMs: 0,
              errorCode: ErrorCode.MEMBER_ID_REQUIRED,
              leader: '',
              memberId: `m${++memberCount}`,
              protocolName: '',
              members: [],
            }
          return {
            throttleTimeMs: 0,
            errorCode: 0,
            generationId: memberCount,
            protocolType: 'consumer',
            protocolName: protocols[0]?.name ?? '',
            leader: memberId,
            memberId,
            members: [
              {
                memberId,
                groupInstanceId: null,
                metadata: protocols[0]?.metadata ?? Buffer.alloc(0),
              },
            ],
          }
        })
        script.on(SyncGroup, ({ assignments }) => {
          const assignment = assignments[0]?.assignment ?? encodeVersioned(ConsumerProtocolAssignment, { assignedPartitions: [] }, 1)
          return {
            throttleTimeMs: 0,
            errorCode: 0,
            assignment: Buffer.from(assignment),
          }
        })
        script.on(Heartbeat, () => {
          const errorCode = putOut ? ErrorCode.UNKNOWN_MEMBER_ID : 0
          putOut = false
          return { throttleTimeMs: 0, errorCode }
        })
        script.on(OffsetFetch, ({ groups }) => ({
          throttleTimeMs: 0,
          groups: groups.map(({ groupId, topics }) => ({
            groupId,
            errorCode: 0,
            topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
              name,
              partitions: partitionIndexes.map((partitionIndex) => ({
                partitionIndex,
                committedOffset: -1,
                committedLeaderEpoch: -1,
                metadata: '',
                errorCode: 0,
              })),
            })),
          })),
        }))
        script.on(Fetch, () => 'silence')
        script.on(LeaveGroup, () => ({
          throttleTimeMs: 0,
          errorCode: 0,
          members: [],
        }))
      },
      {
        groupId: 'g',
        autoCommit: false,
        listener: {
          onPartitionsAssigned: note('assigned'),
          onPartitionsRevoked: note('revoked'),
          onPartitionsLost: note('lost'),
        },
      },
    )
    consumer.subscribe(['t'])
    while (events.length < 1) await settle(world, consumer.poll(10))
    putOut = true
    while (events.length < 3) await settle(world, consumer.poll(1_000))
    expect(events).toEqual(['assigned 0,1', 'lost 0,1', 'assigned 0,1'])
    expect(joinedAs).toEqual(['', 'm1', '', 'm2'])
    await settle(world, consumer.close())
    expect(events.at(-1)).toBe('revoked 0,1')
  })

  it('finds the cluster again by the bootstrap list when all brokers that it knew are gone (KIP-899)', async () => {
    let moved = false
    const { world, consumer } = await setUp((script, port) => {
      // The first answer names a broker that nobody serves; what is left is the bootstrap address.
      script.on(Metadata, () => ({
        throttleTimeMs: 0,
        ...metadataOf(moved ? port : 7, ['t']),
      }))
      script.on(Fetch, (request) => fetched(request, { records: batch(offsetOf(request), ['v']) }))
    })
    consumer.assign([at])
    expect((await settle(world, consumer.poll(2_000))).count).toBe(0)
    moved = true
    expect(await readValues(world, consumer)).toEqual(['v'])
    await consumer.close()
  })
})
