/**
 * @module api/dispatch — from a frame to the answer's chunks.
 *
 * Two steps, so that the connection decides when a request begins: `prepare` reads the header and finds the handler, `run` decodes the
 * body and serves it. What Kafka answers by closing the connection (an API or version it does not serve, a body it cannot read) comes
 * back as a {@link Refusal}.
 */
import type { Logger } from '../observe/index.ts'
import { type Api, ApiVersions, DecodeError, decodeRequestHeader, encodeResponse, ErrorCode, type RequestFrame } from '../wire/index.ts'
import { type AdvertisedRange, apiVersionsHandler } from './18-api-versions.ts'
import {
  type Broker,
  CLOSE_CONNECTION,
  type ConnectionFacts,
  type Handle,
  type HandlerDefinition,
  NO_ANSWER,
  type RequestContext,
} from './handler.ts'
import { definitions } from './table.ts'

/** Close the connection; `reason` is for the log, null where a closed connection is itself the answer (acks=0). */
export interface Refusal {
  readonly reason: string | null
}

/** An answer's bytes, none for a request that wants no answer. */
export interface Answered {
  readonly chunks: readonly Buffer[]
  /** To be called once: when the chunks are with the operating system, or (false) when they never will be. */
  readonly afterSent?: ((isSent: boolean) => void) | undefined
}

export type Served = Answered | Refusal

/** A request whose handler is known and which has not begun. */
export interface Prepared {
  /** As protocol tables name it: `Produce`. */
  readonly apiName: string
  /** See {@link HandlerDefinition.overlaps}. */
  readonly overlaps: boolean
  /** Set while the request may not begin since the log directory is behind its disk; resolves when it may. */
  heldUp(): Promise<void> | undefined
  /** Serves it; at once where the handler need not wait. Never rejects, never throws. */
  run(): Served | Promise<Served>
}

export interface Dispatcher {
  prepare(frame: Buffer, connection: ConnectionFacts): Prepared | Refusal
}

interface Route {
  readonly api: Api
  readonly overlaps: boolean
  readonly heldByBacklog: boolean
  readonly handle: Handle<Api>
}

const NO_ANSWER_BYTES: Answered = { chunks: [] }
const CLOSE_QUIETLY: Refusal = { reason: null }

/** Ranges that this broker advertises: those of Apache Kafka 4.3.1 for every API that has a handler. */
export function advertisedRanges(): AdvertisedRange[] {
  const apis: Api[] = [...definitions.map((definition) => definition.api), ApiVersions as Api]
  const ranges = apis.map((api) => ({ apiKey: api.key, minVersion: api.advertised.min, maxVersion: api.advertised.max }))
  return ranges.sort((one, other) => one.apiKey - other.apiKey)
}

/** Makes the routes over one broker. */
export function createDispatcher(broker: Broker): Dispatcher {
  const routes = new Map<number, Route>()
  for (const definition of [...definitions, apiVersionsHandler(advertisedRanges()) as HandlerDefinition]) {
    const { api, overlaps, heldByBacklog = false } = definition
    routes.set(api.key, { api, overlaps, heldByBacklog, handle: definition.create(broker) })
  }
  return {
    prepare(frame, connection) {
      let header: RequestFrame
      try {
        header = decodeRequestHeader(frame)
      } catch (error) {
        return { reason: `a request header that cannot be read: ${(error as Error).message}` }
      }
      const route = routes.get(header.apiKey)
      if (route === undefined) return { reason: `API key ${header.apiKey}, which this broker does not serve` }
      if (!isServed(route.api, header.apiVersion)) return unsupportedVersion(route.api, header)
      return {
        apiName: route.api.name,
        overlaps: route.overlaps,
        heldUp: () => (route.heldByBacklog && broker.directory.backlogged ? broker.directory.whenDrained() : undefined),
        run: () => serve(route, header, connection, broker),
      }
    },
  }
}

function isServed(api: Api, version: number): boolean {
  return version >= Math.max(api.versions.min, api.advertised.min) && version <= Math.min(api.versions.max, api.advertised.max)
}

/** Only ApiVersions answers a version it does not know: in version 0, with its own range (KIP-511). */
function unsupportedVersion(api: Api, header: RequestFrame): Prepared | Refusal {
  if (api.key !== ApiVersions.key) return { reason: `version ${header.apiVersion} of ${api.name}, which this broker does not serve` }
  const { min, max } = ApiVersions.advertised
  const apiKeys = [{ apiKey: ApiVersions.key, minVersion: min, maxVersion: max }]
  const answer = { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys, throttleTimeMs: 0 }
  const run = (): Served => ({ chunks: encodeResponse(ApiVersions, 0, header.correlationId, answer) })
  return { apiName: api.name, overlaps: false, heldUp: () => undefined, run }
}

function serve(route: Route, header: RequestFrame, connection: ConnectionFacts, broker: Broker): Served | Promise<Served> {
  const { api } = route
  let afterSent: ((isSent: boolean) => void) | undefined
  const finish = (answer: unknown): Served => {
    if (answer === NO_ANSWER) return NO_ANSWER_BYTES
    if (answer === CLOSE_CONNECTION) return CLOSE_QUIETLY
    try {
      return { chunks: encodeResponse(api, header.apiVersion, header.correlationId, answer), afterSent }
    } catch (error) {
      afterSent?.(false)
      return broken(broker.logger, api, header, error)
    }
  }
  let request: unknown
  try {
    request = api.request.decode(header.reader, header.apiVersion)
  } catch (error) {
    if (error instanceof DecodeError) return { reason: `a ${api.name} request that cannot be read: ${error.message}` }
    return broken(broker.logger, api, header, error)
  }
  try {
    const context: RequestContext = {
      apiVersion: header.apiVersion,
      clientId: header.clientId ?? '',
      connection,
      afterSent: (callback) => {
        afterSent = callback
      },
    }
    const answer = route.handle(request, context)
    if (!(answer instanceof Promise)) return finish(answer)
    return answer.then(finish, (error: unknown) => {
      afterSent?.(false)
      return broken(broker.logger, api, header, error)
    })
  } catch (error) {
    afterSent?.(false)
    return broken(broker.logger, api, header, error)
  }
}

/** A handler that throws is broken: its client loses the connection, nobody else notices. */
function broken(logger: Logger, api: Api, header: RequestFrame, error: unknown): Refusal {
  logger.error(`the handler of ${api.name} v${header.apiVersion} failed`, { error })
  return { reason: `a failure while serving ${api.name}` }
}
