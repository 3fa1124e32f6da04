/** @module api/existing-partitions — parts what a request names into partitions that exist and those that don't, which coordinators never see. */
import type { MetadataImage } from '../cluster/index.ts'
import { ErrorCode } from '../wire/index.ts'

interface AskedTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

interface AnsweredPartition {
  readonly partitionIndex: number
  readonly errorCode: number
}

interface AnsweredTopic {
  /** As in the request. */
  readonly name?: string | undefined
  /** Of requests that name topics by id. */
  readonly topicId?: string | undefined
  readonly partitions: readonly AnsweredPartition[]
}

/** A request in two parts. */
interface Parted<T extends AskedTopic> {
  readonly existing: T[]
  /** The answer: first what does not exist, as in Kafka, then what the coordinator answered for the rest; each topic once. */
  readonly merge: (answered: readonly AnsweredTopic[]) => { name: string; topicId?: string; partitions: AnsweredPartition[] }[]
}

/** Parts the partitions that exist from those that don't; `missing` says what is answered for the latter, UNKNOWN_TOPIC_OR_PARTITION unless given. */
export function partExisting<T extends AskedTopic>(
  image: MetadataImage,
  topics: readonly T[],
  missing: (topic: T) => number = () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
): Parted<T> {
  const existing: T[] = []
  const refused: AnsweredTopic[] = []
  for (const topic of topics) {
    const hosted = image.topicsByName.get(topic.name)?.partitions
    const known = topic.partitions.filter(({ partitionIndex }) => hosted?.[partitionIndex] !== undefined)
    const unknown = topic.partitions.filter(({ partitionIndex }) => hosted?.[partitionIndex] === undefined)
    const errorCode = missing(topic)
    if (known.length > 0) existing.push({ ...topic, partitions: known })
    if (unknown.length > 0) refused.push({ ...topic, partitions: unknown.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) })
  }
  return {
    existing,
    merge: (answered) => {
      const merged = new Map<string, { name: string; topicId?: string; partitions: AnsweredPartition[] }>()
      for (const { name = '', topicId, partitions } of [...refused, ...answered]) {
        const key = `${topicId ?? ''} ${name}`
        const topic = merged.get(key)
        if (topic !== undefined) topic.partitions.push(...partitions)
        else merged.set(key, { name, ...(topicId === undefined ? {} : { topicId }), partitions: [...partitions] })
      }
      return [...merged.values()]
    },
  }
}
