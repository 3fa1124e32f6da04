/**
 * @module cli/connector-file — a connector's description out of a file or stdin: JSON as the REST API takes it (`{name, config}`), or the
 * configuration alone, flat, as JSON, properties or YAML.
 */
import { ConfigError, parseConfigFile } from '../config/index.ts'
import { type JsonText, parseJsonText } from '../rest/index.ts'
import { CommandError, type CommandIo } from './command.ts'
import { readNamedFile } from './command-config.ts'

/** Stdin over this size is no description of a connector. */
const STDIN_BYTES_MAX = 4 * 1024 * 1024

/** What a description says. */
export interface ConnectorDescription {
  readonly name: string | undefined
  readonly config: Readonly<Record<string, string>>
  /** As written. */
  readonly initialState: string | undefined
}

/** Reads the file, or stdin for `-`. @throws CommandError when it can't be read or understood */
export async function readConnector(path: string, io: CommandIo): Promise<ConnectorDescription> {
  const text = path === '-' ? await readStdin(io) : await readNamedFile(path)
  const source = path === '-' ? 'stdin' : path
  try {
    return await parseConnector(path === '-' ? `stdin${endingOf(text)}` : path, text)
  } catch (cause) {
    if (cause instanceof ConfigError) throw new CommandError(cause.message, 1, { cause })
    throw new CommandError(`${source}: ${(cause as Error).message}`, 1, { cause })
  }
}

async function readStdin(io: CommandIo): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of io.stdin) {
    sizeBytes += chunk.length
    if (sizeBytes > STDIN_BYTES_MAX) throw new CommandError(`stdin is larger than ${STDIN_BYTES_MAX} bytes; that is no connector`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Stdin has no name; its first line that is no comment tells the form. */
function endingOf(text: string): string {
  const [first = ''] = text.split('\n').filter((line) => !/^\s*(#.*)?$/.test(line))
  if (first.trimStart().startsWith('{')) return '.json'
  return /^[^:]*=/.test(first) ? '.properties' : '.yaml'
}

/** By the ending of the path. @throws Error that says what is wrong */
async function parseConnector(path: string, text: string): Promise<ConnectorDescription> {
  const isJson = /\.json$/i.test(path)
  const pairs = isJson ? jsonPairs(parseJsonText(text)) : await parseConfigFile(path, text)
  if (pairs.size === 0) throw new Error('it holds no configuration')
  const inner = [...pairs].filter(([key]) => key.startsWith('config.')).map(([key, value]) => [key.slice('config.'.length), value] as const)
  // The form of the API: nothing but a name, a state and a configuration.
  const isEnvelope = inner.length > 0 && [...pairs.keys()].every((key) => /^(name|initial_state|config\..*)$/.test(key))
  const config = Object.fromEntries(isEnvelope ? inner : pairs)
  return {
    name: (isEnvelope ? pairs.get('name') : undefined) ?? config['name'],
    config,
    initialState: isEnvelope ? pairs.get('initial_state') : undefined,
  }
}

/** A document's entries, those of `config` under `config.…`; null values count as not given. */
function jsonPairs(document: JsonText): Map<string, string> {
  const pairs = new Map<string, string>()
  const collect = (entries: object, prefix: string): void => {
    for (const [key, value] of Object.entries(entries) as [string, JsonText][]) {
      if (typeof value === 'string') pairs.set(`${prefix}${key}`, value)
      else if (prefix === '' && key === 'config' && isObject(value)) collect(value, 'config.')
      else if (value !== null) throw new Error(`the value of "${key}" is a list or an object; it must be a text, a number or a boolean`)
    }
  }
  if (!isObject(document)) throw new Error('it must hold a JSON object')
  collect(document, '')
  return pairs
}

function isObject(value: JsonText): value is { readonly [name: string]: JsonText } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
