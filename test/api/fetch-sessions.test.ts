import { describe, expect, it } from 'vitest'
import type { Answered, AnsweredMarks, WantedPartition } from '../../hub/api/fetch-sessions.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { BY_ID, BY_NAME, fetched, opened, QUIET, request, t, told, world } from './fetch-session-world.ts'

describe('a fetch session', () => {
  it('tells of a partition only what its reader was not told', () => {
    const all = world()
    const { id, partitions } = told(all, request(0, 0, [t(0), t(1), t(2)]))
    expect(partitions).toEqual([0, 1, 2])
    expect(told(all, request(id, 1, []))).toEqual({ id, partitions: [] })
    const risen = (at: number, change: Partial<AnsweredMarks>) => (wanted: WantedPartition) =>
      wanted.partition === at ? { ...QUIET, ...change } : QUIET
    expect(told(all, request(id, 2, []), risen(1, { highWatermark: 6 })).partitions).toEqual([1])
    expect(told(all, request(id, 3, []), risen(1, { highWatermark: 6 })).partitions).toEqual([])
    expect(told(all, request(id, 4, []), risen(2, { logStartOffset: 1 })).partitions).toEqual([1, 2])
    expect(told(all, request(id, 5, []), risen(2, { logStartOffset: 1, lastStableOffset: 4 })).partitions).toEqual([2])
    expect(told(all, request(id, 6, []), risen(2, { logStartOffset: 1, lastStableOffset: 4, divergingEpoch: {} })).partitions).toEqual([2])
  })

  it('tells an error each time, and its end', () => {
    const all = world()
    const { id } = told(all, request(0, 0, [t(0)]))
    const failed = { ...QUIET, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    expect(told(all, request(id, 1, []), () => failed).partitions).toEqual([0])
    expect(told(all, request(id, 2, []), () => failed).partitions).toEqual([0])
    expect(told(all, request(id, 3, [])).partitions).toEqual([0])
    expect(told(all, request(id, 4, [])).partitions).toEqual([])
  })

  it('takes over what a fetch changes, adds and forgets', () => {
    const all = world()
    const { id } = told(all, request(0, 0, [t(0), t(1)]))
    const { partitions } = opened(all, request(id, 1, [t(1, 7), t(2, 9)], [t(0)]))
    expect(partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset])).toEqual([
      [1, 7],
      [2, 9],
    ])
    expect(all.sessions.partitionCount).toBe(2)
  })

  it('ends when nothing is left of it, and answers what that fetch asks all the same', () => {
    const all = world()
    const { id } = told(all, request(0, 0, [t(0)]))
    expect(told(all, request(id, 1, [t(1)], [t(0), t(1)]))).toEqual({ id: 0, partitions: [1] })
    expect([all.sessions.count, all.sessions.partitionCount]).toEqual([0, 0])
    expect(fetched(all, request(id, 2, []))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('puts partitions that brought records behind the others', () => {
    const all = world()
    const { id } = told(all, request(0, 0, [t(0), t(1), t(2), t(3)]))
    const withRecords =
      (...some: number[]) =>
      (wanted: WantedPartition) =>
        some.includes(wanted.partition) ? { ...QUIET, records: ['batch'] } : QUIET
    told(all, request(id, 1, []), withRecords(0, 2))
    expect(opened(all, request(id, 2, [])).partitions.map(({ partition }) => partition)).toEqual([1, 3, 0, 2])
  })

  it('refuses an epoch that is not the next one, and stays as it is', () => {
    const all = world()
    const { id } = told(all, request(0, 0, [t(0)]))
    for (const epoch of [2, 3, -2]) expect(fetched(all, request(id, epoch, []))).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(told(all, request(id, 1, [])).id).toBe(id)
    expect(fetched(all, request(id, 1, []))).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(fetched(all, request(0, 1, []))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('answers one of two fetches that overlap', () => {
    const all = world()
    const { id } = told(all, request(0, 0, [t(0)]))
    const slow = opened(all, request(id, 1, []))
    expect(told(all, request(id, 2, [])).partitions).toEqual([])
    const answered: Answered<AnsweredMarks>[] = slow.partitions.map((wanted) => ({ wanted, answer: { ...QUIET, highWatermark: 9 } }))
    expect(slow.answer(answered)).toEqual({ errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: id, partitions: [] })
  })

  it('is of ids or of names', () => {
    const all = world()
    const byName = told(all, request(0, 0, [t(0)])).id
    const byId = told(all, request(0, 0, [{ topicId: 'x', partition: 0 }]), () => QUIET, BY_ID).id
    expect(fetched(all, request(byName, 1, []), () => QUIET, BY_ID)).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    expect(fetched(all, request(byId, 1, []), () => QUIET, BY_NAME)).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    expect(told(all, request(byId, 1, []), () => QUIET, BY_ID).id).toBe(byId)
  })

  it('ends by a full fetch that names it, which is answered from what it asks (franz-go #1222)', () => {
    const all = world()
    const first = told(all, request(0, 0, [t(0), t(1)])).id
    expect(opened(all, request(first, -1, [t(1, 3)])).partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset])).toEqual([
      [1, 3],
    ])
    expect(all.sessions.count).toBe(0)
    const second = told(all, request(0, 0, [t(0)])).id
    const third = told(all, request(second, 0, [t(1)])).id
    expect(third).not.toBe(second)
    expect(fetched(all, request(second, 1, []))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(told(all, request(0, -1, [t(0)])).id).toBe(0)
    expect(all.sessions.count).toBe(1)
  })

  it('counts its epochs up to the last one and again from 1', () => {
    const all = world(10, { epochMax: 3 })
    const { id } = told(all, request(0, 0, [t(0)]))
    for (const epoch of [1, 2, 3, 1, 2]) expect(told(all, request(id, epoch, [])).id).toBe(id)
    expect(fetched(all, request(id, 4, []))).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  })
})

describe('room for fetch sessions', () => {
  const MINUTES_2 = 120_000

  it('is limited by slots: then a fetch gets no session', () => {
    const all = world(2)
    const ids = [1, 2, 3].map(() => told(all, request(0, 0, [t(0)])).id)
    expect(ids.map((id) => id > 0)).toEqual([true, true, false])
    expect(told(world(0), request(0, 0, [t(0)])).id).toBe(0)
  })

  it('is made by the session that was not used for two minutes', () => {
    const all = world(2)
    const [first = 0, second = 0] = [1, 2].map(() => told(all, request(0, 0, [t(0)])).id)
    all.nowMs += MINUTES_2
    told(all, request(first, 1, []))
    all.nowMs += 1
    expect(told(all, request(0, 0, [t(0)])).id).toBeGreaterThan(0)
    expect(fetched(all, request(second, 1, []))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(told(all, request(first, 2, [])).id).toBe(first)
  })

  it('is made by a smaller session that was there long enough, not by an equal one', () => {
    const all = world(2)
    const [large = 0, small = 0] = [3, 2].map(
      (count) =>
        told(
          all,
          request(
            0,
            0,
            Array.from({ length: count }, (_, at) => t(at)),
          ),
        ).id,
    )
    expect(told(all, request(0, 0, [t(0), t(1), t(2), t(3)])).id).toBe(0)
    all.nowMs += MINUTES_2
    told(all, request(small, 1, []))
    told(all, request(large, 1, []))
    all.nowMs += 1
    expect(told(all, request(0, 0, [t(0), t(1), t(2)])).id, 'touched before it was old enough').toBe(0)
    told(all, request(small, 2, []))
    told(all, request(large, 2, []))
    all.nowMs += 1000
    expect(told(all, request(0, 0, [t(0), t(1)])).id).toBe(0)
    all.nowMs += 1000
    expect(told(all, request(0, 0, [t(0), t(1), t(2)])).id).toBeGreaterThan(0)
    expect(fetched(all, request(small, 3, []))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(told(all, request(large, 3, [])).id).toBe(large)
  })

  it("is made for a follower's session by a consumer's, never the other way round", () => {
    const all = world(2)
    const consumers = [1, 2].map(() => told(all, request(0, 0, [t(0), t(1)])).id)
    const followers = [1, 2].map(() => told(all, request(0, 0, [t(0)], [], 7)).id)
    expect(followers.every((id) => id > 0)).toBe(true)
    for (const id of consumers) expect(fetched(all, request(id, 1, []))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    all.nowMs += MINUTES_2
    for (const id of followers) told(all, request(id, 1, []))
    all.nowMs += 1
    for (const id of followers) told(all, request(id, 2, []))
    expect(told(all, request(0, 0, [t(0), t(1), t(2)])).id).toBe(0)
    expect(told(all, request(0, 0, [t(0), t(1), t(2)], [], 7)).id).toBeGreaterThan(0)
  })

  it('is limited in all their partitions and in the length of names', () => {
    const all = world(10, { partitionsMax: 4 })
    const { id } = told(all, request(0, 0, [t(0), t(1), t(2)]))
    expect(told(all, request(0, 0, [t(0), t(1)])).id).toBe(0)
    expect(told(all, request(id, 1, [t(3)])).id).toBe(id)
    expect(fetched(all, request(id, 2, [t(4)]))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect([all.sessions.count, all.sessions.partitionCount]).toEqual([0, 0])
    expect(told(all, request(0, 0, [{ topic: 'x'.repeat(250), partition: 0 }])).id).toBe(0)
  })
})
