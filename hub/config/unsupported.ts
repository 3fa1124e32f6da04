/**
 * @module config/unsupported — settings of features that this version lacks: refused where ignoring them would make the
 * hub less safe or less secure than the file asks for, else told in one notice.
 */
import { type ConfigDefinition, canonicalText } from '@millrace/sdk'
import { ConfigError } from './error.ts'
import { brokerConfigDefinition } from './keys/broker.ts'
import type { Listener } from './listeners.ts'
import type { BrokerConfig } from './topic-config.ts'

/** Roles that a hub of this version can play. */
const AVAILABLE_ROLES: readonly string[] = ['broker', 'controller', 'connect']
/** Roles that every hub of this version plays. */
const NEEDED_ROLES: readonly string[] = ['broker', 'controller']

interface Refusal {
  readonly key: string
  /** Whether the configuration asks for what we lack. */
  asks(config: BrokerConfig): boolean
  readonly cause: string
  readonly remedy: string
}

const REFUSALS: readonly Refusal[] = [
  {
    key: 'authorizer.class.name',
    asks: (config) => config['authorizer.class.name'] !== '',
    cause: 'this version has no authorizer, so everybody would be allowed everything',
    remedy: 'remove the key if that is acceptable',
  },
  {
    key: 'remote.log.storage.system.enable',
    asks: (config) => config['remote.log.storage.system.enable'],
    cause: 'this version has no tiered storage, so segments that were moved there would be missing',
    remedy: 'set it to false',
  },
  {
    key: 'create.topic.policy.class.name',
    asks: (config) => config['create.topic.policy.class.name'] !== null,
    cause: 'this version runs no policies, so topics would be created that the policy forbids',
    remedy: 'remove the key if that is acceptable',
  },
  {
    key: 'alter.config.policy.class.name',
    asks: (config) => config['alter.config.policy.class.name'] !== null,
    cause: 'this version runs no policies, so settings would be changed that the policy forbids',
    remedy: 'remove the key if that is acceptable',
  },
  {
    key: 'client.quota.callback.class',
    asks: (config) => config['client.quota.callback.class'] !== null,
    cause: 'this version has no quotas, so no client would be held back',
    remedy: 'remove the key if that is acceptable',
  },
  {
    key: 'principal.builder.class',
    asks: (config) => config['principal.builder.class'] !== brokerConfigDefinition['principal.builder.class'].default,
    cause: 'this version has no authentication, so no principals are built',
    remedy: 'remove the key if that is acceptable',
  },
  {
    key: 'security.inter.broker.protocol',
    asks: (config) => config['security.inter.broker.protocol'] !== 'PLAINTEXT',
    cause: 'this version speaks PLAINTEXT only',
    remedy: 'set it to PLAINTEXT',
  },
]

/** @throws ConfigError for the first setting that must not be ignored */
export function refuseUnsafe(config: BrokerConfig, given: ReadonlyMap<string, string>, listeners: readonly Listener[]): void {
  const secured = listeners.find(({ protocol }) => protocol !== 'PLAINTEXT')
  if (secured !== undefined) {
    throw new ConfigError({
      key: 'listeners',
      value: `${secured.name}://${secured.host}:${secured.port}`,
      cause: `this version has no ${secured.protocol}, and would serve the listener in the clear`,
      remedy: 'map it to PLAINTEXT in listener.security.protocol.map if that is acceptable',
    })
  }
  for (const { key, cause, remedy, ...refusal } of REFUSALS) {
    if (refusal.asks(config)) throw new ConfigError({ key, value: given.get(key) ?? '', cause, remedy })
  }
  if (given.has('zookeeper.connect')) {
    throw new ConfigError({
      key: 'zookeeper.connect',
      cause: 'ZooKeeper mode is not supported (Kafka 4 has none)',
      remedy: 'migrate to KRaft',
    })
  }
  refuseCluster(config, given)
}

/** This version is a lone node: a quorum or a controller elsewhere would not be asked. */
function refuseCluster(config: BrokerConfig, given: ReadonlyMap<string, string>): void {
  const roles = config['process.roles']
  const missing = roles.find((role) => !AVAILABLE_ROLES.includes(role))
  const value = roles.join(',')
  if (missing !== undefined) {
    throw new ConfigError({
      key: 'process.roles',
      value,
      cause: `this version has no role ${missing}`,
      remedy: `use ${AVAILABLE_ROLES.join(',')}`,
    })
  }
  if (!NEEDED_ROLES.every((role) => roles.includes(role))) {
    const cause = 'this version runs broker and controller in one process only'
    throw new ConfigError({ key: 'process.roles', value, cause, remedy: 'name broker and controller' })
  }
  const nodeId = config['node.id']
  const strangers = config['controller.quorum.voters'].filter((voter) => Number(voter.split('@')[0]) !== nodeId)
  if (strangers.length > 0) {
    const cause = `this version is a quorum of one and would not ask ${strangers.join(', ')}`
    throw new ConfigError({
      key: 'controller.quorum.voters',
      value: given.get('controller.quorum.voters') ?? '',
      cause,
      remedy: 'name this node only',
    })
  }
  const servers = config['controller.quorum.bootstrap.servers']
  if (servers.length > 1) {
    const cause = 'this version is a quorum of one and would ask no other controller'
    throw new ConfigError({ key: 'controller.quorum.bootstrap.servers', value: servers.join(','), cause, remedy: 'name this node only' })
  }
  const brokerId = config['broker.id']
  if (brokerId !== -1 && brokerId !== nodeId) {
    const cause = `differs from node.id=${nodeId}`
    throw new ConfigError({ key: 'broker.id', value: String(brokerId), cause, remedy: 'remove broker.id' })
  }
}

/** Keys that act through another one, or mean the same whether we act on them or not. */
const ACTS_ANYWAY = new Set(['config.providers', 'security.inter.broker.protocol'])

/**
 * Known keys that were set and have no effect in this version. A key acts if and only if it is documented, which keeps
 * the two from drifting apart; one that was set to its default has nothing to lose.
 */
export function withoutEffect(given: ReadonlyMap<string, string>): string[] {
  const definition: ConfigDefinition = brokerConfigDefinition
  return [...given]
    .filter(([name, text]) => {
      const key = definition[name]
      if (key === undefined || key.documentation !== undefined || ACTS_ANYWAY.has(name)) return false
      return (canonicalText(key.default, key.type) ?? '') !== canonicalText(text, key.type) || key.type === 'PASSWORD'
    })
    .map(([name]) => name)
    .sort()
}
