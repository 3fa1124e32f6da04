import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { initialState, majorityOffset, type RaftEffect, type RaftEvent, type RaftState, step } from '../../hub/raft/core.ts'
import { type Command, runScenarios } from './scenario.ts'

describe('conversations with the core', () => {
  runScenarios(join(import.meta.dirname, '../golden/raft/core'), () => {
    let state: RaftState | undefined
    return (command) => {
      try {
        if (command.name === 'voter') {
          state = initialState(command.number('id'), command.numbers('voters'))
          return show(state, [])
        }
        const next = step(state as RaftState, eventOf(command))
        state = next.state
        return show(next.state, next.effects)
      } catch (error) {
        return `error ${(error as Error).message}`
      }
    }
  })
})

function eventOf(command: Command): RaftEvent {
  if (command.name === 'synced') return { kind: 'synced', voterId: command.number('voter'), endOffset: command.number('end') }
  const known = command.arguments.has('epoch')
  const quorumState = known ? { leaderId: command.number('leader'), leaderEpoch: command.number('epoch'), votedId: -1 } : undefined
  return { kind: 'start', quorumState, lastEpoch: command.number('lastEpoch'), endOffset: command.number('end') }
}

function show(state: RaftState, effects: readonly RaftEffect[]): string {
  const { role, epoch, leaderId, epochStartOffset, highWatermark } = state
  const lines = [`${role} epoch=${epoch} leader=${leaderId} epochStart=${epochStartOffset} highWatermark=${highWatermark}`]
  for (const { kind, ...facts } of effects) lines.push(`  ${kind} ${JSON.stringify(facts)}`)
  return lines.join('\n')
}

describe('raft core', () => {
  it('the majority offset is reached by a majority and the next one is not', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 7 }), (offsets) => {
        const reachedBy = (offset: number): number => offsets.filter((other) => other >= offset).length
        const offset = majorityOffset(offsets)
        expect(reachedBy(offset) * 2).toBeGreaterThan(offsets.length)
        expect(reachedBy(offset + 1) * 2).toBeLessThanOrEqual(offsets.length)
      }),
    )
  })

  it('a lone voter: epochs only grow over restarts, and the high watermark never falls', () => {
    const restarts = fc.array(fc.record({ lastEpoch: fc.integer({ min: -1, max: 30 }), synced: fc.array(fc.nat(100), { maxLength: 5 }) }))
    fc.assert(
      fc.property(restarts, (runs) => {
        let epoch = 0
        for (const { lastEpoch, synced } of runs) {
          const quorumState = epoch === 0 ? undefined : { leaderId: 1, leaderEpoch: epoch, votedId: -1 }
          const started = step(initialState(1, [1]), { kind: 'start', quorumState, lastEpoch, endOffset: 10 })
          expect(started.state.epoch).toBeGreaterThan(Math.max(epoch, lastEpoch))
          epoch = started.state.epoch
          let state = started.state
          for (const endOffset of synced) {
            const next = step(state, { kind: 'synced', voterId: 1, endOffset }).state
            expect(next.highWatermark).toBeGreaterThanOrEqual(state.highWatermark)
            state = next
          }
        }
      }),
    )
  })
})
