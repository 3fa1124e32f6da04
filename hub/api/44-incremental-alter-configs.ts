/**
 * @module api/44-incremental-alter-configs — changes single settings. Versions 0–1 (KIP-339).
 *
 * Every resource is answered on its own. Broker settings are those of this broker ("" = the cluster's default); levels of its loggers change
 * at once and are not kept (KIP-412), all others go through the metadata log.
 */
import type { ConfigOperation, ConfigResource } from '../cluster/index.ts'
import { ConfigOperation as OperationCode, ConfigResourceType, ErrorCode, IncrementalAlterConfigs, type RequestOf } from '../wire/index.ts'
import { alterLoggers } from './broker-loggers.ts'
import { type Broker, defineHandler } from './handler.ts'

type Request = RequestOf<typeof IncrementalAlterConfigs>
type ResourceRequest = Request['resources'][number]

const RESOURCE_TYPES: ReadonlyMap<number, ConfigResource['type']> = new Map([
  [ConfigResourceType.TOPIC, 'topic'],
  [ConfigResourceType.BROKER, 'broker'],
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

interface Answer {
  readonly errorCode: number
  readonly errorMessage: string | null
}

const DONE: Answer = { errorCode: ErrorCode.NONE, errorMessage: null }

export const incrementalAlterConfigs = defineHandler({
  api: IncrementalAlterConfigs,
  overlaps: false,
  create: (broker) => async (request) => {
    const changes = request.resources.map((resource) =>
      resource.resourceType === ConfigResourceType.BROKER_LOGGER ? changeLoggers(broker, request, resource) : changeOf(resource),
    )
    const accepted = changes.filter((change): change is Change => 'operations' in change)
    const outcomes = await broker.controller.incrementalAlterConfigs(accepted, { validateOnly: request.validateOnly })
    const responses = request.resources.map(({ resourceType, resourceName }, at) => {
      const change = changes[at] as Change | Answer
      const answer = 'operations' in change ? outcomes[accepted.indexOf(change)] : change
      const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage = null } = answer ?? {}
      return { errorCode, errorMessage, resourceType, resourceName }
    })
    return { throttleTimeMs: 0, responses }
  },
})

function changeOf(resource: ResourceRequest): Change | Answer {
  const { resourceType, resourceName } = resource
  const type = RESOURCE_TYPES.get(resourceType)
  if (type === undefined) return refuse(`Unknown resource type ${resourceType}`)
  const operations: ConfigOperation[] = []
  for (const { name, configOperation, value } of resource.configs) {
    const operation = OPERATIONS.get(configOperation)
    if (operation === undefined) {
      // Kafka trips over an operation it does not know and answers so; those of brokers it looks at before.
      if (type === 'broker') return refuse(`Unknown operations type ${configOperation}`)
      return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null }
    }
    operations.push({ name, operation, value })
  }
  return { resource: { type, name: resourceName }, operations }
}

function changeLoggers(broker: Broker, { resources, validateOnly }: Request, resource: ResourceRequest): Answer {
  const { resourceType, resourceName } = resource
  const twins = resources.filter((other) => other.resourceType === resourceType && other.resourceName === resourceName)
  if (twins.length > 1) return refuse('Each resource must appear at most once.')
  if (!/^[+-]?\d+$/.test(resourceName)) return refuse(`Node id must be an integer, but it is: ${resourceName}`)
  if (Number(resourceName) !== broker.nodeId) return refuse(`Unexpected node id. Expected ${broker.nodeId}, but received ${resourceName}`)
  return alterLoggers(broker.logger.levels, resource.configs, { validateOnly }) ?? DONE
}

function refuse(errorMessage: string): Answer {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}
