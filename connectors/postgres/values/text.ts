/**
 * @module connector-postgres/values/text — types whose value is their text, under the schema name that says what the text is.
 *
 * Source: Debezium's Json, Xml, Uuid, Ltree, Tsvector and Enum.
 */
import { type SchemaOptions, string } from '@millrace/sdk'
import type { PgType } from '../model.ts'
import type { TypeCodec } from './type-codec.ts'

/** The text in UTF-8. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end)
}

function textCodec(options?: SchemaOptions): TypeCodec {
  return { schema: string(options), parse: textOf, fallback: '' }
}

const plain = textCodec()
const json = textCodec({ name: 'io.debezium.data.Json', version: 1 })

/** Types of `pg_catalog` whose value is text. */
export const textCodecs: ReadonlyMap<string, TypeCodec> = new Map([
  ...['char', 'bpchar', 'varchar', 'text', 'name', 'inet', 'cidr', 'macaddr', 'macaddr8'].map((name) => [name, plain] as const),
  ...['int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange'].map((name) => [name, plain] as const),
  ['json', json],
  ['jsonb', json],
  ['xml', textCodec({ name: 'io.debezium.data.Xml', version: 1 })],
  ['uuid', textCodec({ name: 'io.debezium.data.Uuid', version: 1 })],
  ['tsvector', textCodec({ name: 'io.debezium.data.Tsvector', version: 1 })],
])

/** Types of extensions whose value is text. */
export const extensionTextCodecs: ReadonlyMap<string, TypeCodec> = new Map([
  ['citext', plain],
  ['isbn', plain],
  ['ltree', textCodec({ name: 'io.debezium.data.Ltree', version: 1 })],
])

/** The codec of an enum: what it allows stands in the schema, in the order of its labels. */
export function enumCodec({ labels }: PgType): TypeCodec {
  return textCodec({ name: 'io.debezium.data.Enum', version: 1, parameters: { allowed: labels.join(',') } })
}
