/** @module client/admin/configs — settings of topics, brokers and groups: read and change. */
import {
  ConfigOperation,
  ConfigResourceType,
  ConfigSource,
  ConfigType,
  DescribeConfigs,
  IncrementalAlterConfigs,
  ListConfigResources,
} from '../../wire/index.ts'
import { throwIfError } from '../errors.ts'
import { type AdminContext, ask, type ItemResult, itemError, type Target, throwIfMisdirected } from './routes.ts'

const TYPES = {
  topic: ConfigResourceType.TOPIC,
  broker: ConfigResourceType.BROKER,
  'broker-logger': ConfigResourceType.BROKER_LOGGER,
  'client-metrics': ConfigResourceType.CLIENT_METRICS,
  group: ConfigResourceType.GROUP,
} as const
const OPERATIONS = {
  set: ConfigOperation.SET,
  delete: ConfigOperation.DELETE,
  append: ConfigOperation.APPEND,
  subtract: ConfigOperation.SUBTRACT,
} as const

/** What has settings. Brokers by id as text; the empty name is the default of all brokers. */
export interface ConfigResource {
  readonly type: keyof typeof TYPES
  readonly name: string
}

/** Where a setting's value comes from, by Kafka's name: `DYNAMIC_TOPIC_CONFIG`, `DEFAULT_CONFIG` … */
export type ConfigSourceName = keyof typeof ConfigSource
/** By Kafka's name: `STRING`, `LONG` … */
export type ConfigTypeName = keyof typeof ConfigType

/** One setting. */
export interface ConfigEntry {
  readonly name: string
  /** Null: not told because it is sensitive, or none. */
  readonly value: string | null
  readonly readOnly: boolean
  readonly isSensitive: boolean
  readonly source: ConfigSourceName
  readonly type: ConfigTypeName
  readonly documentation: string | null
  /** Values at all levels, the effective one first. */
  readonly synonyms: readonly {
    readonly name: string
    readonly value: string | null
    readonly source: ConfigSourceName
  }[]
}

/** The settings of one resource. */
export interface DescribedConfigs extends ItemResult {
  readonly resource: ConfigResource
  readonly entries: readonly ConfigEntry[]
}

/** A change of one setting; append and subtract are for lists. */
export interface ConfigChange {
  readonly name: string
  readonly operation: keyof typeof OPERATIONS
  /** Left out with `delete`. */
  readonly value?: string | undefined
}

/** Reads settings; `names` limits them. */
export async function describeConfigs(
  context: AdminContext,
  resources: readonly (ConfigResource & {
    readonly names?: readonly string[]
  })[],
  options: {
    readonly includeSynonyms?: boolean
    readonly includeDocumentation?: boolean
  },
  signal: AbortSignal | undefined,
): Promise<readonly DescribedConfigs[]> {
  const parts = [...byTarget(resources, 'any')].map(([target, asked]) =>
    ask(
      context,
      target,
      DescribeConfigs,
      () => ({
        resources: asked.map(({ type, name, names }) => ({
          resourceType: TYPES[type],
          resourceName: name,
          configurationKeys: names === undefined ? null : [...names],
        })),
        includeSynonyms: options.includeSynonyms ?? false,
        includeDocumentation: options.includeDocumentation ?? false,
      }),
      (response) =>
        response.results.map(({ resourceType, resourceName, errorCode, errorMessage, configs }) => ({
          resource: resourceOf(resourceType, resourceName),
          error: itemError(errorCode, errorMessage),
          entries: configs.map(({ name, value, readOnly, isSensitive, configSource, configType, documentation, synonyms }) => ({
            name,
            value,
            readOnly,
            isSensitive,
            source: nameOf(ConfigSource, configSource),
            type: nameOf(ConfigType, configType),
            documentation,
            synonyms: synonyms.map((one) => ({
              name: one.name,
              value: one.value,
              source: nameOf(ConfigSource, one.source),
            })),
          })),
        })),
      { signal },
    ),
  )
  return (await Promise.all(parts)).flat()
}

/** Changes settings one by one, leaving others alone (KIP-339). */
export async function incrementalAlterConfigs(
  context: AdminContext,
  alterations: readonly (ConfigResource & {
    readonly changes: readonly ConfigChange[]
  })[],
  options: { readonly validateOnly?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly (ItemResult & { readonly resource: ConfigResource })[]> {
  const parts = [...byTarget(alterations, 'controller')].map(([target, asked]) =>
    ask(
      context,
      target,
      IncrementalAlterConfigs,
      () => ({
        resources: asked.map(({ type, name, changes }) => ({
          resourceType: TYPES[type],
          resourceName: name,
          configs: changes.map((change) => ({
            name: change.name,
            configOperation: OPERATIONS[change.operation],
            value: change.value ?? null,
          })),
        })),
        validateOnly: options.validateOnly ?? false,
      }),
      (response) => {
        throwIfMisdirected(response.responses.map(({ errorCode }) => errorCode))
        return response.responses.map(({ resourceType, resourceName, errorCode, errorMessage }) => ({
          resource: resourceOf(resourceType, resourceName),
          error: itemError(errorCode, errorMessage),
        }))
      },
      { signal },
    ),
  )
  return (await Promise.all(parts)).flat()
}

/** First ListConfigResources version with kinds other than client metrics (KIP-1142). */
const LIST_TYPES_VERSION = 1

/** What has settings, or may have; `types` limits it (KIP-1142). */
export function listConfigResources(
  context: AdminContext,
  types: readonly ConfigResource['type'][],
  signal: AbortSignal | undefined,
): Promise<readonly ConfigResource[]> {
  return ask(
    context,
    'any',
    ListConfigResources,
    () => ({ resourceTypes: types.map((type) => TYPES[type]) }),
    (response) => {
      throwIfError(response.errorCode)
      return response.configResources.map(({ resourceType, resourceName }) => resourceOf(resourceType, resourceName))
    },
    { signal, versionMin: types.length === 1 && types[0] === 'client-metrics' ? 0 : LIST_TYPES_VERSION },
  )
}

/** A broker's own settings are its own business; all others can be asked of anybody. */
function byTarget<T extends ConfigResource>(resources: readonly T[], other: 'any' | 'controller'): Map<Target, T[]> {
  const groups = Map.groupBy(resources, ({ type, name }) =>
    (type === 'broker' || type === 'broker-logger') && name !== '' ? Number(name) : other,
  )
  return new Map([...groups].map(([key, list]): [Target, T[]] => [typeof key === 'number' ? { nodeId: key } : key, list]))
}

function resourceOf(resourceType: number, name: string): ConfigResource {
  const entry = Object.entries(TYPES).find(([, code]) => code === resourceType)
  return { type: (entry?.[0] ?? 'topic') as ConfigResource['type'], name }
}

function nameOf<T extends Readonly<Record<string, number>>>(table: T, code: number): keyof T {
  return Object.keys(table).find((name) => table[name] === code) ?? 'UNKNOWN'
}
