/**
 * @module connect/validation/override-entries — settings of the connector's own Kafka clients: `producer.override.linger.ms` … (KIP-458).
 * Pure.
 */
import { type ConfigDefinition, ConfigException, canonicalText, parseType } from '@millrace/sdk'
import { adminKeys, consumerKeys, isSecretKey, producerKeys } from '../../config/index.ts'
import type { ConfigText } from '../types.ts'
import { withPrefix } from './converter-entries.ts'
import { type Entry, keyInfo } from './entries.ts'
import { policyRefusal } from './override-policy.ts'
import { hasDeadLetterTopic } from './rules.ts'

const producer = ['producer.override.', producerKeys] as const
const consumer = ['consumer.override.', consumerKeys] as const
const admin = ['admin.override.', adminKeys] as const

/** The overrides that a connector's clients will see, as `connector.client.config.override.policy` of the worker allows them. */
export function overrideEntries(kind: 'source' | 'sink', config: ConfigText, workerDefaults: ConfigText): readonly Entry[] {
  const clients = kind === 'source' ? [producer, admin] : hasDeadLetterTopic(config) ? [producer, admin, consumer] : [consumer]
  return clients.flatMap(([prefix, definition]) =>
    Object.entries(withPrefix(config, prefix)).map(([name, text]) => overrideEntry(prefix, name, text, definition, workerDefaults)),
  )
}

function overrideEntry(prefix: string, name: string, text: string, definition: ConfigDefinition, workerDefaults: ConfigText): Entry {
  const key = Object.hasOwn(definition, name) ? definition[name] : undefined
  const refusals = [policyRefusal(name, workerDefaults)].filter((refusal) => refusal !== undefined)
  const blank = { name: `${prefix}${name}`, recommendedValues: [], visible: true, isInternal: false }
  if (key === undefined) {
    return { ...blank, definition: null, value: isSecretKey(name) ? '[hidden]' : text, errors: refusals }
  }
  const info = keyInfo(name, key, prefix)
  try {
    parseType(name, text, key.type)
    return { ...blank, definition: info, value: canonicalText(text, key.type), errors: refusals }
  } catch (error) {
    if (!(error instanceof ConfigException)) throw error
    return { ...blank, definition: info, value: null, errors: [error.message, ...refusals] }
  }
}
