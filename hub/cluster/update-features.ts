/**
 * @module cluster/update-features — decides on other levels of features (KIP-584, KIP-778): all updates of a request or none.
 * Source of the messages: org.apache.kafka.controller.FeatureControlManager of Kafka 4.3.1.
 */
import { ErrorCode, encodeMetadataRecord, FeatureLevelRecord } from '../wire/index.ts'
import { type Circumstances, type Decision, type Problem, problem, SUCCESS } from './decision.ts'
import { type FeatureRange, KRAFT_VERSION, losesMetadata, METADATA_VERSION, supportedFeatures } from './features.ts'
import type { FeatureUpdate, Outcome } from './types.ts'

/** One outcome for the whole request. */
export function decideUpdateFeatures(circumstances: Circumstances, updates: readonly FeatureUpdate[]): Decision<Outcome> {
  const records: Buffer[] = []
  // Of two updates of one feature the later one counts, as in Kafka.
  for (const update of new Map(updates.map((each) => [each.name, each])).values()) {
    const refused = refusal(circumstances, update)
    if (refused !== undefined) return { records: [], outcomes: [refused] }
    if (levelOf(circumstances, update.name) === update.level) continue
    records.push(encodeMetadataRecord(FeatureLevelRecord, { name: update.name, featureLevel: update.level }))
  }
  return { records, outcomes: [SUCCESS] }
}

function levelOf({ image }: Circumstances, name: string): number {
  return image.features.get(name) ?? 0
}

function refusal(circumstances: Circumstances, { name, level, upgradeType }: FeatureUpdate): Problem | undefined {
  const refuse = (reason: string): Problem =>
    problem(ErrorCode.INVALID_UPDATE_VERSION, `Invalid update version ${level} for feature ${name}. ${reason}`)
  if (upgradeType === 'unknown') return refuse('The controller does not support the given upgrade type.')
  if (level < 0) return refuse('A feature version cannot be less than 0.')
  const range = supportedFeatures.find((feature) => feature.name === name)
  if (range === undefined || level < range.minVersion || level > range.maxVersion) {
    if (range === undefined && level === 0) return refuse(`Feature ${name} not found.`)
    return refuse(`Local controller ${circumstances.nodeId} ${shownSupport(range)}`)
  }
  const current = levelOf(circumstances, name)
  if (level < current && upgradeType === 'upgrade') {
    return refuse("Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.")
  }
  if (level > current && upgradeType !== 'upgrade') return refuse("Can't downgrade to a newer version.")
  if (name === KRAFT_VERSION && level !== current) {
    return refuse('The voters of this quorum stand in the configuration, and cannot be moved into the log.')
  }
  if (name === METADATA_VERSION && level < current && losesMetadata(current, level)) {
    const reason =
      upgradeType === 'unsafe-downgrade'
        ? 'Unsafe metadata downgrade is not supported in this version.'
        : 'Refusing to perform the requested downgrade because it might delete metadata information.'
    return problem(ErrorCode.INVALID_UPDATE_VERSION, `Unsupported metadata.version downgrade from ${current} to ${level}. ${reason}`)
  }
  return undefined
}

function shownSupport(range: FeatureRange | undefined): string {
  if (range === undefined || range.maxVersion === 0) return 'does not support this feature.'
  const { minVersion, maxVersion } = range
  return `only supports versions ${minVersion === maxVersion ? minVersion : `${minVersion}-${maxVersion}`}`
}
