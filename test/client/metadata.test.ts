/** Pictures of the cluster: what an answer changes, and whose word counts. */
import { describe, expect, it } from 'vitest'
import { applyLeader, applyMetadata, EMPTY_IMAGE, topicNameOf } from '../../hub/client/metadata.ts'
import { backoffMs } from '../../hub/client/backoff.ts'
import { StickyPartitioner } from '../../hub/client/producing/partitioner.ts'
import { seededRandom } from '../../hub/io/index.ts'
import { Metadata, type MetadataResponse, Reader, Writer } from '../../hub/wire/index.ts'
import { metadataOf, topicIdOf } from './scripted-peer.ts'

/** As it would come off the wire. */
function answer(names: readonly string[], leaderEpoch: number): MetadataResponse {
  const writer = new Writer()
  Metadata.response.encode({ throttleTimeMs: 0, ...metadataOf(9092, names, leaderEpoch) }, 13, writer)
  return Metadata.response.decode(new Reader(writer.toBuffer()), 13)
}

describe('the image of a cluster', () => {
  it('keeps a leader against an answer with an older epoch (KIP-320), but not for a topic made anew', () => {
    const image = applyMetadata(EMPTY_IMAGE, answer(['t'], 7), false)
    const moved = applyLeader(image, { topic: 't', partition: 0 }, { leaderId: 2, leaderEpoch: 8 }, [
      { nodeId: 2, host: 'b', port: 2, rack: null },
    ])
    expect(moved.topics.get('t')?.partitions[0]).toMatchObject({
      leaderId: 2,
      leaderEpoch: 8,
    })
    expect(moved.brokers.get(2)).toMatchObject({ host: 'b' })
    const stale = applyMetadata(moved, answer(['t'], 7), false)
    expect(stale.topics.get('t')?.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([8, 7])
    const other = answer(['t'], 0)
    const anew = applyMetadata(
      moved,
      {
        ...other,
        topics: other.topics.map((topic) => ({
          ...topic,
          topicId: topicIdOf('t2'),
        })),
      },
      false,
    )
    expect(anew.topics.get('t')?.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([0, 0])
    expect(topicNameOf(anew, topicIdOf('t2'))).toBe('t')
  })

  it('does not take over an older leader from an answer', () => {
    const image = applyMetadata(EMPTY_IMAGE, answer(['t'], 7), false)
    expect(applyLeader(image, { topic: 't', partition: 0 }, { leaderId: 2, leaderEpoch: 7 }, [])).toBe(image)
    expect(applyLeader(image, { topic: 'x', partition: 0 }, { leaderId: 2, leaderEpoch: 9 }, [])).toBe(image)
  })

  it('forgets topics that are gone: by name when told so, all others only after a complete answer', () => {
    const image = applyMetadata(EMPTY_IMAGE, answer(['a', 'b'], 1), false)
    const some = answer(['a'], 1)
    expect([...applyMetadata(image, some, false).topics.keys()]).toEqual(['a', 'b'])
    expect([...applyMetadata(image, some, true).topics.keys()]).toEqual(['a'])
    const gone = applyMetadata(
      image,
      {
        ...some,
        topics: some.topics.map((topic) => ({ ...topic, errorCode: 3 })),
      },
      false,
    )
    expect([...gone.topics.keys()]).toEqual(['b'])
    expect(gone.topicErrors.get('a')).toBe(3)
  })
})

describe('waits', () => {
  it('double up to the bound, within a fifth either way (KIP-580)', () => {
    const random = seededRandom(3)
    for (let attempt = 0; attempt < 40; attempt++) {
      const plainMs = Math.min(100 * 2 ** attempt, 1_000)
      const waitMs = backoffMs(attempt, 100, 1_000, random)
      expect(waitMs).toBeGreaterThanOrEqual(plainMs * 0.8)
      expect(waitMs).toBeLessThanOrEqual(plainMs * 1.2)
    }
  })
})

describe('the partitioner of records without a key', () => {
  it('stays for a batch, then goes on; busy partitions get less, and none gets nothing', () => {
    const partitioner = new StickyPartitioner(seededRandom(5), 1_000)
    const pending = [0, 0, 0, 50_000]
    const counts = [0, 0, 0, 0]
    let changes = 0
    let before = -1
    for (let count = 0; count < 40_000; count++) {
      const partition = partitioner.current(() =>
        pending.map((pendingBytes, index) => ({
          partition: index,
          pendingBytes,
        })),
      )
      partitioner.note(100)
      if (partition !== before) changes++
      before = partition
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    expect(changes).toBeLessThanOrEqual(4_000)
    expect(counts[3]).toBeLessThan(Math.min(...counts.slice(0, 3)) / 2)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })
})
