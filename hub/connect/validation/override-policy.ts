/**
 * @module connect/validation/override-policy — which settings of its Kafka clients a connector may say (KIP-458, KIP-1188), by the worker's
 * `connector.client.config.override.policy`. Pure.
 */
import { parseType } from '@millrace/sdk'
import type { ConfigText } from '../types.ts'

/** What the policy `Principal` lets connectors say: as whom they come. */
const PRINCIPAL_KEYS = ['sasl.jaas.config', 'sasl.mechanism', 'security.protocol']

/**
 * Kafka's sentence where the policy forbids a key (without the prefix); undefined where it allows it. A policy is named by its short name or
 * by its Java class. `worker` are the worker's own keys as text.
 */
export function policyRefusal(name: string, worker: ConfigText): string | undefined {
  const given = (worker['connector.client.config.override.policy'] ?? 'All').trim()
  const policy = given.slice(given.lastIndexOf('.') + 1).replace(/ConnectorClientConfigOverridePolicy$/, '')
  const allowlist = parseType('', worker['connector.client.config.override.allowlist'] ?? '', 'LIST') ?? []
  const allowed: Readonly<Record<string, boolean>> = {
    All: true,
    None: false,
    Principal: PRINCIPAL_KEYS.includes(name),
    Allowlist: allowlist.includes(name),
  }
  // A policy that nobody knows allows nothing.
  if (allowed[policy] === true) return undefined
  return `The '${policy}' policy does not allow '${name}' to be overridden in the connector configuration.`
}
