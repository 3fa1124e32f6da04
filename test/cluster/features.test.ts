import { describe, expect, it } from 'vitest'
import type { UpgradeType } from '../../hub/cluster/index.ts'
import { supportedFeatures } from '../../hub/cluster/features.ts'
import { decideUpdateFeatures } from '../../hub/cluster/update-features.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { circumstancesOf, decided, imageOf } from './several-brokers.ts'

const METADATA = 'metadata.version'

function update(current: number, level: number, upgradeType: UpgradeType, name = METADATA) {
  const image = imageOf([], { [METADATA]: current })
  const decision = decideUpdateFeatures(circumstancesOf(image), [{ name, level, upgradeType }])
  const [outcome] = decision.outcomes
  return { errorCode: outcome?.errorCode, errorMessage: outcome?.errorMessage, level: decided(image, decision).features.get(METADATA) }
}

describe('an update of features', () => {
  it('raises a level', () => {
    expect(update(21, 30, 'upgrade')).toMatchObject({ errorCode: ErrorCode.NONE, level: 30 })
    expect(update(30, 30, 'upgrade')).toMatchObject({ errorCode: ErrorCode.NONE, level: 30 })
  })

  it('lowers one where no metadata can be lost, and when it is told to', () => {
    expect(update(29, 24, 'safe-downgrade')).toMatchObject({ errorCode: ErrorCode.NONE, level: 24 })
    expect(update(29, 24, 'unsafe-downgrade')).toMatchObject({ errorCode: ErrorCode.NONE, level: 24 })
    expect(update(29, 24, 'upgrade').errorMessage).toContain("Can't downgrade the version of this feature")
    for (const [from, to] of [
      [30, 29],
      [23, 22],
      [17, 16],
      [29, 21],
    ] as const) {
      expect(update(from, to, 'safe-downgrade'), `${from} to ${to}`).toMatchObject({
        errorCode: ErrorCode.INVALID_UPDATE_VERSION,
        level: from,
      })
      expect(update(from, to, 'unsafe-downgrade').errorMessage).toContain('Unsafe metadata downgrade is not supported')
    }
  })

  it('is refused beyond what this build supports', () => {
    expect(update(30, 31, 'upgrade').errorMessage).toBe(
      'Invalid update version 31 for feature metadata.version. Local controller 1 only supports versions 7-30',
    )
    expect(update(30, 1, 'upgrade', 'bogus').errorMessage).toContain('Local controller 1 does not support this feature.')
    expect(update(30, 0, 'safe-downgrade', 'bogus').errorMessage).toContain('Feature bogus not found.')
    expect(update(30, -1, 'safe-downgrade').errorMessage).toContain('A feature version cannot be less than 0.')
    expect(update(30, 30, 'unknown').errorMessage).toContain('The controller does not support the given upgrade type.')
    expect(update(30, 1, 'upgrade', 'kraft.version').errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION)
  })

  it('is of all features or of none', () => {
    const image = imageOf([], { [METADATA]: 21 })
    const decision = decideUpdateFeatures(circumstancesOf(image), [
      { name: METADATA, level: 30, upgradeType: 'upgrade' },
      { name: 'bogus', level: 1, upgradeType: 'upgrade' },
    ])
    expect(decision.records).toEqual([])
  })
})

describe('a new cluster', () => {
  it('begins each feature within its range', () => {
    for (const { name, minVersion, maxVersion, initialLevel } of supportedFeatures) {
      expect(initialLevel, name).toBeGreaterThanOrEqual(minVersion)
      expect(initialLevel, name).toBeLessThanOrEqual(maxVersion)
    }
  })
})
