/**
 * @module group-metrics — groups and their lag at /metrics: the names of kafka_exporter and of jmx_exporter's rules for Kafka's group coordinator.
 * The broker knows both ends of the lag, so nobody has to ask for it. All is read when somebody scrapes. Part of hub.ts.
 */
import type { GroupCoordinator, GroupFacts, OffsetFact } from './group/index.ts'
import type { Emit, Registry } from './observe/index.ts'
import type { Partitions } from './replica/index.ts'

/** What is observed. */
interface ObservedGroups {
  readonly groups: Pick<GroupCoordinator, 'facts' | 'counts'>
  readonly partitions: Pick<Partitions, 'get'>
}

/** The lag that kafka_exporter shows where the partition is not there. */
const UNKNOWN_LAG = -1
const CLASSIC_STATES = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty'] as const
const CONSUMER_STATES = ['empty', 'assigning', 'reconciling', 'stable', 'dead'] as const

/** Registers everything about groups. */
export function groupMetrics(registry: Registry, observed: ObservedGroups): void {
  exporterNames(registry, observed)
  coordinatorCounts(registry, observed.groups)
  coordinatorGauges(registry, observed.groups)
}

/** The names of kafka_exporter. */
function exporterNames(registry: Registry, { groups, partitions }: ObservedGroups): void {
  const lagOf = ({ topic, partition, offset }: OffsetFact): number => {
    const hosted = partitions.get(topic, partition)
    return hosted === undefined ? UNKNOWN_LAG : Math.max(hosted.highWatermark.value - offset, 0)
  }
  const offsetOf = ({ offset }: OffsetFact): number => offset
  const perPartition = (name: string, help: string, read: (offset: OffsetFact) => number): void =>
    registry.observed('gauge', `kafka_consumergroup_${name}`, help, ['consumergroup', 'topic', 'partition'], (emit) => {
      for (const { groupId, offsets } of groups.facts())
        for (const offset of offsets) emit(read(offset), groupId, offset.topic, String(offset.partition))
    })
  const perTopic = (name: string, help: string, read: (offset: OffsetFact) => number): void =>
    registry.observed('gauge', `kafka_consumergroup_${name}`, help, ['consumergroup', 'topic'], (emit) => {
      for (const group of groups.facts()) emitSums(emit, group, read)
    })
  perPartition('current_offset', 'Committed offset.', offsetOf)
  perTopic('current_offset_sum', 'Sum of the committed offsets of a topic.', offsetOf)
  perPartition('lag', 'Records between the committed offset and the high watermark; -1: the partition is not there.', lagOf)
  perTopic('lag_sum', 'Sum of the lags of a topic, without those that are not known.', (offset) => Math.max(lagOf(offset), 0))
  registry.observed('gauge', 'kafka_consumergroup_members', 'Members of the group.', ['consumergroup'], (emit) => {
    for (const { groupId, memberCount } of groups.facts()) emit(memberCount, groupId)
  })
}

function emitSums(emit: Emit, { groupId, offsets }: GroupFacts, read: (offset: OffsetFact) => number): void {
  const sums = new Map<string, number>()
  for (const offset of offsets) sums.set(offset.topic, (sums.get(offset.topic) ?? 0) + read(offset))
  for (const [topic, sum] of sums) emit(sum, groupId, topic)
}

/** Kafka's meters, of which Prometheus wants the counts only. */
function coordinatorCounts(registry: Registry, groups: ObservedGroups['groups']): void {
  const count = (name: string, help: string, read: () => number): void =>
    registry.observed('counter', `kafka_server_group_coordinator_metrics_${name}`, help, [], (emit) => emit(read()))
  count('offset_commit_count', 'Offsets that were committed.', () => groups.counts().offsetCommitCount)
  count('offset_expiration_count', 'Offsets that expired.', () => groups.counts().offsetExpirationCount)
  count('offset_deletion_count', 'Offsets that somebody deleted.', () => groups.counts().offsetDeletionCount)
  count('group_completed_rebalance_count', 'Generations of classic groups that got their assignment.', () => {
    return groups.counts().classicRebalanceCount
  })
  count('consumer_group_rebalance_count', 'Epochs that consumer groups began.', () => groups.counts().consumerRebalanceCount)
}

/** Groups by protocol and state, in the names of both of Kafka's registries. */
function coordinatorGauges(registry: Registry, groups: ObservedGroups['groups']): void {
  const countOf = (isCounted: (group: GroupFacts) => boolean): number => {
    let count = 0
    for (const group of groups.facts()) if (isCounted(group)) count++
    return count
  }
  const of = (kind: GroupFacts['kind'], state: string) => (group: GroupFacts) =>
    group.kind === kind && group.state.toLowerCase() === state.toLowerCase()
  const server = 'kafka_server_group_coordinator_metrics'
  registry.observed('gauge', `${server}_group_count`, 'Groups by protocol.', ['protocol'], (emit) => {
    for (const kind of ['classic', 'consumer'] as const)
      emit(
        countOf((group) => group.kind === kind),
        kind,
      )
  })
  registry.observed('gauge', `${server}_consumer_group_count`, 'Consumer groups by state.', ['state'], (emit) => {
    for (const state of CONSUMER_STATES) emit(countOf(of('consumer', state)), state)
  })
  const manager = 'kafka_coordinator_group_groupmetadatamanager'
  const gauge = (name: string, help: string, read: () => number): void =>
    registry.observed('gauge', `${manager}_${name}`, help, [], (emit) => emit(read()))
  gauge('numgroups', 'Classic groups.', () => countOf(({ kind }) => kind === 'classic'))
  for (const state of CLASSIC_STATES)
    gauge(`numgroups${state.toLowerCase()}`, `Classic groups that are ${state}.`, () => countOf(of('classic', state)))
  gauge('numoffsets', 'Committed offsets.', () => {
    let count = 0
    for (const { offsets } of groups.facts()) for (const _ of offsets) count++
    return count
  })
}
