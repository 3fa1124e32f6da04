/**
 * The conversation that was recorded with Apache Kafka 4.3.1, held again with a hub: every request of an API that the hub advertises is sent, in
 * order, and the answer must be the recorded one but for what test/golden/differences.json lists, path by path, with a reason. A difference that
 * is listed and does not occur fails as well.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { advertisedRanges } from '../../hub/api/index.ts'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { type Api, ApiVersions, apis, encodeRequest, IncrementalAlterConfigs } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'
import { answerJson, recordedRecordsJson, requestOf } from './golden-shapes.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

interface Step {
  readonly note?: string
  readonly api: string
  readonly version: number
  readonly connection?: string
  readonly request: { readonly [name: string]: Json }
  readonly response: Json
  readonly outcome?: string
}

interface Difference {
  readonly line: number
  /** Where the answers differ; `outcome` for what became of the connection. */
  readonly paths: readonly string[]
  readonly reason: string
}

const golden = (name: string): string => readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8')
const steps = golden('protocol/broker-answers.jsonl')
  .trim()
  .split('\n')
  .map((line, at) => ({ line: at + 1, step: JSON.parse(line) as Step }))
const differences = (JSON.parse(golden('differences.json')) as { readonly 'broker-answers': readonly Difference[] })['broker-answers']
const advertised = new Set(advertisedRanges().map(({ apiKey }) => apiKey))
const apiByName = new Map([...apis.values()].map((api) => [api.name, api as Api]))
const replayed = steps.filter(({ step }) => advertised.has(apiByName.get(step.api)?.key ?? -1))

/** Lists that Kafka fills in the order of a hash table: compared by their elements' names. */
const UNORDERED: Readonly<Record<string, readonly string[]>> = {
  AddPartitionsToTxn: ['resultsByTopicV3AndBelow'],
  AlterUserScramCredentials: ['results'],
  ConsumerGroupDescribe: ['groups', 'members'],
  CreatePartitions: ['results'],
  DeleteGroups: ['results'],
  DeleteTopics: ['responses'],
  DescribeConfigs: ['configs'],
  DescribeGroups: ['groups'],
  DescribeLogDirs: ['partitions'],
  ElectLeaders: ['replicaElectionResults'],
  ListConfigResources: ['configResources'],
  ListGroups: ['groups'],
}

const net = memoryNet()
let hub: TestHub
const connections = new Map<string, RawClient>()
/** `${pid}` was recorded as −1, as Kafka's first InitProducerId was refused; here it was not, so that `tx1` gets another producer id than 0. */
const variables = new Map<string, Json>([['pid', -1]])

beforeAll(async () => {
  hub = await startHub({
    world: { net },
    overrides: { listeners: 'PLAINTEXT://127.0.0.1:9092', 'node.id': '1', 'offsets.topic.num.partitions': '5' },
  })
})

afterAll(async () => {
  for (const client of connections.values()) await client[Symbol.asyncDispose]()
  await hub.close()
})

async function connection(name: string): Promise<RawClient> {
  let client = connections.get(name)
  if (client === undefined) {
    client = await RawClient.connect(net, hub.bootstrap)
    connections.set(name, client)
  }
  return client
}

/** Stands in the recording for the producer id of `tx1`. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the recording's own notation
const PRODUCER_ID = '${tpid}'

/** What was recorded, with `${tpid}` where it tells the producer id of `tx1`, which was 0. */
function recordedAnswer(value: Json): Json {
  if (Array.isArray(value)) return value.map(recordedAnswer)
  if (typeof value !== 'object' || value === null) return value
  const given = value as { readonly [name: string]: Json }
  const isOfProducer = given['producerId'] === 0 && (given['errorCode'] ?? 0) === 0
  const entries = Object.entries(given).map(([name, entry]) => [name, recordedAnswer(entry)])
  return { ...Object.fromEntries(entries), ...(isOfProducer ? { producerId: PRODUCER_ID } : {}) }
}

/** Puts values in place of `${…}`. */
function filled(value: Json): Json {
  if (typeof value === 'string') {
    const whole = /^\$\{(.+)\}$/.exec(value)
    return whole === null ? value : (variables.get(whole[1] ?? '') ?? value)
  }
  if (Array.isArray(value)) return value.map(filled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filled(entry)]))
}

/** Paths at which `actual` is not what was recorded; takes the values of variables on the way. */
function compare(recorded: Json, actual: Json, path: string, unordered: readonly string[]): string[] {
  if (typeof recorded === 'string') {
    const variable = /^\$\{(.+)\}$/.exec(recorded)?.[1]
    if (variable !== undefined) {
      if (!variables.has(variable) && actual !== null) variables.set(variable, actual)
      return variables.get(variable) === actual ? [] : [path]
    }
    if (recorded === '<any>') return actual === null ? [path] : []
    if (recorded === '<dir>') return typeof actual === 'string' ? [] : [path]
    const pattern = recorded.split('<any>').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return typeof actual === 'string' && new RegExp(`^${pattern.join('.*')}$`, 's').test(actual) ? [] : [path]
  }
  if (Array.isArray(recorded)) return compareLists(recorded, actual, path, unordered)
  if (typeof recorded !== 'object' || recorded === null) return recorded === actual ? [] : [path]
  if ('hex' in recorded) return compareRecords(recorded as { hex: string }, actual, path)
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return [path]
  const given = actual as { readonly [name: string]: Json }
  return Object.entries(recorded).flatMap(([name, value]) =>
    compare(value, given[name] ?? null, path === '' ? name : `${path}.${name}`, unordered),
  )
}

