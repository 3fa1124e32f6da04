/**
 * @module connect/requests — what a request must be before it is taken, and the words in which it is refused. Clients match the words
 * (connect-rest.md, golden rest/*.json). Pure.
 */
import { type ConfigText, ConnectRequestError } from './types.ts'

/** Java's String.trim: everything up to U+0020 at both ends. */
function javaTrim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) <= 0x20) start++
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--
  return text.slice(start, end)
}

/** The name of a connector that is to be created, and its configuration with the name in it. */
export function named(requested: string | null, config: ConfigText): { readonly name: string; readonly config: ConfigText } {
  const given = javaTrim(requested ?? '')
  const name = given === '' ? (config['name'] ?? '') : given
  demandReachable(name)
  return withName(name, config)
}

/**
 * Upstream takes such a name and can never find it again: HTTP reads `.` and `..` in an address as steps, and what is half a character is
 * another one once it is stored.
 * @throws ConnectRequestError 400
 */
function demandReachable(name: string): void {
  if (name === '.' || name === '..') throw new ConnectRequestError(400, `A connector cannot be named ${name}: no address could name it`)
  if (!name.isWellFormed()) throw new ConnectRequestError(400, 'The name holds half of a surrogate pair, which cannot be stored')
}

/** @throws ConnectRequestError 400 when the configuration says another name */
export function withName(name: string, config: ConfigText): { readonly name: string; readonly config: ConfigText } {
  const included = config['name']
  if (included === undefined) return { name, config: { ...config, name } }
  if (included === name) return { name, config }
  throw new ConnectRequestError(400, `Connector name configuration (${included}) doesn't match connector name in the URL (${name})`)
}

/** A configuration with some keys changed; null takes a key out (KIP-477). */
export function patched(config: ConfigText, patch: Readonly<Record<string, string | null>>): ConfigText {
  const changed: Record<string, string> = { ...config }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete changed[key]
    else changed[key] = value
  }
  return changed
}

/** Refusals, by upstream's words. */
export const refusals = {
  exists: (name: string) => new ConnectRequestError(409, `Connector ${name} already exists`),
  notFound: (name: string) => new ConnectRequestError(404, `Connector ${name} not found`),
  unknown: (name: string) => new ConnectRequestError(404, `Unknown connector ${name}`),
  unknownToRestart: (name: string) => new ConnectRequestError(404, `Unknown connector: ${name}`),
  unknownTask: (name: string, task: number) => new ConnectRequestError(404, `Unknown task: ${name}-${task}`),
  trackingOff: () => new ConnectRequestError(403, 'Topic tracking is disabled.'),
  resetOff: () => new ConnectRequestError(403, 'Topic tracking reset is disabled.'),
  starting: (cause: string) => new ConnectRequestError(503, `Request cannot be completed because the worker is still starting: ${cause}`),
  late: (cause: string, error: unknown) => new ConnectRequestError(500, `Request timed out. ${cause}`, { cause: error }),
  closed: () => new ConnectRequestError(500, 'The worker is shutting down'),
} as const
