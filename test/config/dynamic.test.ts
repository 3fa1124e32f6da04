/** What Apache Kafka 4.3.1 answers: golden/configs/broker-dynamic.json, and messages recorded one by one. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type BrokerConfig, brokerConfigInForce, incrementalAlter, isRefusal } from '../../hub/config/index.ts'
import { updateMode } from '../../hub/config/dynamic.ts'
import { kafkaBrokerKeys } from '../../hub/config/keys/broker.ts'

const golden = JSON.parse(readFileSync(new URL('../golden/configs/broker-dynamic.json', import.meta.url), 'utf8')) as {
  readonly changeableWhileRunning: readonly string[]
}
const none: ReadonlyMap<string, string> = new Map()
const defaults: BrokerConfig = brokerConfigInForce({ dynamic: none, dynamicDefault: none, static: none })

/** The message of a refusal, null for none. */
function set(scope: 'broker' | 'group', name: string, value: string, isClusterDefault = false): string | null {
  const outcome = incrementalAlter(none, [{ name, operation: 'set', value }], { scope, isClusterDefault, inForce: defaults })
  return isRefusal(outcome) ? outcome.message : null
}

const dynamic = (reason: string): string =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${reason} for configuration Invalid dynamic configuration`

describe('broker settings', () => {
  it('may be changed while running where Kafka lets them be', () => {
    const ours = Object.keys(kafkaBrokerKeys).filter((name) => updateMode(name) !== 'read-only')
    expect(ours.sort()).toEqual(golden.changeableWhileRunning)
  })

  it.each([
    [
      'num.io.threads',
      '3',
      'Dynamic thread count update validation failed for num.io.threads=3, value should be at least half the current value 8',
    ],
    [
      'num.io.threads',
      '17',
      'Dynamic thread count update validation failed for num.io.threads=17, value should not be greater than double the current value 8',
    ],
    [
      'num.network.threads',
      '7',
      'Dynamic thread count update validation failed for num.network.threads=7, value should not be greater than double the current value 3',
    ],
    ['log.cleaner.threads', '3', 'Log cleaner threads cannot be increased to more than double the current value 1'],
    ['max.connections', '0', 'Invalid max.connections 0'],
  ])('%s cannot become %s', (name, value, reason) => {
    expect(set('broker', name, value)).toBe(dynamic(reason))
  })

  it.each([
    ['num.io.threads', '0', 'Invalid value 0 for configuration num.io.threads: Value must be at least 1'],
    ['log.retention.hours', '5', 'Cannot update these configs dynamically: [log.retention.hours]'],
    ['advertised.listeners', 'PLAINTEXT://127.0.0.1:9', 'Cannot update these configs dynamically: [advertised.listeners]'],
    [
      'max.connections.per.ip',
      '0',
      'requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.',
    ],
    ['max.connections.per.ip.overrides', 'a:b', 'For input string: "b"'],
    [
      'log.cleaner.dedupe.buffer.size',
      '1000',
      'requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
    ],
    [
      'ssl.keystore.location',
      '/k',
      'These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]',
    ],
  ])('%s cannot become %s, which is told as it is', (name, value, message) => {
    expect(set('broker', name, value)).toBe(message)
    expect(set('broker', name, value, true)).toBe(message)
  })

  it.each([
    ['num.io.threads', '16'],
    ['num.network.threads', '1'],
    ['log.cleaner.threads', '2'],
    ['max.connections', '100'],
    ['max.connections.per.ip.overrides', '127.0.0.1:5'],
    ['log.retention.ms', '-5'],
    ['unclean.leader.election.enable', 'true'],
    ['a.key.of.a.plugin', '1'],
  ])('%s may become %s, for one broker and for all', (name, value) => {
    expect([set('broker', name, value), set('broker', name, value, true)]).toEqual([null, null])
  })

  it.each([
    'listeners',
    'listener.security.protocol.map',
    'metric.reporters',
    'principal.builder.class',
    'sasl.enabled.mechanisms',
    'cordoned.log.dirs',
    'listener.name.plaintext.max.connections',
  ])('%s is refused, since nothing would come of it', (name) => {
    const value = name === 'principal.builder.class' ? 'x.Y' : '1'
    expect(set('broker', name, value)).toBe(`Cannot update these configs dynamically: [${name}]`)
  })
})

describe("a group's settings", () => {
  it.each([
    [
      'consumer.session.timeout.ms',
      '1',
      'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      'consumer.session.timeout.ms',
      '60001',
      'consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms',
    ],
    [
      'consumer.heartbeat.interval.ms',
      '100000',
      'consumer.heartbeat.interval.ms must be less than or equal to group.consumer.max.heartbeat.interval.ms',
    ],
    ['streams.num.standby.replicas', '99', 'streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas'],
    ['consumer.session.timeout.ms', '50000', null],
  ])('%s=%s', (name, value, message) => {
    expect(set('group', name, value)).toBe(message)
  })
})
