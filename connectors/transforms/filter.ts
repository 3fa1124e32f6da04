/**
 * @module transforms/filter — drops every record; which ones, says the predicate that it is used with. Upstream: `Filter`.
 */
import { defineConfig, defineTransform } from '@millrace/sdk'
import { names } from './sides.ts'

/** `org.apache.kafka.connect.transforms.Filter` */
export const filter = defineTransform({
  ...names('Filter'),
  documentation: 'Drops records; to be used with a predicate.',
  config: defineConfig({}),
  create: () => () => null,
})
