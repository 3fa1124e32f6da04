/** @module converters/converter-type — what our converters have in common: the key converter.type, and that they answer at once. */
import {
  type ConfigDefinition,
  type ConfigKey,
  type ConfigOf,
  type Converter,
  type ConverterDefinition,
  type HeaderConverterDefinition,
  oneOf,
  type RawHeader,
  type Schema,
  type SchemaAndValue,
  type Value,
} from '@millrace/sdk'

/** What a converter converts. The worker sets it beside what the user wrote. */
export const converterType = {
  type: 'STRING',
  importance: 'LOW',
  validator: oneOf('key', 'value', 'header'),
  documentation: 'Whether the converter is for keys, values or headers. Set by the worker.',
} as const satisfies ConfigKey

/** A converter that answers at once: ours all do, so each can convert headers too. */
export interface SyncConverter extends Converter {
  fromConnectData(topic: string, schema: Schema | null, value: Value, headers: RawHeader[]): Uint8Array | null
  toConnectData(topic: string, bytes: Uint8Array | null, headers: readonly RawHeader[]): SchemaAndValue
}

/** The definition of a header converter that does with headers what a converter does with values. */
export function forHeaders<const D extends ConfigDefinition>(
  definition: ConverterDefinition<D> & { readonly create: (config: ConfigOf<D>) => SyncConverter },
): HeaderConverterDefinition<D> {
  return {
    ...definition,
    create: (config) => {
      const converter = definition.create(config)
      return {
        fromConnectHeader: (topic, _key, schema, value) => converter.fromConnectData(topic, schema, value, []),
        toConnectHeader: (topic, _key, bytes) => converter.toConnectData(topic, bytes, []),
      }
    },
  }
}
