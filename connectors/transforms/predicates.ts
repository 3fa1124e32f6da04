/**
 * @module transforms/predicates — conditions under which a transform applies. Upstream: `…transforms.predicates.*`.
 */
import { allOf, defineConfig, definePredicate, javaRegex, nonEmptyString } from '@millrace/sdk'
import { validRegex } from './regex-rule.ts'
import { names } from './sides.ts'
import { rememberedByTopic } from './topic-memory.ts'

/** `org.apache.kafka.connect.transforms.predicates.TopicNameMatches` */
export const topicNameMatches = definePredicate({
  ...names('predicates.TopicNameMatches'),
  documentation: 'True for records whose whole topic name matches a pattern.',
  config: defineConfig({
    pattern: {
      type: 'STRING',
      validator: allOf(nonEmptyString, validRegex),
      importance: 'MEDIUM',
      documentation: 'Pattern of java.util.regex.',
    },
  }),
  create: ({ pattern }) => {
    const regex = javaRegex(pattern)
    const matches = rememberedByTopic((topic) => regex.matches(topic))
    return (record) => matches(record.topic)
  },
})

/** `org.apache.kafka.connect.transforms.predicates.RecordIsTombstone` */
export const recordIsTombstone = definePredicate({
  ...names('predicates.RecordIsTombstone'),
  documentation: 'True for records whose value is null.',
  config: defineConfig({}),
  create: () => (record) => record.value === null,
})

/** `org.apache.kafka.connect.transforms.predicates.HasHeaderKey` */
export const hasHeaderKey = definePredicate({
  ...names('predicates.HasHeaderKey'),
  documentation: 'True for records that have a header of this name.',
  config: defineConfig({
    name: { type: 'STRING', validator: nonEmptyString, importance: 'MEDIUM', documentation: 'The header.' },
  }),
  create:
    ({ name }) =>
    (record) =>
      record.headers.some((header) => header.key === name),
})
