/** @module connect/tasks/settings — the framework's own keys that act inside a task, as a connector's configuration gives them. */
import { parseConfig } from '@millrace/sdk'
import type { ConfigText } from '../types.ts'
import { connectorKeys, sinkKeys } from '../validation/connector-keys.ts'

const FACTOR_KEY = 'errors.deadletterqueue.topic.replication.factor'
/** A factor that nobody set is told from one that was. */
const KEYS = { ...connectorKeys, ...sinkKeys, [FACTOR_KEY]: { ...sinkKeys[FACTOR_KEY], default: null } }
type FailureKeys = { readonly [Name in keyof typeof KEYS as Name extends `errors.${string}` ? Name : never]: (typeof KEYS)[Name] }
const FAILURE_KEYS = Object.fromEntries(Object.entries(KEYS).filter(([name]) => name.startsWith('errors.'))) as unknown as FailureKeys

/** What happens to a record that cannot be handled. */
export interface FailureSettings {
  /** Milliseconds for which a retriable error of one step is tried again; infinite for −1. */
  readonly retryTimeoutMs: number
  readonly retryDelayMsMax: number
  readonly toleratesAll: boolean
  readonly logEnable: boolean
  readonly logIncludesMessages: boolean
  /** Empty: none. */
  readonly deadLetterTopic: string
  /** null: nobody set it, so upstream's 3, at most as many as there are brokers. */
  readonly deadLetterReplicationFactor: number | null
  readonly deadLetterHeaders: boolean
}

/** Reads `errors.*`. Throws a ConfigException. */
export function failureSettings(config: ConfigText): FailureSettings {
  const parsed = parseConfig(FAILURE_KEYS, config)
  const timeoutMs = parsed['errors.retry.timeout']
  return {
    retryTimeoutMs: timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs,
    retryDelayMsMax: parsed['errors.retry.delay.max.ms'],
    toleratesAll: parsed['errors.tolerance'] === 'all',
    logEnable: parsed['errors.log.enable'],
    logIncludesMessages: parsed['errors.log.include.messages'],
    deadLetterTopic: parsed['errors.deadletterqueue.topic.name'],
    deadLetterReplicationFactor: parsed['errors.deadletterqueue.topic.replication.factor'],
    deadLetterHeaders: parsed['errors.deadletterqueue.context.headers.enable'],
  }
}

/** The keys under a prefix, without it. */
export function withoutPrefix(config: ConfigText, prefix: string): Record<string, string> {
  const inner: Record<string, string> = {}
  for (const [key, value] of Object.entries(config)) if (key.startsWith(prefix)) inner[key.slice(prefix.length)] = value
  return inner
}

/** A comma list without blanks and empty members. */
export function listOfText(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
