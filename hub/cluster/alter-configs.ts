/**
 * @module cluster/alter-configs — decides on changes of settings: of topics, of this broker or all brokers, of groups.
 * What a change comes to, and whether the values may stand, the config room knows; here: whose settings they are.
 * Source of the messages: kafka.server.ConfigAdminManager and ControllerConfigurationValidator of Kafka 4.3.1.
 */
import {
  type AlterOptions,
  type AlterOutcome,
  type BrokerConfig,
  brokerConfigInForce,
  incrementalAlter,
  replaceConfig,
} from '../config/index.ts'
import { ConfigRecord, ErrorCode, encodeMetadataRecord } from '../wire/index.ts'
import { configKey, resourceTypeNumber } from './config-resources.ts'
import { type Circumstances, type Decision, type Problem, problem, SUCCESS, tooLongProblem } from './decision.ts'
import { topicNameProblem } from './topic-names.ts'
import type { ConfigEntry, ConfigOperation, ConfigResource, Outcome } from './types.ts'

export type AlterConfigsOutcome = Outcome & { readonly resource: ConfigResource }

/** Makes the new settings of a resource out of its present ones. */
type Alter = (current: ReadonlyMap<string, string>, options: AlterOptions) => AlterOutcome

interface Change {
  readonly resource: ConfigResource
  readonly alter: Alter
}

/** One outcome per change, in the order of the request (KIP-339). */
export function decideAlterConfigs(
  circumstances: Circumstances,
  changes: readonly { readonly resource: ConfigResource; readonly operations: readonly ConfigOperation[] }[],
): Decision<AlterConfigsOutcome> {
  return decide(
    circumstances,
    changes.map(({ resource, operations }) => ({
      resource,
      alter: (current, options) => incrementalAlter(current, operations, options),
    })),
  )
}

/** One outcome per replacement, in the order of the request. */
export function decideReplaceConfigs(
  circumstances: Circumstances,
  replacements: readonly { readonly resource: ConfigResource; readonly entries: readonly ConfigEntry[] }[],
): Decision<AlterConfigsOutcome> {
  return decide(
    circumstances,
    replacements.map(({ resource, entries }) => ({
      resource,
      alter: (current, options) => replaceConfig(current, entries, options),
    })),
  )
}

function decide(circumstances: Circumstances, changes: readonly Change[]): Decision<AlterConfigsOutcome> {
  const appearances = Map.groupBy(changes, ({ resource }) => configKey(resource))
  const records: Buffer[] = []
  const outcomes = changes.map((change): AlterConfigsOutcome => {
    const { resource } = change
    const repeated = (appearances.get(configKey(resource))?.length ?? 0) > 1
    const decided = repeated
      ? problem(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.')
      : alterOne(circumstances, change)
    if ('errorCode' in decided) return { resource, ...decided }
    records.push(...decided)
    return { resource, ...SUCCESS }
  })
  return { records, outcomes }
}

function alterOne(circumstances: Circumstances, { resource, alter }: Change): readonly Buffer[] | Problem {
  const options = optionsFor(circumstances, resource)
  if ('errorCode' in options) return options
  const outcome = alter(circumstances.image.configs.get(configKey(resource)) ?? new Map(), options)
  if ('error' in outcome) return problem(ErrorCode[outcome.error], outcome.message)
  const { limits } = circumstances
  if ([...outcome.changes.values()].some((value) => (value?.length ?? 0) > limits.configValueLengthMax)) return tooLongProblem(limits)
  const { type, name: resourceName } = resource
  return [...outcome.changes].map(([name, value]) =>
    encodeMetadataRecord(ConfigRecord, { resourceType: resourceTypeNumber(type), resourceName, name, value }),
  )
}

/** By which rules a resource's settings are judged; or why they cannot be set at all. */
function optionsFor(circumstances: Circumstances, { type, name }: ConfigResource): AlterOptions | Problem {
  switch (type) {
    case 'topic':
      return topicProblem(circumstances, name) ?? { scope: 'topic' }
    case 'broker':
      return brokerProblem(circumstances, name) ?? { scope: 'broker', isClusterDefault: name === '', inForce: brokerConfig(circumstances) }
    case 'group':
      return name === ''
        ? problem(ErrorCode.INVALID_REQUEST, 'Default group resources are not allowed.')
        : { scope: 'group', inForce: brokerConfig(circumstances) }
    case 'client-metrics':
      return problem(ErrorCode.INVALID_REQUEST, 'Unknown resource type CLIENT_METRICS')
  }
}

/** The settings in force, under what was decided before. */
function brokerConfig({ image, nodeId, settings }: Circumstances): BrokerConfig {
  const none: ReadonlyMap<string, string> = new Map()
  const dynamic = image.configs.get(`broker:${nodeId}`) ?? none
  return brokerConfigInForce({ dynamic, dynamicDefault: image.configs.get('broker:') ?? none, static: settings.given })
}

function topicProblem({ image }: Circumstances, name: string): Problem | undefined {
  if (name === '') return problem(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.')
  const illegal = topicNameProblem(name)
  if (illegal !== undefined) return problem(ErrorCode.INVALID_TOPIC_EXCEPTION, illegal)
  return image.topicsByName.has(name) ? undefined : problem(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`)
}

function brokerProblem({ nodeId }: Circumstances, name: string): Problem | undefined {
  if (name === '' || name === String(nodeId)) return undefined
  const message = /^-?\d+$/.test(name)
    ? `Unexpected broker id, expected ${nodeId}, but received ${name}`
    : `Node id must be an integer, but it is: ${name}`
  return problem(ErrorCode.INVALID_REQUEST, message)
}
