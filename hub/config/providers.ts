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
  /** Size of what is there, links followed; undefined when nothing is. Without it files are read whatever their size. */
  facts?(path: string): Promise<{ readonly sizeBytes: number } | undefined>
}

/** Limits of providers: connectors' configurations name the files, and so does whoever may post one. */
export const PROVIDER_LIMITS = {
  /** Bytes of a file. */
  fileBytesMax: 1_048_576,
} as const

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

/** A variable where it stands in a text. */
interface Variable {
  /** As it is written. */
  readonly text: string
  readonly start: number
  readonly provider: string
  readonly path: string
  readonly key: string
}

/** What one question to a provider is about: all keys of a path. */
interface Question {
  readonly provider: string
  readonly path: string
  readonly keys: Set<string>
}

/** Replaces the variables in all values, one pass (what a provider gives is not looked through again). Each path is asked once. */
export async function transformValues(
  values: ReadonlyMap<string, string>,
  providers: Readonly<Record<string, ConfigProvider>>,
): Promise<Transformed> {
  const found = new Map<string, ProvidedData>()
  const ttlsMs = new Map<string, number>()
  for (const [id, { provider, path, keys }] of questionsOf(values.values())) {
    if (!Object.hasOwn(providers, provider)) continue
    const provided = (await providers[provider]?.get(path, keys)) ?? { data: {} }
    found.set(id, provided)
    if (provided.ttlMs !== undefined) ttlsMs.set(path, Math.min(provided.ttlMs, ttlsMs.get(path) ?? provided.ttlMs))
  }
  const unresolved: string[] = []
  const resolved: string[] = []
  const replace = (text: string): string => {
    const parts: string[] = []
    let end = 0
    for (const variable of variablesOf(text)) {
      const data = found.get(questionId(variable))?.data
      const value = data !== undefined && Object.hasOwn(data, variable.key) ? data[variable.key] : undefined
      ;(value === undefined ? unresolved : resolved).push(value ?? variable.text)
      parts.push(text.slice(end, variable.start), value ?? variable.text)
      end = variable.start + variable.text.length
    }
    return parts.join('') + text.slice(end)
  }
  return { values: new Map([...values].map(([key, text]) => [key, replace(text)])), ttlsMs, unresolved, resolved }
}

function questionId({ provider, path }: { readonly provider: string; readonly path: string }): string {
  return JSON.stringify([provider, path])
}

function questionsOf(texts: Iterable<string>): ReadonlyMap<string, Question> {
  const questions = new Map<string, Question>()
  for (const text of texts) {
    for (const { provider, path, key } of variablesOf(text)) {
      const id = questionId({ provider, path })
      const question = questions.get(id) ?? { provider, path, keys: new Set() }
      question.keys.add(key)
      questions.set(id, question)
    }
  }
  return questions
}

/** Whether there is a variable in a text, known or not. */
export function hasVariable(text: string): boolean {
  return variablesOf(text).length > 0
}

/** Whether a text is nothing but variables of these providers. */
export function isVariablesOnly(text: string, providers: ReadonlySet<string>): boolean {
  const variables = variablesOf(text)
  if (variables.length === 0 || variables.some(({ provider }) => !providers.has(provider))) return false
  return variables.reduce((length, variable) => length + variable.text.length, 0) === text.length
}

/**
 * `${provider:key}` or `${provider:path:key}`; a key may hold further colons. Anybody who may post a configuration may post any text, so it
 * is gone through once, and not by a regular expression, which would go back over and over in `${a:${a:${a:…`.
 */
function variablesOf(text: string): Variable[] {
  const variables: Variable[] = []
  for (let from = 0; ; ) {
    const start = text.indexOf('${', from)
    const end = start === -1 ? -1 : text.indexOf('}', start)
    if (end === -1) return variables
    const [provider = '', second, ...rest] = text.slice(start + 2, end).split(':')
    if (second !== undefined) {
      const [path, key] = rest.length === 0 ? ['', second] : [second, rest.join(':')]
      variables.push({ text: text.slice(start, end + 1), start, provider, path, key })
    }
    from = end + 1
  }
}

/** What has no size is not opened: an empty file has nothing to say, and a device or a pipe might not come to an end. */
async function textOf(files: ConfigFiles, path: string): Promise<string> {
  const sizeBytes = (await files.facts?.(path))?.sizeBytes
  if (sizeBytes === 0) return ''
  if (sizeBytes !== undefined && sizeBytes > PROVIDER_LIMITS.fileBytesMax) {
    throw new Error(`${path} has ${sizeBytes} bytes, config providers read files of up to ${PROVIDER_LIMITS.fileBytesMax} bytes`)
  }
  return (await files.readFile(path)).toString()
}

/** The keys of a .properties file: `${file:/run/secrets.properties:db.password}`. */
function fileProvider(files: ConfigFiles): ConfigProvider {
  return {
    get: async (path, keys) => {
      if (path === '') return { data: {} }
      const pairs = parseProperties(await textOf(files, path))
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
    return await textOf(files, path)
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
        const value = Object.hasOwn(environment, key) ? environment[key] : undefined
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
