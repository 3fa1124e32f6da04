/** @module replica/traffic — what went through a topic since the start, counted where it happens; Kafka's BrokerTopicMetrics. */

/** Counts of one topic; all only rise. */
export interface TopicTraffic {
  messagesInCount: number
  bytesInCount: number
  bytesOutCount: number
  bytesRejectedCount: number
  produceRequestCount: number
  failedProduceRequestCount: number
  fetchRequestCount: number
  failedFetchRequestCount: number
}

/** Nothing so far. */
export function noTraffic(): TopicTraffic {
  return {
    messagesInCount: 0,
    bytesInCount: 0,
    bytesOutCount: 0,
    bytesRejectedCount: 0,
    produceRequestCount: 0,
    failedProduceRequestCount: 0,
    fetchRequestCount: 0,
    failedFetchRequestCount: 0,
  }
}

/** Adds what went through another topic. */
export function addTraffic(sum: TopicTraffic, other: Readonly<TopicTraffic>): void {
  for (const name of Object.keys(sum) as (keyof TopicTraffic)[]) sum[name] += other[name]
}
