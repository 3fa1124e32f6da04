/** @module cli/topics-selection — the topics that `millrace topics` is about. */
import type { Admin } from '../client/index.ts'
import { topicFilter } from './topic-filter.ts'
import type { TopicsOptions } from './topics-options.ts'

/** The names that `--topic` matches, or all, in order. */
export async function matchingTopics(admin: Admin, options: TopicsOptions, signal: AbortSignal): Promise<string[]> {
  const pattern = options.text('topic')
  const matches = pattern === undefined ? () => true : topicFilter(pattern)
  const listed = await admin.listTopics({ includeInternal: !options.has('exclude-internal') }, signal)
  return listed.map(({ name }) => name).filter(matches)
}

/** The same, but an error when `--topic` matches none and `--if-exists` is not given. */
export async function existingTopics(admin: Admin, options: TopicsOptions, signal: AbortSignal): Promise<string[]> {
  const names = await matchingTopics(admin, options, signal)
  const pattern = options.text('topic')
  if (names.length === 0 && pattern !== undefined && pattern !== '' && !options.has('if-exists')) {
    throw new Error(`Topic '${pattern}' does not exist as expected`)
  }
  return names
}
