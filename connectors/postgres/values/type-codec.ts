/**
 * @module connector-postgres/values/type-codec — what the files of the single types give to the making of a column's codec.
 */
import type { Schema, Value } from '@millrace/sdk'
import type { PgType, Types } from '../model.ts'
import type { ValueSettings } from './contract.ts'

/** A type under one modifier and one setting. */
export interface TypeCodec {
  readonly schema: Schema
  /** @throws MalformedText, UnrepresentableValue */
  readonly parse: (bytes: Buffer, start: number, end: number) => Value
  readonly fallback: Value
  /** Where the general rule of `unavailable.ts` does not hold, as for structs. */
  readonly unavailable?: Value
}

/** What the making of a type's codec may look at. */
export interface TypeContext {
  readonly type: PgType
  /** `atttypmod`, or that of the domain; −1: none. */
  readonly modifier: number
  readonly isOptional: boolean
  readonly types: Types
  readonly settings: ValueSettings
}

/** The text is none of the type. Never leaves this room: a column's codec tells it with column and type. */
export class MalformedText extends Error {
  override readonly name = 'MalformedText'
}

/** A value of the type that its schema cannot hold: a moment outside 64 bits of nanoseconds. Leaves this room as a FatalError. */
export class UnrepresentableValue extends Error {
  override readonly name = 'UnrepresentableValue'
}

/** Text that consists of one-byte characters only: digits, signs, hexadecimal. */
export function asciiText(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end)
}
