/**
 * @module rest/app — the Connect REST API of a worker as a fetch handler, without a port of its own.
 *
 * ```ts
 * const app = createRestApp(connect, { clock, logger })
 * await app.fetch(new Request('http://127.0.0.1:8083/connectors'))
 * ```
 */
import { Hono } from 'hono'
import type { Connect } from '../connect/index.ts'
import type { Logger } from '../observe/index.ts'
import { connectorResource } from './connector.ts'
import { connectorsResource } from './connectors.ts'
import { createRestContext, REQUEST_MS_MAX, type RestClock } from './context.ts'
import { failureResponse, httpFailure, RestFailure } from './failure.ts'
import { pluginsResource } from './plugins.ts'
import { recordsResource } from './records.ts'
import { rootResource } from './root.ts'
import { refuseOtherSites } from './sites.ts'
import { tasksResource } from './tasks.ts'

export interface RestAppOptions {
  readonly clock: RestClock
  /** Hears of what nobody foresaw; everything else is told to who asked. */
  readonly logger: Logger
  /** How long a request may take; default {@link REQUEST_MS_MAX}. */
  readonly requestMs?: number
  /** Names that a request may ask by, beside addresses and `localhost`: for a listener on loopback. Default: any. */
  readonly hostNames?: readonly string[]
}

/** The API as a handler for any server. */
export interface RestApp {
  readonly fetch: (request: Request) => Promise<Response>
}

/** The API of `connect`; given as a function it may be undefined as long as the worker is not there: then `/health` says `starting`. */
export function createRestApp(connect: Connect | (() => Connect | undefined), options: RestAppOptions): RestApp {
  const { clock, logger, requestMs = REQUEST_MS_MAX } = options
  const context = createRestContext(typeof connect === 'function' ? connect : () => connect, clock, requestMs)
  // Paths are matched as they were sent and their parts decoded once: a name may hold `/` and `%`.
  const app = new Hono({ getPath: ({ url }) => sentPath(url) })
  app.onError((error, c) => failureResponse(error, c, logger))
  app.notFound(() => {
    throw httpFailure(404)
  })
  refuseOtherSites(app, options.hostNames)
  app.use(async (c, next) => {
    if (c.req.path.includes('//')) throw new RestFailure(400, 'The path has an empty part.')
    await next()
  })
  rootResource(app, context)
  connectorsResource(app, context)
  connectorResource(app, context)
  tasksResource(app, context)
  recordsResource(app, context)
  pluginsResource(app, context)
  return { fetch: async (request) => app.fetch(request) }
}

/** The path of an address without its query; one `/` at the end does not count. */
function sentPath(url: string): string {
  const [, path = '/'] = /^[^/]*\/\/[^/?#]*([^?#]*)/.exec(url) ?? []
  if (path === '') return '/'
  return path.length > 1 && path.endsWith('/') && !path.endsWith('//') ? path.slice(0, -1) : path
}
