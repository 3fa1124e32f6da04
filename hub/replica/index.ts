/** @module replica — partitions hosted by this broker: append, read, watermarks. */
export { type MemoryStateTopic, memoryStateTopic } from './memory-state-topic.ts'
export { type Accepted, type Acks, type Durability, type Isolation, Partition, type PartitionRead } from './partition.ts'
export { type HostedTopic, type OpenFailure, Partitions } from './partitions.ts'
export { StateShards } from './state-shards.ts'
export { createStateTopic, type StatePartition, type StateRecord, type StateTopic, type StateTransaction } from './state-topic.ts'
export type { TopicTraffic } from './traffic.ts'
export { RisingMark, type Seen, waitForRise } from './watermark.ts'
