/** @module config/effective — the broker's settings in force: what it was started with, under what was changed since. */
import { parseConfig } from '@millrace/sdk'
import type { BrokerSources } from './describe.ts'
import { updateMode } from './dynamic.ts'
import { brokerConfigDefinition } from './keys/broker.ts'
import type { BrokerConfig } from './topic-config.ts'

/**
 * Parsed broker keys with dynamic values over static ones (this broker's over everybody's). Changes of keys that may not
 * be changed, which a metadata log of another version could hold, are passed over.
 * @throws ConfigException when a dynamic value does not parse (they were checked when they were set)
 */
export function brokerConfigInForce(sources: BrokerSources): BrokerConfig {
  const changeable = (values: ReadonlyMap<string, string>): [string, string][] =>
    [...values].filter(([name]) => updateMode(name) !== 'read-only')
  const merged = new Map([...sources.static, ...changeable(sources.dynamicDefault), ...changeable(sources.dynamic)])
  return parseConfig(brokerConfigDefinition, Object.fromEntries(merged))
}
