/**
 * @module rest/body — what requests carry: JSON, read into texts. Malformed JSON and wrong shapes are 400 with what is wrong; upstream answers
 * 500 with its mapper's own words (docs/rest.md).
 */
import type { Context } from 'hono'
import type { ConfigText, NewConnector, TargetState } from '../connect/index.ts'
import { httpFailure, RestFailure } from './failure.ts'
import { type JsonText, parseJsonText } from './json.ts'

/** KIP-980's words for target states. */
const INITIAL_STATES: Readonly<Record<string, TargetState>> = { RUNNING: 'STARTED', PAUSED: 'PAUSED', STOPPED: 'STOPPED' }
const CREATE_FIELDS: ReadonlySet<string> = new Set(['name', 'config', 'initial_state'])

/** The body's document. @throws RestFailure 415 for what is not sent as JSON, 400 for what is none */
async function documentOf(c: Context): Promise<JsonText> {
  const mediaType = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (mediaType !== 'application/json') throw httpFailure(415)
  const text = await c.req.text()
  if (text.trim() === '') throw new RestFailure(400, 'The request has no body; send a JSON object.')
  try {
    return parseJsonText(text)
  } catch (cause) {
    throw new RestFailure(400, `The request's body is not JSON: ${(cause as Error).message}.`, { cause })
  }
}

/** A configuration, null values included. @throws RestFailure */
export async function patchOf(c: Context): Promise<Readonly<Record<string, string | null>>> {
  return textMap(await documentOf(c), 'The configuration')
}

/** A configuration; a key whose value is null counts as not given. @throws RestFailure */
export async function configOf(c: Context): Promise<ConfigText> {
  return withoutNulls(await patchOf(c))
}

/** The body of `POST /connectors`. @throws RestFailure */
export async function newConnectorOf(c: Context): Promise<NewConnector> {
  return newConnectorFrom(await documentOf(c))
}

/** What a document asks for. @throws RestFailure 400 that says which field is wrong */
function newConnectorFrom(document: JsonText): NewConnector {
  if (!isObject(document)) throw new RestFailure(400, 'The body must be a JSON object with the fields "name" and "config".')
  for (const field of Object.keys(document)) {
    if (!CREATE_FIELDS.has(field))
      throw new RestFailure(400, `Unrecognized field "${field}"; known are "name", "config" and "initial_state".`)
  }
  const { name = null, config = null, initial_state: state = null } = document
  if (name !== null && typeof name !== 'string') throw new RestFailure(400, 'The field "name" must be a text.')
  if (config === null) throw new RestFailure(400, 'The field "config" is missing; it holds the connector\'s configuration.')
  const request = { name, config: withoutNulls(textMap(config, 'The field "config"')) }
  return state === null ? request : { ...request, initialState: initialState(state) }
}

function initialState(text: JsonText): TargetState {
  const known = typeof text === 'string' ? INITIAL_STATES[text.toUpperCase()] : undefined
  if (known === undefined) throw new RestFailure(400, 'The field "initial_state" must be one of RUNNING, PAUSED and STOPPED.')
  return known
}

function isObject(document: JsonText): document is { readonly [name: string]: JsonText } {
  return typeof document === 'object' && document !== null && !Array.isArray(document)
}

function textMap(document: JsonText, what: string): Readonly<Record<string, string | null>> {
  if (!isObject(document)) throw new RestFailure(400, `${what} must be a JSON object of keys and their values.`)
  for (const [key, value] of Object.entries(document)) {
    if (value !== null && typeof value !== 'string') {
      const kind = Array.isArray(value) ? 'a list' : 'an object'
      throw new RestFailure(400, `${what} has ${kind} as value of "${key}"; a value must be a text, a number or a boolean.`)
    }
  }
  return document as Readonly<Record<string, string | null>>
}

function withoutNulls(values: Readonly<Record<string, string | null>>): ConfigText {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null))
}
