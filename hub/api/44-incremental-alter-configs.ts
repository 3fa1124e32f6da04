/**
 * @module api/44-incremental-alter-configs — changes single settings. Versions 0–1 (KIP-339).
 *
 * Every resource is answered on its own. Broker settings are those of this broker ("" = the cluster's default).
 */
import type { ConfigOperation, ConfigResource } from '../cluster/index.ts'
import {
  ConfigOperation as OperationCode,
  ConfigResourceType,
  ErrorCode,
  errorMessage,
  IncrementalAlterConfigs,
  type RequestOf,
} from '../wire/index.ts'
import { defineHandler } from './handler.ts'

type ResourceRequest = RequestOf<typeof IncrementalAlterConfigs>['resources'][number]

const RESOURCE_TYPES: ReadonlyMap<number, ConfigResource['type']> = new Map([
  [ConfigResourceType.TOPIC, 'topic'],
  [ConfigResourceType.BROKER, 'broker'],
  [ConfigResourceType.BROKER_LOGGER, 'broker-logger'],
  [ConfigResourceType.CLIENT_METRICS, 'client-metrics'],
  [ConfigResourceType.GROUP, 'group'],
])
const OPERATIONS: ReadonlyMap<number, ConfigOperation['operation']> = new Map([
  [OperationCode.SET, 'set'],
  [OperationCode.DELETE, 'delete'],
  [OperationCode.APPEND, 'append'],
  [OperationCode.SUBTRACT, 'subtract'],
])

interface Change {
  readonly resource: ConfigResource
  readonly operations: ConfigOperation[]
}

export const incrementalAlterConfigs = defineHandler({
  api: IncrementalAlterConfigs,
  overlaps: false,
  create: (broker) => async (request) => {
    const changes = request.resources.map(changeOf)
    const accepted = changes.filter((change): change is Change => typeof change !== 'number')
    const outcomes = await broker.controller.incrementalAlterConfigs(accepted, { validateOnly: request.validateOnly })
    const responses = request.resources.map(({ resourceType, resourceName }, at) => {
      const change = changes[at]
      if (typeof change === 'number') return { errorCode: change, errorMessage: refusalMessage(change), resourceType, resourceName }
      const outcome = outcomes[accepted.indexOf(change as Change)]
      return {
        errorCode: outcome?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR,
        errorMessage: outcome?.errorMessage ?? null,
        resourceType,
        resourceName,
      }
    })
    return { throttleTimeMs: 0, responses }
  },
})

function changeOf(resource: ResourceRequest): Change | number {
  const type = RESOURCE_TYPES.get(resource.resourceType)
  if (type === undefined) return ErrorCode.INVALID_REQUEST
  const operations: ConfigOperation[] = []
  for (const { name, configOperation, value } of resource.configs) {
    const operation = OPERATIONS.get(configOperation)
    // Kafka trips over an operation it does not know and answers so.
    if (operation === undefined) return ErrorCode.UNKNOWN_SERVER_ERROR
    operations.push({ name, operation, value })
  }
  return { resource: { type, name: resource.resourceName }, operations }
}

function refusalMessage(errorCode: number): string | null {
  return errorCode === ErrorCode.INVALID_REQUEST ? errorMessage(errorCode) : null
}
