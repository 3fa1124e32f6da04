/** @module txn/shards — which partition of `__transaction_state` serves a transactional id, and the loading of the partitions that are here. */
import { StateShards, type StateTopic } from '../replica/index.ts'
import { type ShardTools, TransactionShard } from './shard.ts'

/** The partitions that this broker leads. */
export class Shards extends StateShards<TransactionShard> {
  constructor(topic: StateTopic, tools: ShardTools) {
    super({
      topic,
      topicName: '__transaction_state',
      open: (partition, index) => new TransactionShard(partition, index, tools),
      codeOfAbsent: (errorCode) => errorCode,
      onLoadFailed: (name, error) => tools.logger.error(`${name} could not be loaded; its transactional ids are not served`, { error }),
    })
  }
}
