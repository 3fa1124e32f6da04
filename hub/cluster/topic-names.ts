/**
 * @module cluster/topic-names — which names a topic may have, in Kafka's words.
 * Source: org.apache.kafka.common.internals.Topic.
 */

const NAME_CHARACTERS_MAX = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/

/** What is wrong with a topic's name; undefined when nothing is. The error code is INVALID_TOPIC_EXCEPTION. */
export function topicNameProblem(name: string): string | undefined {
  const problem = problemOf(name)
  return problem === undefined ? undefined : `Topic name is invalid: ${problem}`
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > NAME_CHARACTERS_MAX) return `the length of '${name}' is longer than the max allowed length ${NAME_CHARACTERS_MAX}`
  if (!LEGAL_NAME.test(name)) return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return undefined
}

/**
 * Names with the same key would share a metric's name, since Kafka's metrics turn `.` into `_`; so only one of them may exist.
 * Undefined for names with neither character: they collide with nothing.
 */
export function collisionKey(name: string): string | undefined {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : undefined
}
