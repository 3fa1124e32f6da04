/** A position is checked against a new leader (KIP-320) while records that were fetched before go on being read. */
import { expect, it } from 'vitest'
import { createConsumer } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import { encodeBatch, Fetch, ListOffsets, OffsetForLeaderEpoch } from '../../hub/wire/index.ts'
import { scriptedPeer } from './scripted-peer.ts'

it('holds the answer against the position that was asked about, not against where reading has come meanwhile', async () => {
  const world = memoryWorld()
  const peer = await scriptedPeer(world.net)
  const read: string[] = []
  peer.on(ListOffsets, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0, offset: 0, leaderEpoch: 5 })),
    })),
  }))
  // Offsets up to 9 are of epoch 5, those from 10 on of epoch 6; each answer has ten records.
  const values = (from: number): string[] => Array.from({ length: 10 }, (_, index) => `${from + index}`)
  peer.on(Fetch, async ({ topics, maxWaitMs }) => {
    const [topic] = topics
    const from = topic?.partitions[0]?.fetchOffset ?? -1
    if (topic === undefined || from >= 40) {
      await world.clock.sleep(maxWaitMs)
      return { throttleTimeMs: 0, errorCode: 0, responses: [] }
    }
    // The new leader is heard of when the position stands at the end of the old one's records.
    while (from === 10 && read.length < 10) await world.clock.sleep(20)
    const leaderEpoch = from < 10 ? 5 : 6
    const records = values(from).map((value) => ({ key: null, value: Buffer.from(value), timestampMs: 1 }))
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      responses: [
        {
          topicId: topic.topicId,
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              highWatermark: 40,
              abortedTransactions: null,
              currentLeader: { leaderId: 1, leaderEpoch },
              records: encodeBatch({ baseOffset: from, leaderEpoch, records }),
            },
          ],
        },
      ],
    }
  })
  const asked: number[] = []
  const held: (() => void)[] = []
  peer.on(OffsetForLeaderEpoch, async ({ topics }) => {
    const leaderEpoch = topics[0]?.partitions[0]?.leaderEpoch ?? -1
    asked.push(leaderEpoch)
    await new Promise<void>((resolve) => held.push(resolve))
    const endOffset = leaderEpoch === 5 ? 10 : 40
    return { throttleTimeMs: 0, topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0, leaderEpoch, endOffset }] }] }
  })
  const consumer = createConsumer({ bootstrapServers: peer.bootstrap, world, offsetReset: 'none', pollRecordsMax: 10 })
  consumer.assign([{ topic: 't', partition: 0 }])
  consumer.seek({ topic: 't', partition: 0 }, 0, 5)
  for (let turn = 0; turn < 2_000 && read.length < 40; turn++) {
    const polled = consumer.poll(20)
    await world.clock.advance(20)
    for (const { value } of await polled) read.push(String(value))
    // The answer comes only after some of what was buffered has been read.
    if (turn % 10 === 9) held.shift()?.()
  }
  expect(read).toEqual([...values(0), ...values(10), ...values(20), ...values(30)])
  expect(asked.slice(0, 2)).toEqual([5, 5])
  await consumer.close()
})
