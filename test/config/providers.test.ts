// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of config providers look like that
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ConfigFiles,
  type ConfigProvider,
  hasVariable,
  isVariablesOnly,
  providersOf,
  transformValues,
} from '../../hub/config/index.ts'
import { nodeDisk } from '../../hub/io/index.ts'

interface Case {
  readonly op: string
  readonly value: string
  readonly result: string
  readonly ttls: Record<string, number>
}

const cases = readFileSync(new URL('../golden/connect/configdef.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)
  .filter(({ op }) => op === 'transform')

const contents: Readonly<Record<string, string>> = {
  '/secrets/db.properties': 'user=kafka\npassword=s3cret\n',
  '/secrets/token': 'abc\n',
}
const files: ConfigFiles = {
  readFile: async (path) => {
    const text = contents[path]
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return Buffer.from(text)
  },
}

async function transformed(values: Record<string, string>, environment: Record<string, string> = {}) {
  const map = new Map(Object.entries(values))
  const { providers, unknown } = providersOf(map, files, environment)
  const result = await transformValues(map, providers)
  return { ...result, values: Object.fromEntries(result.values), unknown }
}

describe('variables in values', () => {
  const known: Readonly<Record<string, string>> = { a: 'A', b: 'B', c: '${p:path:a}' }
  const p: ConfigProvider = {
    get: async (_path, keys) => ({
      data: Object.fromEntries([...keys].flatMap((key) => (known[key] === undefined ? [] : [[key, known[key]]]))),
      ttlMs: 500,
    }),
  }

  it.each(cases.map((entry) => [entry.value, entry]))('%s', async (_value, { value, result, ttls }) => {
    const outcome = await transformValues(new Map([['key', value]]), { p })
    expect(outcome.values.get('key')).toBe(result)
    expect(Object.fromEntries(outcome.ttlsMs)).toEqual(ttls)
  })

  it('are those that Kafka’s pattern finds', async () => {
    const text = fc.string({ unit: fc.constantFrom('${', '}', ':', 'p', '$', '{', '\n'), maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const pattern = /\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}/g
        const expected = [...value.matchAll(pattern)].map(([variable]) => variable)
        const { unresolved } = await transformValues(new Map([['key', value]]), {})
        expect(unresolved).toEqual(expected)
        expect(hasVariable(value)).toBe(expected.length > 0)
      }),
    )
  })

  it.each(['${a:', '${', ':', '${a:b}', '${p:'])('cost no more time than there is text: 1,000,000 characters of %s', async (part) => {
    const value = `\${a:${part.repeat(1_000_000 / part.length)}`
    const { values } = await transformValues(new Map([['key', value]]), { p })
    expect(values.get('key')).toBe(value)
    expect(hasVariable(value)).toBe(part === '${a:b}')
  })

  it('asks each path once, for all its keys', async () => {
    const asked: string[] = []
    const spy: ConfigProvider = {
      get: async (path, keys) => {
        asked.push(`${path}: ${[...keys].join()}`)
        return { data: {} }
      },
    }
    const { unresolved } = await transformValues(
      new Map([
        ['x', '${s:f:a}${s:f:b}'],
        ['y', '${s:f:a} ${s:g:a}'],
      ]),
      { s: spy },
    )
    expect(asked).toEqual(['f: a,b', 'g: a'])
    expect(unresolved.length).toBe(4)
  })
})

describe('the providers', () => {
  it('read properties files, files of a directory and the environment', async () => {
    const { values, resolved, unresolved } = await transformed(
      { user: '${file:/secrets/db.properties:user}', token: 'Bearer ${directory:/secrets:token}', host: '${env:HOST}:${env:PORT}' },
      { HOST: 'db' },
    )
    expect(values).toEqual({ user: 'kafka', token: 'Bearer abc\n', host: 'db:${env:PORT}' })
    expect(resolved).toEqual(['kafka', 'abc\n', 'db'])
    expect(unresolved).toEqual(['${env:PORT}'])
  })

  it('do not leave the directory', async () => {
    const { values } = await transformed({ a: '${directory:/secrets/sub:../token}', b: '${directory:/secrets:none}' })
    expect(values).toEqual({ a: '${directory:/secrets/sub:../token}', b: '${directory:/secrets:none}' })
  })

  it('tell a file that cannot be read', async () => {
    await expect(transformed({ a: '${file:/none:x}' })).rejects.toThrow('ENOENT: /none')
  })

  it('answer to the names that config.providers gives them', async () => {
    const { values, unknown } = await transformed({
      'config.providers': 'secret, vault',
      'config.providers.secret.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
      'config.providers.vault.class': 'com.example.VaultProvider',
      a: '${secret:/secrets/db.properties:password} ${vault:x:y}',
    })
    expect(values['a']).toBe('s3cret ${vault:x:y}')
    expect(unknown).toEqual(['vault'])
  })
})

it('of the environment are none that every object has', async () => {
  const { values, resolved } = await transformed({ key: '${env:constructor}${env:toString}${env:A}' }, { A: 'a' })
  expect([values['key'], resolved]).toEqual(['${env:constructor}${env:toString}a', ['a']])
})

describe('files', () => {
  it('that are large or have no end are not read', async () => {
    const { providers } = providersOf(new Map(), nodeDisk(), {})
    const endless = await transformValues(new Map([['key', '${file:/dev/zero:a}${directory:/dev:zero}']]), providers)
    expect(endless.values.get('key')).toBe('${file:/dev/zero:a}')
    const huge: ConfigFiles = {
      facts: () => Promise.resolve({ sizeBytes: 2_000_000 }),
      readFile: () => Promise.reject(new Error('was read')),
    }
    const asked = transformValues(new Map([['key', '${file:/huge:a}']]), providersOf(new Map(), huge, {}).providers)
    await expect(asked).rejects.toThrow('/huge has 2000000 bytes, config providers read files of up to 1048576 bytes')
  })
})

it.each([
  ['${file:/x:y}', true],
  ['${file:/x:y}${env:Z}', true],
  ['${file:/x:y}-${env:Z}', false],
  [' ${env:Z}', false],
  ['${vault:/x:y}', false],
  ['${file:/x:y}${vault:y}', false],
  ['${env}', false],
  ['', false],
])('%j is variables of known providers only: %j', (text, isOnly) => {
  expect(isVariablesOnly(text, new Set(['file', 'env']))).toBe(isOnly)
})
