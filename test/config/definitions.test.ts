/** Our definitions against Kafka 4.3.1's: names, types, defaults, importance, validators. */
import { readFileSync } from 'node:fs'
import { type ConfigDefinition, type ConfigKey, canonicalText } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import {
  adminKeys,
  brokerConfigDefinition,
  brokerSynonyms,
  consumerKeys,
  groupConfigDefinition,
  producerKeys,
  topicConfigDefinition,
  topicSynonyms,
} from '../../hub/config/index.ts'
import { kafkaBrokerKeys, millraceDefaults, millraceKeys } from '../../hub/config/keys/broker.ts'
import { connectWorkerDefinition, connectWorkerKeys, millraceConnectKeys } from '../../hub/config/keys/connect-worker.ts'

interface GoldenKey {
  readonly name: string
  readonly type: string
  readonly default?: string | null
  readonly required?: true
  readonly importance: string
  readonly validator?: string
  readonly internal?: true
}

function goldenKeys(file: string): GoldenKey[] {
  const keys = JSON.parse(readFileSync(new URL(`../golden/configs/${file}.json`, import.meta.url), 'utf8')) as GoldenKey[]
  return keys.map(({ name, type, default: value, required, importance, validator, internal }) => ({
    name,
    type,
    ...(required === true ? { required } : { default: value ?? null }),
    importance,
    ...(validator === undefined ? {} : { validator }),
    ...(internal === true ? { internal } : {}),
  }))
}

function ours(definition: ConfigDefinition): GoldenKey[] {
  return Object.entries<ConfigKey>(definition).map(([name, key]) => ({
    name,
    type: key.type,
    ...(key.default === undefined ? { required: true as const } : { default: canonicalText(key.default, key.type) }),
    importance: key.importance,
    ...(key.validator === undefined ? {} : { validator: key.validator.text }),
    ...(key.internal === true ? { internal: true as const } : {}),
  }))
}

const byName = (keys: readonly GoldenKey[]): Record<string, GoldenKey> => Object.fromEntries(keys.map((key) => [key.name, key]))

describe.each([
  ['broker', kafkaBrokerKeys],
  ['topic', topicConfigDefinition],
  ['group', groupConfigDefinition],
  ['producer', producerKeys],
  ['consumer', consumerKeys],
  ['admin', adminKeys],
  ['connect-distributed', connectWorkerKeys],
] as [string, ConfigDefinition][])('%s keys', (file, definition) => {
  it('are those of Kafka', () => {
    expect(byName(ours(definition))).toEqual(byName(goldenKeys(file)))
  })
})

describe('the definition of a hub', () => {
  it('has every key of Kafka, with another default where it says so and nowhere else', () => {
    const differing = Object.keys(kafkaBrokerKeys).filter((name) => {
      const [mine, kafkas] = [brokerConfigDefinition, kafkaBrokerKeys].map((definition) => (definition as ConfigDefinition)[name])
      return mine?.default !== kafkas?.default
    })
    expect(differing.sort()).toEqual(Object.keys(millraceDefaults).sort())
  })

  it('keeps its own keys apart and documents them', () => {
    for (const [name, key] of Object.entries<ConfigKey>({ ...millraceKeys, ...millraceConnectKeys })) {
      expect(name).toMatch(/^millrace\./)
      expect(key.documentation).toMatch(/\.$/)
    }
  })

  it('documents in whole sentences', () => {
    const documented = Object.values<ConfigKey>({
      ...brokerConfigDefinition,
      ...topicConfigDefinition,
      ...connectWorkerDefinition,
    }).flatMap((key) => key.documentation ?? [])
    expect(documented.length).toBeGreaterThan(80)
    for (const sentence of documented) expect(sentence).toMatch(/^[A-Z_].*[^.]\.$/)
  })
})

describe('synonyms', () => {
  it('name keys that exist, of the same type', () => {
    for (const [topicKey, brokerKey] of Object.entries(topicSynonyms)) {
      const [topic, broker] = [(topicConfigDefinition as ConfigDefinition)[topicKey], (kafkaBrokerKeys as ConfigDefinition)[brokerKey]]
      expect([topicKey, broker?.type]).toEqual([topicKey, topic?.type])
    }
  })

  it('go from the strongest to the weakest', () => {
    expect(brokerSynonyms('log.retention.ms')).toEqual(['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'])
    expect(brokerSynonyms('log.roll.hours')).toEqual(['log.roll.ms', 'log.roll.hours'])
    expect(brokerSynonyms('num.partitions')).toEqual(['num.partitions'])
  })
})
