/** @module demo/topics — reads the shop's topics with the client that users have too. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConsumedRecord, createAdmin, createConsumer } from '../client/index.ts'

/** Between two looks whether the topics are there. */
const ASK_MS = 50

/** Waits until all the topics are there: the source makes each with its first record. `check` may throw to end the waiting. */
export async function untilTopics(
  bootstrapServers: string,
  topics: readonly string[],
  signal: AbortSignal,
  check: () => Promise<void>,
): Promise<void> {
  const admin = createAdmin({ bootstrapServers })
  try {
    for (;;) {
      const names = new Set((await admin.listTopics({}, signal)).map(({ name }) => name))
      if (topics.every((topic) => names.has(topic))) return
      await check()
      await sleep(ASK_MS, undefined, { signal })
    }
  } finally {
    await admin.close()
  }
}

/** Reads all partitions of the topics from their beginning until the signal; each record is handed over as it comes, in order. */
export async function readTopics(
  bootstrapServers: string,
  topics: readonly string[],
  signal: AbortSignal,
  take: (record: ConsumedRecord) => void,
): Promise<void> {
  const admin = createAdmin({ bootstrapServers })
  const described = await admin.describeTopics(topics, signal)
  await admin.close()
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'earliest', autoCommit: false })
  try {
    consumer.assign(described.flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition }))))
    while (!signal.aborted) for (const record of await consumer.poll(1_000, signal)) take(record)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await consumer.close()
  }
}
