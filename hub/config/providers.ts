/**
 * @module config/providers — `${provider:path:key}` in values (KIP-297): from files, directories and the environment.
 */
import { parseProperties } from './properties.ts'

/** What a provider found: values by key, and for how long they hold. */
export interface ProvidedData {
  readonly data: Readonly<Record<string, string>>
  /** Absent: the values do not expire. */
  readonly ttlMs?: number
}

/** A source of values. A key that is not there is left out of the answer. */
export interface ConfigProvider {
  get(path: string, keys: ReadonlySet<string>): Promise<ProvidedData>
}

/** The part of a disk that providers read; the hub gives its disk port. */
export interface ConfigFiles {
  readFile(path: string): Promise<Buffer>
}

export interface Transformed {
  /** The values with every variable replaced that a provider knew; other text is left as it stands. */
  readonly values: Map<string, string>
  /** The shortest ttl per path that was asked. */
  readonly ttlsMs: Map<string, number>
  /** Variables that had no value, or whose provider nobody defined, as they stand in the text. */
  readonly unresolved: readonly string[]
  /** Values that came from providers: texts that logs must not show. */
  readonly resolved: readonly string[]
}

// ${provider:key} or ${provider:path:key}; a key may hold further colons.
const VARIABLE = /\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}/g

interface Variable {
  readonly text: string
  readonly provider: string
  readonly path: string
  readonly key: string
}

/** Replaces the variables in all values, one pass (what a provider gives is not looked through again). Each path is asked once. */
export async function transformValues(
  values: ReadonlyMap<string, string>,
  providers: Readonly<Record<string, ConfigProvider>>,
): Promise<Transformed> {
  const variables = [...values.values()].flatMap(variablesOf).filter(({ provider }) => Object.hasOwn(providers, provider))
  const found = new Map<string, ProvidedData>()
  const ttlsMs = new Map<string, number>()
  for (const { provider, path } of variables) {
    const id = JSON.stringify([provider, path])
    if (found.has(id)) continue
    const keys = new Set(variables.filter((other) => other.provider === provider && other.path === path).map(({ key }) => key))
    const provided = (await providers[provider]?.get(path, keys)) ?? { data: {} }
    found.set(id, provided)
    if (provided.ttlMs !== undefined) ttlsMs.set(path, Math.min(provided.ttlMs, ttlsMs.get(path) ?? provided.ttlMs))
  }
  const unresolved: string[] = []
  const resolved: string[] = []
  const replace = (text: string): string =>
    text.replace(VARIABLE, (match, provider: string, path: string | undefined, key: string) => {
      const provided = found.get(JSON.stringify([provider, path ?? '']))
      if (provided === undefined) {
        unresolved.push(match)
        return match
      }
      const value = Object.hasOwn(provided.data, key) ? provided.data[key] : undefined
      ;(value === undefined ? unresolved : resolved).push(value ?? match)
      return value ?? match
    })
  return { values: new Map([...values].map(([key, text]) => [key, replace(text)])), ttlsMs, unresolved, resolved }
}

function variablesOf(text: string): Variable[] {
  return [...text.matchAll(VARIABLE)].map(([match, provider = '', path = '', key = '']) => ({ text: match, provider, path, key }))
}

/** The keys of a .properties file: `${file:/run/secrets.properties:db.password}`. */
function fileProvider(files: ConfigFiles): ConfigProvider {
  return {
    get: async (path, keys) => {
      if (path === '') return { data: {} }
      const pairs = parseProperties((await files.readFile(path)).toString())
      return { data: Object.fromEntries([...pairs].filter(([key]) => keys.has(key))) }
    },
  }
}

/** The files of a directory, one value each: `${directory:/run/secrets:db-password}`. Keys with a path in them are not followed. */
function directoryProvider(files: ConfigFiles): ConfigProvider {
  return {
    get: async (path, keys) => {
      const data: Record<string, string> = {}
      for (const key of keys) {
        if (path === '' || key === '' || key === '..' || key === '.' || key.includes('/')) continue
        const content = await contentOf(files, `${path.replace(/\/$/, '')}/${key}`)
        if (content !== undefined) data[key] = content
      }
      return { data }
    },
  }
}

async function contentOf(files: ConfigFiles, path: string): Promise<string | undefined> {
  try {
    return (await files.readFile(path)).toString()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Variables of the environment: `${env:DB_PASSWORD}` (KIP-887). */
function environmentProvider(environment: Readonly<Record<string, string | undefined>>): ConfigProvider {
  return {
    get: async (_path, keys) => {
      const data: Record<string, string> = {}
      for (const key of keys) {
        const value = environment[key]
        if (value !== undefined) data[key] = value
      }
      return { data }
    },
  }
}

const PROVIDER_OF_CLASS: Readonly<Record<string, 'file' | 'directory' | 'env'>> = {
  FileConfigProvider: 'file',
  DirectoryConfigProvider: 'directory',
  EnvVarConfigProvider: 'env',
}

/**
 * The providers of a configuration: `file`, `directory` and `env` always, and the names that `config.providers` gives to
 * Kafka's three classes. A class that is not one of them is named in `unknown`.
 */
export function providersOf(
  config: ReadonlyMap<string, string>,
  files: ConfigFiles,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly providers: Record<string, ConfigProvider>; readonly unknown: readonly string[] } {
  const builtIn = { file: fileProvider(files), directory: directoryProvider(files), env: environmentProvider(environment) }
  const providers: Record<string, ConfigProvider> = { ...builtIn }
  const unknown: string[] = []
  for (const name of (config.get('config.providers') ?? '').split(',').map((word) => word.trim())) {
    if (name === '') continue
    const className = config.get(`config.providers.${name}.class`) ?? ''
    const kind = PROVIDER_OF_CLASS[className.slice(className.lastIndexOf('.') + 1)]
    if (kind !== undefined) providers[name] = builtIn[kind]
    else if (!Object.hasOwn(builtIn, name) || className !== '') unknown.push(name)
  }
  return { providers, unknown }
}
