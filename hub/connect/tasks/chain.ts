/**
 * @module connect/tasks/chain — transforms with their predicates, as a connector's configuration puts them in a row:
 * `transforms=a,b`, `transforms.a.type`, `transforms.a.predicate`, `transforms.a.negate`, `predicates=p`, `predicates.p.type`.
 */
import {
  ConfigException,
  parseConfig,
  type Predicate,
  type PredicatePlugin,
  type SinkRecord,
  type SourceRecord,
  type Transform,
  type TransformPlugin,
} from '@millrace/sdk'
import type { PluginLoader } from '../plugins/types.ts'
import type { ConfigText } from '../types.ts'
import { listOfText, withoutPrefix } from './settings.ts'
import type { Cursor, Step } from './step.ts'

/** Keys that a transform has from the framework. */
const OWN_KEYS: ReadonlySet<string> = new Set(['type', 'predicate', 'negate', 'plugin.version'])

interface Link {
  readonly step: Step
  readonly transform: Transform
  /** null: always. */
  readonly predicate: Predicate | null
  readonly isNegated: boolean
}

/** Transforms in a row. */
export interface Chain {
  readonly isEmpty: boolean
  /** The record that comes out, null when one drops it. Throws what a transform or predicate throws; `cursor` then says which. */
  apply<R extends SourceRecord | SinkRecord>(record: R, cursor: Cursor): R | null
}

/** Loads and configures what `transforms` and `predicates` name. Rejects with a ConfigException, or as the loader does. */
export async function createChain(config: ConfigText, plugins: PluginLoader): Promise<Chain> {
  const links: Link[] = []
  for (const alias of listOfText(config['transforms'])) links.push(await createLink(alias, config, plugins))
  return { isEmpty: links.length === 0, apply: (record, cursor) => applyAll(links, record, cursor) }
}

function applyAll<R extends SourceRecord | SinkRecord>(links: readonly Link[], record: R, cursor: Cursor): R | null {
  let current = record
  for (const { step, transform, predicate, isNegated } of links) {
    cursor.step = step
    if (predicate !== null && predicate(current) === isNegated) continue
    const next = transform(current)
    if (next === null) return null
    current = next
  }
  return current
}

async function createLink(alias: string, config: ConfigText, plugins: PluginLoader): Promise<Link> {
  const prefix = `transforms.${alias}.`
  const plugin = await plugins.load<TransformPlugin>(required(config, `${prefix}type`), 'transformation')
  const settings = withoutPrefix(config, prefix)
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => !OWN_KEYS.has(key)))
  const predicateAlias = settings['predicate']?.trim()
  const negate = settings['negate']?.trim().toLowerCase() ?? 'false'
  if (negate !== 'true' && negate !== 'false') throw new ConfigException(`${prefix}negate: "${negate}" must be true or false`)
  return {
    step: { stage: 'TRANSFORMATION', className: plugin.class, setting: `${prefix}*` },
    transform: plugin.create(parseConfig(plugin.config, own)),
    predicate: predicateAlias === undefined ? null : await createPredicate(predicateAlias, `${prefix}predicate`, config, plugins),
    isNegated: negate === 'true',
  }
}

async function createPredicate(alias: string, setting: string, config: ConfigText, plugins: PluginLoader): Promise<Predicate> {
  if (!listOfText(config['predicates']).includes(alias)) {
    throw new ConfigException(`${setting} names the predicate ${alias}, which is not among predicates; add it there`)
  }
  const prefix = `predicates.${alias}.`
  const plugin = await plugins.load<PredicatePlugin>(required(config, `${prefix}type`), 'predicate')
  const own = Object.entries(withoutPrefix(config, prefix)).filter(([key]) => !OWN_KEYS.has(key))
  return plugin.create(parseConfig(plugin.config, Object.fromEntries(own)))
}

function required(config: ConfigText, key: string): string {
  const value = config[key]?.trim()
  if (value === undefined || value === '') {
    throw new ConfigException(`Missing required configuration "${key}" which has no default value.`)
  }
  return value
}
