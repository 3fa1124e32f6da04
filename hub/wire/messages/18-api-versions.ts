/**
 * @module wire/messages/18-api-versions — tells which APIs and versions a broker speaks, and its features.
 *
 * - 3: flexible; name and version of the client software (KIP-511); features (KIP-584)
 * - 4: features whose lowest version is 0 are listed (KAFKA-17011)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int16, int32, offset, string } from '../schema.ts'

export const ApiVersions = api(18, 'ApiVersions', {
  versions: '0-4',
  flexible: 3,
  listeners: ['broker', 'controller'],
  request: {
    clientSoftwareName: string.in('3+'),
    clientSoftwareVersion: string.in('3+'),
  },
  response: {
    errorCode,
    apiKeys: array({
      apiKey: int16,
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: int32.in('1+'),
    supportedFeatures: array({
      name: string,
      minVersion: int16,
      maxVersion: int16,
    })
      .in('3+')
      .tag(0),
    finalizedFeaturesEpoch: offset.in('3+').default(-1).tag(1),
    finalizedFeatures: array({
      name: string,
      maxVersionLevel: int16,
      minVersionLevel: int16,
    })
      .in('3+')
      .tag(2),
    zkMigrationReady: bool.in('3+').default(false).tag(3),
  },
})

export type ApiVersionsRequest = RequestOf<typeof ApiVersions>
export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>
export type ApiVersionsRequestInput = RequestInput<typeof ApiVersions>
export type ApiVersionsResponseInput = ResponseInput<typeof ApiVersions>
