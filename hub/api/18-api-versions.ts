/**
 * @module api/18-api-versions — what this broker speaks. Versions 0–4.
 *
 * A version we do not know is answered as version 0 with UNSUPPORTED_VERSION and our own range, so that the client can come down to it
 * (`dispatch.ts` does that). 3: the client's software name (KIP-511) and features (KIP-584). 4: features whose minimum is 0 are told too (KAFKA-17011).
 */
import { supportedFeatures } from '../cluster/index.ts'
import { ApiVersions, ErrorCode } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

/** First version in which the client names itself. */
const SOFTWARE_VERSION_MIN = 3
/** First version whose clients can read a feature that may be at level 0. */
const FEATURE_LEVEL_ZERO_VERSION_MIN = 4
const SOFTWARE_PATTERN = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** Range of one API as advertised. */
export interface AdvertisedRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** The handler needs the table that it stands in, so it is made by the dispatcher. */
export function apiVersionsHandler(advertised: readonly AdvertisedRange[]) {
  return defineHandler({
    api: ApiVersions,
    overlaps: false,
    create: (broker) => (request, context) => {
      const named = SOFTWARE_PATTERN.test(request.clientSoftwareName) && SOFTWARE_PATTERN.test(request.clientSoftwareVersion)
      if (context.apiVersion >= SOFTWARE_VERSION_MIN && !named)
        return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [], throttleTimeMs: 0 }
      return { errorCode: ErrorCode.NONE, apiKeys: [...advertised], throttleTimeMs: 0, ...features(broker, context.apiVersion) }
    },
  })
}

function features(broker: Broker, apiVersion: number) {
  const image = broker.controller.image
  const finalizedFeatures = []
  for (const { name } of supportedFeatures) {
    const level = image.features.get(name) ?? 0
    if (level > 0) finalizedFeatures.push({ name, maxVersionLevel: level, minVersionLevel: level })
  }
  return {
    supportedFeatures: supportedFeatures.filter((feature) => feature.minVersion > 0 || apiVersion >= FEATURE_LEVEL_ZERO_VERSION_MIN),
    finalizedFeaturesEpoch: image.offset,
    finalizedFeatures,
  }
}
