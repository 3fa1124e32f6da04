/** @module cli/topic-partitions — partitions named on the command line: `topic` for all of a topic, `topic:0,1` for some. */
import type { Admin, KafkaError, TopicPartition } from '../client/index.ts'
import { UsageError } from './command.ts'

/** What the words name; topics that could not be described are in `failures`. @throws UsageError */
export async function topicPartitionsOf(
  admin: Admin,
  words: readonly string[],
  signal: AbortSignal,
): Promise<{
  readonly partitions: readonly TopicPartition[]
  readonly failures: readonly {
    readonly topic: string
    readonly error: KafkaError
  }[]
}> {
  const partitions = new Map<string, TopicPartition>()
  const add = ({ topic, partition }: TopicPartition): unknown => partitions.set(`${topic}-${partition}`, { topic, partition })
  for (const word of words) if (word.includes(':')) namedPartitions(word).forEach(add)
  const failures: { topic: string; error: KafkaError }[] = []
  const whole = words.filter((word) => !word.includes(':'))
  for (const topic of await admin.describeTopics([...new Set(whole)], signal)) {
    if (topic.error !== null) failures.push({ topic: topic.name, error: topic.error })
    else topic.partitions.forEach(add)
  }
  return { partitions: [...partitions.values()], failures }
}

function namedPartitions(word: string): TopicPartition[] {
  const [topic = '', numbers, ...rest] = word.split(':')
  if (numbers === undefined || numbers === '' || rest.length > 0) {
    throw new UsageError(`Invalid topic arg '${word}', expected topic name and partitions`)
  }
  return numbers.split(',').map((number) => {
    if (!/^[+-]?\d+$/.test(number)) throw new UsageError(`Invalid partition '${number}' specified in topic arg '${word}''`)
    return { topic, partition: Number(number) }
  })
}

/** By topic, then by number. */
export function byPartition(one: TopicPartition, other: TopicPartition): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
  return one.partition - other.partition
}
