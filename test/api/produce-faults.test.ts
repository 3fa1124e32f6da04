import { afterEach, describe, expect, it } from 'vitest'
import { type MemoryClock, type MemoryDisk, memoryClock, memoryDisk, memoryNet } from '../../hub/io/index.ts'
import { produce } from '../../hub/api/00-produce.ts'
import type { Broker, RequestContext } from '../../hub/api/handler.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { startHub } from '../../hub/testing.ts'
import { CreateTopics, crc32c, encodeBatch, ErrorCode, Produce, type RequestOf } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const TOPIC_ID = 'I0VniavN7_F0XPkknO64Zg'
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface World {
  readonly client: RawClient
  readonly disk: MemoryDisk
  readonly clock: MemoryClock
}

async function start(): Promise<World> {
  const clock = memoryClock()
  const net = memoryNet()
  const disk = memoryDisk({ nowMs: () => clock.nowMs() })
  const hub = await startHub({ directory: '/data', world: { net, disk, clock } })
  const client = await RawClient.connect(net, hub.bootstrap)
  cleanups.push(async () => {
    disk.intercept = undefined
    await client[Symbol.asyncDispose]()
    await hub.close()
  })
  const topics = [{ name: 't', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]
  await client.call(CreateTopics, 7, { topics, timeoutMs: 1000 })
  return { client, disk, clock }
}

const batch = (): Buffer => encodeBatch({ records: [{ key: null, value: Buffer.from('v'), timestampMs: 1_700_000_000_000 }] })

/** A batch whose attributes name a codec that does not exist; its checksum is right. */
function ofCodec(codec: number): Buffer {
  const records = batch()
  records.writeUInt8(codec, 22)
  records.writeUInt32BE(crc32c(records, 21), 17)
  return records
}

function request(acks: number, timeoutMs: number, ...partitions: readonly Buffer[]) {
  const partitionData = partitions.map((records, index) => ({ index, records }))
  return { transactionalId: null, acks, timeoutMs, topicData: [{ name: 't', partitionData }] }
}

/** Sends, and gives the codes per partition; `undefined` while there is no answer. */
function send(
  client: RawClient,
  version: number,
  ...wanted: Parameters<typeof request>
): { codes: number[] | undefined; done: Promise<void> } {
  const sent: { codes: number[] | undefined; done: Promise<void> } = { codes: undefined, done: Promise.resolve() }
  sent.done = client.call(Produce, version, request(...wanted)).then(({ responses }) => {
    sent.codes = responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)
  })
  return sent
}

describe('a produce request of which one partition is bad', () => {
  it.each([5, 6, 7])('is answered for the others, in a version that is too old for zstd, when the codec has number %i', async (codec) => {
    const { client } = await start()
    const sent = send(client, 6, -1, 5000, batch(), ofCodec(codec), batch())
    await sent.done
    expect(sent.codes).toEqual([ErrorCode.NONE, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, ErrorCode.NONE])
  })

  it('leaves no promise alone when a partition was appended whose write fails', async () => {
    const { client, disk } = await start()
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    cleanups.push(async () => void process.removeListener('unhandledRejection', note))
    disk.failNextWrite('ENOSPC')
    const sent = send(client, 6, -1, 5000, batch(), ofCodec(7))
    await sent.done
    expect(sent.codes).toEqual([ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE])
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  })

  it('is answered for the rest when the append to one throws', async () => {
    const clock = memoryClock()
    const durable = Promise.reject(new Error('the device is full'))
    const accepted = { kind: 'accepted', baseOffset: 0, lastOffset: 0, logAppendTimeMs: -1, logStartOffset: 0 }
    const appends = [
      () => ({ ...accepted, durable }),
      () => {
        throw new TypeError('a defect')
      },
      () => ({ ...accepted, baseOffset: 7, durable: Promise.resolve() }),
    ]
    const partitions = appends.map((append, partition) => ({ topic: 't', partition, append, logStartOffset: 0 }))
    const logger = memoryLogger()
    const broker = { clock, logger, partitions: { byId: () => ({ name: 't', topicId: TOPIC_ID, partitions }) } } as unknown as Broker
    const handle = produce.create(broker)
    const context = { apiVersion: 9, clientId: '' } as RequestContext
    const partitionData = appends.map((_, index) => ({ index, records: batch() }))
    const wanted: RequestOf<typeof Produce> = {
      transactionalId: null,
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: 't', topicId: TOPIC_ID, partitionData }],
    }
    const answer = await handle(wanted, context)
    expect(answer).toMatchObject({
      responses: [
        {
          partitionResponses: [
            { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, baseOffset: -1 },
            { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR },
            { errorCode: ErrorCode.NONE, baseOffset: 7 },
          ],
        },
      ],
    })
    expect(logger.entries.map(({ level }) => level)).toEqual(['error'])
  })
})

describe('the timeout of a produce request', () => {
  /** Holds the writes or syncs of the log files of `t` back. */
  function hold(disk: MemoryDisk, kind: 'write' | 'sync'): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    disk.intercept = (operation) => (operation.kind === kind && operation.path.includes('/t-') ? promise : undefined)
    return resolve
  }

  it('is not for what the leader alone does: acks=1 waits for the write', async () => {
    const { client, disk, clock } = await start()
    const release = hold(disk, 'write')
    const sent = send(client, 9, 1, 0, batch())
    await clock.advance(60_000)
    expect(sent.codes).toBeUndefined()
    release()
    await sent.done
    expect(sent.codes).toEqual([ErrorCode.NONE])
  })

  it('is REQUEST_TIMED_OUT for acks=all, not before the disk had its time', async () => {
    const { client, disk, clock } = await start()
    const release = hold(disk, 'sync')
    const sent = send(client, 9, -1, 0, batch())
    await clock.advance(900)
    expect(sent.codes).toBeUndefined()
    await clock.advance(200)
    await sent.done
    expect(sent.codes).toEqual([ErrorCode.REQUEST_TIMED_OUT])
    release()
    const patient = send(client, 9, -1, 5000, batch())
    await patient.done
    expect(patient.codes).toEqual([ErrorCode.NONE])
  })
})
