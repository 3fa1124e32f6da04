/**
 * @module http — /metrics and /health of the process. Part of hub.ts.
 */
import type { HubWorld } from './broker.ts'
import type { HubHealth } from './health.ts'
import type { HubConfig } from './config/index.ts'
import { type Clock, type HttpServer, processMetrics, serveFetch } from './io/index.ts'
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
      const server = await serveFetch(world, host, port, (request) => answer(request, { ...told, clock: world.clock }))
      opened.defer(() => server.close())
      servers.push(server)
    } catch (error) {
      throw portError({ host, port, key: 'millrace.http.listeners' }, error as NodeJS.ErrnoException)
    }
  }
  return servers
}

/** /metrics for Prometheus; /health, 503 when something is wrong (readiness); /health/live, 200 as long as the process answers (liveness). */
async function answer({ method, url }: Request, { registry, health, clock }: Told & { readonly clock: Clock }): Promise<Response> {
  if (method !== 'GET' && method !== 'HEAD') return new Response('only GET and HEAD\n', { status: 405, headers: { allow: 'GET, HEAD' } })
  const { pathname } = new URL(url)
  if (pathname === '/metrics') {
    const text = await registry.exposition(() => new Promise((resolve) => clock.soon(resolve)))
    return new Response(text + (await processMetrics()), { headers: { 'content-type': EXPOSITION_CONTENT_TYPE } })
  }
  if (pathname === '/health/live') return new Response('alive\n')
  if (pathname !== '/health') return new Response('not found\n', { status: 404 })
  const now = health()
  const headers = { 'content-type': 'application/json' }
  return new Response(`${JSON.stringify(now)}\n`, { status: now.status === 'ok' ? 200 : 503, headers })
}
