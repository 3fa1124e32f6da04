/** @module cli/topics-describe — `millrace topics --describe`. */
import type { Admin, ConfigEntry, DescribedPartition, DescribedTopic } from '../client/index.ts'
import { ZERO_UUID } from '../wire/index.ts'
import type { CommandIo } from './command.ts'
import type { TopicsOptions } from './topics-options.ts'
import { existingTopics } from './topics-selection.ts'

/** Prints topics with their partitions, in the order of their names, as the options choose. */
export async function describeTopics(admin: Admin, options: TopicsOptions, io: CommandIo): Promise<void> {
  const names = await namesOf(admin, options, io.signal)
  if (names.length === 0) return
  const topics = await admin.describeTopics(names, io.signal)
  const configs = await admin.describeConfigs(
    names.map((name) => ({ type: 'topic', name })),
    {},
    io.signal,
  )
  const liveBrokers = new Set((await admin.describeCluster({}, io.signal)).brokers.map(({ nodeId }) => nodeId))
  for (const topic of [...topics].sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (topic.error !== null) throw topic.error
    const described = configs.find(({ resource }) => resource.name === topic.name)
    if (described?.error) throw described.error
    io.stdout.write(topicText(topic, described?.entries ?? [], options, liveBrokers))
  }
}

async function namesOf(admin: Admin, options: TopicsOptions, signal: AbortSignal): Promise<string[]> {
  const topicId = options.text('topic-id')
  if (topicId === undefined || topicId === ZERO_UUID) return existingTopics(admin, options, signal)
  const listed = await admin.listTopics({ includeInternal: !options.has('exclude-internal') }, signal)
  const found = listed.filter((topic) => topic.topicId === topicId).map(({ name }) => name)
  if (found.length === 0 && !options.has('if-exists')) throw new Error(`TopicId '${topicId}' does not exist as expected`)
  return found
}

function topicText(
  topic: DescribedTopic,
  entries: readonly ConfigEntry[],
  options: TopicsOptions,
  liveBrokers: ReadonlySet<number>,
): string {
  const isChosen = partitionChoice(options, entries, liveBrokers)
  const overrides = entries.filter(({ source }) => source !== 'DEFAULT_CONFIG')
  const lines: string[] = []
  const showsTopic = isChosen === undefined && (!options.has('topics-with-overrides') || overrides.length > 0)
  if (showsTopic) lines.push(topicLine(topic, overrides))
  if (!options.has('topics-with-overrides')) {
    lines.push(...topic.partitions.filter((partition) => isChosen?.(partition) ?? true).map(partitionLine))
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** Which partitions the report options choose; undefined: no such option, topics and all partitions are shown. */
function partitionChoice(
  options: TopicsOptions,
  entries: readonly ConfigEntry[],
  liveBrokers: ReadonlySet<number>,
): ((partition: DescribedPartition) => boolean) | undefined {
  const isrMin = Number(entries.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1)
  const hasLeader = ({ leaderId }: DescribedPartition): boolean => leaderId >= 0
  const tests: (readonly [option: Parameters<TopicsOptions['has']>[0], test: (partition: DescribedPartition) => boolean])[] = [
    ['under-replicated-partitions', ({ replicas, isr }) => isr.length < replicas.length],
    ['unavailable-partitions', (partition) => !hasLeader(partition) || !liveBrokers.has(partition.leaderId)],
    ['under-min-isr-partitions', (partition) => !hasLeader(partition) || partition.isr.length < isrMin],
    ['at-min-isr-partitions', ({ isr }) => isr.length === isrMin],
  ]
  const given = tests.filter(([option]) => options.has(option)).map(([, test]) => test)
  return given.length === 0 ? undefined : (partition) => given.some((test) => test(partition))
}

function topicLine({ name, topicId, partitions }: DescribedTopic, overrides: readonly ConfigEntry[]): string {
  const configs = overrides
    .map((entry) => `${entry.name}=${entry.value}`)
    .sort()
    .join(',')
  const id = topicId === ZERO_UUID ? '' : `\tTopicId: ${topicId}`
  const replicationFactor = partitions[0]?.replicas.length ?? 0
  return `Topic: ${name}${id}\tPartitionCount: ${partitions.length}\tReplicationFactor: ${replicationFactor}\tConfigs: ${configs}`
}

function partitionLine(partition: DescribedPartition): string {
  const { topic, leaderId, replicas, isr, eligibleLeaderReplicas, lastKnownEligibleLeaderReplicas } = partition
  const cells = [
    `Topic: ${topic}`,
    `Partition: ${partition.partition}`,
    `Leader: ${leaderId >= 0 ? leaderId : 'none'}`,
    `Replicas: ${replicas.join(',')}`,
    `Isr: ${isr.join(',')}`,
    `Elr: ${eligibleLeaderReplicas?.join(',') ?? 'N/A'}`,
    `LastKnownElr: ${lastKnownEligibleLeaderReplicas?.join(',') ?? 'N/A'}`,
  ]
  return `\t${cells.join('\t')}`
}
