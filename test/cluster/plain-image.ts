import type { ClusterImage } from '../../hub/cluster/image.ts'

/** An image as plain sorted data, for comparisons. */
export function plainImage(image: ClusterImage) {
  const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    ...image,
    topicsByName: sorted(image.topicsByName),
    topicsById: sorted(image.topicsById),
    collisions: sorted(image.collisions).map(([key, names]) => [key, names.toSorted()]),
    brokers: [...image.brokers]
      .toSorted(([a], [b]) => a - b)
      .map(([id, broker]) => [id, { ...broker, features: broker.features.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }]),
    configs: sorted(image.configs).map(([key, overrides]) => [key, sorted(overrides)]),
    features: sorted(image.features),
    otherFeatures: sorted(image.otherFeatures),
  }
}
