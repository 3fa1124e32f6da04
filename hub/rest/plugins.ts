/** @module rest/plugins — `/connector-plugins`: what is installed, what a plugin can be told, and whether a configuration would do. */
import type { Context, Hono } from 'hono'
import type { PluginInfo } from '../connect/index.ts'
import { configOf } from './body.ts'
import type { RestContext } from './context.ts'
import { RestFailure } from './failure.ts'
import { resource } from './resource.ts'

const CONNECTOR_SUFFIX = 'Connector'

/** Serves `/connector-plugins` and what is below it. */
export function pluginsResource(app: Hono, context: RestContext): void {
  resource(app, '/connector-plugins', {
    GET: async (c) => {
      const all = await context.ask('listing the plugins', (connect) => connect.plugins())
      // Java reads a flag that is not "true" as false; a missing one is true.
      const connectorsOnly = (c.req.query('connectorsOnly') ?? 'true').toLowerCase() === 'true'
      return c.json(connectorsOnly ? all.filter(({ type }) => type === 'source' || type === 'sink') : all)
    },
  })
  resource(app, '/connector-plugins/:plugin/config', {
    GET: async (c) => {
      const plugin = pluginOf(c)
      const version = c.req.query('version') ?? 'latest'
      return c.json(
        await context.ask(`reading the definition of ${plugin}`, async (connect) => {
          const definition = await connect.pluginConfig(plugin)
          if (version !== 'latest') checkVersion(plugin, version, await connect.plugins())
          return definition
        }),
      )
    },
  })
  resource(app, '/connector-plugins/:plugin/config/validate', {
    PUT: async (c) => {
      const plugin = pluginOf(c)
      const config = await configOf(c)
      const given = config['connector.class']
      // The path may name the class by its last part.
      if (given !== undefined && !withoutSuffix(given).endsWith(withoutSuffix(plugin))) {
        throw new RestFailure(400, `Included connector type ${given} does not match request type ${plugin}`)
      }
      return c.json(await context.ask(`validating a configuration of ${plugin}`, (connect) => connect.validate(config)))
    },
  })
}

/** Refuses a version that is not the installed one; there is one of each plugin. */
function checkVersion(plugin: string, version: string, installed: readonly PluginInfo[]): void {
  if (/^[[(]/.test(version)) throw new RestFailure(400, 'Ranges of versions are not supported here; name one version, or latest.')
  const found = installed.find(({ class: name }) => [name, withoutSuffix(name)].some((one) => one === plugin || one.endsWith(`.${plugin}`)))
  if (found?.version === version) return
  const name = found?.class ?? plugin
  const available = found === undefined ? '' : found.version
  throw new RestFailure(
    400,
    `Plugin ${name} not found that matches the version range [${version},${version}], available versions: [${available}]`,
  )
}

function pluginOf(c: Context): string {
  return c.req.param('plugin') ?? ''
}

function withoutSuffix(name: string): string {
  return name.length > CONNECTOR_SUFFIX.length && name.endsWith(CONNECTOR_SUFFIX) ? name.slice(0, -CONNECTOR_SUFFIX.length) : name
}
