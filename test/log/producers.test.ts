import { describe, expect, it } from 'vitest'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../hub/log/producer-snapshot.ts'
import { type ProducerClaim, Producers } from '../../hub/log/producers.ts'
import { ErrorCode } from '../../hub/wire/index.ts'

const claim = (firstSequence: number, lastSequence = firstSequence, epoch = 0, producerId = 1): ProducerClaim => ({
  producerId,
  epoch,
  firstSequence,
  lastSequence,
  isTransactional: false,
})

function filled(count: number): Producers {
  const producers = new Producers(5)
  for (let n = 0; n < count; n++) producers.record(claim(n), { lastOffset: 100 + n, offsetDelta: 0, timestampMs: 0 }, n, true)
  return producers
}
const codeOf = (producers: Producers, of: ProducerClaim): unknown => {
  const verdict = producers.judge(of, undefined)
  return verdict.kind === 'refused' ? verdict.errorCode : verdict.kind
}

describe('the five-batch rule', () => {
  it('takes any first sequence of an unknown producer', () => {
    expect(codeOf(new Producers(5), claim(77))).toBe('next')
  })

  it('recognises a retry of the last five batches and answers their offsets', () => {
    const producers = filled(7)
    for (let n = 2; n < 7; n++) {
      expect(producers.judge(claim(n), undefined)).toMatchObject({ kind: 'duplicate', batch: { lastOffset: 100 + n } })
    }
    expect(codeOf(producers, claim(1))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('takes the next sequence, refuses a gap and a batch of other bounds', () => {
    const producers = filled(3)
    expect(codeOf(producers, claim(3, 9))).toBe('next')
    expect(codeOf(producers, claim(4))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(codeOf(producers, claim(2, 3))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('wraps from 2^31−1 to 0', () => {
    const producers = new Producers(5)
    producers.record(claim(2 ** 31 - 1), { lastOffset: 0, offsetDelta: 0, timestampMs: 0 }, 0, true)
    expect(codeOf(producers, claim(0))).toBe('next')
    expect(codeOf(producers, claim(1))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('begins a new epoch with 0 and fences the old one', () => {
    const producers = filled(3)
    expect(codeOf(producers, claim(3, 3, 1))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(codeOf(producers, claim(0, 0, 1))).toBe('next')
    producers.record(claim(0, 0, 1), { lastOffset: 103, offsetDelta: 0, timestampMs: 0 }, 9, true)
    expect(codeOf(producers, claim(3))).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(codeOf(producers, claim(0))).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('takes back what was not let go, older batches included', () => {
    const producers = filled(6)
    producers.forgetUndo(105)
    producers.record(claim(6), { lastOffset: 106, offsetDelta: 0, timestampMs: 0 }, 6, true)
    producers.record(claim(0, 0, 1), { lastOffset: 107, offsetDelta: 0, timestampMs: 0 }, 7, true)
    producers.record(claim(0, 0, 0, 2), { lastOffset: 108, offsetDelta: 0, timestampMs: 0 }, 8, true)
    producers.rewind(105)
    expect(producers.size).toBe(2)
    // Batch 105 was not yet written either.
    expect(producers.entries.get(1)?.batches.map((batch) => batch.lastOffset)).toEqual([100, 101, 102, 103, 104])
    expect(codeOf(producers, claim(5))).toBe('next')
  })

  it('an unknown producer whose first batches were taken back begins with them again', () => {
    const [of, gap] = [{ offsetDelta: 0, timestampMs: 0 }, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER]
    for (const first of [0, 77]) {
      const producers = new Producers(5)
      for (const n of [first, first + 1]) producers.record(claim(n), { ...of, lastOffset: n }, 3, true)
      producers.rewind(0)
      expect([first + 2, first + 1, first].map((n) => codeOf(producers, claim(n)))).toEqual([gap, gap, 'next'])
      // A second taking back changes nothing; an epoch of its own begins with 0.
      producers.record(claim(first), { ...of, lastOffset: first }, 4, true)
      producers.rewind(0)
      expect([first + 1, first].map((n) => codeOf(producers, claim(n)))).toEqual([gap, 'next'])
      expect([codeOf(producers, claim(1, 1, 1)), codeOf(producers, claim(0, 0, 1))]).toEqual([gap, 'next'])
      const again = new Producers(5)
      again.reset(decodeProducerSnapshot('f', encodeProducerSnapshot(producers.entries), 9))
      expect(codeOf(again, claim(first))).toBe('next')
      expect(codeOf(again, claim(first + 1))).toBe(first === 0 ? gap : 'next')
      expect(producers.expire(4)).toBe(1)
    }
  })

  it('forgets the idle', () => {
    const producers = filled(3)
    producers.record(claim(0, 0, 0, 2), { lastOffset: 200, offsetDelta: 0, timestampMs: 0 }, 50, true)
    expect(producers.expire(10)).toBe(1)
    expect(codeOf(producers, claim(99))).toBe('next')
    expect(codeOf(producers, claim(99, 99, 0, 2))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })
})
