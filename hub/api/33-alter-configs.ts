/**
 * @module api/33-alter-configs — replaces all settings of a resource. Versions 0–2.
 *
 * What is not named loses its value, which is why clients changed to IncrementalAlterConfigs (44, KIP-339). Every resource is answered on its
 * own. Broker settings are those of this broker ("" = the cluster's default); loggers cannot be set by it.
 */
import type { ConfigEntry, ConfigResource } from '../cluster/index.ts'
import { AlterConfigs, ConfigResourceType, ErrorCode, type RequestOf } from '../wire/index.ts'
import { CLIENT_METRICS_MESSAGE } from './config-messages.ts'
import { defineHandler } from './handler.ts'

type ResourceRequest = RequestOf<typeof AlterConfigs>['resources'][number]

interface Replacement {
  readonly resource: ConfigResource
  readonly entries: readonly ConfigEntry[]
}

const RESOURCE_TYPES: ReadonlyMap<number, ConfigResource['type']> = new Map([
  [ConfigResourceType.TOPIC, 'topic'],
  [ConfigResourceType.BROKER, 'broker'],
  [ConfigResourceType.GROUP, 'group'],
])

export const alterConfigs = defineHandler({
  api: AlterConfigs,
  overlaps: false,
  create: (broker) => async (request) => {
    const replacements = request.resources.map(replacementOf)
    const accepted = replacements.filter((replacement): replacement is Replacement => typeof replacement !== 'string')
    const outcomes = await broker.controller.replaceConfigs(accepted, { validateOnly: request.validateOnly })
    const responses = request.resources.map(({ resourceType, resourceName }, at) => {
      const replacement = replacements[at] as Replacement | string
      const { errorCode, errorMessage } =
        typeof replacement === 'string'
          ? { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: replacement }
          : (outcomes[accepted.indexOf(replacement)] ?? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null })
      return { errorCode, errorMessage, resourceType, resourceName }
    })
    return { throttleTimeMs: 0, responses }
  },
})

/** The replacement, or why the resource cannot have one. */
function replacementOf({ resourceType, resourceName, configs }: ResourceRequest): Replacement | string {
  if (resourceType === ConfigResourceType.CLIENT_METRICS) return CLIENT_METRICS_MESSAGE
  const type = RESOURCE_TYPES.get(resourceType)
  return type === undefined ? `Unknown resource type ${resourceType}` : { resource: { type, name: resourceName }, entries: configs }
}
