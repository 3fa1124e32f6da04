/**
 * @module test/api/golden-shapes — between the JSON of the golden conversation and the wire's objects.
 *
 * The recorded schemas say which fields are bytes or records and what a left-out field is; nothing here comes from our own schemas, so a
 * mistake there does not cancel itself out.
 */
import { readFileSync } from 'node:fs'
import { batchHeader, encodeBatch, forEachBatch, type RecordInput } from '../../hub/wire/index.ts'

interface Field {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly default?: string
  readonly nullableVersions?: string
  readonly fields?: readonly Field[]
}

interface Schema {
  readonly fields: readonly Field[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly Field[] }[]
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const schemas = new Map<string, Schema>()

function schemaOf(name: string): Schema {
  let schema = schemas.get(name)
  if (schema === undefined) {
    schema = JSON.parse(readFileSync(new URL(`../golden/protocol/messages/${name}.json`, import.meta.url), 'utf8')) as Schema
    schemas.set(name, schema)
  }
  return schema
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

function inVersion(versions: string, version: number): boolean {
  if (versions === 'none') return false
  const [from, to] = versions.endsWith('+')
    ? [versions.slice(0, -1), '999']
    : versions.includes('-')
      ? versions.split('-')
      : [versions, versions]
  return version >= Number(from) && version <= Number(to)
}

/** A request as the wire encodes it: left-out fields at their defaults, base64 as bytes, `$records` as a batch. */
export function requestOf(api: string, version: number, json: Json): unknown {
  const schema = schemaOf(`${api}Request`)
  const structs = new Map((schema.commonStructs ?? []).map((struct) => [struct.name, struct.fields]))
  const object = (fields: readonly Field[], value: { readonly [name: string]: Json }): unknown =>
    Object.fromEntries(
      fields
        .filter((field) => inVersion(field.versions, version))
        .map((field) => [lowerFirst(field.name), convert(field, field.type, value[lowerFirst(field.name)])]),
    )
  const convert = (field: Field, type: string, value: Json | undefined): unknown => {
    if (value === undefined) return type.startsWith('[]') ? (field.default === 'null' ? null : []) : defaultOf(field, type, object, structs)
    if (value === null) return null
    if (type.startsWith('[]')) return (value as readonly Json[]).map((element) => convert(field, type.slice(2), element))
    if (type === 'records') return batchOf(value as { readonly [name: string]: Json })
    if (type === 'bytes') return Buffer.from(value as string, 'base64')
    if (type === 'int64') return Number(value)
    const fields = field.fields ?? structs.get(type)
    return fields === undefined ? value : object(fields, value as { readonly [name: string]: Json })
  }
  return object(schema.fields, json as { readonly [name: string]: Json })
}

function defaultOf(
  field: Field,
  type: string,
  object: (fields: readonly Field[], value: { readonly [name: string]: Json }) => unknown,
  structs: ReadonlyMap<string, readonly Field[]>,
): unknown {
  if (field.default === 'null') return null
  if (type === 'string') return field.default ?? ''
  if (type === 'bool') return field.default === 'true'
  if (type === 'uuid') return 'AAAAAAAAAAAAAAAAAAAAAA'
  if (type === 'bytes') return Buffer.alloc(0)
  if (type === 'records') return null
  if (/^u?int|^float/.test(type)) {
    const value = BigInt(field.default ?? 0)
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? value : Number(value)
  }
  const fields = field.fields ?? structs.get(type)
  if (fields === undefined) throw new Error(`no default for ${field.name} of ${type}`)
  return object(fields, {})
}

const FIRST_TIMESTAMP_MS = 1_700_000_000_000

/** The batch that a `$records` stands for (golden README). Magic 0 and 1 come as a header that says so, which is all that is read of them. */
function batchOf(json: { readonly [name: string]: Json }): Buffer {
  const pairs = json['$records'] as readonly (readonly [Json, Json])[]
  const bytes = (value: Json): Buffer | null =>
    value === null ? null : typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value as string)
  const timestampMs = (json['timestamp'] as number | undefined) ?? FIRST_TIMESTAMP_MS
  const records: RecordInput[] = pairs.map(([key, value], at) => ({ key: bytes(key), value: bytes(value), timestampMs: timestampMs + at }))
  const batch = encodeBatch({
    records,
    baseOffset: (json['baseOffset'] as number | undefined) ?? 0,
    compression: (json['codec'] as 'zstd' | undefined) ?? 'none',
    producerId: Number(json['producerId'] ?? -1),
    producerEpoch: (json['producerEpoch'] as number | undefined) ?? -1,
    baseSequence: (json['baseSequence'] as number | undefined) ?? -1,
    transactional: json['transactional'] === true,
  })
  if (json['corrupt'] === true) batch[batch.length - 1] = (batch[batch.length - 1] ?? 0) ^ 0xff
  if (json['magic'] !== undefined) batch[16] = json['magic'] as number
  return batch
}

/** A decoded answer in the notation of the conversation: only the fields of its version, bytes as base64, batches by what identifies them. */
export function answerJson(api: string, version: number, value: unknown): Json {
  const schema = schemaOf(`${api}Response`)
  const structs = new Map((schema.commonStructs ?? []).map((struct) => [struct.name, struct.fields]))
  const convert = (field: Field, type: string, given: unknown): Json => {
    if (given === null || given === undefined) return null
    if (type.startsWith('[]')) return (given as readonly unknown[]).map((element) => convert(field, type.slice(2), element))
    if (type === 'records') return recordsJson(given as Buffer)
    if (Buffer.isBuffer(given)) return given.toString('base64')
    const fields = field.fields ?? structs.get(type)
    if (fields === undefined) return given as Json
    return object(fields, given as Record<string, unknown>)
  }
  const object = (fields: readonly Field[], given: Record<string, unknown>): Json =>
    Object.fromEntries(
      fields
        .filter((field) => inVersion(field.versions, version))
        .map((field) => [lowerFirst(field.name), convert(field, field.type, given[lowerFirst(field.name)])]),
    )
  return object(schema.fields, value as Record<string, unknown>)
}

/** Batches by base offset, size and checksum: equal checksums are equal records. */
function recordsJson(records: Buffer): Json {
  if (records.length === 0) return ''
  const batches: Json[] = []
  forEachBatch(records, (at, sizeBytes) => {
    batches.push({
      baseOffset: batchHeader.baseOffset(records, at),
      leaderEpoch: batchHeader.leaderEpoch(records, at),
      sizeBytes,
      crc: batchHeader.crc(records, at),
    })
  })
  return batches
}

/** The recorded `records` in the same notation. */
export function recordedRecordsJson(recorded: { readonly hex: string }): Json {
  return recordsJson(Buffer.from(recorded.hex, 'hex'))
}
