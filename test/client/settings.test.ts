/** Kafka's configuration keys to options: every key, defaults equal to Kafka's, and what is refused. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  CLIENT_DEFAULTS,
  CONSUMER_DEFAULTS,
  consumerOptionsFrom,
  clientOptionsFrom,
  createConsumer,
  createProducer,
  createTransactionalProducer,
  ignoredKeys,
  PRODUCER_DEFAULTS,
  producerOptionsFrom,
} from '../../hub/client/index.ts'
import { parseAddresses } from '../../hub/client/options.ts'

interface Definition {
  readonly name: string
  readonly default?: string | null
}

function definitions(kind: string): Map<string, Definition> {
  const file = new URL(`../golden/configs/${kind}.json`, import.meta.url)
  const content = JSON.parse(readFileSync(file, 'utf8')) as Definition[] | { definitions: Definition[] }
  const list = Array.isArray(content) ? content : Object.values(content).flat()
  return new Map(list.map((definition) => [definition.name, definition]))
}

/** Keys that stand for an option, found by giving each its own default. */
function optionOf(kind: 'producer' | 'consumer', { name, default: value }: Definition): [string, unknown] | null {
  if (ignoredKeys(kind, { [name]: '' }).length > 0 || value === undefined || value === null) return null
  const from = kind === 'producer' ? producerOptionsFrom : consumerOptionsFrom
  const changed = Object.entries(from({ [name]: value })).filter(([option]) => option !== 'bootstrapServers')
  return changed[0] ?? null
}

/** Where our default is not Kafka's, and why. */
const DIFFERENT = new Set([
  // Kafka makes up a name; ours says who it is.
  'client.id',
  // Kafka's default depends on acks and retries; so does ours, so it stands in no table.
  'enable.idempotence',
])

