/** @module connect/stores/stored-record — records of the storage topics as bytes, and what reading one comes to. */

/** A record to write; a null value takes away what the key stood for. */
export interface StoredRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A record as it was read. */
export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** What a record was read as: something, nothing of ours (it is passed over without noise), or something broken. */
export type DecodedRecord<T> =
  | { readonly kind: 'record'; readonly record: T }
  | { readonly kind: 'other' }
  | { readonly kind: 'garbage'; readonly why: string }

/** A record that cannot be read; `why` goes on from "is passed over: ". */
export function garbage(why: string): { readonly kind: 'garbage'; readonly why: string } {
  return { kind: 'garbage', why }
}

/** The JSON object in a record's value; undefined when it holds anything else. */
export function objectIn(value: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(value.toString())
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** A record whose value is this object as JSON; null takes the key away. */
export function jsonRecord(key: string, value: object | null): StoredRecord {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(JSON.stringify(value)) }
}

/** `name-7` → the name and the index; undefined where the text does not end in one. Names may hold hyphens. */
export function nameAndIndex(text: string): { readonly name: string; readonly index: number } | undefined {
  const match = /^(.*)-(\d{1,9})$/s.exec(text)
  return match === null ? undefined : { name: match[1] ?? '', index: Number(match[2]) }
}
