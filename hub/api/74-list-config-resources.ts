/**
 * @module api/74-list-config-resources — what has settings. Versions 0–1 (KIP-1142).
 *
 * 0: settings of client metrics only (KIP-714), of which there are none here. 1: resource types; none asked for means all. Groups are listed
 * when they have settings of their own; topics, brokers and their loggers always.
 */
import { ConfigResourceType, ErrorCode, ListConfigResources } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

const { BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC } = ConfigResourceType
const RESOURCE_TYPES_VERSION_MIN = 1
const GROUP_KEY_PREFIX = 'group:'

/** In the order of Kafka's answer. */
const NAMES: ReadonlyMap<number, (broker: Broker) => Iterable<string>> = new Map([
  [GROUP, groupNames],
  [CLIENT_METRICS, () => []],
  [BROKER_LOGGER, brokerNames],
  [BROKER, brokerNames],
  [TOPIC, (broker: Broker) => broker.controller.image.topicsByName.keys()],
])

export const listConfigResources = defineHandler({
  api: ListConfigResources,
  overlaps: false,
  create: (broker) => (request, context) => {
    const asked = context.apiVersion < RESOURCE_TYPES_VERSION_MIN ? [CLIENT_METRICS] : request.resourceTypes
    if (asked.some((type) => !NAMES.has(type))) return { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] }
    const configResources = []
    for (const [resourceType, names] of NAMES) {
      if (asked.length > 0 && !asked.includes(resourceType)) continue
      for (const resourceName of names(broker)) configResources.push({ resourceName, resourceType })
    }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, configResources }
  },
})

function* groupNames({ controller }: Broker): Iterable<string> {
  for (const key of controller.image.configs.keys()) if (key.startsWith(GROUP_KEY_PREFIX)) yield key.slice(GROUP_KEY_PREFIX.length)
}

function* brokerNames({ controller }: Broker): Iterable<string> {
  for (const { brokerId, fenced } of controller.image.brokers.values()) if (!fenced) yield String(brokerId)
}
