/**
 * @module hub — puts the rooms together: the only file that knows them all.
 *
 * ```ts
 * await using hub = await createHub(await loadHubConfig({ overrides: ['log.dirs=memory:'] }), { ...nodeWorld(), logger })
 * hub.bootstrap // '127.0.0.1:9092'
 * ```
 * Ports are bound first, so that a port in use ends the start before anything is written. What was opened is closed in reverse order,
 * also when a later step fails.
 */
import { type HubWorld, startBroker } from './broker.ts'
import { ConfigError, type HubConfig } from './config/index.ts'
import type { Connect } from './connect/index.ts'
import { bindConnect } from './connect-worker.ts'
import type { HubHealth } from './health.ts'
import { openHttp } from './http.ts'
import { createRegistry } from './observe/index.ts'
import { explained, shownHost } from './start-error.ts'

export type { HubWorld } from './broker.ts'
export type { HealthProblem, HubHealth } from './health.ts'
export { StartError } from './start-error.ts'

/** An address that is being listened on. */
export interface HubAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** A running hub. */
export interface Hub extends AsyncDisposable {
  readonly nodeId: number
  readonly clusterId: string
  /** `host:port` of the first broker listener. */
  readonly bootstrap: string
  readonly listeners: readonly HubAddress[]
  /** Base addresses of /metrics and /health. */
  readonly httpAddresses: readonly string[]
  /** The Connect worker with the base addresses of its REST API; undefined when the hub does not play the role `connect`. */
  readonly connect: { readonly worker: Connect; readonly addresses: readonly string[] } | undefined
  health(): HubHealth
  /** Stops in order: no new connections, waiting fetches answer, requests under way end, logs are synced and closed. */
  close(): Promise<void>
}

/**
 * Starts a hub; resolves when every listener serves. Throws ConfigError for settings that cannot be started with and {@link StartError} for
 * a port in use, a locked or unformatted directory, a corrupt file.
 */
export async function createHub({ config }: { readonly config: HubConfig }, world: HubWorld): Promise<Hub> {
  checkSupported(config)
  await using opened = new AsyncDisposableStack()
  try {
    const hub = await open(config, world, opened)
    const closing = opened.move()
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => (closed ??= closing.disposeAsync())
    return { ...hub, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    throw explained(error)
  }
}

async function open(
  config: HubConfig,
  world: HubWorld,
  opened: AsyncDisposableStack,
): Promise<Omit<Hub, 'close' | typeof Symbol.asyncDispose>> {
  const registry = createRegistry()
  const bound = await bindConnect(config, world, opened)
  const broker = await startBroker(config, world, opened, registry)
  const { server, clusterId } = broker
  const health = (): HubHealth => broker.health()
  const httpServers = await openHttp(config, world, opened, { registry, health })
  const listeners = server.listeners.map(({ name, host, port }) => ({ name, host: shownHost(host), port }))
  const bootstrap = listeners[0] === undefined ? '' : `${listeners[0].host}:${listeners[0].port}`
  const worker = await bound?.start({ bootstrap, clusterId })
  return {
    nodeId: config.nodeId,
    clusterId,
    bootstrap,
    listeners,
    connect: worker === undefined || bound === undefined ? undefined : { worker, addresses: bound.addresses },
    httpAddresses: httpServers.map(({ host, port }) => `http://${shownHost(host)}:${port}`),
    health,
  }
}

/** What a hub of this version cannot be, said before anything is opened. */
function checkSupported(config: HubConfig): void {
  if (config.logDirs.length > 1) {
    const cause = 'all logs stand in one directory in this version'
    throw new ConfigError({ key: 'log.dirs', value: config.logDirs.join(','), cause, remedy: 'name one directory' })
  }
  if (config.metadataLogDir !== config.logDirs[0]) {
    const cause = 'the metadata log stands in log.dirs in this version'
    throw new ConfigError({ key: 'metadata.log.dir', value: config.metadataLogDir, cause, remedy: 'remove the key' })
  }
  if (!config.listeners.some(({ isController }) => !isController)) {
    throw new ConfigError({ key: 'listeners', cause: 'names no broker listener', remedy: 'add PLAINTEXT://127.0.0.1:9092' })
  }
}
