import { describe, expect, it } from 'vitest'
import { SharedQuestion } from '../../../hub/connect/stores/shared-question.ts'

/** A question whose answers are given by hand; each is the number of its asking. */
function byHand(): { question: SharedQuestion<number>; askedCount: () => number; settle: (error?: Error) => Promise<void> } {
  const waiting: PromiseWithResolvers<number>[] = []
  let askedCount = 0
  const question = new SharedQuestion(() => {
    askedCount++
    waiting.push(Promise.withResolvers<number>())
    return (waiting.at(-1) as PromiseWithResolvers<number>).promise
  })
  const settle = async (error?: Error): Promise<void> => {
    const first = waiting.shift()
    if (error === undefined) first?.resolve(askedCount)
    else first?.reject(error)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  return { question, askedCount: () => askedCount, settle }
}

describe('a question that many ask', () => {
  it('is asked anew for those who come while an answer is on its way, once for all of them', async () => {
    const { question, askedCount, settle } = byHand()
    const first = question.answer()
    const later = [question.answer(), question.answer(), question.answer()]
    expect(askedCount()).toBe(1)
    await settle()
    expect(await first).toBe(1)
    expect(askedCount()).toBe(2)
    const latest = question.answer()
    await settle()
    expect(await Promise.all(later)).toEqual([2, 2, 2])
    await settle()
    expect(await latest).toBe(3)
    expect(askedCount()).toBe(3)
  })

  it('that fails is asked again for those who came later', async () => {
    const { question, settle } = byHand()
    const first = question.answer().catch((error: Error) => error.message)
    const later = question.answer()
    await settle(new Error('lost'))
    expect(await first).toBe('lost')
    await settle()
    expect(await later).toBe(2)
  })
})
