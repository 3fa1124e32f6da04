/**
 * @module millrace — a hub as a library.
 *
 * ```ts
 * import { createHub, createLogger, loadHubConfig, nodeWorld } from 'millrace'
 *
 * const logger = await createLogger({ output: process.stderr, nowMs: Date.now })
 * await using hub = await createHub(await loadHubConfig({ overrides: ['log.dirs=memory:'] }), { ...nodeWorld(), logger })
 * ```
 */
export { ConfigError, type ConfigSources, type HubConfig, type LoadedConfig, loadHubConfig } from './config/index.ts'
export { createHub, type Hub, type HealthProblem, type HubAddress, type HubHealth, type HubWorld, StartError } from './hub.ts'
export { type Clock, type Disk, type Net, nodeWorld, type Random, type World } from './io/index.ts'
export { createLogger, type Logger, type LoggerOptions } from './observe/index.ts'
