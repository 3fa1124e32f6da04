/**
 * The conversation with a broker of Apache Kafka 4.3.1, as far as its controller answers: every request of the five APIs in
 * its order, with the codes and the exact messages.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConfigOperation, ConfigResource, Controller, Outcome } from '../../hub/cluster/index.ts'
import { ZERO_UUID } from '../../hub/wire/index.ts'
import { type ClusterWorld, openCluster, topicSpec } from './world.ts'

interface Exchange {
  readonly note?: string
  readonly api: string
  readonly version: number
  readonly request: Record<string, unknown>
  readonly response: Record<string, unknown> | null
}

type Row = Readonly<Record<string, unknown>>

const answeredHere = new Set(['CreateTopics', 'DeleteTopics', 'CreatePartitions', 'IncrementalAlterConfigs', 'AlterConfigs'])
const path = join(import.meta.dirname, '../golden/protocol/broker-answers.jsonl')
const exchanges = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Exchange)
  .filter(({ api, response }) => answeredHere.has(api) && response !== null)

const RESOURCE_TYPES: Readonly<Record<number, ConfigResource['type']>> = {
  2: 'topic',
  4: 'broker',
  16: 'client-metrics',
  32: 'group',
}
const OPERATIONS: readonly ConfigOperation['operation'][] = ['set', 'delete', 'append', 'subtract']

/** Not the controller's to answer: an operation without a meaning is refused before it gets here, client metrics are not served, loggers are the handler's. */
const left = new Set(['IncrementalAlterConfigs operation 9', 'IncrementalAlterConfigs type 8', 'IncrementalAlterConfigs type 16'])

function isLeft({ api, request }: Exchange): boolean {
  const [resource] = (request['resources'] ?? []) as { resourceType: number; configs: { configOperation: number }[] }[]
  return left.has(`${api} operation ${resource?.configs[0]?.configOperation}`) || left.has(`${api} type ${resource?.resourceType}`)
}

interface ResourceRequest {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly { readonly name: string; readonly configOperation: number; readonly value: string | null }[]
}

/** Puts a request to the controller; resolves with rows in the words of the protocol. */
async function ask(controller: Controller, { api, request }: Exchange): Promise<Row[]> {
  const options = { validateOnly: request['validateOnly'] === true }
  const topics = (request['topics'] ?? []) as Row[]
  const resources = (request['resources'] ?? []) as ResourceRequest[]
  switch (api) {
    case 'CreateTopics':
      return (await controller.createTopics(topics.map(createSpec), options)).map(({ partitionCount, ...rest }) => ({
        ...rest,
        numPartitions: partitionCount,
      }))
    case 'DeleteTopics':
      return (await controller.deleteTopics(deletedTopics(request, topics))).map((outcome) => ({ ...outcome }))
    case 'CreatePartitions':
      return (await controller.createPartitions(topics.map(partitionsSpec), options)).map((outcome) => ({ ...outcome }))
    case 'IncrementalAlterConfigs':
      return (await controller.incrementalAlterConfigs(resources.map(changeOf), options)).map(resourceRow)
    default: {
      const replacements = resources.map((each) => ({ resource: resourceOf(each), entries: each.configs }))
      return (await controller.replaceConfigs(replacements, options)).map(resourceRow)
    }
  }
}

function deletedTopics(request: Exchange['request'], topics: readonly Row[]): { name: string | null; topicId: string }[] {
  const named = ((request['topicNames'] ?? []) as string[]).map((name) => ({ name, topicId: ZERO_UUID }))
  return [
    ...named,
    ...topics.map(({ name, topicId }) => ({ name: name as string | null, topicId: (topicId as string | undefined) ?? ZERO_UUID })),
  ]
}

function partitionsSpec({ name, count, assignments }: Row) {
  const given = assignments as { brokerIds: number[] }[] | null
  return { name: name as string, count: count as number, assignments: given?.map(({ brokerIds }) => brokerIds) ?? null }
}

function changeOf(each: ResourceRequest) {
  const operations = each.configs.map(({ name, configOperation, value }) => ({
    name,
    operation: OPERATIONS[configOperation] as ConfigOperation['operation'],
    value,
  }))
  return { resource: resourceOf(each), operations }
}

function resourceOf({ resourceType, resourceName }: ResourceRequest): ConfigResource {
  return { type: RESOURCE_TYPES[resourceType] as ConfigResource['type'], name: resourceName }
}

function resourceRow({ resource, errorCode, errorMessage }: Outcome & { readonly resource: ConfigResource }): Row {
  return { resourceName: resource.name, errorCode, errorMessage }
}

function createSpec(topic: Row): Parameters<Controller['createTopics']>[0][number] {
  const assignments = (topic['assignments'] ?? []) as { partitionIndex: number; brokerIds: number[] }[]
  return topicSpec(topic['name'] as string, {
    partitionCount: topic['numPartitions'] as number,
    replicationFactor: topic['replicationFactor'] as number,
    assignments: assignments.map(({ partitionIndex, brokerIds }) => ({ partition: partitionIndex, brokerIds })),
    configs: (topic['configs'] ?? []) as { name: string; value: string | null }[],
  })
}

/** What the controller does not say: the settings in force and the resource's number are the handler's. */
const handlers = new Set(['configs', 'resourceType'])

/** Kafka's rows and ours by name (Kafka's order is that of a hash map). */
function comparable(rows: readonly Row[], expected: readonly Row[], ids: ReadonlyMap<string, string>): { got: unknown; wanted: unknown } {
  const keyOf = (row: Row): string => String(row['name'] ?? row['resourceName'] ?? row['topicId'])
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  const fieldsOf = (row: Row): string[] => Object.keys(row).filter((field) => !handlers.has(field) && row[field] !== '<any>')
  const wanted = expected.map((row) => fieldsOf(row).map((field) => [keyOf(row), field, resolved(row[field], ids)]))
  const got = expected.map((row) => fieldsOf(row).map((field) => [keyOf(row), field, byKey.get(keyOf(row))?.[field]]))
  return { got: [rows.length, got], wanted: [expected.length, wanted] }
}

function resolved(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  const name = typeof value === 'string' ? /^\$\{id:(.*)\}$/.exec(value)?.[1] : undefined
  return name === undefined ? value : (ids.get(name) ?? value)
}

describe('answers of Kafka 4.3.1', () => {
  let world: ClusterWorld
  const ids = new Map<string, string>()

  beforeAll(async () => {
    world = await openCluster()
  })
  afterAll(() => world.directory.close())

  it('there are enough of them', () => expect(exchanges.length).toBeGreaterThan(45))

  for (const [index, exchange] of exchanges.entries()) {
    if (isLeft(exchange)) continue
    const { api, version, request, response } = exchange
    it(`${index} ${api} v${version} ${exchange.note ?? JSON.stringify(request).slice(0, 90)}`, async () => {
      const asked = { ...exchange, request: withIds(request, ids) }
      const rows = await ask(world.controller, asked)
      for (const row of rows) if (api === 'CreateTopics' && row['errorCode'] === 0) ids.set(row['name'] as string, row['topicId'] as string)
      const expected = (response?.['topics'] ?? response?.['responses'] ?? response?.['results']) as Row[]
      const { got, wanted } = comparable(rows, expected, ids)
      expect(got).toEqual(wanted)
    })
  }
})

function withIds(request: Record<string, unknown>, ids: ReadonlyMap<string, string>): Record<string, unknown> {
  const text = JSON.stringify(request).replace(/\$\{id:([^}]*)\}/g, (whole, name: string) => ids.get(name) ?? whole)
  return JSON.parse(text) as Record<string, unknown>
}
