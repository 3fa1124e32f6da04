/** @module cli/connector-session — where the Connect worker is, and what its refusals mean to who typed the command. */
import { createRestClient, jsonTextOf, type RestClient, RestError, RestUnreachableError } from '../rest/index.ts'
import { CommandError, type CommandIo } from './command.ts'
import { printable } from './connector-views.ts'

const DEFAULT_URL = 'http://127.0.0.1:8083'
const URL_VARIABLE = 'MILLRACE_CONNECT_URL'

/** A worker to talk to, and how to print. */
export interface RestSession {
  readonly rest: RestClient
  readonly asJson: boolean
  /** Prints the JSON when that is wanted, else the text, which ends with a line end. */
  readonly print: (json: unknown, text: string) => void
}

/** Connects nothing yet. @throws CommandError with exit code 2 when the address is none */
export function openRest(urlOption: string | undefined, io: CommandIo, asJson: boolean): RestSession {
  const fromEnvironment = io.env[URL_VARIABLE] ?? ''
  const url =
    urlOption === undefined && fromEnvironment !== ''
      ? addressOf(URL_VARIABLE, fromEnvironment)
      : addressOf('--url', urlOption ?? DEFAULT_URL)
  return {
    rest: explainingClient(createRestClient(url.href), shown(url)),
    asJson,
    print: (json, text) => void io.stdout.write(asJson ? `${jsonTextOf(json, 2)}\n` : text),
  }
}

function addressOf(origin: string, text: string): URL {
  const address = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`)
  if (address === null || !/^https?:$/.test(address.protocol)) {
    throw new CommandError(`${origin}: ${JSON.stringify(text)} is no address; name it as in ${DEFAULT_URL}`, 2)
  }
  return address
}

/** The address without a user and password. */
function shown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`
}

/** The client, whose failures to reach the worker name it and say what to do. */
function explainingClient(client: RestClient, address: string): RestClient {
  const explain = (error: unknown): never => {
    if (!(error instanceof RestUnreachableError)) throw error
    const remedy = 'is the hub running? millrace start starts one, --url names another address'
    throw new CommandError(`no Connect worker at ${address}: ${error.message}; ${remedy}`, 1, { cause: error })
  }
  const explaining = Object.entries(client).map(([name, call]) => [
    name,
    (...args: unknown[]) => (call as (...args: unknown[]) => Promise<unknown>)(...args).catch(explain),
  ])
  return Object.fromEntries(explaining) as unknown as RestClient
}

/** Frame of upstream's text about a wrong configuration; the lines between are what is wrong. */
const INVALID_HEAD = /^Connector configuration is invalid and contains the following \d+ error\(s\):\n/
const INVALID_TAIL = /\nYou can also find the above list of errors at the endpoint .*$/s

/** What to print: one line with cause and remedy, one line each where a configuration has several mistakes. */
export function wordRestFailure(error: Error): string {
  if (!(error instanceof RestError)) return error.message
  const { message, status } = error
  if (INVALID_HEAD.test(message)) {
    // Upstream repeats a mistake for each key that it concerns.
    const mistakes = [...new Set(message.replace(INVALID_HEAD, '').replace(INVALID_TAIL, '').split('\n').map(printable))]
    if (mistakes.length === 1) return `the configuration is invalid: ${mistakes[0]}`
    return ['the configuration is invalid:', ...mistakes.map((mistake) => `  ${mistake}`)].join('\n')
  }
  const text = printable(message)
  if (status === 404) return `${text}; millrace connector list shows what there is`
  if (status === 409 && text.endsWith('already exists')) return `${text}; --update replaces its configuration`
  return status >= 500 ? `the Connect worker failed: ${text}` : text
}
