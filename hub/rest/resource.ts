/**
 * @module rest/resource — a path and its methods, with the manners of upstream's HTTP layer: HEAD where there is GET, OPTIONS that says what is
 * allowed, 405 for other methods, 406 when the asker wants something other than JSON.
 */
import type { Context, Hono } from 'hono'
import { httpFailure } from './failure.ts'

/** Methods that a resource may have; HEAD and OPTIONS follow from them. */
export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'

/** Answers a request; rejects with a RestFailure or a ConnectRequestError for what it cannot do. */
export type Answer = (c: Context) => Response | Promise<Response>

/** Serves `path` (hono's pattern) with these methods. */
export function resource(app: Hono, path: string, methods: Partial<Readonly<Record<Method, Answer>>>): void {
  const own = Object.keys(methods)
  const names = [...(own.includes('GET') ? ['HEAD', 'GET'] : []), 'OPTIONS', ...own.filter((method) => method !== 'GET')]
  const allow = names.toSorted().join(',')
  for (const [method, answer] of Object.entries(methods)) {
    app.on(method, path, (c) => {
      if (!acceptsJson(c.req.header('accept'))) throw httpFailure(406)
      return answer(c)
    })
  }
  app.options(path, (c) => c.body(names.join(', '), 200, { allow, 'content-type': 'text/plain' }))
  // RFC 9110 §15.5.6: a 405 says what is allowed.
  app.all(path, () => {
    throw httpFailure(405, { allow })
  })
}

/** Whether an Accept header lets JSON through. */
function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    return !isRefused && ['application/json', 'application/*', '*/*'].includes(type)
  })
}
