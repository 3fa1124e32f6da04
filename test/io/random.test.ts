import { describe, expect, it } from 'vitest'
import { nodeRandom, seededRandom } from '../../hub/io/index.ts'
import { randomContract } from './random-contract.ts'

describe('chance of the system', () => {
  randomContract(nodeRandom)
})

describe('chance from a seed', () => {
  randomContract(() => seededRandom(7))

  it('repeats with the seed and differs between seeds', () => {
    const draws = (seed: number): unknown[] => {
      const random = seededRandom(seed)
      return [random.float(), random.uuid(), random.bytes(8).toString('hex'), random.float()]
    }
    expect(draws(1)).toEqual(draws(1))
    const different = new Set([0, 1, 2, 2 ** 32, 2 ** 40 + 1].map((seed) => JSON.stringify(draws(seed))))
    expect(different.size).toBe(5)
  })
})
