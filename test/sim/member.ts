/** @module test/sim/member — a member of a group that reads at least once and commits what it has read; and somebody who looks at what is committed. */
import { createConsumer, type RebalanceListener, type TopicPartition } from '../../hub/client/index.ts'
import type { SeenRecord } from './history.ts'
import { consumerOptions, seenRecords } from './reader.ts'
import { type Actor, between, type ClientProcess, clientOptions, nameOf, partitionsOf, pause, pick, type Stage } from './stage.ts'

/** The group that reads at least once. */
export const READERS_GROUP = 'readers'
const READERS_TOPICS = ['plain', 'ledger'] as const

/** Options of a member of a group, soon missed, of either protocol: so groups are now of one, now of the other, and now of both (KIP-848). */
export function memberOptions(process: ClientProcess) {
  const either = { pollIntervalMsMax: 15_000, closeTimeoutMs: 5_000 } as const
  if (process.world.random.float() < 0.5) return { ...either, groupProtocol: 'consumer' } as const
  const assignors = pick(process, [['cooperative-sticky'], ['range', 'cooperative-sticky']])
  return { ...either, groupProtocol: 'classic', sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500, assignors } as const
}

/** Tells the history from where partitions are read that the group gave. */
export function tellAssigned(name: string, group: string, { recorder }: Stage): RebalanceListener {
  return {
    onPartitionsAssigned: (partitions) => {
      for (const at of partitions) recorder.note(name, { f: 'assign', partition: nameOf(at), group })
    },
  }
}

/** Where to go on after what was read: per partition, the offset behind its last record. */
export function nextOffsets(
  records: readonly SeenRecord[],
  partitions: readonly TopicPartition[],
): (TopicPartition & { offset: number })[] {
  return partitions.flatMap((at) => {
    const last = records.findLast(({ partition }) => partition === nameOf(at))
    return last === undefined ? [] : [{ ...at, offset: last.offset + 1 }]
  })
}

/** Reads with its group, commits after most polls, and leaves now and then. */
export const member: Actor = async (process, stage, stop) => {
  for (let life = 0; !stop.aborted; life++) await liveAsMember(`${process.name}.${life}`, process, stage, stop)
}

async function liveAsMember(name: string, process: ClientProcess, stage: Stage, stop: AbortSignal): Promise<void> {
  const { clock, random } = process.world
  const { recorder } = stage
  const isolation = 'read_committed'
  const consumer = createConsumer({
    ...consumerOptions(process, stage, isolation),
    ...memberOptions(process),
    groupId: READERS_GROUP,
    listener: tellAssigned(name, READERS_GROUP, stage),
  })
  consumer.subscribe(READERS_TOPICS)
  const untilMs = clock.monotonicMs() + between(process, 3_000, 30_000)
  while (clock.monotonicMs() < untilMs && !stop.aborted) {
    const polled = await consumer.poll(between(process, 50, 500), stop).catch(() => undefined)
    if (polled === undefined) await pause(process, 50, stop)
    if (polled === undefined || polled.count === 0) continue
    const records = seenRecords(polled)
    recorder.note(name, { f: 'poll', isolation, records })
    if (random.float() < 0.2) continue
    const offsets = nextOffsets(records, partitionsOf(...READERS_TOPICS))
    const begun = offsets.map((at) =>
      recorder.invoke(name, { f: 'commit offset', group: READERS_GROUP, partition: nameOf(at), offset: at.offset }),
    )
    await consumer.commit(offsets).then(
      () => {
        for (const each of begun) recorder.ok(each)
      },
      (error: unknown) => {
        for (const each of begun) recorder.failed(each, error)
      },
    )
  }
  await consumer.close().catch(() => {})
}

/** Looks at what a group has committed. */
export function observer(group: string, partitions: readonly TopicPartition[]): Actor {
  return async (process, stage, stop) => {
    const consumer = createConsumer({ ...clientOptions(process, stage), groupId: group, isolation: 'read_committed', autoCommit: false })
    while (!stop.aborted) {
      await pause(process, between(process, 100, 2_000), stop)
      await lookAtOffsets(consumer, group, partitions, process.name, stage).catch(() => {})
    }
    await consumer.close()
  }
}

/** One look, for the history. Rejects when it fails: then nobody has seen anything. */
export async function lookAtOffsets(
  consumer: Pick<ReturnType<typeof createConsumer>, 'committed'>,
  group: string,
  partitions: readonly TopicPartition[],
  name: string,
  { recorder }: Stage,
  isLast = false,
): Promise<void> {
  const begun = partitions.map((at) => recorder.invoke(name, { f: 'see offset', group, partition: nameOf(at), isLast }))
  const committed = await consumer.committed(partitions)
  partitions.forEach((at, index) => {
    const found = committed.find(({ topic, partition }) => topic === at.topic && partition === at.partition)
    const operation = begun[index]
    if (operation !== undefined) recorder.ok(operation, found?.offset ?? -1)
  })
}
