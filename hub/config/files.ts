/** @module config/files — configuration files: .properties, .yaml and .json, each to flat dotted keys with text values. */
import { ConfigError } from './error.ts'
import { parseProperties } from './properties.ts'

/** Nested values deeper than this are refused. */
const DEPTH_MAX = 20

/**
 * Reads a file's text by the ending of its name (anything but .yaml, .yml and .json is .properties).
 * @throws ConfigError when the text is not of that form
 */
export async function parseConfigFile(path: string, text: string): Promise<Map<string, string>> {
  try {
    if (/\.ya?ml$/i.test(path)) {
      // Loaded when needed: most starts read a .properties file or none.
      const { parse } = await import('yaml')
      return flattened(parse(text, { intAsBigInt: true }))
    }
    if (/\.json$/i.test(path)) return flattened(JSON.parse(text))
    return parseProperties(text)
  } catch (error) {
    const [cause = ''] = (error as Error).message.split('\n')
    throw new ConfigError({ source: path, cause, remedy: 'correct the file' })
  }
}

/**
 * Flat keys of a document: nested names are joined by dots, lists become comma text, null is the empty text, other values
 * their text. Flat and nested names may stand side by side.
 */
function flattened(document: unknown): Map<string, string> {
  const pairs = new Map<string, string>()
  if (document === null || document === undefined) return pairs
  if (typeof document !== 'object' || Array.isArray(document)) throw new Error('a configuration must be a list of keys with their values')
  collect(document, '', 0, pairs)
  return pairs
}

function collect(node: object, prefix: string, depth: number, pairs: Map<string, string>): void {
  if (depth > DEPTH_MAX) throw new Error(`${prefix} is nested deeper than ${DEPTH_MAX} levels`)
  for (const [name, value] of Object.entries(node)) {
    const key = `${prefix}${name}`
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      collect(value, `${key}.`, depth + 1, pairs)
    } else if (pairs.has(key)) {
      throw new Error(`${key} stands twice, once as one name and once nested`)
    } else {
      pairs.set(key, Array.isArray(value) ? value.map((element) => scalar(key, element)).join(',') : scalar(key, value))
    }
  }
}

function scalar(key: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  throw new Error(`${key} holds a list of something other than texts and numbers`)
}
