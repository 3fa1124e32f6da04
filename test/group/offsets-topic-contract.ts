/** What every {@link OffsetsTopic} must do; the twin in memory and the one over partition logs both run it. */
import { describe, expect, it } from 'vitest'
import type { OffsetsPartition, OffsetsTopic } from '../../hub/group/index.ts'

/** A topic to test, and how to see what a restart would find. */
export interface ContractSubject {
  /** A topic that is absent until `ensure`. */
  readonly topic: OffsetsTopic
  /** The same topic after a restart. */
  reopen(): Promise<OffsetsTopic>
  close(): Promise<void>
}

/** Runs the contract against topics that `make` makes. */
export function offsetsTopicContract(name: string, make: () => Promise<ContractSubject>): void {
  describe(`offsets topic: ${name}`, () => {
    it('is absent until it is made', async () => {
      await use(make, async ({ topic }) => {
        expect(topic.partitionCount).toBeGreaterThan(1)
        expect(typeof topic.partition(0)).toBe('number')
        expect(await topic.ensure()).toBe(0)
        expect(await topic.ensure()).toBe(0)
        expect(typeof topic.partition(0)).toBe('object')
        expect(typeof topic.partition(topic.partitionCount)).toBe('number')
      })
    })

    it('loads what was appended, in the order of the calls', async () => {
      await use(make, async ({ topic }) => {
        await topic.ensure()
        const partition = at(topic, 1)
        const appends = Array.from({ length: 250 }, (_, index) => partition.append([record(`k${index}`, `v${index}`)]))
        expect(await Promise.all(appends)).toEqual(appends.map(() => 0))
        const loaded = await load(partition)
        expect(loaded.map(({ key, value }) => [key, value])).toEqual(appends.map((_, index) => [`k${index}`, `v${index}`]))
        expect(loaded.map(({ offset }) => offset)).toEqual([...loaded.map(({ offset }) => offset)].sort((a, b) => a - b))
        expect(await load(at(topic, 0))).toEqual([])
      })
    })

    it('keeps a batch together, tombstones and empty values apart', async () => {
      await use(make, async ({ topic }) => {
        await topic.ensure()
        const partition = at(topic, 0)
        expect(await partition.append([record('a', '1'), record('a', null), record('b', '')])).toBe(0)
        expect((await load(partition)).map(({ key, value }) => [key, value])).toEqual([
          ['a', '1'],
          ['a', null],
          ['b', ''],
        ])
      })
    })

    it('finds everything again after a restart', async () => {
      await use(make, async (subject) => {
        const { topic } = subject
        await topic.ensure()
        await at(topic, 1).append([record('a', '1')])
        await at(topic, 1).append([record('b', null)])
        const again = await subject.reopen()
        expect((await load(at(again, 1))).map(({ key, value }) => [key, value])).toEqual([
          ['a', '1'],
          ['b', null],
        ])
        expect(await at(again, 1).append([record('c', '3')])).toBe(0)
      })
    })
  })
}

async function use(make: () => Promise<ContractSubject>, test: (subject: ContractSubject) => Promise<void>): Promise<void> {
  const subject = await make()
  try {
    await test(subject)
  } finally {
    await subject.close()
  }
}

function at(topic: OffsetsTopic, index: number): OffsetsPartition {
  const partition = topic.partition(index)
  if (typeof partition === 'number') throw new Error(`partition ${index}: error ${partition}`)
  return partition
}

function record(key: string, value: string | null): { key: Buffer; value: Buffer | null } {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
}

async function load(partition: OffsetsPartition): Promise<{ key: string | undefined; value: string | null; offset: number }[]> {
  const all: { key: string | undefined; value: string | null; offset: number }[] = []
  for await (const records of partition.load()) {
    for (const { key, value, offset } of records) all.push({ key: key?.toString(), value: value?.toString() ?? null, offset })
  }
  return all
}
