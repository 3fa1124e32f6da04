/** Whatever the log does, memory equals what a restart would read, and what was acknowledged is there. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DeleteGroups, ErrorCode, OffsetDelete, TxnOffsetCommit, ZERO_UUID } from '../../hub/wire/index.ts'
import { caller, commit, commitRequest, harness, listedGroups, offsetsOf, request } from './harness.ts'
import type { Harness } from './harness.ts'

const RUNS = process.env['MILLRACE_LONG'] === undefined ? 60 : 2000
const GROUPS = ['a', 'b', 'c'] as const
const TOPICS = ['t1', 't2'] as const
const PARTITION_COUNT = 2

type Action =
  | { readonly kind: 'commit'; readonly group: number; readonly topic: number; readonly partition: number }
  | { readonly kind: 'txnCommit'; readonly producer: number; readonly group: number; readonly topic: number; readonly partition: number }
  | { readonly kind: 'end'; readonly producer: number; readonly isCommit: boolean }
  | { readonly kind: 'offsetDelete'; readonly group: number; readonly topic: number; readonly partition: number }
  | { readonly kind: 'delete'; readonly group: number }
  | { readonly kind: 'topicDeleted'; readonly topic: number }
  | { readonly kind: 'hold' | 'release' | 'refuse' | 'accept' | 'days' | 'crash' }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('commit' as const), group: fc.nat(2), topic: fc.nat(1), partition: fc.nat(2) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('txnCommit' as const),
      producer: fc.nat(1),
      group: fc.nat(2),
      topic: fc.nat(1),
      partition: fc.nat(2),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), producer: fc.nat(1), isCommit: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('offsetDelete' as const), group: fc.nat(2), topic: fc.nat(1), partition: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), group: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('topicDeleted' as const), topic: fc.nat(1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'hold' as const,
        'hold' as const,
        'release' as const,
        'refuse' as const,
        'accept' as const,
        'days' as const,
        'crash' as const,
      ),
    }),
  },
)

/** Every offset of every group, and the groups. */
async function view(of: Harness): Promise<unknown> {
  const offsets = await Promise.all(GROUPS.map((group) => offsetsOf(of, group)))
  const stable = await Promise.all(GROUPS.map((group) => offsetsOf(of, group, true)))
  return { offsets, stable, groups: await listedGroups(of) }
}

/** Runs actions; commits carry rising offsets, so that an offset names its commit. */
class Run {
  of: Harness
  #count = 0
  /** Key → the last acknowledged commit; removed when something that may delete it was asked for later. */
  readonly #acknowledged = new Map<string, number>()
  #pending: Promise<unknown>[] = []

  constructor(of: Harness) {
    this.of = of
  }

  async act(next: Action): Promise<void> {
    switch (next.kind) {
      case 'commit':
        this.#commit(GROUPS[next.group] ?? 'a', TOPICS[next.topic] ?? 't1', next.partition)
        break
      case 'txnCommit':
        this.#txnCommit(next.producer, GROUPS[next.group] ?? 'a', TOPICS[next.topic] ?? 't1', next.partition)
        break
      case 'end':
        // What it decides may be older or newer than what was acknowledged of the same key.
        this.#forget('/')
        for (let index = 0; index < PARTITION_COUNT; index++) {
          const marker = { producerId: next.producer, producerEpoch: 0, coordinatorEpoch: 0, isCommit: next.isCommit } as const
          this.#pending.push(this.of.groups.completeTransaction(index, { ...marker, transactionVersion: 2 }))
        }
        break
      case 'offsetDelete': {
        const group = GROUPS[next.group] ?? 'a'
        const name = TOPICS[next.topic] ?? 't1'
        this.#forget(`${group}/${name}-${next.partition}`)
        const topics = [{ name, partitions: [{ partitionIndex: next.partition }] }]
        this.#pending.push(this.of.groups.offsetDelete(request(OffsetDelete, 0, { groupId: group, topics })))
        break
      }
      case 'delete': {
        const group = GROUPS[next.group] ?? 'a'
        this.#forget(`${group}/`)
        this.#pending.push(this.of.groups.deleteGroups(request(DeleteGroups, 2, { groupsNames: [group] }), caller(2)))
        break
      }
      case 'topicDeleted': {
        const name = TOPICS[next.topic] ?? 't1'
        this.#forget(`/${name}-`)
        this.#pending.push(this.of.groups.topicsDeleted([{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }]))
        break
      }
      case 'hold':
        this.of.topic.holdAppends()
        break
      case 'release':
        this.of.topic.releaseAppends()
        break
      case 'refuse':
      case 'accept':
        this.of.topic.failAppends(next.kind === 'refuse' ? ErrorCode.NOT_ENOUGH_REPLICAS : 0)
        break
      case 'days':
        this.#acknowledged.clear()
        await this.of.clock.advance(8 * 86_400_000)
        break
      case 'crash':
        await this.crash()
    }
    await this.of.clock.advance(0)
  }

