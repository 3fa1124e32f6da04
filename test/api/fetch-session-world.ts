/** @module test/api/fetch-session-world — fetch sessions without a broker: requests of any session, answered by the test. */
import {
  type AnsweredMarks,
  type FetchContext,
  type FetchSessionLimits,
  FetchSessions,
  type SessionAnswer,
  type WantedPartition,
} from '../../hub/api/fetch-sessions.ts'
import { type Fetch, type RequestOf, ZERO_UUID } from '../../hub/wire/index.ts'

type Request = RequestOf<typeof Fetch>

export const BY_NAME = 12
export const BY_ID = 13
interface Asked {
  readonly topic?: string
  readonly topicId?: string
  readonly partition: number
  readonly fetchOffset?: number
}

export function request(
  sessionId: number,
  sessionEpoch: number,
  asked: readonly Asked[],
  forgotten: readonly Asked[] = [],
  replicaId = -1,
): Request {
  const topics = asked.map(({ topic = '', topicId = ZERO_UUID, partition, fetchOffset = 0 }) => ({
    topic,
    topicId,
    partitions: [
      {
        partition,
        fetchOffset,
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        partitionMaxBytes: 1000,
        replicaDirectoryId: ZERO_UUID,
        highWatermark: 0n,
      },
    ],
  }))
  return {
    clusterId: null,
    replicaId,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1000,
    isolationLevel: 0,
    sessionId,
    sessionEpoch,
    topics,
    forgottenTopicsData: forgotten.map(({ topic = '', topicId = ZERO_UUID, partition }) => ({ topic, topicId, partitions: [partition] })),
    rackId: '',
  }
}

export const QUIET: AnsweredMarks = { errorCode: 0, highWatermark: 5, lastStableOffset: 5, logStartOffset: 0, records: [] }

export interface World {
  readonly sessions: FetchSessions
  nowMs: number
}

export function world(slots = 10, limits: Partial<FetchSessionLimits> = {}): World {
  let ids = 0
  const state: { nowMs: number } = { nowMs: 1000 }
  const sessions = new FetchSessions({ slots, nowMs: () => state.nowMs, randomFloat: () => (ids++ % 1000) / 1000, limits })
  return Object.assign(state, { sessions })
}

export function opened({ sessions }: World, asked: Request, version = BY_NAME): FetchContext {
  const context = sessions.open(asked, version)
  if (typeof context === 'number') throw new Error(`refused with ${context}`)
  return context
}

/** Opens and answers at once. */
export function fetched(
  { sessions }: World,
  asked: Request,
  marks: (wanted: WantedPartition) => AnsweredMarks = () => QUIET,
  version = BY_NAME,
): SessionAnswer<AnsweredMarks> | number {
  const context = sessions.open(asked, version)
  return typeof context === 'number' ? context : context.answer(context.partitions.map((wanted) => ({ wanted, answer: marks(wanted) })))
}

/** A fetch that was not refused: its session and the partitions of its answer. */
export function told(...args: Parameters<typeof fetched>): { readonly id: number; readonly partitions: number[] } {
  const answer = fetched(...args)
  if (typeof answer === 'number') throw new Error(`refused with ${answer}`)
  return { id: answer.sessionId, partitions: answer.partitions.map(({ wanted }) => wanted.partition) }
}

export const t = (partition: number, fetchOffset = 0): Asked => ({ topic: 't', partition, fetchOffset })
