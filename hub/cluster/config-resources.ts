/** @module cluster/config-resources — types of config resources, as words and as the numbers of ConfigRecord. */
import { ConfigResourceType } from '../wire/index.ts'
import type { ConfigResource } from './types.ts'

type ResourceWord = ConfigResource['type']

const numbers: Readonly<Record<ResourceWord, number>> = {
  topic: ConfigResourceType.TOPIC,
  broker: ConfigResourceType.BROKER,
  'client-metrics': ConfigResourceType.CLIENT_METRICS,
  group: ConfigResourceType.GROUP,
}

const words: ReadonlyMap<number, string> = new Map(Object.entries(numbers).map(([word, number]) => [number, word]))

/** Key of `MetadataImage.configs`: `topic:name`, `broker:1`, `broker:` for all brokers. */
export function configKey(resource: ConfigResource): string {
  return `${resource.type}:${resource.name}`
}

/** The same from a record's numbers; undefined for a type that we do not know. */
export function configKeyOf(resourceType: number, resourceName: string): string | undefined {
  const word = words.get(resourceType)
  return word === undefined ? undefined : `${word}:${resourceName}`
}

/** Number and name behind a key. */
export function resourceOfKey(key: string): { readonly resourceType: number; readonly resourceName: string } {
  const colon = key.indexOf(':')
  return { resourceType: resourceTypeNumber(key.slice(0, colon) as ResourceWord), resourceName: key.slice(colon + 1) }
}

export function resourceTypeNumber(type: ResourceWord): number {
  return numbers[type]
}
