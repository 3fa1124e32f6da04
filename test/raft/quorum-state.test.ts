import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeQuorumState, encodeQuorumState } from '../../hub/raft/quorum-state.ts'

const kafkaFile = join(import.meta.dirname, '../golden/raft/kafka-4.3.1/quorum-state')

describe('quorum-state file', () => {
  it('is byte for byte what Kafka 4.3.1 wrote', () => {
    const bytes = readFileSync(kafkaFile)
    const state = decodeQuorumState(kafkaFile, bytes)
    expect(state).toEqual({ leaderId: 1, leaderEpoch: 1, votedId: -1 })
    expect(encodeQuorumState(state).toString()).toBe(bytes.toString())
  })

  it('reads version 0 of a static quorum', () => {
    const text =
      '{"clusterId":"","leaderId":1,"leaderEpoch":6,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}'
    expect(decodeQuorumState('q', Buffer.from(text))).toEqual({ leaderId: 1, leaderEpoch: 6, votedId: -1 })
  })

  it.each([
    ['{"leaderId":1', 'is not JSON'],
    ['null', 'is not a JSON object'],
    ['{"data_version":2,"leaderId":1,"leaderEpoch":1,"votedId":-1}', 'has version 2'],
    ['{"data_version":1,"leaderId":1,"leaderEpoch":"x","votedId":-1}', 'lacks the number "leaderEpoch"'],
  ])('refuses %s, naming the file', (text, reason) => {
    expect(() => decodeQuorumState('/data/quorum-state', Buffer.from(text))).toThrow(`/data/quorum-state: ${reason}`)
  })
})
