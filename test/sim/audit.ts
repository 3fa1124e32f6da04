/** @module test/sim/audit — after the play: reads every partition whole, as both kinds of reader, and what the groups have committed. */
import { createConsumer, type TopicPartition } from '../../hub/client/index.ts'
import type { Isolation, SeenRecord } from './history.ts'
import { lookAtOffsets } from './member.ts'
import { seenRecords } from './reader.ts'
import { type ClientProcess, clientOptions, nameOf, pause, type Stage } from './stage.ts'

/** Groups and the partitions that they may have committed. */
export type Groups = readonly (readonly [group: string, partitions: readonly TopicPartition[]])[]

/** Waits until no transaction is open, reads all, looks at all. Ends when it has; whoever calls bounds it. */
export async function audit(process: ClientProcess, stage: Stage, partitions: readonly TopicPartition[], groups: Groups, end: AbortSignal) {
  await untilDecided(process, stage, partitions, end)
  for (const isolation of ['read_uncommitted', 'read_committed'] as const) {
    for (const at of partitions) {
      const records = await readWhole(process, stage, at, isolation, end)
      stage.recorder.note(process.name, { f: 'read all', isolation, partition: nameOf(at), records })
    }
  }
  for (const [group, committed] of groups) {
    const consumer = createConsumer({ ...clientOptions(process, stage), groupId: group, isolation: 'read_committed', autoCommit: false })
    await insist(process, end, () => lookAtOffsets(consumer, group, committed, process.name, stage, true))
    await consumer.close()
  }
}

/** Every transaction has ended when the last stable offset stands at the end; who died in one is aborted after its timeout. */
async function untilDecided(process: ClientProcess, stage: Stage, partitions: readonly TopicPartition[], end: AbortSignal): Promise<void> {
  const [stable, raw] = (['read_committed', 'read_uncommitted'] as const).map((isolation) =>
    createConsumer({ ...clientOptions(process, stage), isolation }),
  )
  const offsetsOf = (consumer = stable) => insist(process, end, async () => (await consumer?.endOffsets(partitions)) ?? [])
  while (!end.aborted) {
    const last = await offsetsOf(raw)
    const decided = await offsetsOf(stable)
    if (decided.length === partitions.length && decided.every(({ offset }, index) => offset === last[index]?.offset)) break
    await pause(process, 500, end)
  }
  await Promise.all([stable?.close(), raw?.close()])
}

async function readWhole(
  process: ClientProcess,
  stage: Stage,
  at: TopicPartition,
  isolation: Isolation,
  end: AbortSignal,
): Promise<SeenRecord[]> {
  const consumer = createConsumer({ ...clientOptions(process, stage), isolation, offsetReset: 'none' })
  consumer.assign([at])
  consumer.seekToBeginning()
  const records: SeenRecord[] = []
  const [last] = await insist(process, end, () => consumer.endOffsets([at]))
  while ((await insist(process, end, () => consumer.position(at))) < (last?.offset ?? 0)) {
    records.push(...seenRecords(await insist(process, end, () => consumer.poll(1_000))))
  }
  await consumer.close()
  return records
}

/** Tries until it works. */
async function insist<T>(process: ClientProcess, end: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    end.throwIfAborted()
    try {
      return await attempt()
    } catch {
      await pause(process, 100, end)
    }
  }
}
