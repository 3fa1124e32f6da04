/** @module config/connect-unsupported — settings of a worker whose loss would change safety or security: refused (design §2). */
import type { ConfigOf } from '@millrace/sdk'
import { ConfigError } from './error.ts'
import type { connectWorkerDefinition } from './keys/connect-worker.ts'

/** @throws ConfigError for the first setting that must not be ignored */
export function refuseUnsafeConnect(worker: ConfigOf<typeof connectWorkerDefinition>, section: ReadonlyMap<string, string>): void {
  if (worker['exactly.once.source.support'].toLowerCase() !== 'disabled') {
    const cause = 'this version has no exactly-once sources, so records could come twice after a failure'
    throw new ConfigError({ key: 'exactly.once.source.support', cause, remedy: 'set it to disabled' })
  }
  if (worker['rest.extension.classes'].length > 0) {
    const cause = 'this version runs no REST extensions, so requests would not be checked by them'
    throw new ConfigError({ key: 'rest.extension.classes', cause, remedy: 'remove the key if that is acceptable' })
  }
  const secured = [...worker.listeners, ...(worker['admin.listeners'] ?? [])].find((url) => /^https:/i.test(url))
  if (secured !== undefined || worker['rest.advertised.listener']?.toLowerCase() === 'https') {
    const key = secured === undefined ? 'rest.advertised.listener' : worker.listeners.includes(secured) ? 'listeners' : 'admin.listeners'
    const cause = 'this version has no HTTPS, and would serve the listener in the clear'
    throw new ConfigError({ key, cause, remedy: 'use http if that is acceptable' })
  }
  const policyKey = 'connector.client.config.override.policy'
  if (!POLICY.test(worker[policyKey])) {
    const cause = 'names a policy that this version does not have'
    throw new ConfigError({ key: policyKey, cause, remedy: 'use All, None, Principal or Allowlist' })
  }
  refuseLimitedProviders(section)
  refuseSecuredClients(section)
}

/** Connectors would read files and variables that the operator has kept from them (KIP-993, KIP-887). */
function refuseLimitedProviders(section: ReadonlyMap<string, string>): void {
  for (const [key, value] of section) {
    if (!/^config\.providers\..+\.param\.(allowed\.paths|allowlist\.pattern)$/.test(key) || value.trim() === '') continue
    const cause = 'this version does not limit what config providers read'
    throw new ConfigError({ key, cause, remedy: 'remove the key if that is acceptable' })
  }
}

/** Policies for client overrides by their short names, or by upstream's classes. */
const POLICY =
  /^(?:(?:org\.apache\.kafka\.connect\.connector\.policy\.)?(?:All|None|Principal|Allowlist)ConnectorClientConfigOverridePolicy|All|None|Principal|Allowlist)$/

/** Clients that would go to the brokers in the clear, or without a login. */
function refuseSecuredClients(section: ReadonlyMap<string, string>): void {
  for (const [key, value] of section) {
    const [, name = ''] = /^(?:producer\.|consumer\.|admin\.)?(.*)$/.exec(key) ?? []
    if (name === 'security.protocol' && value.trim().toUpperCase() !== 'PLAINTEXT') {
      throw new ConfigError({ key, cause: 'this version speaks PLAINTEXT to brokers only', remedy: 'set it to PLAINTEXT' })
    }
    if ((name === 'sasl.jaas.config' || name === 'sasl.mechanism') && value.trim() !== '') {
      throw new ConfigError({ key, cause: 'this version has no SASL', remedy: 'remove the key' })
    }
  }
}
