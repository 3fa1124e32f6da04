/**
 * @module group/shards — which partition of `__consumer_offsets` serves a group, and the loading of the partitions that are here.
 */
import { StateShards } from '../replica/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { GroupShard } from './shard.ts'
import type { ShardTools } from './shard.ts'
import type { OffsetsTopic } from './types.ts'

/** The partitions that this broker leads. */
export class Shards extends StateShards<GroupShard> {
  constructor(topic: OffsetsTopic, tools: ShardTools) {
    super({
      topic,
      topicName: '__consumer_offsets',
      open: (partition) => new GroupShard(partition, tools),
      // Also where the topic is not made yet, as in Kafka: whoever asks finds the coordinator first, and that makes it.
      codeOfAbsent: () => ErrorCode.NOT_COORDINATOR,
      onLoadFailed: (name, error) => tools.logger.error(`${name} could not be loaded; its groups are not served`, { error }),
    })
  }
}
