/**
 * @module transforms/sides — most transforms come twice, for the key (`X$Key`) and for the value (`X$Value`) of a record.
 */
import type { ConfigDefinition, ConnectRecord, Schema, TransformPlugin, Value } from '@millrace/sdk'

/** The Apache Kafka release whose behaviour these transforms have; `GET /connector-plugins` shows it. */
export const VERSION = '4.3.1'

/** One half of a record. */
export interface Side {
  readonly name: 'Key' | 'Value'
  schemaOf(record: ConnectRecord): Schema | null
  valueOf(record: ConnectRecord): Value
  /** The record with another schema and value on this side. */
  replaced<R extends ConnectRecord>(record: R, schema: Schema | null, value: Value): R
}

const keySide: Side = {
  name: 'Key',
  schemaOf: (record) => record.keySchema,
  valueOf: (record) => record.key,
  replaced: (record, keySchema, key) => ({ ...record, keySchema, key }),
}

const valueSide: Side = {
  name: 'Value',
  schemaOf: (record) => record.valueSchema,
  valueOf: (record) => record.value,
  replaced: (record, valueSchema, value) => ({ ...record, valueSchema, value }),
}

/** The plugin for the key and the one for the value. */
export function bySide<D extends ConfigDefinition>(
  make: (side: Side) => TransformPlugin<D>,
): readonly [TransformPlugin<D>, TransformPlugin<D>] {
  return [make(keySide), make(valueSide)]
}

/** Names of a transform of Apache Kafka: its Java class, and ours. */
export function names(simpleName: string): { readonly class: string; readonly version: string; readonly aliases: readonly string[] } {
  return {
    class: `org.apache.kafka.connect.transforms.${simpleName}`,
    version: VERSION,
    aliases: [`millrace.transforms.${simpleName}`],
  }
}
