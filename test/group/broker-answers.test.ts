/** What Apache Kafka 4.3.1 answered to the nine group calls, replayed against one coordinator. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Api } from '../../hub/wire/index.ts'
import {
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import type { Caller, GroupCoordinator } from '../../hub/group/index.ts'
import { caller, harness, overWire, request } from './harness.ts'

type Json = null | boolean | number | string | Json[] | { [field: string]: Json }

interface Exchange {
  readonly note?: string
  readonly api: string
  readonly version: number
  readonly request: Json
  readonly response: Json
}

const exchanges = readFileSync(new URL('../golden/group/broker-answers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Exchange)

const TOPIC_ID = 'I0VniavN7_F0XPkknO64Zg'

/** Fields of requests that the golden notation writes as base64. */
const bytesFields = new Set(['metadata', 'assignment'])
/** What the golden requests leave out at its default, though the wire has no default for it. */
const leftOut: Record<string, Json> = {
  SyncGroup: { assignments: [] },
  DescribeGroups: { includeAuthorizedOperations: false },
  ListGroups: { statesFilter: [], typesFilter: [] },
}
/** Lists whose order is a hash map's in Kafka. */
const unordered = new Map([
  ['ListGroups', 'groups'],
  ['DescribeGroups', 'groups'],
  ['DeleteGroups', 'results'],
])

type Call = (groups: GroupCoordinator, json: Json, version: number, who: Caller) => Promise<unknown>

function call<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, ask: (groups: GroupCoordinator, request: Q, who: Caller) => Promise<PI>): Call {
  return async (groups, json, version, who) =>
    overWire(api, version, await ask(groups, request(api, version, { ...(leftOut[api.name] as object), ...(json as object) } as QI), who))
}

const calls: Record<string, Call> = {
  JoinGroup: call(JoinGroup, (groups, message, who) => groups.joinGroup(message, who)),
  SyncGroup: call(SyncGroup, (groups, message, who) => groups.syncGroup(message, who)),
  Heartbeat: call(Heartbeat, (groups, message, who) => groups.heartbeat(message, who)),
  LeaveGroup: call(LeaveGroup, (groups, message, who) => groups.leaveGroup(message, who)),
  DescribeGroups: call(DescribeGroups, (groups, message, who) => groups.describeGroups(message, who)),
  ListGroups: call(ListGroups, (groups, message, who) => groups.listGroups(message, who)),
  DeleteGroups: call(DeleteGroups, (groups, message, who) => groups.deleteGroups(message, who)),
  // What a handler does with topic ids before and after: both are known to the coordinator.
  OffsetCommit: call(OffsetCommit, (groups, message, who) => groups.offsetCommit({ ...message, topics: message.topics.map(named) }, who)),
  OffsetFetch: call(OffsetFetch, (groups, message, who) =>
    groups.offsetFetch(
      { ...message, groups: message.groups.map((group) => ({ ...group, topics: group.topics?.map(named) ?? null })) },
      who,
    ),
  ),
}

function named<T extends { readonly name: string; readonly topicId: string }>(topic: T): T {
  if (topic.topicId === TOPIC_ID) return { ...topic, name: 't1' }
  return topic.name === 't1' ? { ...topic, topicId: TOPIC_ID } : topic
}

/** Golden JSON with Buffers for bytes and values for `${x}`. */
function read(json: Json, known: ReadonlyMap<string, string>, field = ''): Json | Buffer {
  if (Array.isArray(json)) return json.map((each) => read(each, known) as Json)
  if (typeof json === 'string') {
    const text = json.replace(/\$\{([^}]+)\}/g, (whole, name: string) => known.get(name) ?? whole)
    return bytesFields.has(field) ? Buffer.from(text, 'base64') : text
  }
  if (json === null || typeof json !== 'object') return json
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, read(value, known, name) as Json]))
}

/** The answer as golden JSON: only fields that the version has (those in `like`), bytes as base64. */
function shown(answer: unknown, like: Json): Json {
  if (Buffer.isBuffer(answer)) return answer.toString('base64')
  if (Array.isArray(answer)) return answer.map((each, at) => shown(each, Array.isArray(like) ? (like[at] ?? like[0] ?? null) : null))
  if (answer === null || typeof answer !== 'object') return answer as Json
  const known = like !== null && typeof like === 'object' && !Array.isArray(like) ? like : null
  const fields = Object.entries(answer).filter(([name]) => known === null || name in known)
  return Object.fromEntries(fields.map(([name, value]) => [name, shown(value, known?.[name] ?? null)]))
}

/** Learns `${x}` from where it stands in the expected answer. */
function learn(expected: Json, actual: Json, known: Map<string, string>): void {
  if (typeof expected === 'string' && typeof actual === 'string') {
    const name = /^\$\{([^}]+)\}$/.exec(expected)?.[1]
    if (name !== undefined && !known.has(name)) known.set(name, actual)
  } else if (expected !== null && actual !== null && typeof expected === 'object' && typeof actual === 'object') {
    for (const [key, value] of Object.entries(expected)) learn(value, (actual as Record<string, Json>)[key] ?? null, known)
  }
}

function sorted(api: string, answer: Json): Json {
  const field = unordered.get(api)
  if (field === undefined || answer === null || typeof answer !== 'object' || Array.isArray(answer)) return answer
  const list = answer[field]
  return {
    ...answer,
    [field]: Array.isArray(list) ? list.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))) : (list ?? null),
  }
}

/** Authorized operations come from the authorizer, which the coordinator does not know. */
function withoutOperations(answer: Json): Json {
  return JSON.parse(JSON.stringify(answer, (name, value: Json) => (name === 'authorizedOperations' ? -2147483648 : value))) as Json
}

it('answers as Apache Kafka did', async () => {
  const { groups, clock } = await harness()
  const known = new Map([['id:t1', TOPIC_ID]])
  expect(exchanges.length).toBeGreaterThan(50)
  for (const { api, version, request: asked, response: expected, note } of exchanges) {
    const pending = calls[api]?.(groups, read(asked, known) as Json, version, caller(version))
    await clock.advance(0)
    const answer = shown(await pending, expected)
    learn(expected, answer, known)
    const wanted = JSON.parse(JSON.stringify(expected).replace(/\$\{([^}]+)\}/g, (whole, name: string) => known.get(name) ?? whole)) as Json
    expect(sorted(api, withoutOperations(answer)), `${api} v${version} ${note ?? ''} ${JSON.stringify(asked).slice(0, 300)}`).toEqual(
      sorted(api, withoutOperations(wanted)),
    )
  }
  await groups.close()
  expect(clock.timerCount).toBe(0)
  expect(ZERO_UUID).toHaveLength(22)
})
