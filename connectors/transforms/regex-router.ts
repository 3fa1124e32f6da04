/**
 * @module transforms/regex-router — gives records another topic by a pattern. Upstream: `RegexRouter`.
 */
import { type ConfigOf, type ConnectRecord, defineConfig, defineTransform, javaRegex } from '@millrace/sdk'
import { validRegex } from './regex-rule.ts'
import { names } from './sides.ts'
import { rememberedByTopic } from './topic-memory.ts'

const config = defineConfig({
  regex: {
    type: 'STRING',
    validator: validRegex,
    importance: 'HIGH',
    documentation: 'Pattern of java.util.regex that a whole topic name has to match.',
  },
  replacement: {
    type: 'STRING',
    importance: 'HIGH',
    documentation: `What comes in its place; $1 and \${name} stand for what groups of the pattern matched.`,
  },
})

function create({ regex, replacement }: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const pattern = javaRegex(regex)
  // null for a topic that does not match: upstream then hands on the very same record.
  const newTopic = rememberedByTopic((topic) => (pattern.matches(topic) ? pattern.replaceFirst(topic, replacement) : null))
  return (record) => {
    const topic = newTopic(record.topic)
    return topic === null ? record : { ...record, topic }
  }
}

/** `org.apache.kafka.connect.transforms.RegexRouter` */
export const regexRouter = defineTransform({
  ...names('RegexRouter'),
  documentation: 'Renames the topic of records whose topic matches a pattern.',
  config,
  create,
})
