/** Every recorded message of Kafka 4.3.1, both ways, byte for byte. */
import { describe, expect, it } from 'vitest'
import { compileDecoder, compileEncoder } from '../../hub/wire/compile.ts'
import { apis, Reader, Writer } from '../../hub/wire/index.ts'
import type { AnyMessage } from './catalogue.ts'
import { messageOf } from './catalogue.ts'
import type { Json, Vector } from './golden.ts'
import { inputOf, jsonOf, readLines, vectorsOf } from './golden.ts'

/** Encodes and decodes one vector with an exact codec, which keeps int64 extremes and unknown tagged fields. */
function checkExact(message: AnyMessage, vector: Vector): void {
  const { version } = vector
  const plan = { name: message.name, fields: message.fields, version, flexible: message.isFlexible(version), exact: true }
  const bytes = Buffer.from(vector.hex, 'hex')
  const unknownTaggedFields = vector.unknownTaggedFields?.map(({ tag, hex }) => ({ tag, data: Buffer.from(hex, 'hex') }))

  const writer = new Writer()
  const input = inputOf(message.fields, vector.json, 'exact')
  compileEncoder(plan)(writer, { ...input, ...(unknownTaggedFields && { unknownTaggedFields }) })
  expect(writer.toBuffer().toString('hex')).toBe(vector.hex)

  const reader = new Reader(bytes)
  const decoded = compileDecoder(plan)(reader) as Record<string, unknown>
  expect(reader.remaining).toBe(0)
  expect(jsonOf(message.fields, decoded, version)).toEqual(numbers(vector.json))
  expect(decoded['unknownTaggedFields']).toEqual(unknownTaggedFields)
  expect(Object.keys(decoded).filter((name) => name !== 'unknownTaggedFields')).toEqual(Object.keys(message.fields))
}

/** The same with the live codec: all but what exact mode is for. */
function checkLive(message: AnyMessage, vector: Vector): boolean {
  const { version } = vector
  const reader = new Reader(Buffer.from(vector.hex, 'hex'))
  if (hasBigNumber(message, vector.json)) {
    expect(() => message.decode(reader, version)).toThrow(/^\w+\.v\d+\.\S+: an int64 beyond 2\^53$/)
    return false
  }
  const decoded = message.decode(reader, version)
  expect(reader.remaining).toBe(0)
  expect(jsonOf(message.fields, decoded, version)).toEqual(numbers(vector.json))
  if (vector.unknownTaggedFields !== undefined) return true
  for (const value of [decoded, inputOf(message.fields, vector.json, 'live')]) {
    const writer = new Writer()
    message.encode(value, version, writer)
    expect(writer.sizeBytes).toBe(vector.hex.length / 2)
    expect(writer.toBuffer().toString('hex')).toBe(vector.hex)
  }
  return true
}

/** Golden float64 of no finite value are texts. */
function numbers(json: Json): Json {
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json)
  if (Array.isArray(json)) return json.map(numbers)
  if (typeof json === 'object' && json !== null) return Object.fromEntries(Object.entries(json).map(([k, v]) => [k, numbers(v)]))
  return json
}

/** Whether an `offset` field holds what only a bigint can. */
function hasBigNumber(message: AnyMessage, json: Json): boolean {
  const value = JSON.stringify(inputOf(message.fields, json, 'live'), (_, item: unknown) => (typeof item === 'bigint' ? 'bigint' : item))
  return (value.match(/-?\d{16,}/g) ?? []).some((digits) => Math.abs(Number(digits)) > Number.MAX_SAFE_INTEGER)
}

describe.each([...apis.values()].map((api) => [api.name, api] as const))('%s', (name, api) => {
  const vectors = vectorsOf(name)

  it('is recorded in every version, both directions', () => {
    for (const type of ['request', 'response']) {
      const recorded = new Set(vectors.filter((vector) => vector.type === type).map((vector) => vector.version))
      for (let version = api.versions.min; version <= api.versions.max; version++) expect(recorded).toContain(version)
    }
  })

  it.each(['request', 'response'] as const)('%s: encodes and decodes as recorded, exact', (type) => {
    for (const vector of vectors.filter((one) => one.type === type)) {
      expect(vector.headerVersion).toBe(
        type === 'request' ? api.requestHeaderVersion(vector.version) : api.responseHeaderVersion(vector.version),
      )
      checkExact(api[type], vector)
    }
  })

  it.each(['request', 'response'] as const)('%s: encodes and decodes as recorded, live', (type) => {
    const checked = vectors.filter((vector) => vector.type === type && checkLive(api[type], vector))
    expect(checked.length).toBeGreaterThan(0)
  })
})

describe.each(['group', 'metadata', 'raft', 'share', 'storage', 'transaction'])('records of %s', (family) => {
  it('encode and decode as recorded', () => {
    for (const vector of readLines<Vector>(`vectors/_records_${family}.jsonl`)) {
      checkExact(messageOf(vector.api), vector)
      checkLive(messageOf(vector.api), vector)
    }
  })
})

it('data messages encode and decode as recorded', () => {
  for (const vector of readLines<Vector>('vectors/_data.jsonl')) {
    checkExact(messageOf(vector.api), vector)
    checkLive(messageOf(vector.api), vector)
  }
})

it('headers encode and decode as recorded', () => {
  for (const vector of readLines<Vector>('vectors/_headers.jsonl')) {
    checkExact(messageOf(vector.api), vector)
    checkLive(messageOf(vector.api), vector)
  }
})
