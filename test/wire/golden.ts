/**
 * @module test/wire/golden — recorded messages (see `test/golden/protocol`), and the two ways between their JSON and our
 * values: int64 beyond 2^53 are decimal texts there, bytes base64, tagged fields at their default are absent.
 */
import { readFileSync } from 'node:fs'
import type { FieldFacts, Shape } from '../../hub/wire/schema.ts'
import { isPresent, isTagged } from '../../hub/wire/schema.ts'

/** One recorded message. */
export interface Vector {
  readonly api: string
  readonly type: string
  readonly apiKey?: number
  readonly name?: string
  readonly version: number
  readonly variant: string
  readonly headerVersion?: number
  readonly json: Json
  readonly hex: string
  readonly framedHex?: string
  readonly unknownTaggedFields?: readonly { readonly tag: number; readonly hex: string }[]
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const root = new URL('../golden/protocol/', import.meta.url)

/** Lines of a `.jsonl` file of `test/golden/protocol`. */
export function readLines<T>(path: string): T[] {
  const lines = readFileSync(new URL(path, root), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T)
}

/** A `.json` file of `test/golden/protocol`. */
export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8')) as T
}

/** Vectors of one API. */
export function vectorsOf(api: string): Vector[] {
  return readLines<Vector>(`vectors/${api}.jsonl`)
}

/** Whether a compiled codec in exact mode takes an int64 as bigint. */
export type Mode = 'exact' | 'live'

/** An encoder's input out of a vector's JSON; fields that the JSON lacks are left out. */
export function inputOf(shape: Shape, json: Json, mode: Mode): Record<string, unknown> {
  const from = json as { readonly [name: string]: Json }
  const value: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(shape)) {
    if (name in from) value[name] = valueFor(field.facts, from[name]!, mode)
  }
  return value
}

function valueFor(facts: FieldFacts, json: Json, mode: Mode): unknown {
  if (json === null) return null
  switch (facts.kind) {
    case 'struct':
      return inputOf(facts.fields!, json, mode)
    case 'array':
      return (json as readonly Json[]).map((element) => valueFor(facts.element!.facts, element, mode))
    case 'bytes':
    case 'records':
      return Buffer.from(json as string, 'base64')
    case 'float64':
      return Number(json)
    case 'int64':
      return BigInt(json as string | number)
    case 'offset':
      return mode === 'exact' ? BigInt(json as string | number) : Number(json)
    default:
      return json
  }
}

/** A vector's JSON out of a decoded value. */
export function jsonOf(shape: Shape, value: unknown, version: number): Json {
  const from = value as { readonly [name: string]: unknown }
  const json: Record<string, Json> = {}
  for (const [name, field] of Object.entries(shape)) {
    const { facts } = field
    if (!isPresent(facts, version)) continue
    const one = plainOf(facts, from[name], version)
    if (isTagged(facts, version) && isDefault(facts, from[name])) continue
    json[name] = one
  }
  return json
}

function plainOf(facts: FieldFacts, value: unknown, version: number): Json {
  if (value === null) return null
  switch (facts.kind) {
    case 'struct':
      return jsonOf(facts.fields!, value, version)
    case 'array':
      return (value as unknown[]).map((element) => plainOf(facts.element!.facts, element, version))
    case 'bytes':
    case 'records':
      return (value as Buffer).toString('base64')
    case 'int64':
    case 'offset':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value as number | bigint)
    default:
      return value as Json
  }
}

/** Whether a value is the default of its field, or left out. */
export function isDefault(facts: FieldFacts, value: unknown): boolean {
  if (value === undefined) return true
  if (facts.defaultValue === null || value === null) return value === null && facts.defaultValue === null
  if (facts.kind === 'struct') {
    const from = value as { readonly [name: string]: unknown }
    return Object.entries(facts.fields!).every(([name, field]) => isDefault(field.facts, from[name]))
  }
  if (facts.kind === 'array' || facts.kind === 'bytes') return (value as { length: number }).length === 0
  if (facts.kind === 'string') return value === (facts.defaultValue ?? '')
  if (facts.kind === 'bool') return value === (facts.defaultValue ?? false)
  if (facts.kind === 'uuid') return value === facts.defaultValue
  return BigInt(value as number) === BigInt((facts.defaultValue as number | undefined) ?? 0)
}
