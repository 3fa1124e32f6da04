import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { coordinatorPartition, murmur2, partitionForKey, stringHash } from '../../hub/wire/murmur2.ts'

function vectors<T>(name: string): T[] {
  return readFileSync(new URL(`../golden/protocol/vectors/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

describe('murmur2', () => {
  it('hashes and partitions every key as Java does', () => {
    const all = vectors<{ keyHex: string; murmur2: number; partition: Record<string, number> }>('_murmur2')
    expect(all.length).toBeGreaterThan(200)
    for (const vector of all) {
      const key = Buffer.from(vector.keyHex, 'hex')
      expect(murmur2(key), vector.keyHex).toBe(vector.murmur2)
      for (const [count, partition] of Object.entries(vector.partition)) {
        expect(partitionForKey(key, Number(count)), `${vector.keyHex} of ${count}`).toBe(partition)
      }
    }
  })
})

describe('coordinatorPartition', () => {
  it('picks the partition that Kafka picks, for the hash −2^31 too', () => {
    const all = vectors<{ id: string; hashCode: number; partition: Record<string, number> }>('_coordinator_partition')
    expect(all.some((vector) => vector.hashCode === -0x80000000)).toBe(true)
    for (const vector of all) {
      expect(stringHash(vector.id), vector.id).toBe(vector.hashCode)
      for (const [count, partition] of Object.entries(vector.partition)) {
        expect(coordinatorPartition(vector.id, Number(count)), `${vector.id} of ${count}`).toBe(partition)
      }
    }
  })
})
