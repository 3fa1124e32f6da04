/** @module rest/connector — `/connectors/{c}`: one connector, its configuration, state and life. */
import type { Context, Hono } from 'hono'
import type { Connect } from '../connect/index.ts'
import { configOf, patchOf } from './body.ts'
import { created } from './connectors.ts'
import type { RestContext } from './context.ts'
import { RestFailure } from './failure.ts'
import { resource } from './resource.ts'

/** Serves `/connectors/{c}` and what is below it, but for tasks, topics and offsets. */
export function connectorResource(app: Hono, context: RestContext): void {
  resource(app, '/connectors/:name', {
    GET: async (c) => c.json(await known(context, c, (connect, name) => connect.connector(name))),
    DELETE: (c) => done(context, c, 204, 'deleting', (connect, name) => connect.delete(name)),
  })
  configResource(app, context)
  resource(app, '/connectors/:name/status', {
    GET: async (c) => {
      const name = nameOf(c)
      const status = (await context.connect()).status(name)
      if (status === undefined) throw new RestFailure(404, `No status found for connector ${name}`)
      return c.json(status)
    },
  })
  resource(app, '/connectors/:name/pause', {
    PUT: (c) => done(context, c, 202, 'pausing', (connect, name) => connect.pause(name)),
  })
  resource(app, '/connectors/:name/resume', {
    PUT: (c) => done(context, c, 202, 'resuming', (connect, name) => connect.resume(name)),
  })
  resource(app, '/connectors/:name/stop', {
    PUT: (c) => done(context, c, 204, 'stopping', (connect, name) => connect.stop(name)),
  })
  resource(app, '/connectors/:name/restart', { POST: (c) => restart(context, c) })
}

function configResource(app: Hono, context: RestContext): void {
  resource(app, '/connectors/:name/config', {
    GET: async (c) => c.json((await known(context, c, (connect, name) => connect.connector(name))).config),
    PUT: async (c) => {
      const name = nameOf(c)
      const config = await configOf(c)
      const { isNew, info } = await context.ask(`writing a config for connector ${name}`, (connect) => connect.putConfig(name, config))
      return isNew ? created(c, info) : c.json(info)
    },
    PATCH: async (c) => {
      const name = nameOf(c)
      const patch = await patchOf(c)
      return c.json(await context.ask(`writing a config for connector ${name}`, (connect) => connect.patchConfig(name, patch)))
    },
  })
}

/** The connector's name; hono has decoded it. */
export function nameOf(c: Context): string {
  return c.req.param('name') ?? ''
}

/** What the worker knows about the connector of the path. @throws RestFailure 404 */
export async function known<T>(context: RestContext, c: Context, ask: (connect: Connect, name: string) => T | undefined): Promise<T> {
  const name = nameOf(c)
  const answer = ask(await context.connect(), name)
  if (answer === undefined) throw new RestFailure(404, `Connector ${name} not found`)
  return answer
}

/** Does something to the connector of the path and answers without a body. */
async function done(
  context: RestContext,
  c: Context,
  status: 202 | 204,
  verb: string,
  act: (connect: Connect, name: string) => Promise<void>,
): Promise<Response> {
  const name = nameOf(c)
  await context.ask(`${verb} connector ${name}`, (connect) => act(connect, name))
  return c.body(null, status)
}

/** KIP-745: with neither flag the connector alone, without an answer's body. */
async function restart(context: RestContext, c: Context): Promise<Response> {
  const name = nameOf(c)
  const what = { includeTasks: flagOf(c, 'includeTasks'), onlyFailed: flagOf(c, 'onlyFailed') }
  const stage = `restarting connector ${name}`
  if (what.includeTasks || what.onlyFailed) return c.json(await context.ask(stage, (connect) => connect.restart(name, what)), 202)
  await context.ask(stage, (connect) => connect.restartConnector(name))
  return c.body(null, 204)
}

/** A flag of the query: anything but `true` is false, as Java reads it. */
function flagOf(c: Context, name: string): boolean {
  return c.req.query(name)?.toLowerCase() === 'true'
}
