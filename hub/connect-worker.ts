/**
 * @module connect-worker — the Connect worker that a hub hosts: its REST listeners and what answers on them. Part of hub.ts.
 *
 * Ports are bound before the broker opens its files, the worker begins when the broker serves. It opens its topics in the background: the
 * hub is ready without waiting for it, requests wait instead.
 */
import { hostname } from 'node:os'
import type { HubWorld } from './broker.ts'
import { type ConnectConfig, connectConfigOf, type HubConfig, hubConnectDefaults } from './config/index.ts'
import type { Connect } from './connect/index.ts'
import { type HttpServer, serveFetch } from './io/index.ts'
import { portError, shownHost } from './start-error.ts'

/** A worker whose ports are bound. */
export interface BoundConnect {
  /** Base addresses of the REST API. */
  readonly addresses: readonly string[]
  /** Begins, on the broker at `bootstrap`; closed by what the binding was given. */
  start(broker: { readonly bootstrap: string; readonly clusterId: string }): Promise<Connect>
}

/** Binds the REST listeners; undefined when the hub does not play the role. Throws a StartError for a port in use. */
export async function bindConnect(config: HubConfig, world: HubWorld, opened: AsyncDisposableStack): Promise<BoundConnect | undefined> {
  if (!config.roles.has('connect')) return undefined
  // Loaded here: a hub that is a broker alone needs neither.
  const [{ createConnect }, { createRestApp }] = await Promise.all([import('./connect/index.ts'), import('./rest/index.ts')])
  const configFor = (bootstrap: string): ConnectConfig =>
    connectConfigOf(config.sections.connect, hubConnectDefaults(bootstrap), 'connect.').config
  const { restListeners, advertised } = configFor('127.0.0.1:0')
  let connect: Connect | undefined
  const hostNames = [hostname(), ...(advertised.host === null ? [] : [advertised.host])]
  const { clock, logger } = world
  const servers: HttpServer[] = []
  const closeServers = async (): Promise<void> => {
    await Promise.all(servers.splice(0).map((server) => server.close()))
  }
  opened.defer(closeServers)
  for (const { host, port } of restListeners) {
    const app = createRestApp(() => connect, { clock, logger, ...(isLoopback(host) ? { hostNames } : {}) })
    try {
      servers.push(await serveFetch(world, host, port, app.fetch))
    } catch (error) {
      throw portError({ host, port, key: 'connect.listeners' }, error as NodeJS.ErrnoException)
    }
  }
  const workerId = `${advertised.host ?? hostname()}:${advertised.port ?? servers[0]?.port ?? 0}`
  return {
    addresses: servers.map(({ host, port }) => `http://${shownHost(host)}:${port}`),
    start: async ({ bootstrap, clusterId }) => {
      const started = await createConnect({
        config: configFor(bootstrap),
        world,
        logger,
        logLevel: config.logLevel,
        workerId,
        kafkaClusterId: clusterId,
      })
      connect = started
      // Before the broker goes: nobody asks any more, then tasks store their positions.
      opened.defer(async () => {
        await closeServers()
        await started.close()
      })
      return started
    },
  }
}

/** Only this machine can reach it. */
function isLoopback(host: string): boolean {
  return /^(127\.|::1$|localhost$)/i.test(host)
}
