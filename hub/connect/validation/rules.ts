/** @module connect/validation/rules — what the framework's keys must be in the light of each other. Messages are Kafka Connect's. Pure. */
import { type ConfigIssue, javaRegex, parseType } from '@millrace/sdk'
import type { ConfigText } from '../types.ts'

/** Whether a sink gives up records into a topic. */
export function hasDeadLetterTopic(config: ConfigText): boolean {
  return textOf(config, 'errors.deadletterqueue.topic.name') !== ''
}

/** A sink reads named topics or those that match, and never the topic that it gives records up into. */
export function sinkIssues(config: ConfigText): readonly ConfigIssue[] {
  const hasTopics = textOf(config, 'topics') !== ''
  const hasRegex = textOf(config, 'topics.regex') !== ''
  const both = (message: string): readonly ConfigIssue[] => ['topics', 'topics.regex'].map((key) => ({ key, message }))
  if (hasTopics && hasRegex) return both('topics and topics.regex are mutually exclusive options, but both are set.')
  if (!hasTopics && !hasRegex) return both('Must configure one of topics or topics.regex')
  return hasDeadLetterTopic(config) ? deadLetterIssues(config) : []
}

function deadLetterIssues(config: ConfigText): readonly ConfigIssue[] {
  const deadLetterTopic = textOf(config, 'errors.deadletterqueue.topic.name')
  const topics = parseType('topics', config['topics'] ?? '', 'LIST') ?? []
  if (topics.includes(deadLetterTopic)) {
    const message = `The DLQ topic '${deadLetterTopic}' may not be included in the list of topics ('topics=[${topics.join(', ')}]') consumed by the connector`
    return [{ key: 'topics', message }]
  }
  const regex = textOf(config, 'topics.regex')
  if (regex === '' || !matches(regex, deadLetterTopic)) return []
  const message = `The DLQ topic '${deadLetterTopic}' may not be matched by the regex for the topics ('topics.regex=${regex}') consumed by the connector`
  return [{ key: 'topics.regex', message }]
}

/** A source may not ask for what this worker does not do: transactions (KIP-618). */
export function sourceIssues(config: ConfigText): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  if (textOf(config, 'exactly.once.support').toLowerCase() === 'required') {
    issues.push({ key: 'exactly.once.support', message: 'This worker does not have exactly-once source support enabled.' })
  }
  if (textOf(config, 'transaction.boundary').toLowerCase() === 'connector') {
    const message =
      'The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.'
    issues.push({ key: 'transaction.boundary', message })
  }
  return issues
}

/** A regular expression that cannot be read matches nothing here: its own key says so. */
function matches(regex: string, topic: string): boolean {
  try {
    return javaRegex(regex).matches(topic)
  } catch {
    return false
  }
}

function textOf(config: ConfigText, key: string): string {
  return (config[key] ?? '').trim()
}
