/** Kafka's own answers to changes of settings: golden/protocol/broker-answers.jsonl. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type AlterOutcome,
  type ConfigOperation,
  checkTopicConfig,
  incrementalAlter,
  isRefusal,
  replaceConfig,
} from '../../hub/config/index.ts'

interface AlterAnswer {
  readonly api: string
  readonly request: {
    readonly resources?: {
      resourceType: number
      resourceName: string
      configs: { name: string; configOperation: number; value: string | null }[]
    }[]
    readonly topics?: { configs?: { name: string; value: string | null }[] }[]
  }
  readonly response: {
    readonly responses?: { errorCode: number; errorMessage: string | null }[]
    readonly topics?: { errorCode: number; errorMessage: string | null }[]
  }
}

const answers = readFileSync(new URL('../golden/protocol/broker-answers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as AlterAnswer)
  .filter(({ api }) => api === 'IncrementalAlterConfigs' || api === 'CreateTopics')
const OPERATIONS = ['set', 'delete', 'append', 'subtract'] as const
const codeOf = { INVALID_CONFIG: 40, INVALID_REQUEST: 42 } as const
const none: ReadonlyMap<string, string> = new Map()

const told = (outcome: AlterOutcome | undefined): unknown =>
  outcome !== undefined && isRefusal(outcome) ? [codeOf[outcome.error], outcome.message] : [0, null]

describe('IncrementalAlterConfigs', () => {
  // Left to the handler: topics, brokers and loggers that are not there, operations that have no name.
  const ofConfig = answers.filter(({ api, request, response }) => {
    const [resource] = request.resources ?? []
    const isNamed = resource?.configs.every(({ configOperation }) => configOperation <= 3) ?? false
    const isThere = ![3].includes(response.responses?.[0]?.errorCode ?? 0) && resource?.resourceName !== '9'
    return api === 'IncrementalAlterConfigs' && [2, 4, 32].includes(resource?.resourceType ?? 0) && isNamed && isThere
  })

  it.each(ofConfig.map((answer) => [JSON.stringify(answer.request.resources?.[0]?.configs), answer]))('%s', (_configs, given) => {
    const { request, response } = given as AlterAnswer
    const [resource] = request.resources ?? []
    const operations = (resource?.configs ?? []).map(({ name, configOperation, value }): ConfigOperation => {
      return { name, operation: OPERATIONS[configOperation] ?? 'set', value }
    })
    const scope = resource?.resourceType === 2 ? 'topic' : resource?.resourceType === 4 ? 'broker' : 'group'
    const [{ errorCode, errorMessage } = { errorCode: -1, errorMessage: '' }] = response.responses ?? []
    expect(told(incrementalAlter(none, operations, { scope }))).toEqual([errorCode, errorMessage])
  })

  it('was recorded often enough to mean something', () => {
    expect(ofConfig.length).toBeGreaterThanOrEqual(13)
  })
})

describe('CreateTopics', () => {
  const withConfigs = answers.filter(({ api, request }) => api === 'CreateTopics' && (request.topics?.[0]?.configs?.length ?? 0) > 0)
  it.each(withConfigs.map((answer) => [JSON.stringify(answer.request.topics?.[0]?.configs), answer]))('%s', (_configs, given) => {
    const { request, response } = given as AlterAnswer
    const [{ errorCode, errorMessage } = { errorCode: -1, errorMessage: '' }] = response.topics ?? []
    expect(told(checkTopicConfig(request.topics?.[0]?.configs ?? []))).toEqual([errorCode, errorMessage])
  })
})

const changed = (current: Record<string, string>, ...operations: ConfigOperation[]): unknown => {
  const outcome = incrementalAlter(new Map(Object.entries(current)), operations, { scope: 'topic' })
  return isRefusal(outcome) ? outcome.message : Object.fromEntries(outcome.changes)
}
const op = (operation: ConfigOperation['operation'], name: string, value: string | null = null): ConfigOperation => ({
  name,
  operation,
  value,
})

describe('a change', () => {
  it('tells what became different, and only that', () => {
    expect(
      changed({ 'retention.ms': '1', 'segment.bytes': '1048576' }, op('set', 'retention.ms', '1'), op('delete', 'segment.bytes')),
    ).toEqual({
      'segment.bytes': null,
    })
    expect(changed({}, op('delete', 'retention.ms'), op('delete', 'bogus'))).toEqual({})
  })

  it('appends to what is set, else to the default, without duplicates', () => {
    expect(changed({}, op('append', 'cleanup.policy', 'compact'))).toEqual({ 'cleanup.policy': 'delete,compact' })
    expect(changed({}, op('append', 'cleanup.policy', 'delete'))).toEqual({ 'cleanup.policy': 'delete' })
    expect(changed({ 'cleanup.policy': 'compact' }, op('append', 'cleanup.policy', 'compact,delete'))).toEqual({
      'cleanup.policy': 'compact,delete',
    })
    const inherited = incrementalAlter(none, [op('append', 'cleanup.policy', 'delete')], { scope: 'topic', inherited: () => 'compact' })
    expect(inherited).toMatchObject({ config: new Map([['cleanup.policy', 'compact,delete']]) })
  })

  it('subtracts down to nothing', () => {
    expect(changed({ 'cleanup.policy': 'compact,delete' }, op('subtract', 'cleanup.policy', 'compact'))).toEqual({
      'cleanup.policy': 'delete',
    })
    expect(changed({ 'cleanup.policy': 'delete' }, op('subtract', 'cleanup.policy', 'delete,compact'))).toEqual({ 'cleanup.policy': '' })
  })

  it('is refused when the whole would be wrong', () => {
    expect(changed({}, op('append', 'cleanup.policy', 'shred'))).toBe(
      'Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete',
    )
    expect(changed({ 'max.compaction.lag.ms': '5' }, op('set', 'min.compaction.lag.ms', '6'))).toBe(
      'conflict topic config setting min.compaction.lag.ms (6) > max.compaction.lag.ms (5)',
    )
    expect(changed({}, op('subtract', 'retention.ms', '1'))).toBe("Can't SUBTRACT to key retention.ms because its type is not LIST.")
  })

  it('of a broker is refused where it needs a restart, or a single broker', () => {
    const broker = (isClusterDefault: boolean, ...operations: ConfigOperation[]): unknown =>
      told(incrementalAlter(none, operations, { scope: 'broker', isClusterDefault }))
    expect(broker(false, op('set', 'log.retention.ms', 'x'))).toEqual([
      42,
      'Invalid value x for configuration log.retention.ms: Not a number of type LONG',
    ])
    expect(broker(false, op('set', 'log.segment.bytes', '1'))).toEqual([
      42,
      'Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576',
    ])
    expect(broker(true, op('set', 'listeners', 'PLAINTEXT://:1'))).toEqual([
      42,
      'Cannot update these configs at default cluster level, broker id must be specified: [listeners]',
    ])
    expect(broker(false, op('set', 'ssl.keystore.location', '/k'))).toEqual([
      42,
      'These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]',
    ])
    expect(broker(false, op('set', 'node.id', '3'), op('set', 'num.partitions', '3'))).toEqual([
      42,
      'Cannot update these configs dynamically: [node.id, num.partitions]',
    ])
  })
})

describe('AlterConfigs', () => {
  it('takes away what is not named', () => {
    const outcome = replaceConfig(new Map([['cleanup.policy', 'compact']]), [{ name: 'retention.ms', value: '777' }], { scope: 'topic' })
    expect(outcome).toEqual({
      config: new Map([['retention.ms', '777']]),
      changes: new Map([
        ['retention.ms', '777'],
        ['cleanup.policy', null],
      ]),
    })
  })

  it('refuses duplicates and nulls', () => {
    const replace = (...entries: { name: string; value: string | null }[]): unknown =>
      told(replaceConfig(none, entries, { scope: 'topic' }))
    expect(replace({ name: 'a', value: '1' }, { name: 'a', value: '2' })).toEqual([42, 'Error due to duplicate config keys'])
    expect(replace({ name: 'a', value: null })).toEqual([42, 'Null value not supported for : a'])
  })
})
