/**
 * @module connector-postgres/config-lacked — keys of Debezium's that the definition does not have. Those that would make other events stop
 * the connector; those that only add something are told once in the log. Pure.
 */
import type { ConfigIssue, TaskConfig } from '@millrace/sdk'

/** Keys whose names hold a parameter: their values change or hide data. */
const changing: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /^column\.mask\./, instead: 'leave the column out by column.exclude.list' },
  { pattern: /^column\.truncate\./, instead: 'leave the column out by column.exclude.list' },
]

/** Beginnings of keys whose features only add something; the value that stands for "off". */
const adding: readonly { readonly prefix: string; readonly off?: string }[] = [
  { prefix: 'signal.' },
  { prefix: 'incremental.snapshot.' },
  { prefix: 'notification.' },
  { prefix: 'openlineage.' },
  { prefix: 'custom.metric.tags' },
  { prefix: 'statistics.metrics.enabled', off: 'true' },
  { prefix: 'include.schema.comments', off: 'false' },
  { prefix: 'message.prefix.' },
  { prefix: 'read.only', off: 'false' },
  { prefix: 'driver.' },
  { prefix: 'database.sslfactory' },
]

/** What is said of keys that would change data and go unheeded here. */
export function issuesOfChanging(properties: TaskConfig): readonly ConfigIssue[] {
  return Object.keys(properties).flatMap((key) => {
    const found = changing.find(({ pattern }) => pattern.test(key))
    return found === undefined
      ? []
      : [{ key, message: `The '${key}' value is invalid: it is not supported; remove the key: ${found.instead}` }]
  })
}

/** Names of the keys that are set and have no effect. */
export function unheeded(properties: TaskConfig): readonly string[] {
  return Object.entries(properties)
    .filter(([name, value]) => adding.some(({ prefix, off }) => name.startsWith(prefix) && value.trim() !== '' && value !== off))
    .map(([name]) => name)
    .sort()
}
