/**
 * @module config/alter-group — what a group's settings may be changed to: within what its broker allows (KIP-848). Pure.
 * Source of the messages: answers of Apache Kafka 4.3.1.
 */
import { parseConfig } from '@millrace/sdk'
import { groupKeys } from './keys/group.ts'
import type { BrokerConfig } from './topic-config.ts'

/** A broker key that bounds a group key and is not called after it. */
const OTHER_BOUNDS: Readonly<Record<string, string>> = { 'streams.num.standby.replicas': 'group.streams.max.standby.replicas' }

/** Why `config` may not be set, undefined when it may. All its keys are known and parse. */
export function groupRefusal(config: ReadonlyMap<string, string>, brokerConfig: BrokerConfig): string | undefined {
  const values = parseConfig(groupKeys, Object.fromEntries(config)) as Readonly<Record<string, unknown>>
  const bounds = brokerConfig as unknown as Readonly<Record<string, unknown>>
  for (const name of config.keys()) {
    const value = values[name]
    if (typeof value !== 'number') continue
    const [kind = '', ...rest] = name.split('.')
    const least = `group.${kind}.min.${rest.join('.')}`
    const most = OTHER_BOUNDS[name] ?? `group.${kind}.max.${rest.join('.')}`
    if (isNumber(bounds[least]) && value < bounds[least]) return `${name} must be greater than or equal to ${least}`
    if (isNumber(bounds[most]) && value > bounds[most]) return `${name} must be less than or equal to ${most}`
  }
  return sessionRefusal(config, values, bounds)
}

/** A member must be heard of within its session. */
function sessionRefusal(
  config: ReadonlyMap<string, string>,
  values: Readonly<Record<string, unknown>>,
  bounds: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const kind of ['consumer', 'share', 'streams']) {
    const session = `${kind}.session.timeout.ms`
    const heartbeat = `${kind}.heartbeat.interval.ms`
    if (!config.has(session) && !config.has(heartbeat)) continue
    const inForce = (name: string): number => Number(config.has(name) ? values[name] : bounds[`group.${name}`])
    if (inForce(session) <= inForce(heartbeat)) return `${session} must be greater than ${heartbeat}`
  }
  return undefined
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
