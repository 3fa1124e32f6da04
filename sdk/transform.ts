/**
 * @module sdk/transform — single message transforms and predicates: pure functions from record to record, or to a yes or no.
 *
 * ```ts
 * export default defineTransform({
 *   class: 'com.example.Shout', version: '1.0.0', config: defineConfig({}),
 *   create: () => (record) => ({ ...record, topic: record.topic.toUpperCase() }),
 * })
 * ```
 */
import type { ConfigDefinition, ConfigOf } from './config.ts'
import { type Branded, branded, type PluginFacts } from './plugin.ts'
import type { ConnectRecord, SinkRecord, SourceRecord } from './record.ts'

/** Gives another record, the same one, or null to drop it. Must not change what it is given. A DataError is judged by errors.tolerance. */
export type Transform = <R extends SourceRecord | SinkRecord>(record: R) => R | null
export type Predicate = (record: SourceRecord | SinkRecord) => boolean

export interface TransformDefinition<D extends ConfigDefinition> extends PluginFacts<D> {
  /** Reads the settings once; throws a ConfigException when they make no sense together. */
  readonly create: (config: ConfigOf<D>) => Transform
}

export interface PredicateDefinition<D extends ConfigDefinition> extends PluginFacts<D> {
  readonly create: (config: ConfigOf<D>) => Predicate
}

export type TransformPlugin<D extends ConfigDefinition = ConfigDefinition> = TransformDefinition<D> & Branded<'transformation'>
export type PredicatePlugin<D extends ConfigDefinition = ConfigDefinition> = PredicateDefinition<D> & Branded<'predicate'>

/** Makes a transform plugin; see the module's example. */
export function defineTransform<const D extends ConfigDefinition>(definition: TransformDefinition<D>): TransformPlugin<D> {
  return branded('transformation', definition)
}

/** Makes a predicate plugin: what `transforms.x.predicate` names. */
export function definePredicate<const D extends ConfigDefinition>(definition: PredicateDefinition<D>): PredicatePlugin<D> {
  return branded('predicate', definition)
}

/** Whether a record came out of a topic. */
export function isSinkRecord(record: ConnectRecord): record is SinkRecord {
  return 'offset' in record
}
