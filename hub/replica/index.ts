/** @module replica — partitions hosted by this broker: append, read, watermarks. */
export { createOffsetsTopic } from './offsets-topic.ts'
export { type Accepted, type Acks, type Durability, Partition, type PartitionRead } from './partition.ts'
export { type HostedTopic, type OpenFailure, Partitions } from './partitions.ts'
export { RisingMark, type Seen, waitForRise } from './watermark.ts'
