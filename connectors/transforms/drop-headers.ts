/**
 * @module transforms/drop-headers — takes headers off records. Upstream: `DropHeaders`.
 */
import { defineConfig, defineTransform } from '@millrace/sdk'
import { nameList } from './name-list.ts'
import { names } from './sides.ts'

/** `org.apache.kafka.connect.transforms.DropHeaders` */
export const dropHeaders = defineTransform({
  ...names('DropHeaders'),
  documentation: 'Removes all headers of the given names.',
  config: defineConfig({ headers: nameList('Names of the headers to remove.') }),
  create: (settings) => {
    const dropped = new Set(settings.headers)
    return (record) => ({ ...record, headers: record.headers.filter((header) => !dropped.has(header.key)) })
  },
})