function compareLists(recorded: readonly Json[], actual: Json, path: string, unordered: readonly string[]): string[] {
  if (!Array.isArray(actual) || actual.length !== recorded.length) return [path]
  const isUnordered = unordered.includes(path.slice(path.lastIndexOf('.') + 1))
  const ordered = isUnordered
    ? recorded.map((element) => actual[actual.findIndex((other) => nameOf(other) === nameOf(filled(element)))] ?? null)
    : actual
  return recorded.flatMap((element, at) =>
    compare(element, ordered[at] ?? null, `${path}.${isUnordered ? nameOf(filled(element)) : at}`, unordered),
  )
}

function nameOf(element: Json): string {
  const { name, groupId, memberId, user, topic, resourceType, resourceName, partitionIndex } = (element ?? {}) as Readonly<
    Record<string, string | number | undefined>
  >
  return String(
    name ?? groupId ?? memberId ?? user ?? topic ?? (resourceName === undefined ? partitionIndex : `${resourceType}:${resourceName}`),
  )
}

/** From here on t1-0 holds transactions: with the producer id that was given here, and markers with the time of their writing. */
const TRANSACTIONS_OFFSET_MIN = 10

/** Batches must be the same bytes, but for compressed ones (another encoder): the same offsets; and those of transactions: the same sizes. */
function compareRecords(recorded: { readonly hex: string }, actual: Json, path: string): string[] {
  const expected = recordedRecordsJson(recorded) as { baseOffset: number; sizeBytes: number; crc: number }[]
  if (!Array.isArray(actual) || actual.length < expected.length) return [path]
  // The recorded answers end where a segment does; reads from memory go on.
  const more = actual.slice(expected.length) as typeof expected
  if (more.some(({ baseOffset }) => baseOffset <= TRANSACTIONS_OFFSET_MIN)) return [path]
  const isSame = expected.every((batch, at) => {
    const given = actual[at] as typeof batch
    if (given.baseOffset !== batch.baseOffset) return false
    if (COMPRESSED_OFFSETS.has(batch.baseOffset)) return true
    return given.sizeBytes === batch.sizeBytes && (given.crc === batch.crc || batch.baseOffset >= TRANSACTIONS_OFFSET_MIN)
  })
  return isSame ? [] : [path]
}

/** Base offsets of the batches with zstd and gzip in t1-0. */
const COMPRESSED_OFFSETS = new Set([6, 7])

/** Records of 2023 are older than the default retention; when they go is not what this conversation is about. */
const KEPT_BEFORE_LINE = steps.find(({ step }) => step.api === 'Fetch' && step.version === 18)?.line ?? 0

async function keepRecords(line: number): Promise<void> {
  if (line !== KEPT_BEFORE_LINE) return
  const keep = [{ name: 'retention.ms', configOperation: 0, value: '-1' }]
  const client = await connection('')
  await client.call(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: 't1', configs: keep }],
    validateOnly: false,
  })
}

/** Text of the last answer, for the message of a failure. */
let lastAnswer = ''

/** Holds one step; returns where the hub differs. */
async function hold(
  { api: name, version, connection: connectionName = '', request, response, outcome }: Step,
  note: string | undefined,
): Promise<string[]> {
  const api = apiByName.get(name)
  if (api === undefined) throw new Error(`no api ${name}`)
  const client = await connection(connectionName)
  const input = requestOf(name, version, filled(request))
  if (outcome === undefined) {
    const answer = await client.call(api, version, input).catch(() => undefined)
    if (answer === undefined) {
      connections.delete(connectionName)
      return ['outcome']
    }
    const actual = answerJson(name, version, answer)
    lastAnswer = JSON.stringify(actual)
    return compare(recordedAnswer(response), actual, '', UNORDERED[name] ?? [])
  }
  if (note?.includes('one byte short')) {
    const frame = Buffer.concat(encodeRequest(api, version, 1, 'golden', input)).subarray(0, -1)
    frame.writeInt32BE(frame.length - 4)
    client.write(frame)
  } else client.post(api, version, input)
  return observeOutcome(client, outcome)
}

/** Whether the connection ended, or (asked something else) lives on without having answered. */
async function observeOutcome(client: RawClient, outcome: string): Promise<string[]> {
  if (outcome === 'connection closed') {
    const frame = await client.nextFrame()
    return frame === undefined ? [] : ['outcome']
  }
  const probe = { clientSoftwareName: 'golden', clientSoftwareVersion: '1.0' }
  const isSilent = await client.call(ApiVersions, 3, probe).then(
    () => true,
    () => false,
  )
  return isSilent ? [] : ['outcome']
}

describe('a recorded conversation with Apache Kafka 4.3.1', () => {
  for (const { line, step } of steps) {
    if (!replayed.some((other) => other.line === line)) continue
    const listed = differences.find((difference) => difference.line === line)
    it(`${line}: ${step.api} v${step.version}${step.note === undefined ? '' : `, ${step.note}`}`, async () => {
      await keepRecords(line)
      const found = await hold(step, step.note)
      expect(found.sort(), `${JSON.stringify(found)} in ${lastAnswer}`).toEqual([...(listed?.paths ?? [])].sort())
    })
  }

  it('has only differences of steps that are held', () => {
    const lines = new Set(replayed.map(({ line }) => line))
    expect(differences.filter(({ line }) => !lines.has(line))).toEqual([])
    expect(differences.filter(({ reason }) => reason === '')).toEqual([])
  })
})
