import { afterEach, describe, expect, it } from 'vitest'
import { type MemoryClock, type MemoryDisk, memoryClock, memoryDisk, memoryNet } from '../../hub/io/index.ts'
import { startHub } from '../../hub/testing.ts'
import { CreateTopics, DeleteTopics, encodeBatch, ErrorCode, Fetch, Produce, type ResponseOf, ZERO_UUID } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const MIB = 1024 * 1024
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface World {
  /** Sends whatever is not a fetch that waits. */
  readonly client: RawClient
  readonly reader: RawClient
  readonly disk: MemoryDisk
  readonly clock: MemoryClock
}

/** A hub on `disk`; time stands still. */
async function start(disk: MemoryDisk = memoryDisk(), overrides: Record<string, string> = {}): Promise<World & { close(): Promise<void> }> {
  const clock = memoryClock()
  const net = memoryNet()
  const hub = await startHub({ directory: '/data', world: { net, disk, clock }, overrides })
  const client = await RawClient.connect(net, hub.bootstrap)
  const reader = await RawClient.connect(net, hub.bootstrap)
  const close = async (): Promise<void> => {
    disk.intercept = undefined
    await Promise.all([client, reader].map((one) => one[Symbol.asyncDispose]()))
    await hub.close()
  }
  cleanups.push(close)
  return { client, reader, disk, clock, close }
}

async function makeTopic(client: RawClient, name: string, numPartitions = 1): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
  await client.call(CreateTopics, 7, { topics, timeoutMs: 1000 })
}

/** One batch of this many bytes and some. */
async function send(client: RawClient, name: string, valueBytes: number, index = 0): Promise<number> {
  const records = encodeBatch({ records: [{ key: null, value: Buffer.alloc(valueBytes), timestampMs: 1_700_000_000_000 }] })
  const topicData = [{ name, partitionData: [{ index, records }] }]
  const answer = await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE)
  return records.length
}

interface Wanted {
  readonly minBytes: number
  readonly maxBytes?: number
  readonly maxWaitMs?: number
  readonly partitionMaxBytes?: number
  readonly offset?: number
  readonly partitions?: readonly number[]
}

interface Fetched {
  answer: ResponseOf<typeof Fetch> | undefined
  done: Promise<void>
}

/** Fetches; `answer` is undefined while there is none. */
function fetchFrom(client: RawClient, topic: string, wanted: Wanted): Fetched {
  const { minBytes, maxBytes = 64 * MIB, maxWaitMs = 10_000, partitionMaxBytes = 64 * MIB, offset = 0, partitions = [0] } = wanted
  const asked = partitions.map((partition) => ({ partition, fetchOffset: offset, partitionMaxBytes }))
  const topics = [{ topic, topicId: ZERO_UUID, partitions: asked }]
  const fetched: Fetched = { answer: undefined, done: Promise.resolve() }
  fetched.done = client.call(Fetch, 12, { maxWaitMs, minBytes, maxBytes, topics, forgottenTopicsData: [] }).then((answer) => {
    fetched.answer = answer
  })
  return fetched
}

function bytesOf({ answer }: Fetched): number {
  return (answer?.responses[0]?.partitions ?? []).reduce((sum, { records }) => sum + (records?.length ?? 0), 0)
}

describe('a fetch that wants more bytes than', () => {
  it('its answer may hold is answered with what that is, at once', async () => {
    const { client, reader } = await start()
    await makeTopic(client, 't')
    let sizeBytes = 0
    for (let count = 0; count < 4; count++) sizeBytes = await send(client, 't', 400_000)
    const fetched = fetchFrom(reader, 't', { minBytes: 2_000_000, maxBytes: 1_000_000 })
    await fetched.done
    expect(bytesOf(fetched)).toBe(2 * sizeBytes)
  })

  it('its answer may hold is answered with one batch that alone is larger (KIP-74)', async () => {
    const { client, reader } = await start()
    await makeTopic(client, 't')
    const sizeBytes = await send(client, 't', 5000)
    const fetched = fetchFrom(reader, 't', { minBytes: 20_000, maxBytes: 1000 })
    await fetched.done
    expect(bytesOf(fetched)).toBe(sizeBytes)
  })

  it('the broker gives in one answer is answered with that', async () => {
    const { client, reader } = await start(memoryDisk(), { 'fetch.max.bytes': '1024' })
    await makeTopic(client, 't')
    for (let count = 0; count < 4; count++) await send(client, 't', 400)
    const fetched = fetchFrom(reader, 't', { minBytes: MIB })
    await fetched.done
    expect(bytesOf(fetched)).toBeGreaterThan(0)
  })

  it('a partition may bring is answered with that, as waiting brings no more', async () => {
    const { client, reader } = await start()
    await makeTopic(client, 't', 2)
    const sizeBytes = await send(client, 't', 1000)
    await send(client, 't', 1000)
    const fetched = fetchFrom(reader, 't', { minBytes: MIB, partitionMaxBytes: 1500, partitions: [0, 1] })
    await fetched.done
    expect(bytesOf(fetched)).toBe(sizeBytes)
  })

  it('is read from a file at once gets them all the same', async () => {
    const first = await start()
    await makeTopic(first.client, 't')
    let totalBytes = 0
    for (let count = 0; count < 12; count++) totalBytes += await send(first.client, 't', 900_000)
    cleanups.length = 0
    await first.close()
    const { reader } = await start(first.disk)
    const fetched = fetchFrom(reader, 't', { minBytes: 10 * MIB })
    await fetched.done
    expect(bytesOf(fetched)).toBe(totalBytes)
  })
})

