import { describe, expect, it } from 'vitest'
import { fetch } from '../../hub/api/01-fetch.ts'
import { AnswerBudget } from '../../hub/api/answer-budget.ts'
import { FetchSessions } from '../../hub/api/fetch-sessions.ts'
import type { Broker, RequestContext } from '../../hub/api/handler.ts'
import { memoryClock, memoryDisk } from '../../hub/io/index.ts'
import { openLogDirectory } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { Partition, RisingMark } from '../../hub/replica/index.ts'
import { encodeBatch, type Fetch, type RequestOf, type ResponseInput, ZERO_UUID } from '../../hub/wire/index.ts'
import { logConfig } from '../replica/log-config.ts'

const BATCH_BYTES = 100_000

/** The fetch handler over one log of ten batches that lie in a file, with a small budget. */
async function handlerOver(budget: AnswerBudget) {
  const clock = memoryClock()
  const options = { clock, disk: memoryDisk(), logger: memoryLogger(), randomFloat: () => 0.5 }
  const identity = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  const first = await openLogDirectory('/data', { ...options, formatIfEmpty: identity })
  const written = new Partition(await first.openLog('t', 0, ZERO_UUID, logConfig), { leaderEpoch: 0, durability: 'fsync' })
  const value = Buffer.alloc(BATCH_BYTES - 75)
  for (let at = 0; at < 10; at++) {
    const outcome = written.append(encodeBatch({ records: [{ key: null, value, timestampMs: 1 }] }), -1)
    if (outcome.kind === 'accepted') await outcome.durable
  }
  await first.close()
  // Opened anew, its memory tail is empty: every read is one of the file.
  const directory = await openLogDirectory('/data', options)
  const partition = new Partition(await directory.openLog('t', 0, ZERO_UUID, logConfig), { leaderEpoch: 0, durability: 'fsync' })
  const broker = {
    answers: budget,
    fetchSessions: new FetchSessions({ slots: 0, nowMs: () => 0, randomFloat: () => 0 }),
    clock,
    stopping: new RisingMark(0),
    config: () => ({ brokerConfig: { 'fetch.max.bytes': 50_000_000 } }),
    partitions: { byName: () => ({ name: 't', topicId: ZERO_UUID, partitions: [partition] }) },
  } as unknown as Broker
  const handle = fetch.create(broker)
  const ask = async () => {
    let afterSent: ((isSent: boolean) => void) | undefined
    const context = {
      apiVersion: 12,
      clientId: '',
      connection: { gone: new RisingMark(0) },
      afterSent: (callback: (isSent: boolean) => void) => {
        afterSent = callback
      },
    } as unknown as RequestContext
    const wanted = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1, partitionMaxBytes: 50_000_000 }
    const request = {
      replicaId: -1,
      replicaState: { replicaId: -1 },
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 50_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
    }
    const topics = [{ topic: 't', topicId: ZERO_UUID, partitions: [wanted] }]
    const answer = (await handle({ ...request, topics } as unknown as RequestOf<typeof Fetch>, context)) as ResponseInput<typeof Fetch>
    const records = answer.responses[0]?.partitions[0]?.records as readonly Buffer[]
    return { records, bytes: records.reduce((sum, { length }) => sum + length, 0), afterSent: (isSent: boolean) => afterSent?.(isSent) }
  }
  return { ask, [Symbol.asyncDispose]: () => directory.close() }
}

describe('records that readers have not read', () => {
  it('shrink what a fetch gets, down to its first batch, however many begin at once', async () => {
    const budget = new AnswerBudget(3.5 * BATCH_BYTES)
    await using handler = await handlerOver(budget)
    const answers = await Promise.all(Array.from({ length: 20 }, () => handler.ask()))
    for (const { bytes } of answers) expect(bytes).toBeGreaterThan(0)
    expect(budget.heldBytes).toBe(answers.reduce((sum, { bytes }) => sum + bytes, 0))
    // The first took the room; the others have a batch each.
    expect(budget.heldBytes).toBeLessThanOrEqual(3.5 * BATCH_BYTES + 20 * BATCH_BYTES)
    for (const { afterSent } of answers) afterSent(true)
    expect(budget.heldBytes).toBe(0)
    const next = await handler.ask()
    expect(next.bytes).toBeGreaterThan(2 * BATCH_BYTES)
  })

  it('are freed at once when they are sent, and left alone when the connection ended with them', async () => {
    const budget = new AnswerBudget(1 << 30)
    await using handler = await handlerOver(budget)
    const [sent, lost] = [await handler.ask(), await handler.ask()]
    sent.afterSent(true)
    lost.afterSent(false)
    expect(budget.heldBytes).toBe(0)
    expect(sent.records[0]?.length).toBe(0)
    expect(lost.records[0]?.length).toBeGreaterThan(0)
  })
})
