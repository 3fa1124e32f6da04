/** @module api/group-caller — who asks the group coordinator. */
import type { Caller } from '../group/index.ts'
import type { RequestContext } from './handler.ts'

/** The coordinator's view of a request's circumstances. */
export function callerOf(context: RequestContext): Caller {
  return {
    clientId: context.clientId,
    clientHost: context.connection.clientHost,
    signal: context.connection.signal,
    apiVersion: context.apiVersion,
  }
}
