/** @module cli/topic-filter — topics by a pattern, as `--topic` and `--include` of Kafka's scripts take it. */

/** Topics of Kafka itself. */
const INTERNAL_TOPICS: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Whether a topic belongs to Kafka itself. */
export function isInternalTopic(topic: string): boolean {
  return INTERNAL_TOPICS.has(topic)
}

/** A Java regular expression that must match the whole text. `(?i)` in front is understood. @throws SyntaxError */
export function wholePattern(pattern: string): RegExp {
  const isCaseBlind = pattern.startsWith('(?i)')
  return new RegExp(`^(?:${isCaseBlind ? pattern.slice(4) : pattern})$`, isCaseBlind ? 'i' : '')
}

/** Kafka's IncludeList: commas part alternatives, blanks and quotes around it are dropped. @throws Error for a pattern that is none */
export function topicFilter(pattern: string): (topic: string) => boolean {
  const text = pattern
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+|["']+$/g, '')
  try {
    const whole = wholePattern(text)
    return (topic) => whole.test(topic)
  } catch (cause) {
    throw new Error(`${text} is an invalid regex.`, { cause })
  }
}
