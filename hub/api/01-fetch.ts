/**
 * @module api/01-fetch — reads batches. Versions 4–18.
 *
 * Whole batches as they lie in the log, partitions in request order or in that of their session; the first one that has something returns at
 * least one batch however large (KIP-74). While there is less than `minBytes`, nothing went wrong and no limit cut what was read, the fetch
 * waits on the marks of its partitions; it reads again once they have brought what is missing, or at its deadline.
 * 7: sessions (KIP-227, see fetch-sessions). 9: leader epoch (KIP-320). 11: rack (KIP-392). 12: diverging epoch (KIP-595). 13: topic ids
 * (KIP-516). 15: replica state (KIP-903). 16: endpoints of new leaders (KIP-951).
 */
import { type Seen, waitForRise } from '../replica/index.ts'
import { Fetch, type RequestOf } from '../wire/index.ts'
import { type FetchTerms, isCut, isolationOf, newPass, type Pass, type PartitionAnswer, readAll } from './fetch-pass.ts'
import type { Answered, FetchContext } from './fetch-sessions.ts'
import { type Broker, defineHandler, reachableBrokers, type RequestContext } from './handler.ts'

const NO_SESSION = 0

type Request = RequestOf<typeof Fetch>

export const fetch = defineHandler({
  api: Fetch,
  overlaps: false,
  create: (broker) => (request, context) => {
    const session = broker.fetchSessions.open(request, context.apiVersion)
    if (typeof session === 'number') return { throttleTimeMs: 0, errorCode: session, sessionId: NO_SESSION, responses: [] }
    return serve(broker, request, context, session)
  },
})

async function serve(broker: Broker, request: Request, context: RequestContext, session: FetchContext) {
  const terms: FetchTerms = {
    apiVersion: context.apiVersion,
    isolation: isolationOf(request.isolationLevel),
    maxBytes: Math.min(request.maxBytes, broker.config().brokerConfig['fetch.max.bytes']),
    isFollower: request.replicaId >= 0 || request.replicaState.replicaId >= 0,
  }
  // As in Kafka: nobody waits for more than the answer may hold.
  const minBytes = Math.min(request.minBytes, terms.maxBytes)
  const deadlineMs = broker.clock.monotonicMs() + request.maxWaitMs
  let isFirst = true
  for (let isLast = false; ; ) {
    const pass = newPass()
    const release = (isUnused: boolean): void => {
      broker.answers.release(pass.bytes)
      if (isUnused) giveBack(pass.owned)
    }
    // Before anything is read, so that a failure in the midst of it releases what it took.
    context.afterSent(release)
    await readAll(broker, session.partitions, terms, pass, isFirst)
    isFirst = false
    if (isLast || pass.urgent || pass.bytes >= minBytes || pass.reads.length === 0 || pass.reads.some(isCut))
      return answer(broker, session, pass, context)
    const waited = waitForMore(broker, pass, minBytes - pass.bytes, deadlineMs, context)
    if (pass.bytes > 0) {
      // Held for somebody who may wait long, it would be missed by others; it is read again with what comes.
      context.afterSent(() => {})
      release(true)
    }
    isLast = (await waited) === 'deadline' || isEnding(broker, context)
    if (isLast && pass.bytes === 0 && !hasRisen(pass)) return answer(broker, session, pass, context)
  }
}

/**
 * Gives the memory of what was read from files back now, not at the next garbage collection: a consumer that reads a log from its beginning
 * would otherwise leave 1 MB of garbage per partition and answer, and marking the heap cost as much as all its copying.
 */
function giveBack(owned: readonly Buffer[]): void {
  for (const { buffer } of owned) if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0)
}

function answer(broker: Broker, session: FetchContext, pass: Pass, context: RequestContext) {
  const { errorCode, sessionId, partitions } = session.answer(pass.answered)
  return { throttleTimeMs: 0, errorCode, sessionId, responses: byTopic(partitions), nodeEndpoints: endpoints(broker, partitions, context) }
}

/** Neighbours of one topic together; the order stays. */
function byTopic(answered: readonly Answered<PartitionAnswer>[]) {
  const topics: { readonly topic: string; readonly topicId: string; readonly partitions: PartitionAnswer[] }[] = []
  let last: (typeof topics)[number] | undefined
  for (const { wanted, answer: partition } of answered) {
    if (last === undefined || last.topicId !== wanted.topicId || last.topic !== wanted.topic) {
      last = { topic: wanted.topic, topicId: wanted.topicId, partitions: [] }
      topics.push(last)
    }
    last.partitions.push(partition)
  }
  return topics
}

/** Where the leaders are that the answer names (KIP-951). */
function endpoints(broker: Broker, answered: readonly Answered<PartitionAnswer>[], { connection }: RequestContext) {
  if (!answered.some(({ answer: { currentLeader } }) => currentLeader !== undefined)) return []
  const leaders = new Set(answered.map(({ answer: { currentLeader } }) => currentLeader?.leaderId))
  return reachableBrokers(broker.controller.image, connection.listenerName).filter(({ nodeId }) => leaders.has(nodeId))
}

/** Nothing is read meanwhile: partitions say how many bytes their rise brings. */
function waitForMore(broker: Broker, pass: Pass, missingBytes: number, deadlineMs: number, context: RequestContext) {
  const ends: Seen[] = [broker.stopping, context.connection.gone].map((mark) => ({ mark, value: 0 }))
  return waitForRise([...pass.reads, ...ends], broker.clock, deadlineMs - broker.clock.monotonicMs(), missingBytes)
}

function hasRisen(pass: Pass): boolean {
  return pass.reads.some(({ mark, value }) => mark.isEnded || mark.value > value)
}

function isEnding(broker: Broker, context: RequestContext): boolean {
  return broker.stopping.value > 0 || context.connection.gone.value > 0
}
