/** @module rest/connectors — `/connectors`: which there are, and a new one. */
import type { Context, Hono } from 'hono'
import type { Connect, ConnectorInfo } from '../connect/index.ts'
import { newConnectorOf } from './body.ts'
import type { RestContext } from './context.ts'
import { resource } from './resource.ts'

/** Serves `/connectors`. */
export function connectorsResource(app: Hono, context: RestContext): void {
  resource(app, '/connectors', {
    GET: async (c) => {
      const connect = await context.connect()
      const names = connect.connectorNames()
      const expand = c.req.queries('expand')
      return c.json(expand === undefined ? names : expanded(connect, names, new Set(expand)))
    },
    POST: async (c) => {
      const request = await newConnectorOf(c)
      const info = await context.ask(`creating connector ${request.name ?? ''}`, (connect) => connect.create(request))
      return created(c, info)
    },
  })
}

/** `?expand=status&expand=info`; other words are passed over, as upstream does. */
function expanded(connect: Connect, names: readonly string[], wanted: ReadonlySet<string>): Record<string, object> {
  return Object.fromEntries(
    names.map((name) => {
      const status = wanted.has('status') ? connect.status(name) : undefined
      const info = wanted.has('info') ? connect.connector(name) : undefined
      return [name, { ...(status === undefined ? {} : { status }), ...(info === undefined ? {} : { info }) }]
    }),
  )
}

/** 201 with where the connector is, absolute as upstream's HTTP layer makes it. */
export function created(c: Context, info: ConnectorInfo): Response {
  return c.json(info, 201, { location: `${new URL(c.req.url).origin}/connectors/${pathSegment(info.name)}` })
}

/** A name as upstream writes it into a path, `/` and `%` escaped as well, so that the address is one. */
function pathSegment(name: string): string {
  return encodeURI(name.toWellFormed()).replace(/[/?#]/g, encodeURIComponent)
}
