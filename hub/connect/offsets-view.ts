/** @module connect/offsets-view — positions of connectors (KIP-875): a source's stand in the offset topic, a sink's with its group. */
import { adminOptionsFrom, type ClientWorld, createAdmin } from '../client/index.ts'
import type { OffsetStore } from './stores/types.ts'
import type { ConfigText, ConnectorOffsets } from './types.ts'

/** Positions of a source, sorted by partition. */
export async function sourceOffsets(name: string, store: OffsetStore): Promise<ConnectorOffsets> {
  const all = await store.all(name)
  const sorted = all.map((entry) => ({ entry, key: sortKey(entry.partition) })).sort((one, other) => (one.key < other.key ? -1 : 1))
  return { offsets: sorted.map(({ entry: { partition, offset } }) => ({ partition, offset })) }
}

function sortKey(partition: object): string {
  return JSON.stringify(partition, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

/** The group that a sink's tasks read as. */
export function sinkGroupId(name: string, config: ConfigText): string {
  return config['consumer.override.group.id'] ?? `connect-${name}`
}

/** What a sink's group has committed, sorted by topic and partition. */
export async function sinkOffsets(
  groupId: string,
  workerConfig: ConfigText,
  world: ClientWorld,
  signal: AbortSignal,
): Promise<ConnectorOffsets> {
  const own = Object.entries(workerConfig).flatMap(([key, value]) =>
    key.startsWith('admin.') ? [[key.slice('admin.'.length), value] as const] : [],
  )
  const admin = createAdmin({ ...adminOptionsFrom({ ...workerConfig, ...Object.fromEntries(own) }), world })
  try {
    const committed = await admin.fetchOffsets(groupId, null, {}, signal)
    const sorted = [...committed].sort((one, other) =>
      one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1,
    )
    return {
      offsets: sorted
        .filter(({ offset }) => offset >= 0)
        .map(({ topic, partition, offset }) => ({
          partition: { kafka_topic: topic, kafka_partition: partition },
          offset: { kafka_offset: offset },
        })),
    }
  } finally {
    await admin.close()
  }
}
