/**
 * @module transforms/topic-memory — what a transform makes of a topic's name, worked out once per topic.
 */

/** Topics that are remembered; beyond that the memory begins anew. */
const TOPIC_COUNT_MAX = 10_000

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** `compute`, remembered. Errors are, too: a pattern that explodes on a topic does so once, not for every record of it. */
export function rememberedByTopic<T>(compute: (topic: string) => T): (topic: string) => T {
  const outcomes = new Map<string, Outcome<T>>()
  const outcomeOf = (topic: string): Outcome<T> => {
    try {
      return { value: compute(topic) }
    } catch (error) {
      return { error }
    }
  }
  return (topic) => {
    let outcome = outcomes.get(topic)
    if (outcome === undefined) {
      if (outcomes.size >= TOPIC_COUNT_MAX) outcomes.clear()
      outcome = outcomeOf(topic)
      outcomes.set(topic, outcome)
    }
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }
}
