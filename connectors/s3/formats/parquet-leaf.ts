/**
 * @module connector-s3/formats/parquet-leaf — what a column of Parquet is, and the columns of Connect's plain types.
 *
 * Source: parquet-format's LogicalTypes.
 */
import { DataError, javaClassOf, type Schema } from '@millrace/sdk'
import type { SchemaElement } from 'hyparquet-writer'

/** A value as the column's encoder takes it. */
export type Physical = number | bigint | boolean | string | Uint8Array

/** What a schema element says of a column beside name and repetition. */
export type Annotation = Omit<SchemaElement, 'name' | 'repetition_type' | 'num_children'>

/** A column's type and how it is filled. */
export interface Leaf {
  /** For the footer, which readers go by. */
  readonly annotation: Annotation
  /** For the encoder, which would convert by some annotations what is converted already. */
  readonly encoded: Annotation
  /** @throws DataError for what is not of the schema */
  readonly convert: (value: unknown) => Physical
}

/** A leaf. `encoded` where the encoder is to see another annotation. */
export function leaf(annotation: Annotation, convert: Leaf['convert'], encoded: Annotation = annotation): Leaf {
  return { annotation, encoded, convert }
}

function misfit(type: Schema['type'], value: unknown): never {
  throw new DataError(`Invalid type for ${type.toUpperCase()}: class ${javaClassOf(value)}`)
}

/** @throws DataError for what is no INT32 */
export function int32(value: unknown): number {
  return typeof value === 'number' && (value | 0) === value ? value + 0 : misfit('int32', value)
}

/** @throws DataError for what is no INT64 */
export function int64(value: unknown): bigint {
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : misfit('int64', value)
}

/** @throws DataError for what is no text, or none that UTF-8 can hold */
export function text(value: unknown): string {
  if (typeof value !== 'string') return misfit('string', value)
  if (!value.isWellFormed()) throw new DataError('a text with half of a surrogate pair has no form in UTF-8')
  return value
}

/** How texts are annotated. */
export const utf8: Annotation = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }

/** The column of texts. */
export const stringLeaf: Leaf = leaf(utf8, text)

/** The columns of Connect's plain types. */
export const plainLeaves = {
  int8: leaf({ type: 'INT32', converted_type: 'INT_8' }, (value) =>
    typeof value === 'number' && (value << 24) >> 24 === value ? value + 0 : misfit('int8', value),
  ),
  int16: leaf({ type: 'INT32', converted_type: 'INT_16' }, (value) =>
    typeof value === 'number' && (value << 16) >> 16 === value ? value + 0 : misfit('int16', value),
  ),
  int32: leaf({ type: 'INT32' }, int32),
  int64: leaf({ type: 'INT64' }, int64),
  float32: leaf({ type: 'FLOAT' }, (value) => (typeof value === 'number' ? Math.fround(value) : misfit('float32', value))),
  float64: leaf({ type: 'DOUBLE' }, (value) => (typeof value === 'number' ? value : misfit('float64', value))),
  boolean: leaf({ type: 'BOOLEAN' }, (value) => (typeof value === 'boolean' ? value : misfit('boolean', value))),
  string: stringLeaf,
  bytes: leaf({ type: 'BYTE_ARRAY' }, (value) => (value instanceof Uint8Array ? value : misfit('bytes', value))),
} as const
