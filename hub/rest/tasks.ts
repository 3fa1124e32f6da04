/** @module rest/tasks — `/connectors/{c}/tasks`: the tasks of a connector; and the two requests that workers make of each other. */
import type { Context, Hono } from 'hono'
import type { TaskId } from '../connect/index.ts'
import { known, nameOf } from './connector.ts'
import type { RestContext } from './context.ts'
import { httpFailure, RestFailure } from './failure.ts'
import { resource } from './resource.ts'

/** Java's int, which upstream's path takes. */
const TASK_MAX = 2 ** 31 - 1
/** The headers of a request that one worker signs for another (KIP-507). */
const SIGNATURE_HEADERS = ['x-connect-authorization', 'x-connect-request-signature-algorithm'] as const

/** Serves `/connectors/{c}/tasks` and what is below it, and `/connectors/{c}/fence`. */
export function tasksResource(app: Hono, context: RestContext): void {
  resource(app, '/connectors/:name/tasks', {
    GET: async (c) => c.json(await known(context, c, (connect, name) => connect.tasks(name))),
    POST: refuseInternal,
  })
  resource(app, '/connectors/:name/fence', { PUT: refuseInternal })
  resource(app, '/connectors/:name/tasks/:task/status', {
    GET: async (c) => {
      const id = taskIdOf(c)
      const status = (await context.connect()).taskStatus(id)
      if (status === undefined) throw new RestFailure(404, `No status found for task ${id.connector}-${id.task}`)
      return c.json(status)
    },
  })
  resource(app, '/connectors/:name/tasks/:task/restart', {
    POST: async (c) => {
      const id = taskIdOf(c)
      await context.ask(`restarting task ${id.connector}-${id.task}`, (connect) => connect.restartTask(id))
      return c.body(null, 204)
    },
  })
}

/** @throws RestFailure 404 for what is no number: no such path, to upstream */
function taskIdOf(c: Context): TaskId {
  const text = c.req.param('task') ?? ''
  const task = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(Math.abs(task) <= TASK_MAX)) throw httpFailure(404)
  return { connector: nameOf(c), task }
}

/** This worker is alone: it has no key that another could have signed with. */
function refuseInternal(c: Context): never {
  const isSigned = SIGNATURE_HEADERS.every((name) => c.req.header(name) !== undefined)
  if (!isSigned) throw new RestFailure(400, 'Internal request missing required signature')
  throw new RestFailure(403, 'This worker is alone and takes no internal requests.')
}
