/**
 * @module test/group/next/xxh3 — the hash against hash4j 0.22, which Kafka 4.3 uses: input byte i of length l is 7 i + l.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Xxh3, xxh3 } from '../../../hub/group/next/xxh3.ts'

const lines = readFileSync(new URL('../../golden/group/xxh3.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly length?: number; readonly hash: string; readonly stream?: string })

describe('XXH3', () => {
  it.each(lines.flatMap(({ length, hash }) => (length === undefined ? [] : [{ length, hash }])))('of $length bytes', ({ length, hash }) => {
    const input = Buffer.from(Array.from({ length }, (_, at) => at * 7 + length))
    expect(BigInt.asIntN(64, xxh3(input))).toBe(BigInt(hash))
  })

  it('takes numbers and strings as hash4j puts them', () => {
    const stream = lines.find((line) => line.stream !== undefined)?.stream ?? ''
    expect(new Xxh3().byte(0).long(-5n).string('töpic').int(7).digest()).toBe(BigInt(stream))
  })
})
