/**
 * @module rest/failure — what went wrong, as REST says it: `{"error_code":404,"message":…}` with the status of the same number.
 */
import type { Context } from 'hono'
import type { ConnectRequestError } from '../connect/index.ts'
import type { Logger } from '../observe/index.ts'

/** A request that this layer refuses. */
export class RestFailure extends Error {
  override readonly name = 'RestFailure'
  readonly status: number
  /** Headers that belong to the answer. */
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {}) {
    super(message, options)
    this.status = status
    this.headers = options.headers ?? {}
  }
}

/** The reason phrases of the refusals that upstream's HTTP layer makes without a text of Connect's. */
const REASONS: Readonly<Record<number, string>> = {
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  415: 'Unsupported Media Type',
}

/** `HTTP 404 Not Found`: a refusal by status alone. */
export function httpFailure(status: 404 | 405 | 406 | 415, headers: Readonly<Record<string, string>> = {}): RestFailure {
  return new RestFailure(status, `HTTP ${status} ${REASONS[status]}`, { headers })
}

/** The answer to a request that failed. What nobody foresaw is 500 with its message, and is logged with its stack. */
export function failureResponse(error: Error, c: Context, logger: Logger): Response {
  const status = error instanceof RestFailure || isConnectRequestError(error) ? error.status : undefined
  if (status === undefined) logger.error('a REST request failed', { method: c.req.method, path: c.req.path, error })
  const headers = error instanceof RestFailure ? error.headers : {}
  return Response.json({ error_code: status ?? 500, message: error.message }, { status: status ?? 500, headers })
}

/** By its name: importing the class would load the whole worker into every client command that speaks REST. */
function isConnectRequestError(error: Error): error is ConnectRequestError {
  return error.name === 'ConnectRequestError'
}
