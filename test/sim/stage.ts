/** @module test/sim/stage — what every actor of the workload works with, in a simulated machine as well as against a real process. */
import type { ClientOptions, ClientWorld, NewTopic, TopicPartition } from '../../hub/client/index.ts'
import type { PartitionName, Recorder } from './history.ts'

/** A process that clients live in; what it waits for may never come. */
export interface ClientProcess {
  /** Unlike any other's, over restarts too. */
  readonly name: string
  readonly world: ClientWorld
}

/** Where the play is played. */
export interface Stage {
  readonly bootstrap: string
  readonly recorder: Recorder
}

/** Does its part until it is told to stop; then it ends in order. */
export type Actor = (process: ClientProcess, stage: Stage, stop: AbortSignal) => Promise<void>

/** Topics of the workload and their partitions. */
export const TOPICS = { plain: 2, ledger: 3, latest: 1, copies: 2 } as const

/** The topic that is compacted, with its settings: always, at once. */
const COMPACTED: TopicName = 'latest'
const COMPACTED_CONFIGS = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.01',
  'segment.ms': '1000',
  'delete.retention.ms': '500',
} as const
/** Keys of the compacted topic. */
const KEY_COUNT = 12

export type TopicName = keyof typeof TOPICS

/** The partitions of some topics. */
export function partitionsOf(...topics: readonly TopicName[]): TopicPartition[] {
  return topics.flatMap((topic) => Array.from({ length: TOPICS[topic] }, (_, partition) => ({ topic, partition })))
}

export function allPartitions(): TopicPartition[] {
  return partitionsOf(...(Object.keys(TOPICS) as TopicName[]))
}

/** Where a record goes: a partition of these topics, and in the compacted one a key. */
export function placeFor(process: ClientProcess, topics: readonly TopicName[]): TopicPartition & { readonly key?: string } {
  const at = pick(process, partitionsOf(...topics))
  return at.topic === COMPACTED ? { ...at, key: `k${Math.floor(between(process, 0, KEY_COUNT))}` } : at
}

/** What a history says of such a place. */
export function placed({ topic, partition, key }: TopicPartition & { readonly key?: string }): { partition: PartitionName; key?: string } {
  return { partition: nameOf({ topic, partition }), ...(key === undefined ? {} : { key }) }
}

/** The topics as an admin client makes them. */
export function newTopics(): NewTopic[] {
  return (Object.keys(TOPICS) as TopicName[]).map((name) => ({
    name,
    partitionCount: TOPICS[name],
    ...(name === COMPACTED ? { configs: COMPACTED_CONFIGS } : {}),
  }))
}

export function nameOf({ topic, partition }: TopicPartition): PartitionName {
  return `${topic}-${partition}`
}

/** Options of all clients: impatient, so that faults of seconds are met with retries and given up. */
export function clientOptions({ name, world }: ClientProcess, { bootstrap }: Stage) {
  return {
    bootstrapServers: bootstrap,
    world,
    clientId: name,
    requestTimeoutMs: 3_000,
    retryBackoffMs: 20,
    retryBackoffMsMax: 500,
    reconnectBackoffMs: 20,
    reconnectBackoffMsMax: 500,
    connectionSetupTimeoutMs: 2_000,
    metadataAgeMsMax: 10_000,
    apiTimeoutMs: 10_000,
  } satisfies ClientOptions
}

/** A float in [from, to). */
export function between({ world }: ClientProcess, from: number, to: number): number {
  return from + world.random.float() * (to - from)
}

/** One of the list. */
export function pick<T>({ world }: ClientProcess, list: readonly T[]): T {
  return list[Math.floor(world.random.float() * list.length)] as T
}

/** Sleeps; not longer than until the end of the play. */
export async function pause({ world }: ClientProcess, durationMs: number, stop: AbortSignal): Promise<void> {
  await world.clock.sleep(durationMs, stop).catch(() => {})
}

const VALUE_END = '|'

/** A record's value: its name, filled up so that sizes differ. */
export function valueBytes(process: ClientProcess, name: string): string {
  const sizeMax = process.world.random.float() < 0.05 ? 8_000 : 200
  return `${name}${VALUE_END}${'·'.repeat(process.world.random.float() * sizeMax)}`
}

/** The name in a record's value. */
export function valueName(value: Buffer | null): string {
  return value === null ? 'null' : (value.toString().split(VALUE_END, 1)[0] ?? '')
}
