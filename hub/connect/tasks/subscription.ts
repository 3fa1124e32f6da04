/** @module connect/tasks/subscription — which topics a sink reads: `topics`, or `topics.regex` in Java's dialect, matched as a whole. */
import { ConfigException, type JavaRegex, javaRegex } from '@millrace/sdk'
import type { Subscription } from '../../client/index.ts'
import type { ConfigText } from '../types.ts'
import { listOfText } from './settings.ts'

/** What to subscribe. Throws a ConfigException when it is not exactly one of the two keys, or no pattern. */
export function subscriptionOf(config: ConfigText): Subscription {
  const topics = listOfText(config['topics'])
  const pattern = config['topics.regex']?.trim() ?? ''
  if (topics.length > 0 && pattern !== '') {
    throw new ConfigException('topics and topics.regex are mutually exclusive options, but both are set')
  }
  if (topics.length > 0) return topics
  if (pattern === '') throw new ConfigException('Must configure one of topics or topics.regex')
  return new TopicPattern(javaRegex(pattern))
}

/** A Java pattern in the clothes that the client asks for: it only ever calls `test`. */
class TopicPattern extends RegExp {
  readonly #regex: JavaRegex

  constructor(regex: JavaRegex) {
    super('')
    this.#regex = regex
  }

  override test(topic: string): boolean {
    return this.#regex.matches(topic)
  }
}
