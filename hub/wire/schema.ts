/**
 * @module wire/schema — the words in which messages are declared.
 *
 * A message is a literal: one line per field with its type, its versions and whatever else is special about it. The
 * decoded and the input type are inferred from the literal, and `compile.ts` turns it into functions. Schemas are read
 * once per (message, version, direction), so nothing here is on a hot path.
 */

/** Versions a field or message exists in, both ends included; `max` is Infinity for "3+". */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** Names of the types on the wire. `offset` is an int64 that is a number in memory, `int64` one that is a bigint. */
export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint16'
  | 'uint32'
  | 'offset'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

/** What a field literal says, as data. Absent `versions` means: wherever its parent exists. */
export interface FieldFacts {
  readonly kind: Kind
  readonly versions?: VersionRange
  /** Versions in which the value may be null. */
  readonly nullable?: VersionRange
  /** Value of a field that a version lacks, that an input leaves out, or whose tag is absent. */
  readonly defaultValue?: unknown
  /** An input may leave the field out. */
  readonly optional?: true
  readonly tag?: { readonly number: number; readonly versions: VersionRange }
  /** False: keeps the old length prefix in flexible versions too (the client id of the request header). */
  readonly compact?: false
  /** Element of an array. */
  readonly element?: AnyField
  /** Fields of a struct. */
  readonly fields?: Shape
}

/** Fields by name, in the order of the wire. */
export type Shape = { readonly [name: string]: AnyField }

/** A field of whatever type. */
export type AnyField = Field<unknown, unknown, boolean>

/** Zero, as a UUID in Kafka's text form (22 characters of base64url); stands for "no id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * One field: `D` is what a decoder yields, `I` what an encoder takes, `O` says whether an input may leave it out. Every
 * method returns a new field.
 */
export class Field<D, I, O extends boolean> {
  declare readonly decoded: D
  declare readonly input: I
  declare readonly optional: O
  readonly facts: FieldFacts

  constructor(facts: FieldFacts) {
    this.facts = facts
  }

  /** The field exists in these versions only ("3+", "0-7", "2"). */
  in(versions: string): Field<D, I, true> {
    return new Field({ ...this.facts, versions: parseVersions(versions), optional: true })
  }

  /** May be null, in `versions` or wherever it exists; null is its default. */
  nullable(versions?: string): Field<D | null, I | null, true> {
    return new Field({ ...this.facts, nullable: parseVersions(versions ?? '0+'), defaultValue: null, optional: true })
  }

  /** May be null, in `versions` or wherever it exists; the default stays what it was (empty, zero). */
  orNull(versions?: string): Field<D | null, I | null, O> {
    return new Field({ ...this.facts, nullable: parseVersions(versions ?? '0+') })
  }

  /** Default other than the type's own (0, '', false, [], …). */
  default(value: I): Field<D, I, true> {
    return new Field({ ...this.facts, defaultValue: value, optional: true })
  }

  /** Travels as a tagged field (KIP-482) in `versions`, or wherever it exists; written only when not at its default. */
  tag(number: number, versions?: string): Field<D, I, true> {
    return new Field({ ...this.facts, tag: { number, versions: parseVersions(versions ?? '0+') }, optional: true })
  }

  /** Keeps the length prefix of old versions in flexible versions too. */
  notCompact(): Field<D, I, O> {
    return new Field({ ...this.facts, compact: false })
  }
}

/** What a decoder yields for a shape: every field of every version, always present. */
export type Decoded<S extends Shape> = { [K in keyof S]: S[K]['decoded'] }

/** What an encoder takes for a shape: fields that have a default, or that some version lacks, may be left out. */
export type Input<S extends Shape> = {
  readonly [K in keyof S as S[K]['optional'] extends true ? never : K]: S[K]['input']
} & {
  readonly [K in keyof S as S[K]['optional'] extends true ? K : never]?: S[K]['input'] | undefined
}

/** Record batches: a decoder yields one view into the frame, an encoder also takes pieces and does not copy large ones. */
export type RecordsInput = Buffer | readonly Buffer[] | null

export const bool = new Field<boolean, boolean, false>({ kind: 'bool' })
export const int8 = new Field<number, number, false>({ kind: 'int8' })
export const int16 = new Field<number, number, false>({ kind: 'int16' })
export const int32 = new Field<number, number, false>({ kind: 'int32' })
export const uint16 = new Field<number, number, false>({ kind: 'uint16' })
export const uint32 = new Field<number, number, false>({ kind: 'uint32' })
/** An int64 within ±2^53: offsets, ids, timestamps, epochs. A decoder refuses what lies beyond. */
export const offset = new Field<number, number, false>({ kind: 'offset' })
/** An int64 whose whole range is in use. */
export const int64 = new Field<bigint, bigint, false>({ kind: 'int64' })
export const float64 = new Field<number, number, false>({ kind: 'float64' })
/** 16 bytes, as Kafka's 22 characters of base64url. */
export const uuid = new Field<string, string, false>({ kind: 'uuid', defaultValue: ZERO_UUID })
/** UTF-8, at most 32,767 bytes. */
export const string = new Field<string, string, false>({ kind: 'string' })
/** Opaque bytes; a decoder yields a view into the frame. */
export const bytes = new Field<Buffer, Buffer, false>({ kind: 'bytes' })
export const records = new Field<Buffer | null, RecordsInput, false>({ kind: 'records', defaultValue: null })
/** An int16 out of the table of `errors.ts`. */
export const errorCode = int16

/** A nested struct. */
export function struct<const S extends Shape>(fields: S): Field<Decoded<S>, Input<S>, false> {
  return new Field({ kind: 'struct', fields })
}

/** A list of structs (given as their fields) or of any other type. */
export function array<D, I>(element: Field<D, I, boolean>): Field<D[], readonly I[], false>
export function array<const S extends Shape>(fields: S): Field<Decoded<S>[], readonly Input<S>[], false>
export function array(element: AnyField | Shape): AnyField {
  return new Field({ kind: 'array', element: element instanceof Field ? element : struct(element) })
}

/** Reads "3", "0-4" or "2+". Throws on anything else: a literal of ours is wrong. */
export function parseVersions(text: string): VersionRange {
  const parts = /^(\d+)(\+|-(\d+))?$/.exec(text)
  if (parts === null) throw new Error(`not a version range: ${text}`)
  const min = Number(parts[1])
  if (parts[2] === undefined) return { min, max: min }
  return { min, max: parts[3] === undefined ? Number.POSITIVE_INFINITY : Number(parts[3]) }
}

/** Whether `version` lies in `range`; an absent range holds every version. */
export function inRange(range: VersionRange | undefined, version: number): boolean {
  return range === undefined || (version >= range.min && version <= range.max)
}

/** Whether the field travels in this version at all. */
export function isPresent(facts: FieldFacts, version: number): boolean {
  return inRange(facts.versions, version)
}

/** Whether the field travels as a tagged field in this version. */
export function isTagged(facts: FieldFacts, version: number): boolean {
  return facts.tag !== undefined && inRange(facts.tag.versions, version) && isPresent(facts, version)
}

/** Whether null may stand for the field in this version. */
export function isNullable(facts: FieldFacts, version: number): boolean {
  return facts.nullable !== undefined && inRange(facts.nullable, version)
}
