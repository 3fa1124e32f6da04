/** Our literals against Kafka's own message definitions, read as data. */

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { apis, ErrorCode, errorMessage, errorName, isRetriable } from '../../hub/wire/index.ts'
import type { FieldFacts, Shape, VersionRange } from '../../hub/wire/schema.ts'
import { inRange, isNullable, isPresent, isTagged, parseVersions } from '../../hub/wire/schema.ts'
import { catalogue, messageOf, versionsOf } from './catalogue.ts'
import { readJson } from './golden.ts'
import { defaultOf } from './interpreter.ts'

interface GoldenField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly flexibleVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly fields?: readonly GoldenField[]
}

interface GoldenMessage {
  readonly name: string
  readonly apiKey?: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly GoldenField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly GoldenField[] }[]
}

const directory = new URL('../golden/protocol/', import.meta.url)
const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => /^(messages|records)\/.*\.json$/.test(path))
const definitions = new Map(paths.map((path) => readJson<GoldenMessage>(path)).map((message) => [message.name, message]))

function range(text: string | undefined): VersionRange | undefined {
  return text === undefined ? undefined : text === 'none' ? { min: 0, max: -1 } : parseVersions(text)
}

/** A field in one version, in words that both sides can be put into. */
interface Said {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly tag: number | null
  readonly compact: boolean
  readonly default: unknown
  readonly fields: readonly Said[] | null
}

function theirs(message: GoldenMessage, fields: readonly GoldenField[], version: number): Said[] {
  return fields
    .filter((field) => inRange(range(field.versions ?? field.taggedVersions), version))
    .map((field) => {
      const isArray = field.type.startsWith('[]')
      const element = isArray ? field.type.slice(2) : field.type
      const structFields = field.fields ?? message.commonStructs?.find((struct) => struct.name === element)?.fields
      const type = structFields === undefined ? element : 'struct'
      return {
        name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
        type: isArray ? `[]${type}` : type,
        nullable: field.nullableVersions !== undefined && inRange(range(field.nullableVersions), version),
        tag: field.tag !== undefined && inRange(range(field.taggedVersions), version) ? field.tag : null,
        compact: field.flexibleVersions !== 'none',
        default: theirDefault(field, type, isArray),
        fields: structFields === undefined ? null : theirs(message, structFields, version),
      }
    })
}

/** In the definitions a default of null is the text "null"; a JSON null says nothing. */
function theirDefault(field: GoldenField, type: string, isArray: boolean): unknown {
  if (field.default === 'null') return null
  if (isArray) return []
  if (type === 'struct') return 'struct'
  if (type === 'string') return field.default ?? ''
  if (type === 'bool') return String(field.default ?? false) === 'true'
  if (type === 'uuid') return 'A'.repeat(22)
  if (type === 'bytes') return 'bytes'
  if (type === 'records') return null
  return BigInt(field.default ?? 0)
}

function ours(shape: Shape, version: number): Said[] {
  return Object.entries(shape)
    .filter(([, { facts }]) => isPresent(facts, version))
    .map(([name, { facts }]) => {
      const element = facts.element?.facts ?? facts
      const kind = element.kind === 'offset' ? 'int64' : element.kind
      return {
        name,
        type: facts.kind === 'array' ? `[]${kind}` : kind,
        nullable: isNullable(facts, version),
        tag: isTagged(facts, version) ? facts.tag!.number : null,
        compact: facts.compact !== false,
        default: ourDefault(facts),
        fields: element.fields === undefined ? null : ours(element.fields, version),
      }
    })
}

function ourDefault(facts: FieldFacts): unknown {
  const value = defaultOf(facts)
  if (value === null) return null
  if (facts.kind === 'struct' || facts.kind === 'bytes') return facts.kind
  return typeof value === 'number' ? BigInt(value) : value
}

describe('literals and definitions', () => {
  it('are the same set', () => {
    expect([...catalogue.keys()].sort()).toEqual([...definitions.keys()].sort())
  })

  it.each([...definitions])('%s says the same in every version', (name, definition) => {
    const message = messageOf(name)
    const { min, max } = parseVersions(definition.validVersions)
    expect(message.versions).toEqual({ min, max })
    for (const version of versionsOf(message)) {
      expect(message.isFlexible(version)).toBe(inRange(range(definition.flexibleVersions), version))
      expect(ours(message.fields, version)).toEqual(theirs(definition, definition.fields, version))
    }
    if ('apiKey' in message) expect(message.apiKey).toBe(definition.apiKey ?? -1)
  })
})

interface ApiFacts {
  readonly apiKey: number
  readonly name: string
  readonly requestVersions: string
  readonly lowestVersion: number
  readonly highestVersion: number
  readonly highestStableVersion: number
  readonly requestHeaderVersions: readonly number[]
  readonly responseHeaderVersions: readonly number[]
  readonly listeners: readonly string[]
}

describe('apis', () => {
  const index = readJson<readonly ApiFacts[]>('index.json').filter((api) => api.requestVersions !== 'none')

  it('are those of Kafka 4.3, in its order', () => {
    expect([...apis].map(([key, api]) => [key, api.key, api.name])).toEqual(index.map((api) => [api.apiKey, api.apiKey, api.name]))
  })

  it.each(index)('$name: versions, headers, listeners', (facts) => {
    const api = apis.get(facts.apiKey)!
    expect(api.versions).toEqual({ min: facts.lowestVersion, max: facts.highestVersion })
    expect(api.advertised.max).toBe(facts.highestStableVersion)
    expect(api.listeners).toEqual(facts.listeners)
    const versions = versionsOf(api.request)
    expect(versions.map((version) => api.requestHeaderVersion(version))).toEqual(facts.requestHeaderVersions)
    expect(versions.map((version) => api.responseHeaderVersion(version))).toEqual(facts.responseHeaderVersions)
  })

  it.each(['client', 'controller'] as const)('are advertised to a %s as Kafka does', (side) => {
    type Range = { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }
    const answers = readJson<Record<string, { readonly apiKeysV0: readonly Range[] }>>('api-versions.json')
    const listener = side === 'client' ? 'broker' : 'controller'
    const telemetry = new Set([71, 72])
    const listed = [...apis.values()].filter((api) => api.listeners.includes(listener) && !telemetry.has(api.key))
    const ranges = listed.map((api) => ({ apiKey: api.key, minVersion: api.advertised.min, maxVersion: api.advertised.max }))
    expect(ranges).toEqual(answers[side]!.apiKeysV0)
  })
})

describe('error codes', () => {
  interface Row {
    readonly code: number
    readonly name: string
    readonly retriable: boolean
    readonly message: string | null
  }
  const rows = readJson<readonly Row[]>('errors.json')

  it('are those of Kafka 4.3', () => {
    expect(ErrorCode).toEqual(Object.fromEntries(rows.map((row) => [row.name, row.code])))
    for (const { code, name, retriable, message } of rows) {
      expect([errorName(code), isRetriable(code), errorMessage(code)]).toEqual([name, retriable, message])
    }
  })

  it('read as UNKNOWN_SERVER_ERROR where the table lacks one', () => {
    for (const code of [-2, 134, 32_767]) {
      expect([errorName(code), isRetriable(code)]).toEqual(['UNKNOWN_SERVER_ERROR', false])
      expect(errorMessage(code)).toBe(errorMessage(-1))
    }
  })
})
