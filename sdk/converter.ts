/**
 * @module sdk/converter — between values and the bytes that topics hold.
 */
import type { ConfigDefinition, ConfigOf } from './config.ts'
import { type Awaitable, type Branded, branded, type PluginFacts } from './plugin.ts'
import type { Schema } from './schema.ts'
import type { Value } from './values.ts'

/** A value with its schema, null where there is none. */
export interface SchemaAndValue {
  readonly schema: Schema | null
  readonly value: Value
}

/** A record's header as a topic holds it. */
export interface RawHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** Keys or values to bytes and back. Both directions throw a DataError for what they cannot do, judged by errors.tolerance. */
export interface Converter {
  /** null is a tombstone. A converter may add headers to the list. */
  fromConnectData(topic: string, schema: Schema | null, value: Value, headers: RawHeader[]): Awaitable<Uint8Array | null>
  toConnectData(topic: string, bytes: Uint8Array | null, headers: readonly RawHeader[]): Awaitable<SchemaAndValue>
}

/** Header values to bytes and back. */
export interface HeaderConverter {
  fromConnectHeader(topic: string, key: string, schema: Schema | null, value: Value): Uint8Array | null
  toConnectHeader(topic: string, key: string, bytes: Uint8Array | null): SchemaAndValue
}

export interface ConverterDefinition<D extends ConfigDefinition> extends PluginFacts<D> {
  readonly create: (config: ConfigOf<D>, use: { readonly isKey: boolean }) => Converter
}

export interface HeaderConverterDefinition<D extends ConfigDefinition> extends PluginFacts<D> {
  readonly create: (config: ConfigOf<D>) => HeaderConverter
}

export type ConverterPlugin<D extends ConfigDefinition = ConfigDefinition> = ConverterDefinition<D> & Branded<'converter'>
export type HeaderConverterPlugin<D extends ConfigDefinition = ConfigDefinition> = HeaderConverterDefinition<D> &
  Branded<'header_converter'>

/** Makes a converter plugin for keys and values. */
export function defineConverter<const D extends ConfigDefinition>(definition: ConverterDefinition<D>): ConverterPlugin<D> {
  return branded('converter', definition)
}

/** Makes a converter plugin for headers. */
export function defineHeaderConverter<const D extends ConfigDefinition>(
  definition: HeaderConverterDefinition<D>,
): HeaderConverterPlugin<D> {
  return branded('header_converter', definition)
}
