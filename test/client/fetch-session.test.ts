/** Fetch sessions against a broker that keeps them as KIP-227 says. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FetchedPartition, FetchSession, type SessionRequest } from '../../hub/client/consuming/fetch-session.ts'
import { ErrorCode } from '../../hub/wire/index.ts'

/** One broker's cache with room for one session. */
class BrokerModel {
  #id = 0
  #epoch = 0
  #lastId = 0
  readonly partitions = new Map<string, number>()

  answer(request: SessionRequest, mayKeep: boolean): { errorCode: number; sessionId: number } {
    if (request.sessionEpoch === 0) {
      if (request.sessionId === this.#id) this.#id = 0
      this.partitions.clear()
      this.#take(request)
      if (!mayKeep) return { errorCode: 0, sessionId: 0 }
      this.#id = ++this.#lastId
      this.#epoch = 1
      return { errorCode: 0, sessionId: this.#id }
    }
    if (request.sessionId !== this.#id || this.#id === 0) return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0 }
    if (request.sessionEpoch !== this.#epoch) return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: 0 }
    this.#epoch++
    this.#take(request)
    return { errorCode: 0, sessionId: this.#id }
  }

  forget(): void {
    this.#id = 0
  }

  #take({ partitions, forgotten }: SessionRequest): void {
    for (const { topicId, partition } of forgotten) this.partitions.delete(`${topicId}:${partition}`)
    for (const { topicId, partition, fetchOffset } of partitions) this.partitions.set(`${topicId}:${partition}`, fetchOffset)
  }
}

function at(topicId: string, partition: number, fetchOffset: number): FetchedPartition {
  return { topic: `topic ${topicId}`, topicId, partition, fetchOffset, currentLeaderEpoch: 1 }
}

describe('a fetch session', () => {
  it('tells all at first, then what has changed, what is new and what is forgotten', () => {
    const session = new FetchSession()
    expect(session.next([at('a', 0, 5), at('a', 1, 6)], true)).toMatchObject({ sessionId: 0, sessionEpoch: 0, forgotten: [] })
    expect(session.onAnswer(0, 77)).toBe(true)
    const second = session.next([at('a', 0, 9), at('a', 1, 6), at('b', 0, 0)], true)
    expect(second).toEqual({ sessionId: 77, sessionEpoch: 1, partitions: [at('a', 0, 9), at('b', 0, 0)], forgotten: [] })
    session.onAnswer(0, 77)
    expect(session.next([at('b', 0, 0)], true)).toEqual({
      sessionId: 77,
      sessionEpoch: 2,
      partitions: [],
      forgotten: [at('a', 0, 9), at('a', 1, 6)],
    })
    session.onAnswer(0, 77)
    // A topic that was made anew is another one.
    expect(session.next([at('c', 0, 0)], true)).toMatchObject({ partitions: [at('c', 0, 0)], forgotten: [at('b', 0, 0)] })
  })

  it('begins anew, and closes the old one, when no answer came or names take the place of ids', () => {
    const session = new FetchSession()
    session.next([at('a', 0, 5)], true)
    session.onAnswer(0, 77)
    session.next([at('a', 0, 6)], true)
    session.onLost()
    expect(session.next([at('a', 0, 6)], true)).toEqual({ sessionId: 77, sessionEpoch: 0, partitions: [at('a', 0, 6)], forgotten: [] })
    session.onAnswer(0, 78)
    expect(session.next([at('a', 0, 6)], false)).toMatchObject({ sessionId: 78, sessionEpoch: 0, partitions: [at('a', 0, 6)] })
  })

  it('tells a lost session from an error that would come again', () => {
    const session = new FetchSession()
    session.next([at('a', 0, 5)], true)
    expect(session.onAnswer(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR, 0)).toBe(true)
    session.next([at('a', 0, 5)], true)
    session.onAnswer(0, 7)
    session.next([at('a', 0, 5)], true)
    expect(session.onAnswer(ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0)).toBe(false)
    expect(session.next([at('a', 0, 5)], true)).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
  })

  it('makes the broker see exactly what is fetched, whatever gets lost', () => {
    const asked = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(3), fc.nat(2)), { selector: ([id, index]) => `${id}${index}` })
    const fate = fc.constantFrom('answered', 'answered', 'refused a place', 'request lost', 'answer lost', 'forgotten')
    fc.assert(
      fc.property(fc.array(fc.tuple(asked, fate), { maxLength: 30 }), (rounds) => {
        const session = new FetchSession()
        const broker = new BrokerModel()
        for (const [list, what] of rounds) {
          const partitions = list.map(([id, index, offset]) => at(id, index, offset))
          if (what === 'forgotten') broker.forget()
          const request = session.next(partitions, true)
          if (what === 'request lost') {
            session.onLost()
            continue
          }
          const answer = broker.answer(request, what !== 'refused a place')
          if (answer.errorCode === 0) {
            expect(broker.partitions).toEqual(new Map(partitions.map((one) => [`${one.topicId}:${one.partition}`, one.fetchOffset])))
          } else expect(request.sessionEpoch).toBeGreaterThan(0)
          if (what === 'answer lost') session.onLost()
          else session.onAnswer(answer.errorCode, answer.sessionId)
        }
      }),
    )
  })
})
