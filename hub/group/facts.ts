/**
 * @module group/facts — the groups of the coordinator, for metrics: read when somebody asks, nothing is copied.
 */
import type { GroupFacts, OffsetFact } from './counts.ts'
import { stateOf } from './next/index.ts'
import type { GroupShard } from './shard.ts'

/** The groups of some partitions; what share and streams groups hold is not told, they are not served here. */
export function* factsOf(shards: Iterable<GroupShard>): Generator<GroupFacts> {
  for (const shard of shards) {
    for (const group of shard.groups()) {
      if (shard.isKeptAside(group)) continue
      const { groupId, phase, members } = group
      yield { groupId, kind: 'classic', state: phase, memberCount: members.size, offsets: offsetsOf(shard, groupId) }
    }
    for (const group of shard.next.groups()) {
      const { groupId, members } = group
      yield { groupId, kind: 'consumer', state: stateOf(group), memberCount: members.size, offsets: offsetsOf(shard, groupId) }
    }
  }
}

function* offsetsOf(shard: GroupShard, groupId: string): Generator<OffsetFact> {
  for (const { key, committed } of shard.offsets.ofGroup(groupId)) {
    if (committed !== null) yield { topic: key.topic, partition: key.partition, offset: committed.offset }
  }
}
