// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of config providers look like that
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ConfigFiles, type ConfigProvider, providersOf, transformValues } from '../../hub/config/index.ts'

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
