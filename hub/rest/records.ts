/** @module rest/records — what a connector has done: `/connectors/{c}/topics` (KIP-558) and `/connectors/{c}/offsets` (KIP-875). */
import type { Hono } from 'hono'
import { nameOf } from './connector.ts'
import type { RestContext } from './context.ts'
import { jsonTextOf } from './json.ts'
import { resource } from './resource.ts'

/** Serves `/connectors/{c}/topics` and `/connectors/{c}/offsets`. */
export function recordsResource(app: Hono, context: RestContext): void {
  resource(app, '/connectors/:name/topics', {
    GET: async (c) => {
      const name = nameOf(c)
      return c.json({ [name]: { topics: (await context.connect()).topics(name) } })
    },
  })
  resource(app, '/connectors/:name/topics/reset', {
    PUT: async (c) => {
      const connect = await context.connect()
      connect.resetTopics(nameOf(c))
      return c.body(null, 202)
    },
  })
  resource(app, '/connectors/:name/offsets', {
    GET: async (c) => {
      const name = nameOf(c)
      const offsets = await context.ask(`reading the offsets of connector ${name}`, (connect) => connect.offsets(name))
      // A position may be an integer that no `number` holds.
      return c.body(jsonTextOf(offsets), 200, { 'content-type': 'application/json' })
    },
  })
}
