/**
 * @module client — a Kafka client: producer, consumer, admin, and a group member for protocols of one's own.
 *
 * Speaks to any Kafka cluster from 2.1 on (it takes the highest version of each API that both sides know) and to Millrace.
 * Everything that can wait takes an `AbortSignal`. Failures are a {@link KafkaError} (what a broker answered) or a
 * {@link ClientError} (no usable answer); both say whether trying again may help.
 *
 * @example
 * import { createConsumer, createProducer } from 'millrace/client'
 * const producer = createProducer({ bootstrapServers: '127.0.0.1:9092' })
 * await producer.send({ topic: 'greetings', key: 'en', value: 'hello' })
 * await producer.close()
 */
export {
  type Admin,
  type ClusterDescription,
  createAdmin,
  type ListedOffset,
  type OffsetAt,
} from './admin.ts'
export type {
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  ConfigSourceName,
  ConfigTypeName,
  DescribedConfigs,
} from './admin/configs.ts'
export type {
  DescribedGroup,
  DescribedMember,
  ListedGroup,
} from './admin/groups.ts'
export type { ItemResult, Target } from './admin/routes.ts'
export type {
  CreatedTopic,
  DescribedPartition,
  DescribedTopic,
  ListedTopic,
  NewTopic,
  RecordsToDelete,
} from './admin/topics.ts'
export type { DescribedFeatures, DescribedQuorum, FeatureUpdate, PartitionReassignment, QuorumReplica } from './admin/quorum.ts'
export type {
  ActiveProducer,
  DescribedProducers,
  DescribedTransaction,
  FencedProducer,
  HangingTransaction,
  ListedTransaction,
  TransactionFilter,
} from './admin/transactions.ts'
export {
  type Assignment,
  type Assignor,
  type AssignorMember,
  type AssignorTopic,
  assignors,
} from './assignors/index.ts'
export type { RequestOptions } from './connection.ts'
export { createConsumer } from './consumer.ts'
export type { Consumer, OffsetAndTimestamp } from './consumer-types.ts'
export {
  type ConsumerOptions,
  CONSUMER_DEFAULTS,
  type OffsetReset,
  type RebalanceListener,
} from './consumer-options.ts'
export {
  type ConsumedRecord,
  ConsumerRecords,
  type PartitionRecords,
} from './consumer-records.ts'
export type { Subscription, SubscriptionPattern } from './consuming/group-part.ts'
export {
  canRetry,
  ClientError,
  type ClientErrorKind,
  type ErrorPlace,
  KafkaError,
  TransactionError,
} from './errors.ts'
export { createGroupMember, GroupMember } from './group-member.ts'
export type { Generation, GroupMemberHandlers, GroupMemberOptions, JoinedMember, MemberProtocol } from './group-member-types.ts'
export type { OffsetToCommit } from './group-offsets.ts'
export { CLIENT_DEFAULTS, type ClientOptions } from './options.ts'
export {
  type BatchResult,
  createProducer,
  type Producer,
  type ProducerRecord,
  type RecordMetadata,
  SendBatchError,
} from './producer.ts'
export {
  type Compression,
  PRODUCER_DEFAULTS,
  type ProducerOptions,
} from './producer-options.ts'
export {
  adminOptionsFrom,
  clientOptionsFrom,
  consumerOptionsFrom,
  ignoredKeys,
  producerOptionsFrom,
} from './settings.ts'
export { createTransactionalProducer, type TransactionalProducer } from './transactional-producer.ts'
export type { TransactionStatus } from './producing/transaction-state.ts'
export type {
  BrokerInfo,
  ClientWorld,
  CommittedOffset,
  GroupMetadata,
  PartitionInfo,
  RecordHeader,
  TimestampType,
  TopicPartition,
} from './types.ts'
