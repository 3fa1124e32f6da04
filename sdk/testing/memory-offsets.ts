/**
 * @module sdk/testing/memory-offsets — an offsets topic in memory: positions outlive the runs that store them.
 */
import { parseJson, stringifyJson } from '../exact-json.ts'
import type { OffsetValue, SourceOffset, SourcePartition } from '../record.ts'
import type { CommittedOffset } from '../source.ts'

/** Positions by source partition. They come back as from the topic, which keeps JSON: a `bigint` that a `number` can hold is one then. */
export class MemoryOffsets {
  readonly #positions = new Map<string, CommittedOffset>()

  constructor(committed: Iterable<CommittedOffset> = []) {
    for (const { partition, offset } of committed) this.store(partition, offset)
  }

  /** @throws TypeError for what the topic could not keep */
  store(partition: SourcePartition, offset: SourceOffset): void {
    this.#positions.set(partitionKey(partition), { partition: asStored(partition), offset: asStored(offset) })
  }

  read(partition: SourcePartition): SourceOffset | null {
    return this.#positions.get(partitionKey(partition))?.offset ?? null
  }

  /** All of them, in the order in which partitions were first stored. */
  entries(): readonly CommittedOffset[] {
    return [...this.#positions.values()]
  }
}

function asStored(values: Readonly<Record<string, OffsetValue>>): Readonly<Record<string, OffsetValue>> {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${name}: JSON has no form for ${value}`)
  }
  return parseJson(stringifyJson(values)) as Readonly<Record<string, OffsetValue>>
}

/** The same text for the same partition, whatever the order of its members; 1 and 1n are one number. */
export function partitionKey(partition: SourcePartition): string {
  const members = Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(members.map(([name, value]) => [name, typeof value === 'string' ? JSON.stringify(value) : String(value)]))
}
