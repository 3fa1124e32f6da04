/** @module log/topic-identity — which topic a log's directory belongs to (KIP-516). */
import { LogDirectoryError } from './log-error.ts'

/** Topic ids of a log opened without one (Kafka's ZERO_UUID) are not written to partition.metadata. */
export const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Whether the ids are of one topic, as far as they say. */
export function isSameTopic(oneId: string, otherId: string): boolean {
  return oneId === otherId || oneId === NO_TOPIC_ID || otherId === NO_TOPIC_ID
}

/** The error for a directory of another topic. */
export function otherTopic(directory: string, ownTopicId: string, topicId: string): LogDirectoryError {
  return new LogDirectoryError(
    directory,
    `it belongs to topic id ${ownTopicId}, not ${topicId}`,
    'delete the stale directory, or restore the metadata that it belongs to',
  )
}
