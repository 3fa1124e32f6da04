/**
 * @module api/57-update-features — other levels of features. Versions 0–2 (KIP-584).
 *
 * All updates of a request or none. 1: upgrade types and validateOnly (KIP-778). 2: no results per feature (KIP-1022). In version 0 a
 * downgrade is refused though the client allows it, as in Kafka.
 */
import type { FeatureUpdate, UpgradeType } from '../cluster/index.ts'
import { ErrorCode, UpdateFeatures } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

const UPGRADE_TYPES: ReadonlyMap<number, UpgradeType> = new Map([
  [1, 'upgrade'],
  [2, 'safe-downgrade'],
  [3, 'unsafe-downgrade'],
])
const FAILED = 'The update failed for all features since the following feature had an error: '

export const updateFeatures = defineHandler({
  api: UpdateFeatures,
  overlaps: false,
  create: (broker) => async (request) => {
    const updates = request.featureUpdates.map(
      ({ feature, maxVersionLevel, upgradeType }): FeatureUpdate => ({
        name: feature,
        level: maxVersionLevel,
        upgradeType: UPGRADE_TYPES.get(upgradeType) ?? 'unknown',
      }),
    )
    const { errorCode, errorMessage } = await broker.controller.updateFeatures(updates, { validateOnly: request.validateOnly })
    if (errorCode !== ErrorCode.NONE) return { throttleTimeMs: 0, errorCode, errorMessage: FAILED + (errorMessage ?? ''), results: [] }
    const results = updates.map(({ name }) => ({ feature: name, errorCode, errorMessage: 'NONE' }))
    return { throttleTimeMs: 0, errorCode, errorMessage: null, results }
  },
})
