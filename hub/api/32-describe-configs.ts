/**
 * @module api/32-describe-configs — settings with where they come from. Versions 1–4.
 *
 * Every key of a resource, or those asked for, with default, source, type and (where asked for) synonyms and documentation; secrets
 * without their value. 1: synonyms and sources (KIP-226). 3: types and documentation (KIP-569).
 */
import {
  type ConfigEntry,
  ConfigSource,
  configTypeNumber,
  describeBrokerConfig,
  describeBrokerDefaults,
  describeGroupConfig,
  describeTopicConfig,
} from '../config/index.ts'
import { topicNameProblem } from '../cluster/index.ts'
import type { LogLevels } from '../observe/index.ts'
import { ConfigResourceType, DescribeConfigs, ErrorCode, errorMessage, type RequestOf } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

type Request = RequestOf<typeof DescribeConfigs>
type ResourceRequest = Request['resources'][number]

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string
}

/** Limits of this file: a request of some kilobytes can ask for gigabytes of settings. */
const limits = {
  /** Settings in one answer; the resources beyond are refused. */
  settingsMax: 500_000,
  /** Resources described before others get their turn. */
  resourcesPerTurn: 500,
} as const
const TOO_MANY: Problem = {
  errorCode: ErrorCode.INVALID_REQUEST,
  errorMessage: `More than ${limits.settingsMax} settings in one answer; ask for fewer resources or keys at a time.`,
}

const NO_OVERRIDES: ReadonlyMap<string, string> = new Map()

export const describeConfigs = defineHandler({
  api: DescribeConfigs,
  overlaps: false,
  create: (broker) => async (request) => {
    const results = []
    let settingCount = 0
    for (const [at, resource] of request.resources.entries()) {
      const { resourceType, resourceName } = resource
      if (at % limits.resourcesPerTurn === limits.resourcesPerTurn - 1) await new Promise<void>((resolve) => broker.clock.soon(resolve))
      const entries = settingCount < limits.settingsMax ? describe(broker, resource) : TOO_MANY
      if ('errorCode' in entries) {
        results.push({ ...entries, resourceType, resourceName, configs: [] })
        continue
      }
      const keys = resource.configurationKeys ?? []
      // None named, as null, means all.
      const wanted = keys.length === 0 ? undefined : new Set(keys)
      const configs = entries.filter(({ name }) => wanted === undefined || wanted.has(name)).map((entry) => configOf(entry, request))
      settingCount += configs.length
      results.push({ errorCode: ErrorCode.NONE, errorMessage: '', resourceType, resourceName, configs })
    }
    return { throttleTimeMs: 0, results }
  },
})

function configOf(entry: ConfigEntry, request: Request) {
  return {
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    configSource: entry.source,
    isSensitive: entry.isSensitive,
    synonyms: request.includeSynonyms ? [...entry.synonyms] : [],
    configType: entry.type === undefined ? 0 : configTypeNumber[entry.type],
    documentation: request.includeDocumentation || entry.source === ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG ? entry.documentation : null,
  }
}

function describe(broker: Broker, { resourceType, resourceName }: ResourceRequest): readonly ConfigEntry[] | Problem {
  const { brokerConfig, sources } = broker.config()
  const overridesOf = (type: string) => broker.controller.image.configs.get(`${type}:${resourceName}`) ?? NO_OVERRIDES
  switch (resourceType) {
    case ConfigResourceType.TOPIC: {
      const nameProblem = topicNameProblem(resourceName)
      if (nameProblem !== undefined) return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: nameProblem }
      if (!broker.controller.image.topicsByName.has(resourceName))
        return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: '' }
      return describeTopicConfig(overridesOf('topic'), brokerConfig, sources)
    }
    case ConfigResourceType.BROKER:
      if (resourceName === '') return describeBrokerDefaults(sources.dynamicDefault)
      return brokerProblem(resourceName, broker.nodeId) ?? describeBrokerConfig(brokerConfig, sources)
    case ConfigResourceType.GROUP:
      if (resourceName === '') return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Group name must not be empty' }
      return describeGroupConfig(overridesOf('group'), sources)
    case ConfigResourceType.BROKER_LOGGER:
      return loggerProblem(resourceName, broker.nodeId) ?? describeLoggers(broker.logger.levels)
    default:
      return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: errorMessage(ErrorCode.INVALID_REQUEST) ?? '' }
  }
}

/** Levels of this broker's loggers (KIP-412). */
function describeLoggers(levels: LogLevels): ConfigEntry[] {
  return [...levels.all()].map(([name, level]) => ({
    name,
    value: level,
    source: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG,
    type: undefined,
    isSensitive: false,
    readOnly: false,
    synonyms: [],
    documentation: '',
  }))
}

function loggerProblem(name: string, nodeId: number): Problem | undefined {
  if (name === '') return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Broker id must not be empty' }
  const message = brokerProblem(name, nodeId)?.errorMessage.replace(' or empty string, but', ' but')
  return message === undefined ? undefined : { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: message }
}

function brokerProblem(name: string, nodeId: number): Problem | undefined {
  if (!/^[+-]?\d+$/.test(name))
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: `Broker id must be an integer, but it is: ${name}` }
  if (Number(name) === nodeId) return undefined
  const message = `Unexpected broker id, expected ${nodeId} or empty string, but received ${name}`
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: message }
}
