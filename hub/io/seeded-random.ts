/** @module io/seeded-random — chance that a seed repeats. */
import { uuidFrom } from './node-random.ts'
import type { Random } from './ports.ts'

/** The same seed gives the same draws, in the order of the calls. Never for secrets. Generator: sfc32 (C. Doty-Humphrey, PractRand). */
export function seededRandom(seed = 1): Random {
  const next = sfc32(seed)
  const bytes = (countBytes: number): Buffer => {
    const drawn = Buffer.alloc(countBytes)
    for (let at = 0; at < countBytes; at++) drawn[at] = next() >>> 24
    return drawn
  }
  return {
    bytes,
    uuid: () => uuidFrom(bytes),
    float: () => next() / 2 ** 32,
  }
}

function sfc32(seed: number): () => number {
  let a = 0x9e3779b9
  let b = seed >>> 0
  let c = Math.floor(seed / 2 ** 32) | 0
  let counter = 1
  const next = (): number => {
    const drawn = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + drawn) | 0
    return drawn >>> 0
  }
  // The first draws still show the seed.
  for (let warmUp = 0; warmUp < 15; warmUp++) next()
  return next
}
