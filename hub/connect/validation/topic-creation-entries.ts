/**
 * @module connect/validation/topic-creation-entries — judges the settings of the topics that a source makes. Pure.
 *
 * Kafka Connect judges them when the connector starts, and lists none of them in a validation. Here those that are wrong are told at once.
 */
import type { ConfigText } from '../types.ts'
import { type Entry, entriesOf } from './entries.ts'
import { aliasesOf } from './framework.ts'
import { DEFAULT_GROUP, TOPIC_CREATION_PREFIX, topicGroupKeys } from './topic-creation-keys.ts'

/** Every setting that the framework reads itself, to be shown where it is wrong. Empty where the worker makes no topics. */
export function topicCreationEntries(config: ConfigText, workerDefaults: ConfigText): readonly Entry[] {
  if (workerDefaults['topic.creation.enable']?.trim().toLowerCase() === 'false') return []
  if (!Object.keys(config).some((name) => name.startsWith(TOPIC_CREATION_PREFIX))) return []
  const groups = aliasesOf(`${TOPIC_CREATION_PREFIX}groups`, config).filter((group) => group !== DEFAULT_GROUP)
  return [DEFAULT_GROUP, ...groups].flatMap((group) =>
    entriesOf(topicGroupKeys(group), config).map((entry) => ({ ...entry, isInternal: true })),
  )
}
