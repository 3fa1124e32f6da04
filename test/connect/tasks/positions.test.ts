import type { SourceOffset, SourcePartition } from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Positions, type Unit } from '../../../hub/connect/tasks/positions.ts'

const a = { file: 'a' }
const b = { file: 'b' }

function storable(positions: Positions): Record<string, unknown> {
  return Object.fromEntries(positions.storable().map(({ partition, offset }) => [String(partition['file']), offset['at']]))
}

describe('positions', () => {
  it('follow the acknowledged prefix of each source partition', () => {
    const positions = new Positions()
    const [first, second, third] = [positions.begin(), positions.begin(), positions.begin()]
    positions.note(first, a, { at: 10 })
    positions.note(second, a, { at: 12 })
    positions.note(second, b, { at: 7 })
    positions.note(third, a, { at: 14 })
    expect(positions.isIdle).toBe(false)
    positions.acknowledge(third)
    expect(storable(positions)).toEqual({})
    positions.acknowledge(first)
    expect(storable(positions)).toEqual({ a: 10 })
    expect(positions.oldestOpenNumber).toBe(second.number)
    positions.acknowledge(second)
    expect(storable(positions)).toEqual({ a: 14, b: 7 })
    expect(positions.isIdle).toBe(true)
  })

  it('are those of the moment when they were noted, whatever becomes of the objects', () => {
    const positions = new Positions()
    const partition = { file: 'a' }
    const offset = { at: 1 }
    const first = positions.begin()
    positions.note(first, partition, offset)
    const second = positions.begin()
    partition.file = 'b'
    offset.at = 7
    positions.note(second, partition, offset)
    positions.acknowledge(first)
    expect(storable(positions)).toEqual({ a: 1 })
    const stored = positions.storable()
    offset.at = 8
    positions.note(positions.begin(), partition, offset)
    positions.acknowledge(second)
    positions.markStored(stored)
    expect(storable(positions)).toEqual({ b: 7 })
    partition.file = 'c'
    offset.at = 20
    positions.advance(partition, offset)
    expect(storable(positions)).toEqual({ b: 7 })
  })

  it('are one for equal partitions, whatever the order of members and the kind of integer', () => {
    const positions = new Positions()
    const unit = positions.begin()
    positions.note(unit, { file: 'a', part: 1 }, { at: 1 })
    positions.note(unit, { part: 1n, file: 'a' }, { at: 2 })
    positions.note(unit, { part: '1', file: 'a' }, { at: 3 })
    positions.note(unit, { file: 'a' }, { at: 4 })
    positions.acknowledge(unit)
    expect(positions.storable().map(({ offset }) => offset['at'])).toEqual([2, 3, 4])
  })

  it('that move without a record wait for everything before them', () => {
    const positions = new Positions()
    positions.advance(b, { at: 1 })
    expect(storable(positions)).toEqual({ b: 1 })
    const unit = positions.begin()
    positions.note(unit, a, { at: 5 })
    positions.advance(b, { at: 2 })
    positions.advance(b, { at: 3 })
    expect(storable(positions)).toEqual({ b: 1 })
    positions.acknowledge(unit)
    expect(storable(positions)).toEqual({ a: 5, b: 3 })
  })

  it('stay to be stored when they have moved on while older ones were stored', () => {
    const positions = new Positions()
    const first = positions.begin()
    positions.note(first, a, { at: 1 })
    positions.acknowledge(first)
    const stored = positions.storable()
    const second = positions.begin()
    positions.note(second, a, { at: 2 })
    positions.acknowledge(second)
    positions.markStored(stored)
    expect(storable(positions)).toEqual({ a: 2 })
    positions.markStored(positions.storable())
    expect(storable(positions)).toEqual({})
  })

  it('are forgotten once they are stored and nothing of their partition is on its way', () => {
    const positions = new Positions()
    for (let round = 0; round < 200; round++) {
      const unit = positions.begin()
      for (let file = 0; file < 5; file++) positions.note(unit, { file: `${round}-${file}` }, { at: 1 })
      positions.note(unit, a, { at: round })
      expect(positions.partitionCount).toBe(6)
      positions.acknowledge(unit)
      positions.markStored(positions.storable())
      expect(positions.partitionCount).toBe(0)
    }
  })

  it('never pass a record that is not acknowledged, in whatever order acknowledgements come (property)', () => {
    const event = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('unit' as const), records: fc.array(fc.nat(3), { maxLength: 5 }) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('ack' as const), pick: fc.nat(1000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), partition: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('store' as const) }) },
    )
    const countMax = process.env['MILLRACE_LONG'] === undefined ? 200 : 5_000
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100, size: 'max' }), (events) => {
        const positions = new Positions()
        const open: Unit[] = []
        const acknowledged = new Set<number>()
        /** What happened, in order: the unit's number, the partition, the sequence number that is its offset. */
        const history: { readonly unit: number; readonly partition: number; readonly at: number; readonly isBarrier: boolean }[] = []
        const stored = new Map<number, number>()
        let at = 0
        let unitNumber = 0
        for (const step of events) {
          if (step.kind === 'unit') {
            const unit = positions.begin()
            unitNumber = unit.number
            open.push(unit)
            for (const partition of step.records) {
              positions.note(unit, { p: partition } satisfies SourcePartition, { at: ++at } satisfies SourceOffset)
              history.push({ unit: unit.number, partition, at, isBarrier: false })
            }
          } else if (step.kind === 'ack' && open.length > 0) {
            const [unit] = open.splice(step.pick % open.length, 1) as [Unit]
            positions.acknowledge(unit)
            acknowledged.add(unit.number)
          } else if (step.kind === 'advance') {
            positions.advance({ p: step.partition }, { at: ++at })
            history.push({ unit: unitNumber, partition: step.partition, at, isBarrier: true })
          } else if (step.kind === 'store') {
            const list = positions.storable()
            for (const { partition, offset } of list) stored.set(Number(partition['p']), Number(offset['at']))
            positions.markStored(list)
          }
          const now = new Map(stored)
          for (const { partition, offset } of positions.storable()) now.set(Number(partition['p']), Number(offset['at']))
          expect(Object.fromEntries(now)).toEqual(expected(history, acknowledged, unitNumber))
        }
        expect(positions.isIdle).toBe(open.length === 0)
      }),
      { numRuns: countMax },
    )
  })
})

/** The rule, said anew: the last position of the unbroken run from the beginning of each partition. */
function expected(
  history: readonly { readonly unit: number; readonly partition: number; readonly at: number; readonly isBarrier: boolean }[],
  acknowledged: ReadonlySet<number>,
  unitCount: number,
): Record<string, number> {
  let prefix = 0
  while (prefix < unitCount && acknowledged.has(prefix + 1)) prefix++
  const result: Record<string, number> = {}
  const blocked = new Set<number>()
  for (const { unit, partition, at, isBarrier } of history) {
    if (blocked.has(partition)) continue
    if (isBarrier ? unit <= prefix : acknowledged.has(unit)) result[partition] = at
    else blocked.add(partition)
  }
  return result
}
