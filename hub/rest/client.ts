/**
 * @module rest/client — the REST API of any Connect worker, typed: what the `connector` and `plugin` commands speak.
 *
 * ```ts
 * const rest = createRestClient('http://127.0.0.1:8083')
 * await rest.create({ name: 'lines', config })
 * ```
 */
import type { ConfigText, ConnectorInfo, ConnectorOffsets, ConnectorStateInfo, PluginInfo } from '../connect/index.ts'
import { jsonTextOf, parseJsonExact } from './json.ts'

/** A worker that answers slower than this is given up; its own bound is {@link REQUEST_MS_MAX}. */
const ANSWER_MS_MAX = 100_000

/** The worker refused: its status and its own words. */
export class RestError extends Error {
  override readonly name = 'RestError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** No answer came, or one that is none of Connect's; the message says why. */
export class RestUnreachableError extends Error {
  override readonly name = 'RestUnreachableError'
}

/** What `GET /connectors?expand=info&expand=status` says of one connector; a part may be missing while it comes or goes. */
export interface ListedConnector {
  readonly info?: ConnectorInfo
  readonly status?: ConnectorStateInfo
}

/** A connector as the API takes it. */
export interface CreateRequest {
  readonly name: string
  readonly config: ConfigText
  readonly initial_state?: 'RUNNING' | 'PAUSED' | 'STOPPED'
}

/** Every call rejects with a {@link RestError}, a {@link RestUnreachableError}, or the signal's reason. */
export interface RestClient {
  connectors(signal?: AbortSignal): Promise<Readonly<Record<string, ListedConnector>>>
  create(request: CreateRequest, signal?: AbortSignal): Promise<ConnectorInfo>
  /** Creates or replaces. */
  putConfig(name: string, config: ConfigText, signal?: AbortSignal): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }>
  /** undefined: there is no such connector, or it has no state yet. */
  status(name: string, signal?: AbortSignal): Promise<ConnectorStateInfo | undefined>
  pause(name: string, signal?: AbortSignal): Promise<void>
  resume(name: string, signal?: AbortSignal): Promise<void>
  stop(name: string, signal?: AbortSignal): Promise<void>
  /** The states that the restart leads to; undefined when only the connector itself is restarted. */
  restart(
    name: string,
    what: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
    signal?: AbortSignal,
  ): Promise<ConnectorStateInfo | undefined>
  delete(name: string, signal?: AbortSignal): Promise<void>
  offsets(name: string, signal?: AbortSignal): Promise<ConnectorOffsets>
  plugins(connectorsOnly: boolean, signal?: AbortSignal): Promise<readonly PluginInfo[]>
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A client of the worker at `baseUrl`; a user and password in it are sent as Basic authorization. */
export function createRestClient(baseUrl: string, fetch: typeof globalThis.fetch = globalThis.fetch): RestClient {
  const call = callerOf(baseUrl, fetch)
  const path = (name: string, rest = ''): string => `/connectors/${encodeURIComponent(name.toWellFormed())}${rest}`
  const bodyOf = async <T>(answer: Promise<Answer>): Promise<T> => (await answer).body as T
  const put = async (name: string, verb: string, signal?: AbortSignal): Promise<void> =>
    void (await call('PUT', path(name, verb), undefined, signal))
  return {
    connectors: (signal) => bodyOf(call('GET', '/connectors?expand=info&expand=status', undefined, signal)),
    create: (request, signal) => bodyOf(call('POST', '/connectors', request, signal)),
    putConfig: async (name, config, signal) => {
      const { status, body } = await call('PUT', path(name, '/config'), config, signal)
      return { isNew: status === 201, info: body as ConnectorInfo }
    },
    status: (name, signal) =>
      bodyOf<ConnectorStateInfo>(call('GET', path(name, '/status'), undefined, signal)).catch((error: unknown) => {
        if (error instanceof RestError && error.status === 404) return undefined
        throw error
      }),
    pause: (name, signal) => put(name, '/pause', signal),
    resume: (name, signal) => put(name, '/resume', signal),
    stop: (name, signal) => put(name, '/stop', signal),
    restart: async (name, { includeTasks, onlyFailed }, signal) => {
      const query = `?includeTasks=${includeTasks}&onlyFailed=${onlyFailed}`
      const { status, body } = await call('POST', path(name, `/restart${query}`), undefined, signal)
      return status === 202 ? (body as ConnectorStateInfo) : undefined
    },
    delete: async (name, signal) => void (await call('DELETE', path(name), undefined, signal)),
    offsets: (name, signal) => bodyOf(call('GET', path(name, '/offsets'), undefined, signal)),
    plugins: (connectorsOnly, signal) => bodyOf(call('GET', `/connector-plugins?connectorsOnly=${connectorsOnly}`, undefined, signal)),
  }
}

type Caller = (method: string, path: string, body: unknown, signal: AbortSignal | undefined) => Promise<Answer>

function callerOf(baseUrl: string, fetch: typeof globalThis.fetch): Caller {
  const base = new URL(baseUrl)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (base.username !== '')
    headers['authorization'] = `Basic ${btoa(`${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`)}`
  const root = `${base.origin}${base.pathname.replace(/\/+$/, '')}`
  return async (method, path, body, signal) => {
    const bound = AbortSignal.timeout(ANSWER_MS_MAX)
    const request: RequestInit = { method, headers, signal: signal === undefined ? bound : AbortSignal.any([signal, bound]) }
    if (body !== undefined) Object.assign(request, { headers: { ...headers, 'content-type': 'application/json' }, body: jsonTextOf(body) })
    let response: Response
    let text: string
    try {
      response = await fetch(`${root}${path}`, request)
      text = await response.text()
    } catch (error) {
      signal?.throwIfAborted()
      throw new RestUnreachableError(bound.aborted ? `no answer within ${ANSWER_MS_MAX / 1000} s` : networkReason(error), { cause: error })
    }
    return answerOf(response, text)
  }
}

/** The document of a good answer. @throws RestError, RestUnreachableError */
function answerOf(response: Response, text: string): Answer {
  const { status, ok } = response
  let body: unknown
  try {
    body = text === '' ? undefined : parseJsonExact(text)
  } catch (cause) {
    throw new RestUnreachableError(`it answers ${status} with something other than JSON; it is no Connect worker`, { cause })
  }
  if (ok) return { status, body }
  const { message } = (body ?? {}) as { readonly message?: unknown }
  throw new RestError(status, typeof message === 'string' ? message : `HTTP ${status}`)
}

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
}

/** fetch hides the reason in the cause, behind "fetch failed". */
function networkReason(error: unknown): string {
  const cause = (error as Error).cause ?? error
  const { code, message } = cause as NodeJS.ErrnoException
  return NETWORK_REASONS[code ?? ''] ?? (message !== '' ? message : (code ?? 'no connection'))
}
