/**
 * @module http — /metrics and /health of the process. Part of hub.ts.
 */
import type { HubHealth, HubWorld } from './broker.ts'
import type { HubConfig } from './config/index.ts'
import { type HttpServer, serveFetch } from './io/index.ts'
import { EXPOSITION_CONTENT_TYPE, type Registry } from './observe/index.ts'
import { portError } from './start-error.ts'

/** What is told. */
interface Told {
  readonly registry: Registry
  readonly health: () => HubHealth
}

/** Opens `millrace.http.listeners`; throws a StartError for a port in use. */
export async function openHttp(config: HubConfig, world: HubWorld, opened: AsyncDisposableStack, told: Told): Promise<HttpServer[]> {
  const servers: HttpServer[] = []
  for (const { host, port } of config.httpListeners) {
    try {
      const server = await serveFetch(world, host, port, (request) => answer(request, told))
      opened.defer(() => server.close())
      servers.push(server)
    } catch (error) {
      throw portError({ host, port, key: 'millrace.http.listeners' }, error as NodeJS.ErrnoException)
    }
  }
  return servers
}

/** /metrics for Prometheus; /health, 503 when something is wrong. */
function answer({ method, url }: Request, { registry, health }: Told): Response {
  if (method !== 'GET' && method !== 'HEAD') return new Response('only GET and HEAD\n', { status: 405, headers: { allow: 'GET, HEAD' } })
  const { pathname } = new URL(url)
  if (pathname === '/metrics') return new Response(registry.exposition(), { headers: { 'content-type': EXPOSITION_CONTENT_TYPE } })
  if (pathname !== '/health') return new Response('not found\n', { status: 404 })
  const now = health()
  const headers = { 'content-type': 'application/json' }
  return new Response(`${JSON.stringify(now)}\n`, { status: now.status === 'ok' ? 200 : 503, headers })
}