  /** What was acknowledged is in what a restart reads; the lost process is closed and its appends go nowhere. */
  async crash(): Promise<void> {
    const after = await this.of.restart()
    const expected = new Map(this.#acknowledged)
    this.of.topic.failAppends(ErrorCode.NOT_ENOUGH_REPLICAS)
    this.of.topic.releaseAppends()
    await Promise.all(this.#pending)
    await this.of.groups.close()
    this.#pending = []
    this.of = after
    for (const group of GROUPS) {
      const found = await offsetsOf(after, group)
      for (const [key, offset] of expected) {
        if (key.startsWith(`${group}/`)) expect(Number(found[key.slice(group.length + 1)]), key).toBeGreaterThanOrEqual(offset)
      }
    }
    this.#acknowledged.clear()
  }

  /** Lets everything that is under way end. */
  async settle(): Promise<void> {
    this.of.topic.releaseAppends()
    await Promise.all(this.#pending)
    await this.of.clock.advance(0)
  }

  #commit(group: string, topic: string, partition: number): void {
    const offset = ++this.#count
    const key = `${group}/${topic}-${partition}`
    const committing = commit(this.of, commitRequest(group, topic, partition, offset))
    const generation = this.#generation
    this.#pending.push(
      committing.then((errorCode) => {
        if (errorCode === 0 && generation === this.#generation) this.#acknowledged.set(key, offset)
      }),
    )
  }

  #txnCommit(producerId: number, groupId: string, name: string, partitionIndex: number): void {
    const committedOffset = ++this.#count
    const asked = request(TxnOffsetCommit, 2, {
      transactionalId: 'tx',
      groupId,
      producerId,
      producerEpoch: 0,
      topics: [{ name, partitions: [{ partitionIndex, committedOffset, committedMetadata: '' }] }],
    })
    const topics = asked.topics.map((topic) => ({ ...topic, topicId: ZERO_UUID }))
    this.#pending.push(this.of.groups.txnOffsetCommit({ ...asked, topics }, caller(2), async () => ErrorCode.NONE))
  }

  #generation = 0

  #forget(part: string): void {
    this.#generation++
    for (const key of this.#acknowledged.keys()) if (key.includes(part)) this.#acknowledged.delete(key)
  }
}

it('memory is what the log says, over faults, deletions, expiry and crashes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 40, size: 'max' }), async (actions) => {
      const run = new Run(await harness({ partitionCount: PARTITION_COUNT }))
      for (const next of actions) await run.act(next)
      await run.settle()
      const reread = await run.of.restart()
      expect(await view(run.of)).toEqual(await view(reread))
      await reread.groups.close()
      await run.crash()
      await run.of.groups.close()
      expect(run.of.clock.timerCount).toBe(0)
    }),
    { numRuns: RUNS },
  )
})

it('forgets a group whose last offsets went by a deleted topic and by expiry at the same time', async () => {
  const run = new Run(await harness({ partitionCount: PARTITION_COUNT }))
  await run.act({ kind: 'commit', group: 0, topic: 0, partition: 0 })
  await run.act({ kind: 'commit', group: 0, topic: 1, partition: 0 })
  await run.act({ kind: 'hold' })
  await run.act({ kind: 'topicDeleted', topic: 0 })
  await run.act({ kind: 'commit', group: 2, topic: 0, partition: 0 })
  await run.act({ kind: 'days' })
  await run.act({ kind: 'commit', group: 1, topic: 0, partition: 0 })
  await run.settle()
  const reread = await run.of.restart()
  expect(await view(run.of)).toEqual(await view(reread))
  await reread.groups.close()
  await run.of.groups.close()
})
