import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClusterImage, emptyImage } from '../../hub/cluster/image.ts'
import type { Controller } from '../../hub/cluster/index.ts'
import { applyRecords } from '../../hub/cluster/records.ts'
import { snapshotRecords } from '../../hub/cluster/snapshot-records.ts'
import { encodeMetadataRecord, PartitionRecord, TopicRecord, ZERO_UUID } from '../../hub/wire/index.ts'
import { openWorld } from '../raft/world.ts'
import { plainImage } from './plain-image.ts'
import { type ClusterWorld, crashAndOpen, openCluster, topicSpec } from './world.ts'

const long = process.env['MILLRACE_LONG'] !== undefined
const real = { validateOnly: false }
const names = fc.constantFrom('a', 'b', 'c', 'd.e', 'd_e', 'f')

type Operation = (world: ClusterWorld) => Promise<ClusterWorld>

const on =
  (ask: (controller: Controller) => Promise<unknown>): Operation =>
  async (world) => {
    await ask(world.controller)
    return world
  }

/** What may happen to a cluster, with weights by repetition. */
const operations: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(names, fc.integer({ min: 1, max: 4 }))
      .map(([name, partitionCount]) => on((c) => c.createTopics([topicSpec(name, { partitionCount })], real))),
  },
  { weight: 2, arbitrary: names.map((name) => on((c) => c.deleteTopics([{ name, topicId: ZERO_UUID }]))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(names, fc.integer({ min: 1, max: 7 }))
      .map(([name, count]) => on((c) => c.createPartitions([{ name, count, assignments: null }], real))),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(names, fc.constantFrom('retention.ms', 'segment.ms'), fc.option(fc.integer({ min: 1, max: 9 })))
      .map(([name, key, value]) => {
        const operation =
          value === null
            ? { name: key, operation: 'delete' as const, value: null }
            : { name: key, operation: 'set' as const, value: String(value) }
        return on((c) => c.incrementalAlterConfigs([{ resource: { type: 'topic', name }, operations: [operation] }], real))
      }),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 1000 }).map((count) => on((c) => c.allocateProducerIds(count))) },
  { weight: 1, arbitrary: fc.constant<Operation>(async (world) => world.metadataLog.snapshot().then(() => world)) },
  { weight: 1, arbitrary: fc.constant<Operation>((world) => crashAndOpen(world)) },
)

/** The image of a disk's log, from nothing but its records. */
async function replayed(disk: ClusterWorld['disk']): Promise<ClusterImage> {
  const { metadataLog, directory } = await openWorld({ disk })
  let image = emptyImage('cluster', 1)
  for await (const batch of metadataLog.replay()) image = applyRecords(image, batch.records, batch)
  await directory.abandon()
  return image
}

describe('replay', () => {
  it('image in force == image from the log == image from snapshot and log, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operations, { maxLength: 30 }), async (sequence) => {
        let world = await openCluster()
        for (const operation of sequence) world = await operation(world)
        const inForce = plainImage(world.controller.image as ClusterImage)
        expect(plainImage(await replayed(world.disk.crash()))).toEqual(inForce)
        await world.metadataLog.snapshot()
        expect(plainImage(await replayed(world.disk.crash()))).toEqual(inForce)
        await world.directory.abandon()
      }),
      { numRuns: long ? 1000 : 40 },
    )
  })

  it('ten thousand topics, a batch each: every image is there, none was disturbed by a later one', () => {
    const count = long ? 50_000 : 10_000
    let image = emptyImage('cluster', 1)
    const early: ClusterImage[] = []
    for (let n = 0; n < count; n++) {
      const topicId = Buffer.alloc(16, `id ${n} `).toString('base64url').slice(0, 22)
      const partition = {
        partitionId: 0,
        topicId,
        replicas: [1],
        isr: [1],
        removingReplicas: [],
        addingReplicas: [],
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
      }
      const records = [encodeMetadataRecord(TopicRecord, { name: `topic_${n}`, topicId }), encodeMetadataRecord(PartitionRecord, partition)]
      image = applyRecords(image, records, { lastOffset: 2 * n + 1, epoch: 1, timestampMs: n })
      if (n % 1000 === 0) early.push(image)
    }
    expect([image.topicsByName.size, image.topicsById.size, image.partitionCount, image.collisions.size]).toEqual(Array(4).fill(count))
    expect(early.map((one) => [one.topicsByName.size, one.offset])).toEqual(early.map((_, at) => [at * 1000 + 1, at * 2000 + 1]))
    const again = applyRecords(emptyImage('cluster', 1), [...snapshotRecords(image)], {
      lastOffset: image.offset,
      epoch: 1,
      timestampMs: image.timestampMs,
    })
    expect([again.topicsByName.size, again.partitionCount]).toEqual([count, count])
  })
})
