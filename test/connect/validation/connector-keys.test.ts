import { type ConfigKey, canonicalText } from '@millrace/sdk'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { connectorKeys, frameworkKeys } from '../../../hub/connect/validation/connector-keys.ts'

interface GoldenKey {
  readonly name: string
  readonly type: string
  readonly default?: string | null
  readonly required?: boolean
  readonly importance: string
  readonly validator?: string
  readonly group?: string
  readonly order?: number
  readonly width?: string
  readonly displayName?: string
}

function golden(name: string): readonly GoldenKey[] {
  return JSON.parse(readFileSync(new URL(`../../golden/configs/${name}.json`, import.meta.url), 'utf8')) as readonly GoldenKey[]
}

/** A key in the words of the golden files. */
function facts(name: string, key: ConfigKey): GoldenKey {
  const given =
    key.default === undefined ? { required: true } : { default: key.default === null ? null : canonicalText(key.default, key.type) }
  const { type, importance, group, order, width, displayName } = key
  const validator = key.validator === undefined ? {} : { validator: key.validator.text }
  return { name, type, ...given, importance, ...validator, ...placeOf({ group, order, width, displayName }) }
}

function placeOf(place: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined))
}

/** Kafka's rule for a converter is a Java class; ours asks the catalog and is made for each worker. */
function comparable(key: GoldenKey): GoldenKey {
  const { validator: _validator, ...rest } = key
  return /^(key|value|header)\.converter$/.test(key.name) ? rest : key
}

describe('the framework’s keys are Kafka’s', () => {
  it.each([
    ['connector', connectorKeys],
    ['connector-source', frameworkKeys.source],
    ['connector-sink', frameworkKeys.sink],
  ])('%s', (name, definition) => {
    const ours = Object.entries<ConfigKey>(definition).map(([key, facet]) => facts(key, facet))
    expect(ours.sort((one, other) => (one.name < other.name ? -1 : 1))).toEqual(golden(name).map(comparable))
  })

  it('all have a documentation', () => {
    const all = Object.entries<ConfigKey>({ ...frameworkKeys.source, ...frameworkKeys.sink })
    expect(all.filter(([, key]) => (key.documentation ?? '') === '').map(([name]) => name)).toEqual([])
  })
})
