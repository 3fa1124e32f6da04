/**
 * @module sdk/source-record — from what a source yields to a record as transforms and converters see it. The engine calls it once per
 * record; values that are canonical already pass without a copy.
 *
 * ```ts
 * sourceRecord({ topic: 'orders', value: { id: 7, paid: true } }).value // Map { 'id' => 7n, 'paid' => true }
 * ```
 */
import { DataError } from './errors.ts'
import { fittedValue } from './fitted.ts'
import { asDataError, inside, kindOf, Misfit } from './misfit.ts'
import type { Header, OffsetValue, SourceRecord, SourceRecordInput } from './record.ts'
import type { Schema } from './schema.ts'
import { schemalessValue } from './schemaless.ts'
import type { Value } from './values.ts'

const noHeaders: readonly Header[] = Object.freeze([])

/**
 * Fills in what was left out and brings key, value and headers into their canonical form. A key or value that is null stays null
 * whatever its schema says: a tombstone is legal, and converters judge the rest.
 * @throws DataError that names the way to what does not fit: `value.lines[3].price: got a string where the schema says int64`
 */
export function sourceRecord(input: SourceRecordInput): SourceRecord {
  const { topic, partition = null, keySchema = null, valueSchema = null, timestampMs = null, headers } = input
  const { sourcePartition = null, sourceOffset = null } = input
  if (typeof topic !== 'string' || topic === '') throw new DataError(`topic: got ${kindOf(topic)}, a record needs the name of its topic`)
  if (partition !== null) requireWhole('partition', partition)
  if (timestampMs !== null) requireWhole('timestampMs', timestampMs)
  if (sourcePartition !== null) requireFlat('sourcePartition', sourcePartition)
  if (sourceOffset !== null) requireFlat('sourceOffset', sourceOffset)
  return {
    topic,
    partition,
    keySchema,
    key: canonical('key', keySchema, input.key),
    valueSchema,
    value: canonical('value', valueSchema, input.value),
    timestampMs,
    headers: headers === undefined || headers.length === 0 ? noHeaders : canonicalHeaders(headers),
    sourcePartition,
    sourceOffset,
  }
}

function canonical(root: string, schema: Schema | null, value: unknown): Value {
  if (value === null || value === undefined) return null
  try {
    return schema === null ? schemalessValue(value) : fittedValue(schema, value)
  } catch (thrown) {
    throw asDataError(root, thrown)
  }
}

type HeaderInput = NonNullable<SourceRecordInput['headers']>[number]

/** The list itself where nothing in it has to be changed: who gives all records the same list is told by it. */
function canonicalHeaders(headers: readonly HeaderInput[]): readonly Header[] {
  const list = headers.map(headerOf)
  return list.every((header, at) => header === headers[at]) ? (headers as readonly Header[]) : list
}

function headerOf(header: HeaderInput, at: number): Header {
  const { key, schema = null } = header
  if (typeof key !== 'string') throw new DataError(`headers[${at}].key: got ${kindOf(key)}, a header needs a name`)
  const value = canonical(`headers[${at}].value`, schema, header.value)
  return schema === header.schema && Object.is(value, header.value) ? (header as Header) : { key, schema, value }
}

function requireWhole(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new DataError(`${name}: must be a whole number from 0, or null`)
}

/** Positions are stored as JSON objects of plain values (upstream's OffsetUtils). */
function requireFlat(root: string, members: Readonly<Record<string, OffsetValue>>): void {
  for (const name in members) {
    const value = members[name]
    const isFlat = typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || value === null
    if (isFlat || Number.isFinite(value)) continue
    throw asDataError(root, inside(name, new Misfit(`got ${kindOf(value)}; positions hold strings, finite numbers, booleans and null`)))
  }
}
