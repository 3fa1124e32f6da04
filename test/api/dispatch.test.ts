import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { DescribeClientQuotas, encodeRequest, Metadata, Produce, ShareFetch } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const net = memoryNet()
let hub: TestHub
beforeAll(async () => {
  hub = await startHub({ world: { net } })
})
afterAll(() => hub.close())

/** An empty Produce request that says it is of `version`, in the form of one that is served. */
const produceFrame = (version: number, form: number): Buffer => {
  const frame = Buffer.concat(encodeRequest(Produce, form, 1, 'test', { transactionalId: null, acks: 1, timeoutMs: 1, topicData: [] }))
  frame.writeInt16BE(version, 6)
  return frame
}

describe('what Kafka answers by closing the connection', () => {
  const unknownKey = Buffer.concat(encodeRequest(Metadata, 0, 1, 'test', { topics: [] }))
  unknownKey.writeInt16BE(12_345, 4)
  const cases: [string, Buffer, RegExp][] = [
    ['an API key that nobody knows', unknownKey, /API key 12345/],
    [
      'an API that is not served',
      Buffer.concat(encodeRequest(DescribeClientQuotas, 0, 1, 'test', { components: [], strict: false })),
      /API key 48/,
    ],
    [
      'an API of a later landing',
      Buffer.concat(
        encodeRequest(ShareFetch, 1, 1, 'test', {
          groupId: null,
          memberId: null,
          shareSessionEpoch: 0,
          maxWaitMs: 0,
          minBytes: 0,
          maxBytes: 0,
          maxRecords: 0,
          batchSize: 0,
          topics: [],
          forgottenTopicsData: [],
        }),
      ),
      /API key 78/,
    ],
    ['a version that is advertised and not served', produceFrame(2, 3), /version 2 of Produce/],
    ['a version from the future', produceFrame(99, 13), /version 99 of Produce/],
    ['an empty frame', Buffer.alloc(4), /header that cannot be read/],
    ['a header without its client id', Buffer.from([0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0, 1]), /header that cannot be read/],
    [
      'a body that says it has more elements than bytes',
      Buffer.concat([Buffer.from([0, 0, 0, 14, 0, 3, 0, 0, 0, 0, 0, 1, 0xff, 0xff]), Buffer.from([0x7f, 0xff, 0xff, 0xff])]),
      /Metadata request that cannot be read/,
    ],
  ]
  it.each(cases)('%s', async (_what, frame, reason) => {
    const before = hub.log.messages('warn').length
    await using client = await RawClient.connect(net, hub.bootstrap)
    await using other = await RawClient.connect(net, hub.bootstrap)
    client.write(frame)
    await client.closed()
    expect(hub.log.messages('warn').slice(before)).toEqual([expect.stringMatching(reason)])
    expect((await other.call(Metadata, 12, { topics: [] })).brokers).toHaveLength(1)
  })
})
