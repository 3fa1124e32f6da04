/**
 * Requests of administrators and odd fetches, and what a fresh Apache Kafka 4.3.1 answered: asked again of a hub. As in golden-conversation, what
 * may differ stands in test/golden/differences.json, path by path and with a reason.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { type Api, apis } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'
import { answerJson, requestOf } from './golden-shapes.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

interface Step {
  readonly api: string
  readonly version: number
  readonly request: { readonly [name: string]: Json }
  readonly response: Json
}

interface Difference {
  readonly line: number
  readonly paths: readonly string[]
  readonly reason: string
}

const golden = (name: string): string => readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8')
const steps = golden('protocol/admin-answers.jsonl')
  .trim()
  .split('\n')
  .map((line, at) => ({ line: at + 1, step: JSON.parse(line) as Step }))
const differences = (JSON.parse(golden('differences.json')) as { readonly 'admin-answers': readonly Difference[] })['admin-answers']
const apiByName = new Map([...apis.values()].map((api) => [api.name, api as Api]))

/** Lists in the order of a hash table: compared by their elements' names. */
const UNORDERED = new Set(['configs', 'synonyms', 'configResources', 'replicaElectionResults', 'results', 'credentialInfos', 'responses'])
const NAMES = ['resourceType', 'resourceName', 'name', 'user', 'topic', 'source', 'mechanism'] as const

const net = memoryNet()
const topicIds = new Map<string, Json>()
let hub: TestHub
let client: RawClient

beforeAll(async () => {
  hub = await startHub({ world: { net }, overrides: { listeners: 'PLAINTEXT://127.0.0.1:9092', 'offsets.topic.num.partitions': '5' } })
  client = await RawClient.connect(net, hub.bootstrap)
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await hub.close()
})

function filled(value: Json): Json {
  if (typeof value === 'string') return topicIds.get(value) ?? value
  if (Array.isArray(value)) return value.map(filled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filled(entry)]))
}

function nameOf(element: Json): string {
  const fields = (element ?? {}) as Readonly<Record<string, Json>>
  return NAMES.map((name) => JSON.stringify(fields[name] ?? null)).join(':')
}

/** Paths at which `actual` is not what was recorded. */
function compare(recorded: Json, actual: Json, path: string): string[] {
  if (recorded === '<any>') return actual === null ? [path] : []
  if (typeof recorded === 'string' && recorded.startsWith('${')) {
    if (!topicIds.has(recorded)) topicIds.set(recorded, actual)
    return topicIds.get(recorded) === actual ? [] : [path]
  }
  if (Array.isArray(recorded)) {
    if (!Array.isArray(actual) || actual.length !== recorded.length) return [path]
    const isUnordered = UNORDERED.has(path.slice(path.lastIndexOf('.') + 1))
    const sorted = (list: readonly Json[]): readonly Json[] =>
      isUnordered ? list.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : list
    const given = sorted(actual)
    return sorted(recorded).flatMap((element, at) => compare(element, given[at] ?? null, `${path}.${at}`))
  }
  if (typeof recorded !== 'object' || recorded === null) return recorded === actual ? [] : [path]
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return [path]
  const given = actual as { readonly [name: string]: Json }
  return Object.entries(recorded).flatMap(([name, value]) => compare(value, given[name] ?? null, path === '' ? name : `${path}.${name}`))
}

describe('what Apache Kafka 4.3.1 answered an administrator', () => {
  for (const { line, step } of steps) {
    const { api: name, version, request, response } = step
    const listed = differences.find((difference) => difference.line === line)
    it(`${line}: ${name} v${version} ${JSON.stringify(request).slice(0, 120)}`, async () => {
      const answer = await client.call(apiByName.get(name) as Api, version, requestOf(name, version, filled(request)))
      const actual = answerJson(name, version, answer)
      expect(compare(response, actual, '').sort(), JSON.stringify(actual)).toEqual([...(listed?.paths ?? [])].sort())
    })
  }

  it('has only differences of steps that are there', () => {
    expect(differences.filter(({ line, reason }) => line > steps.length || reason === '')).toEqual([])
  })
})
