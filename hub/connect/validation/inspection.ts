/**
 * @module connect/validation/inspection — the {@link Inspector} itself: finds, imports, describes and asks plugins, in the thread where it
 * is created. The inspection thread hosts it; tests and `millrace.tasks.isolation=inline` may do so anywhere.
 */
import type { Clock, Disk } from '../../io/index.ts'
import { CONNECTOR_KINDS, resolvePlugin } from '../plugins/catalog.ts'
import { type Discovery, type DiscoveryOptions, discoverPlugins } from '../plugins/discovery.ts'
import type { Inspector, ValidateRequest } from '../plugins/types.ts'
import { type ConfigInfos, type ConfigKeyInfo, type ConfigText, ConnectRequestError } from '../types.ts'
import { keyInfos } from './entries.ts'
import { frameworkDefinition } from './framework.ts'
import { pluginNames } from './plugin-keys.ts'
import { redactor } from './redaction.ts'
import { validateConnector } from './validate.ts'

/** Limits of an inspection. */
export const INSPECTION_DEFAULTS = {
  /** Milliseconds that a plugin's own check may take: it may connect to somewhere that does not answer. Below the REST API's 90 s. */
  validateTimeoutMs: 60_000,
} as const

export interface InspectionOptions extends DiscoveryOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** The worker's own keys as text: `key.converter`, `value.converter`, `header.converter`, `connector.client.config.override.policy` … */
  readonly workerDefaults: ConfigText
  readonly validateTimeoutMs?: number
}

/** Makes an inspector. Nothing is imported before the first question; then everything is, once. */
export function createInspection(options: InspectionOptions): Inspector {
  const closing = new AbortController()
  let discovery: Promise<Discovery> | undefined
  const discovered = (): Promise<Discovery> => {
    discovery ??= discoverPlugins(options)
    return discovery
  }
  return {
    async catalog() {
      const { plugins, problems } = await discovered()
      return { plugins, problems }
    },
    async describe(pluginName) {
      return describePlugin(await discovered(), pluginName)
    },
    async validate(request) {
      const found = await discovered()
      const { workerDefaults, clock } = options
      const timeoutMs = options.validateTimeoutMs ?? INSPECTION_DEFAULTS.validateTimeoutMs
      try {
        return await within(timeoutMs, clock, closing.signal, (signal) =>
          validateConnector(request, { discovery: found, workerDefaults, signal }),
        )
      } catch (error) {
        throw error instanceof ConnectRequestError ? error : unexpected(error, request)
      }
    },
    close() {
      closing.abort(new ConnectRequestError(500, 'The worker is shutting down'))
      return Promise.resolve()
    },
  }
}

/** `GET /connector-plugins/{p}/config`: a connector's own keys, then the framework's. */
function describePlugin(discovery: Discovery, name: string): readonly ConfigKeyInfo[] {
  const kinds = [...CONNECTOR_KINDS, 'converter', 'header_converter', 'transformation', 'predicate'] as const
  for (const kind of kinds) {
    const resolution = resolvePlugin(discovery.plugins, name, [kind])
    const plugin = resolution.outcome === 'found' ? discovery.loaded.get(resolution.plugin) : undefined
    if (plugin === undefined) continue
    if (!CONNECTOR_KINDS.includes(kind)) return keyInfos(plugin.config)
    const own = keyInfos(plugin.config)
    const taken = new Set(own.map((info) => info.name))
    const framework = keyInfos(frameworkDefinition(pluginNames(discovery), plugin, {}, {}).definition)
    return [...own, ...framework.filter((info) => !taken.has(info.name))]
  }
  throw new ConnectRequestError(404, `Unknown plugin ${name}.`)
}

/** A rule or a recommendation of a plugin broke; what it says may quote what config providers gave. */
function unexpected(error: unknown, request: ValidateRequest): ConnectRequestError {
  const message = error instanceof Error ? error.message : String(error)
  const hidden = redactor(request)(`The configuration could not be judged: ${message}`)
  return new ConnectRequestError(500, hidden)
}

/** Runs a check that plugin code is part of: it ends at the latest with the time or the inspection. */
async function within(
  timeoutMs: number,
  clock: Clock,
  closing: AbortSignal,
  check: (signal: AbortSignal) => Promise<ConfigInfos>,
): Promise<ConfigInfos> {
  const late = new AbortController()
  const signal = AbortSignal.any([closing, late.signal])
  const timer = clock.timer(timeoutMs, () => {
    late.abort(new ConnectRequestError(500, `Request timed out: the plugin did not judge its configuration within ${timeoutMs} ms`))
  })
  const ended = Promise.withResolvers<never>()
  const end = (): void => ended.reject(signal.reason)
  signal.addEventListener('abort', end)
  try {
    signal.throwIfAborted()
    return await Promise.race([check(signal), ended.promise])
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', end)
  }
}