describe('settings', () => {
  it.each(['producer', 'consumer'] as const)('have Kafka’s defaults (%s)', (kind) => {
    const defaults: Record<string, unknown> = {
      ...CLIENT_DEFAULTS,
      ...(kind === 'producer' ? PRODUCER_DEFAULTS : CONSUMER_DEFAULTS),
    }
    let checkedCount = 0
    for (const definition of definitions(kind).values()) {
      const option = optionOf(kind, definition)
      if (option === null || DIFFERENT.has(definition.name)) continue
      expect({ [definition.name]: defaults[option[0]] }).toEqual({
        [definition.name]: option[1],
      })
      checkedCount++
    }
    expect(checkedCount).toBeGreaterThan(kind === 'producer' ? 18 : 25)
  })

  it('turn texts into typed options', () => {
    expect(
      producerOptionsFrom({
        'bootstrap.servers': 'a:1, b:2',
        acks: '-1',
        'linger.ms': '7',
        'compression.type': 'zstd',
        'compression.zstd.level': '9',
        'compression.gzip.level': '1',
        'enable.idempotence': 'TRUE',
        'transactional.id': 't',
        'transaction.timeout.ms': '500',
        'key.serializer': 'x',
      }),
    ).toEqual({
      bootstrapServers: 'a:1, b:2',
      acks: 'all',
      lingerMs: 7,
      compression: 'zstd',
      compressionLevel: 9,
      idempotence: true,
      transactionalId: 't',
      transactionTimeoutMs: 500,
    })
    expect(
      consumerOptionsFrom({
        'bootstrap.servers': 'a:1',
        'group.id': 'g',
        'group.protocol': 'CONSUMER',
        'group.remote.assignor': 'range',
        'auto.offset.reset': 'by_duration:P1DT2H3M4.5S',
        'isolation.level': 'READ_COMMITTED',
        'partition.assignment.strategy':
          'org.apache.kafka.clients.consumer.StickyAssignor, class org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
      }),
    ).toEqual({
      bootstrapServers: 'a:1',
      groupId: 'g',
      groupProtocol: 'consumer',
      groupRemoteAssignor: 'range',
      offsetReset: { sinceMs: 93_784_500 },
      isolation: 'read_committed',
      assignors: ['sticky', 'cooperative-sticky'],
    })
  })

  it('name all that is wrong at once', () => {
    expect(() =>
      producerOptionsFrom({
        'linger.ms': 'soon',
        acks: '2',
        'security.protocol': 'SASL_SSL',
      }),
    ).toThrow(/linger\.ms: "soon" must be a whole number.*acks: "2" must be one of.*security\.protocol: SASL_SSL is not supported/)
  })

  it.each([
    ['sasl.jaas.config', '…', () => clientOptionsFrom({ 'sasl.jaas.config': 'org.apache…' })],
    ['group.protocol', 'x', () => consumerOptionsFrom({ 'group.protocol': 'x' })],
    ['auto.offset.reset', 'soon', () => consumerOptionsFrom({ 'auto.offset.reset': 'by_duration:PT' })],
    ['partition.assignment.strategy', 'x', () => consumerOptionsFrom({ 'partition.assignment.strategy': 'my.Assignor' })],
  ])('refuse %s=%s', (key, _value, act) => {
    expect(act).toThrow(key)
  })

  it('name keys without effect', () => {
    expect(
      ignoredKeys('consumer', {
        'group.id': 'g',
        'key.deserializer': 'x',
        lingerms: '1',
      }),
    ).toEqual(['key.deserializer', 'lingerms'])
    expect(ignoredKeys('producer', { 'compression.lz4.level': '1', acks: '1' })).toEqual([])
  })

  it('refuse options that contradict each other', () => {
    const bootstrapServers = 'a:1'
    expect(() => createProducer({ bootstrapServers, acks: 1, idempotence: true })).toThrow('acks=all')
    expect(() =>
      createProducer({
        bootstrapServers,
        inFlightRequestsMax: 6,
        idempotence: true,
      }),
    ).toThrow('at most 5')
    expect(() => createProducer({ bootstrapServers, deliveryTimeoutMs: 1_000 })).toThrow('linger.ms + request.timeout.ms')
    expect(() => createProducer({ bootstrapServers, lingerMs: -1 })).toThrow('lingerMs')
    expect(() =>
      createConsumer({
        bootstrapServers,
        heartbeatIntervalMs: 9,
        sessionTimeoutMs: 9,
      }),
    ).toThrow('heartbeat.interval.ms')
    expect(() => createConsumer({ bootstrapServers, assignors: ['best'] })).toThrow('unknown assignor best')
    const next = { bootstrapServers, groupProtocol: 'consumer' } as const
    expect(() => createConsumer({ ...next, assignors: ['range'] })).toThrow(
      'partition.assignment.strategy cannot be set when group.protocol=CONSUMER',
    )
    expect(() => createConsumer({ ...next, sessionTimeoutMs: 9_000 })).toThrow('session.timeout.ms cannot be set')
    expect(() => createConsumer({ ...next, heartbeatIntervalMs: 9 })).toThrow('heartbeat.interval.ms cannot be set')
    expect(() => createConsumer({ bootstrapServers, groupRemoteAssignor: 'range' })).toThrow(
      'group.remote.assignor cannot be set when group.protocol=CLASSIC',
    )
    expect(() => createProducer({ bootstrapServers, transactionalId: 't' })).toThrow('transactional.id is for createTransactionalProducer')
    expect(() => createTransactionalProducer({ bootstrapServers, transactionalId: '' })).toThrow('transactional.id must not be empty')
    expect(() => createTransactionalProducer({ bootstrapServers, transactionalId: 't', acks: 1 })).toThrow('enable.idempotence')
  })

  it('read addresses', () => {
    expect(parseAddresses('a.b:1,PLAINTEXT://[::1]:92, 10.0.0.1:65535')).toEqual([
      { host: 'a.b', port: 1 },
      { host: '::1', port: 92 },
      { host: '10.0.0.1', port: 65_535 },
    ])
    for (const wrong of ['', 'a', 'a:0', 'a:65536', 'a b:1', ':1']) expect(() => parseAddresses(wrong)).toThrow('bootstrap.servers')
  })
})
