/** Groups and their lag as a scrape reads them. */
import { expect, it } from 'vitest'
import type { GroupFacts } from '../../hub/group/index.ts'
import { groupMetrics } from '../../hub/group-metrics.ts'
import { createRegistry } from '../../hub/observe/index.ts'
import { type Partitions, RisingMark } from '../../hub/replica/index.ts'

const groups: readonly GroupFacts[] = [
  {
    groupId: 'orders',
    kind: 'classic',
    state: 'Stable',
    memberCount: 2,
    offsets: [
      { topic: 't', partition: 0, offset: 40 },
      { topic: 't', partition: 1, offset: 90 },
      { topic: 'gone', partition: 0, offset: 3 },
    ],
  },
  { groupId: 'new', kind: 'consumer', state: 'Reconciling', memberCount: 1, offsets: [{ topic: 't', partition: 0, offset: 105 }] },
  { groupId: 'idle', kind: 'classic', state: 'Empty', memberCount: 0, offsets: [] },
]
const counts = {
  classicRebalanceCount: 3,
  consumerRebalanceCount: 4,
  offsetCommitCount: 50,
  offsetExpirationCount: 6,
  offsetDeletionCount: 7,
}
/** Both partitions of `t` end at 100. */
const partitions: Pick<Partitions, 'get'> = {
  get: (topic) => (topic === 't' ? ({ highWatermark: new RisingMark(100) } as unknown as ReturnType<Partitions['get']>) : undefined),
}

it('tells offsets, lag and states in the names of kafka_exporter and jmx_exporter', async () => {
  const registry = createRegistry()
  groupMetrics(registry, { groups: { facts: () => groups, counts: () => counts }, partitions })
  const lines = (await registry.exposition()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const of = (prefix: string): string[] => lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length))
  expect(of('kafka_consumergroup_')).toEqual([
    'current_offset{consumergroup="orders",topic="t",partition="0"} 40',
    'current_offset{consumergroup="orders",topic="t",partition="1"} 90',
    'current_offset{consumergroup="orders",topic="gone",partition="0"} 3',
    'current_offset{consumergroup="new",topic="t",partition="0"} 105',
    'current_offset_sum{consumergroup="orders",topic="t"} 130',
    'current_offset_sum{consumergroup="orders",topic="gone"} 3',
    'current_offset_sum{consumergroup="new",topic="t"} 105',
    'lag{consumergroup="orders",topic="t",partition="0"} 60',
    'lag{consumergroup="orders",topic="t",partition="1"} 10',
    'lag{consumergroup="orders",topic="gone",partition="0"} -1',
    'lag{consumergroup="new",topic="t",partition="0"} 0',
    'lag_sum{consumergroup="orders",topic="t"} 70',
    'lag_sum{consumergroup="orders",topic="gone"} 0',
    'lag_sum{consumergroup="new",topic="t"} 0',
    'members{consumergroup="orders"} 2',
    'members{consumergroup="new"} 1',
    'members{consumergroup="idle"} 0',
  ])
  expect(of('kafka_server_group_coordinator_metrics_')).toEqual([
    'offset_commit_count 50',
    'offset_expiration_count 6',
    'offset_deletion_count 7',
    'group_completed_rebalance_count 3',
    'consumer_group_rebalance_count 4',
    'group_count{protocol="classic"} 2',
    'group_count{protocol="consumer"} 1',
    'consumer_group_count{state="empty"} 0',
    'consumer_group_count{state="assigning"} 0',
    'consumer_group_count{state="reconciling"} 1',
    'consumer_group_count{state="stable"} 0',
    'consumer_group_count{state="dead"} 0',
  ])
  expect(of('kafka_coordinator_group_groupmetadatamanager_')).toEqual([
    'numgroups 2',
    'numgroupspreparingrebalance 0',
    'numgroupscompletingrebalance 0',
    'numgroupsstable 1',
    'numgroupsdead 0',
    'numgroupsempty 1',
    'numoffsets 4',
  ])
})
