/**
 * What Apache Kafka 4.3.1 answered to members who are fenced, too late, too many or in the middle of a rebalance, and to offsets of transactions: asked again
 * of a hub. Recorded with group.min.session.timeout.ms=100, group.max.size=3, offset.metadata.max.bytes=100 and no delay of the first rebalance.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { type Api, apis, CreateTopics, ErrorCode, FindCoordinator } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'
import { answerJson, requestOf } from './golden-shapes.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

interface Step {
  readonly note: string
  /** Something times out first. */
  readonly waitMs?: number
  /** Answered only after one of the next steps. */
  readonly waits?: boolean
  /** What came before it goes on behind its answer (markers): asked until it is as recorded. */
  readonly settles?: boolean
  readonly api: string
  readonly version: number
  readonly request: { readonly [name: string]: Json }
  readonly response: { readonly [name: string]: Json }
}

const file = new URL('../golden/protocol/group-answers.jsonl', import.meta.url)
const steps = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Step)
const apiByName = new Map([...apis.values()].map((api) => [api.name, api as Api]))

/** Kafka fails on a member id that waits for its first join and comes with an instance id; here nobody knows such a member. */
const OURS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  'pending with instance': { errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: variable('dynamicNeedsId') },
}

/** Lists whose order is chance in Kafka, by what to order them by. */
const ORDER: Readonly<Record<string, string>> = { partitions: 'partitionIndex', results: 'groupId', groups: 'groupId', members: 'memberId' }
/** How long a request is given to park before the next step. */
const PARKING_MS = 20
const SETTLING_MS = 10_000

const net = memoryNet()
let hub: TestHub
const variables = new Map<string, Json>()

beforeAll(async () => {
  const overrides = {
    listeners: 'PLAINTEXT://127.0.0.1:9092',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '100',
    'group.max.size': '3',
    'offset.metadata.max.bytes': '100',
  }
  hub = await startHub({ world: { net }, overrides })
  await using client = await RawClient.connect(net, hub.bootstrap)
  const spec = { numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }
  await client.call(CreateTopics, 4, { topics: ['t1', 't2'].map((name) => ({ name, ...spec })), timeoutMs: 5000, validateOnly: false })
  await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['s'] })
  await client.call(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['x'] })
})

afterAll(() => hub.close())

/** A value that was another one at the recording. */
function variable(name: string): string {
  return `\${${name}}`
}

/** Puts values in place of `${…}`. */
function filled(value: Json): Json {
  if (typeof value === 'string') {
    const name = /^\$\{(.+)\}$/.exec(value)?.[1]
    if (name === undefined) return value
    const known = variables.get(name)
    if (known === undefined) throw new Error(`nothing is known of ${name}`)
    return known
  }
  if (Array.isArray(value)) return value.map(filled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filled(entry)]))
}

/** Takes the values of `${…}` that are not known yet. */
function learn(recorded: Json, actual: Json): void {
  if (typeof recorded === 'string') {
    const name = /^\$\{(.+)\}$/.exec(recorded)?.[1]
    if (name !== undefined && !variables.has(name) && actual !== '') variables.set(name, actual)
  } else if (typeof recorded === 'object' && recorded !== null && typeof actual === 'object' && actual !== null) {
    for (const [name, value] of Object.entries(recorded)) learn(value, (actual as { readonly [name: string]: Json })[name] ?? null)
  }
}

function ordered(value: Json, field = ''): Json {
  if (Array.isArray(value)) {
    const by = ORDER[field]
    const keyOf = (element: Json): string => JSON.stringify((element as { readonly [name: string]: Json })[by ?? ''])
    const elements = value.map((element: Json) => ordered(element))
    return by === undefined ? elements : elements.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, ordered(entry, name)]))
}

async function ask({ api: name, version, request }: Step): Promise<{ readonly [name: string]: Json }> {
  const api = apiByName.get(name)
  if (api === undefined) throw new Error(`no api ${name}`)
  await using client = await RawClient.connect(net, hub.bootstrap)
  const answer = await client.call(api, version, requestOf(name, version, filled(request)))
  return answerJson(name, version, answer) as { readonly [name: string]: Json }
}

/** What was recorded, and what came instead: only the fields that the recording tells. */
function compared(step: Step, answer: { readonly [name: string]: Json }): readonly [recorded: Json, actual: Json] {
  const recorded = { ...step.response, ...OURS[step.note] }
  learn(recorded, answer)
  const actual = Object.fromEntries(Object.entries(answer).filter(([name]) => name in recorded))
  return [ordered(filled(recorded)), ordered(actual)]
}

it('answers as Apache Kafka did', { timeout: 60_000 }, async () => {
  expect(steps.length).toBeGreaterThan(130)
  const parked: Promise<void>[] = []
  const wants = (step: Step): boolean => /\$\{/.test(JSON.stringify(step.request)) && !isKnown(step.request)
  for (const step of steps) {
    if (step.waitMs !== undefined) await sleep(step.waitMs)
    if (wants(step)) await Promise.all(parked.splice(0))
    const check = async (): Promise<void> => {
      const [recorded, actual] = compared(step, await ask(step))
      expect(actual, step.note).toEqual(recorded)
    }
    if (step.waits === true) {
      parked.push(check())
      await sleep(PARKING_MS)
    } else if (step.settles === true) await expect.poll(check, { timeout: SETTLING_MS }).toBeUndefined()
    else await check()
  }
  await Promise.all(parked)
})

function isKnown(request: Json): boolean {
  return [...JSON.stringify(request).matchAll(/\$\{([^}]+)\}/g)].every(([, name]) => variables.has(name ?? ''))
}