describe('a fetch that waits', () => {
  it('reads nothing again until what is missing has come', async () => {
    const first = await start()
    await makeTopic(first.client, 't')
    const oldBytes = await send(first.client, 't', 5000)
    cleanups.length = 0
    await first.close()
    const { client, reader, disk, clock } = await start(first.disk)
    let reads = 0
    disk.intercept = ({ kind, path }) => void (kind === 'read' && path.includes('/t-0/') && path.endsWith('.log') && reads++)
    const fetched = fetchFrom(reader, 't', { minBytes: 20_000 })
    await clock.advance(1)
    expect(reads).toBeGreaterThan(0)
    const readsBefore = reads
    let newBytes = 0
    for (let count = 0; count < 10; count++) newBytes += await send(client, 't', 1000)
    await clock.advance(1)
    expect(fetched.answer).toBeUndefined()
    expect(reads).toBe(readsBefore)
    while (oldBytes + newBytes < 20_000) newBytes += await send(client, 't', 1000)
    await fetched.done
    expect(bytesOf(fetched)).toBe(oldBytes + newBytes)
  })

  it('counts what comes to all of its partitions', async () => {
    const { client, reader, clock } = await start()
    await makeTopic(client, 't', 3)
    const fetched = fetchFrom(reader, 't', { minBytes: 2500, partitions: [0, 1, 2] })
    await clock.advance(1)
    await send(client, 't', 1000, 0)
    await send(client, 't', 1000, 2)
    await clock.advance(1)
    expect(fetched.answer).toBeUndefined()
    await send(client, 't', 1000, 1)
    await fetched.done
    expect(bytesOf(fetched)).toBeGreaterThan(3000)
  })

  it('answers at its deadline with what has come by then, too little as it is', async () => {
    const { client, reader, clock } = await start()
    await makeTopic(client, 't')
    const fetched = fetchFrom(reader, 't', { minBytes: MIB, maxWaitMs: 500 })
    await clock.advance(1)
    const sizeBytes = await send(client, 't', 1000)
    await clock.advance(400)
    expect(fetched.answer).toBeUndefined()
    await clock.advance(200)
    await fetched.done
    expect(bytesOf(fetched)).toBe(sizeBytes)
  })

  it('is answered when a partition is deleted while a later one is being read from its file', async () => {
    const first = await start()
    await makeTopic(first.client, 't')
    await makeTopic(first.client, 'gone')
    await send(first.client, 't', 1000)
    cleanups.length = 0
    await first.close()
    const { client, reader, disk } = await start(first.disk)
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const { promise: reading, resolve: began } = Promise.withResolvers<void>()
    disk.intercept = ({ kind, path }) => {
      if (kind !== 'read' || !path.includes('/t-0/')) return undefined
      began()
      return release
    }
    const topics = ['gone', 't'].map((topic) => ({
      topic,
      topicId: ZERO_UUID,
      partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MIB }],
    }))
    // The clock stands still: only a wake-up ends the wait.
    const answered = reader.call(Fetch, 12, { maxWaitMs: 10_000, minBytes: MIB, maxBytes: MIB, topics, forgottenTopicsData: [] })
    await reading
    await client.call(DeleteTopics, 6, { topics: [{ name: 'gone', topicId: ZERO_UUID }], timeoutMs: 1000 })
    resolve()
    const { responses } = await answered
    expect(responses.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NONE])
  })
})
