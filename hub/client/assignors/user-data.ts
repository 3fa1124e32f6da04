/** @module client/assignors/user-data — the bytes that sticky assignors leave in a subscription for the next rebalance. */
import type { TopicPartition } from '../types.ts'
import { compareText } from './types.ts'

/** StickyAssignor's user data v1: array of (string topic, array of int32 partitions), int32 generation. */
export function encodeStickyUserData(owned: readonly TopicPartition[], generationId: number): Buffer {
  const byTopic = Map.groupBy(owned, (at) => at.topic)
  const chunks: Buffer[] = [int32(byTopic.size)]
  for (const [topic, partitions] of [...byTopic].sort(([one], [other]) => compareText(one, other))) {
    const name = Buffer.from(topic)
    const length = Buffer.alloc(2)
    length.writeInt16BE(name.length)
    chunks.push(length, name, int32(partitions.length), ...partitions.map(({ partition }) => int32(partition)))
  }
  return Buffer.concat([...chunks, int32(generationId)])
}

/** Reads v1, or v0 which has no generation. Bytes that are neither count as no claim, as in Kafka's class. */
export function decodeStickyUserData(userData: Buffer | null): {
  partitions: TopicPartition[]
  generationId: number | null
} {
  const nothing = { partitions: [], generationId: null }
  if (userData === null || userData.length === 0) return nothing
  try {
    const partitions: TopicPartition[] = []
    let at = 4
    for (let topicCount = userData.readInt32BE(0); topicCount > 0; topicCount--) {
      const nameEnd = at + 2 + userData.readInt16BE(at)
      const topic = userData.toString('utf8', at + 2, nameEnd)
      at = nameEnd + 4
      for (let count = userData.readInt32BE(nameEnd); count > 0; count--, at += 4) {
        partitions.push({ topic, partition: userData.readInt32BE(at) })
      }
    }
    return {
      partitions,
      generationId: at + 4 <= userData.length ? userData.readInt32BE(at) : null,
    }
  } catch (error) {
    if (error instanceof RangeError) return nothing
    throw error
  }
}

/** CooperativeStickyAssignor's user data: int32 generation. */
export function encodeCooperativeUserData(generationId: number): Buffer {
  return int32(generationId)
}

/** The generation; null when the member sent nothing. */
export function decodeCooperativeUserData(userData: Buffer | null): number | null {
  if (userData === null) return null
  return userData.length >= 4 ? userData.readInt32BE(0) : -1
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
