/** @module config/environment — keys from the environment and from the command line. */
import { ConfigError } from './error.ts'

const PREFIX = 'MILLRACE_'
/** A switch of the tests, and the address that the commands ask; no keys. */
const NO_KEYS = new Set(['MILLRACE_LONG', 'MILLRACE_CONNECT_URL'])

/**
 * The keys that `MILLRACE_…` variables set, by the rules of Apache's container image: after the prefix `_` stands for a
 * dot, `__` for an underscore, `___` for a hyphen, and the case is lowered. `MILLRACE_LOG_RETENTION_MS=1` sets `log.retention.ms`.
 */
export function environmentConfig(environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || value === undefined || NO_KEYS.has(name)) continue
    pairs.set(keyOfVariable(name.slice(PREFIX.length)), value)
  }
  return pairs
}

function keyOfVariable(name: string): string {
  return name.toLowerCase().replace(/_{1,3}/g, (run) => (run === '___' ? '-' : run === '__' ? '_' : '.'))
}

/** `--override key=value` texts; of a repeated key the last. @throws ConfigError for a text without "=" or without a key */
export function overrideConfig(overrides: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const text of overrides) {
    const at = text.indexOf('=')
    if (at <= 0) throw new ConfigError({ source: '--override', key: text, cause: 'is not key=value', remedy: 'write --override key=value' })
    pairs.set(text.slice(0, at).trim(), text.slice(at + 1))
  }
  return pairs
}
