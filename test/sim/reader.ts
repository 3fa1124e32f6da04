/** @module test/sim/reader — a consumer of assigned partitions, from the beginning, over and over. */
import { type Consumer, type ConsumerRecords, createConsumer } from '../../hub/client/index.ts'
import type { Isolation, SeenRecord } from './history.ts'
import {
  type Actor,
  allPartitions,
  between,
  type ClientProcess,
  clientOptions,
  nameOf,
  pause,
  pick,
  type Stage,
  valueName,
} from './stage.ts'

/** Options of the consumers of the workload, each a little different. */
export function consumerOptions(process: ClientProcess, stage: Stage, isolation: Isolation) {
  return {
    ...clientOptions(process, stage),
    isolation,
    offsetReset: 'earliest' as const,
    autoCommit: false,
    fetchWaitMsMax: pick(process, [50, 500]),
    fetchBytesMin: pick(process, [1, 1, 5_000]),
    partitionFetchBytesMax: pick(process, [500, 10_000, 1_048_576]),
    pollRecordsMax: pick(process, [10, 100, 500]),
  }
}

/** Reads everything from the beginning, in lives of some seconds. */
export const reader: Actor = async (process, stage, stop) => {
  for (let life = 0; !stop.aborted; life++) {
    const isolation = pick(process, ['read_committed', 'read_uncommitted'] as const)
    const consumer = createConsumer(consumerOptions(process, stage, isolation))
    await read(consumer, isolation, `${process.name}.${life}`, process, stage, stop)
    await consumer.close()
  }
}

async function read(
  consumer: Consumer,
  isolation: Isolation,
  name: string,
  process: ClientProcess,
  { recorder }: Stage,
  stop: AbortSignal,
) {
  const { clock, random } = process.world
  const partitions = allPartitions()
  const begin = (): void => {
    consumer.seekToBeginning()
    for (const at of partitions) recorder.note(name, { f: 'assign', partition: nameOf(at), position: 0 })
  }
  consumer.assign(partitions)
  begin()
  const untilMs = clock.monotonicMs() + between(process, 2_000, 20_000)
  while (clock.monotonicMs() < untilMs && !stop.aborted) {
    if (random.float() < 0.01) begin()
    const polled = await consumer.poll(between(process, 0, 500), stop).catch(() => undefined)
    if (polled === undefined) await pause(process, 50, stop)
    else if (polled.count > 0) recorder.note(name, { f: 'poll', isolation, records: seenRecords(polled) })
  }
}

/** What a poll returned, in its order. */
export function seenRecords(polled: ConsumerRecords): SeenRecord[] {
  return [...polled].map(({ topic, partition, offset, value }) => ({
    partition: nameOf({ topic, partition }),
    offset,
    value: valueName(value),
  }))
}
