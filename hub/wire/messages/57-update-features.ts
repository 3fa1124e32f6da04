/**
 * @module wire/messages/57-update-features — raises or lowers finalized features (KIP-584).
 *
 * - 1: kind of upgrade, dry runs (KIP-778)
 * - 2: no results per feature
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int16, int32, string } from '../schema.ts'

export const UpdateFeatures = api(57, 'UpdateFeatures', {
  versions: '0-2',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    timeoutMs: int32.default(60000),
    featureUpdates: array({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: bool.in('0'),
      upgradeType: int8.in('1+').default(1),
    }),
    validateOnly: bool.in('1+').default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
    results: array({
      feature: string,
      errorCode,
      errorMessage: string.orNull(),
    }).in('0-1'),
  },
})

export type UpdateFeaturesRequest = RequestOf<typeof UpdateFeatures>
export type UpdateFeaturesResponse = ResponseOf<typeof UpdateFeatures>
export type UpdateFeaturesRequestInput = RequestInput<typeof UpdateFeatures>
export type UpdateFeaturesResponseInput = ResponseInput<typeof UpdateFeatures>
