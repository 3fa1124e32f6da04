/** What every {@link StateTopic} must do; the twin in memory and the one over partition logs both run it. */
import { describe, expect, it } from 'vitest'
import type { StatePartition, StateTopic } from '../../hub/replica/index.ts'

/** A topic to test, and how to see what a restart would find. */
export interface ContractSubject {
  /** A topic that is absent until `ensure`. */
  readonly topic: StateTopic
  /** The same topic after a restart. */
  reopen(): Promise<StateTopic>
  close(): Promise<void>
}

/** Runs the contract against topics that `make` makes. */
export function stateTopicContract(name: string, make: () => Promise<ContractSubject>): void {
  describe(`state topic: ${name}`, () => {
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

    it('tells whose transaction a record belongs to, and which marker ends it', async () => {
      await use(make, async (subject) => {
        const { topic } = subject
        await topic.ensure()
        const partition = at(topic, 1)
        const transaction = { producerId: 7, producerEpoch: 3 }
        expect(await partition.append([record('a', '1'), record('b', null)], transaction)).toBe(0)
        expect(await partition.append([record('c', '2')])).toBe(0)
        const marker = { producerId: 7, producerEpoch: 4, coordinatorEpoch: 0, isCommit: true, transactionVersion: 2 } as const
        expect(await partition.appendMarker(marker)).toBe(0)
        expect(await partition.append([record('d', '3')], { ...transaction, producerEpoch: 4 })).toBe(0)
        expect(await partition.appendMarker({ ...marker, producerEpoch: 5, isCommit: false })).toBe(0)
        const own = (name: string, epoch: number) => [name, 7, epoch]
        const expected = [own('a', 3), own('b', 3), ['c', -1, -1], own('commit', 4), own('d', 4), own('abort', 5)]
        expect(await owners(partition)).toEqual(expected)
        expect(await owners(at(await subject.reopen(), 1))).toEqual(expected)
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

function at(topic: StateTopic, index: number): StatePartition {
  const partition = topic.partition(index)
  if (typeof partition === 'number') throw new Error(`partition ${index}: error ${partition}`)
  return partition
}

function record(key: string, value: string | null): { key: Buffer; value: Buffer | null } {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
}

async function load(partition: StatePartition): Promise<{ key: string | undefined; value: string | null; offset: number }[]> {
  const all: { key: string | undefined; value: string | null; offset: number }[] = []
  for await (const records of partition.load()) {
    for (const entry of records) {
      if (entry.kind === 'marker') continue
      const { key, value, offset } = entry
      all.push({ key: key?.toString(), value: value?.toString() ?? null, offset })
    }
  }
  return all
}

/** What each entry is, and its producer's id and epoch. */
async function owners(partition: StatePartition): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const entries of partition.load()) {
    for (const entry of entries) {
      const name = entry.kind === 'record' ? entry.key?.toString() : entry.isCommit ? 'commit' : 'abort'
      all.push([name, entry.producerId, entry.producerEpoch])
    }
  }
  return all
}
