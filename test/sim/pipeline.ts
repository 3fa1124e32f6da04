/** @module test/sim/pipeline — a member of a group that reads, writes what it made of it, and commits where it stands, all in one transaction (KIP-447). */
import { type Consumer, createConsumer, type TransactionalProducer } from '../../hub/client/index.ts'
import type { SeenRecord } from './history.ts'
import { memberOptions, nextOffsets, tellAssigned } from './member.ts'
import { consumerOptions, seenRecords } from './reader.ts'
import { type Actor, between, type ClientProcess, nameOf, partitionsOf, pause, pick, type Stage, valueBytes } from './stage.ts'
import { abort, begin, commit, roleOf, transactionalProducer } from './transactor.ts'

/** The group that reads exactly once. */
export const COPIERS_GROUP = 'copiers'
/** What it reads, and where it writes. */
const SOURCE = 'plain'
const TARGET = 'copies'

/** Copies the source to the target, one output for each record, in lives of some seconds. */
export const pipeline: Actor = async (process, stage, stop) => {
  for (let life = 0; !stop.aborted; life++) {
    const name = `${process.name}.${life}`
    const producer = transactionalProducer(process, stage, roleOf(process))
    const consumer = createConsumer({
      ...consumerOptions(process, stage, 'read_committed'),
      ...memberOptions(process),
      groupId: COPIERS_GROUP,
      listener: tellAssigned(name, COPIERS_GROUP, stage),
    })
    await copy(consumer, producer, name, process, stage, stop).catch(() => {})
    await Promise.all([consumer.close().catch(() => {}), producer.close(AbortSignal.abort()).catch(() => {})])
    await pause(process, between(process, 0, 500), stop)
  }
}

/** Until a transaction does not succeed: then the consumer stands behind what was not committed, and another takes its place. */
async function copy(
  consumer: Consumer,
  producer: TransactionalProducer,
  name: string,
  process: ClientProcess,
  stage: Stage,
  stop: AbortSignal,
) {
  const { clock } = process.world
  await begin(producer, stop)
  consumer.subscribe([SOURCE])
  const untilMs = clock.monotonicMs() + between(process, 3_000, 30_000)
  for (let number = 0; clock.monotonicMs() < untilMs && !stop.aborted; number++) {
    const polled = await consumer.poll(between(process, 50, 500), stop).catch(() => undefined)
    if (polled === undefined) await pause(process, 50, stop)
    if (polled === undefined || polled.count === 0) continue
    const records = seenRecords(polled)
    stage.recorder.note(name, { f: 'poll', isolation: 'read_committed', records })
    if (!(await copyInTransaction(records, consumer, producer, name, `${name}/${number}`, process, stage))) return
  }
}

async function copyInTransaction(
  records: readonly SeenRecord[],
  consumer: Consumer,
  producer: TransactionalProducer,
  name: string,
  transaction: string,
  process: ClientProcess,
  stage: Stage,
): Promise<boolean> {
  const { recorder } = stage
  producer.beginTransaction()
  for (const [index, { partition, offset }] of records.entries()) {
    const at = pick(process, partitionsOf(TARGET))
    const value = `${transaction}:${index}`
    const source = { group: COPIERS_GROUP, partition, offset }
    const begun = recorder.invoke(name, { f: 'send', partition: nameOf(at), value, transaction, source })
    producer.send({ ...at, value: valueBytes(process, value) }).then(
      ({ offset: acked }) => recorder.ok(begun, acked),
      (error: unknown) => recorder.failed(begun, error),
    )
  }
  const offsets = nextOffsets(records, partitionsOf(SOURCE))
  const begun = offsets.map((at) =>
    recorder.invoke(name, { f: 'commit offset', group: COPIERS_GROUP, partition: nameOf(at), offset: at.offset, transaction }),
  )
  const isSent = await producer.sendOffsets(offsets, consumer.groupMetadata()).then(
    () => {
      for (const each of begun) recorder.ok(each)
      return true
    },
    (error: unknown) => {
      for (const each of begun) recorder.failed(each, error)
      return false
    },
  )
  if (isSent && process.world.random.float() > 0.1 && (await commit(producer, name, transaction, stage))) return true
  await abort(producer, name, transaction, stage)
  return false
}
