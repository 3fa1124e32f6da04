/**
 * @module group/next/regex — regular expressions of subscriptions, in RE2's syntax and in time linear in the topic's name (KIP-848).
 *
 * `re2js` is a port of RE2/J, which Kafka uses, so the same expressions are valid and match the same names.
 */
import { RE2JS, RE2JSSyntaxException } from 're2js'
import type { Topics } from './topics.ts'

/** Expressions whose matches are kept, per time of the topics. */
const KEPT_EXPRESSION_COUNT_MAX = 1_000

/** Why an expression is not valid, in RE2's words; null when it is. */
export function regexFault(regex: string): string | null {
  return compile(regex).fault
}

function compile(regex: string): { matcher: RE2JS | null; fault: string | null } {
  try {
    return { matcher: RE2JS.compile(regex), fault: null }
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return { matcher: null, fault: error.getDescription() }
    throw error
  }
}

/** Looks expressions up among the topics of one time; many groups may ask for the same. */
export class TopicMatcher {
  readonly topics: Topics
  readonly #found = new Map<string, readonly string[]>()

  constructor(topics: Topics) {
    this.topics = topics
  }

  /** Names of the topics that match as a whole, in order; none for an expression that is not valid. */
  match(regex: string): readonly string[] {
    const known = this.#found.get(regex)
    if (known !== undefined) return known
    const { matcher } = compile(regex)
    const names = matcher === null ? [] : [...this.topics.names()].filter((name) => matcher.matches(name)).sort()
    if (this.#found.size >= KEPT_EXPRESSION_COUNT_MAX) this.#found.clear()
    this.#found.set(regex, names)
    return names
  }
}
