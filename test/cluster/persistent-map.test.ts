import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PersistentMap } from '../../hub/cluster/persistent-map.ts'

const keys = fc.integer({ min: 0, max: 700 }).map((n) => `topic-${n}`)
const changes = fc.array(fc.record({ key: keys, value: fc.option(fc.nat(), { nil: undefined }) }), { maxLength: 60 })

describe('persistent map', () => {
  it('behaves as a Map, batch by batch, and older versions stay as they were', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (batches) => {
        let map = PersistentMap.empty<number>()
        const model = new Map<string, number>()
        const versions: { map: PersistentMap<number>; model: Map<string, number> }[] = []
        for (const batch of batches) {
          const edit = map.edit()
          for (const { key, value } of batch) {
            if (value === undefined) {
              edit.delete(key)
              model.delete(key)
            } else {
              edit.set(key, value)
              model.set(key, value)
            }
            expect(edit.get(key)).toBe(value)
          }
          map = edit.done()
          versions.push({ map, model: new Map(model) })
        }
        for (const version of versions) expectSame(version.map, version.model)
      }),
      { numRuns: 60 },
    )
  })

  it('an edit that changed nothing gives the same map', () => {
    const map = PersistentMap.empty<number>()
    const edit = map.edit()
    edit.delete('absent')
    expect(edit.done()).toBe(map)
  })

  it('shares what a batch did not touch', () => {
    const first = PersistentMap.empty<object>().edit()
    for (let n = 0; n < 10_000; n++) first.set(`topic-${n}`, { n })
    const map = first.done()
    const edit = map.edit()
    edit.set('topic-5', { n: -1 })
    const changed = edit.done()
    const moved = [...changed].filter(([key, value]) => map.get(key) !== value)
    expect(moved).toEqual([['topic-5', { n: -1 }]])
    expect(map.get('topic-5')).toEqual({ n: 5 })
  })
})

function expectSame(map: PersistentMap<number>, model: ReadonlyMap<string, number>): void {
  expect(map.size).toBe(model.size)
  expect(new Map(map)).toEqual(model)
  expect(new Set(map.keys())).toEqual(new Set(model.keys()))
  expect([...map.values()].toSorted((a, b) => a - b)).toEqual([...model.values()].toSorted((a, b) => a - b))
  const visited = new Map<string, number>()
  map.forEach((value, key) => {
    visited.set(key, value)
  })
  expect(visited).toEqual(model)
  for (const [key, value] of model) expect([map.has(key), map.get(key)]).toEqual([true, value])
  expect(map.has('absent')).toBe(false)
}
