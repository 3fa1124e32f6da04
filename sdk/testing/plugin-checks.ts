/**
 * @module sdk/testing/plugin-checks — what sources and sinks have in common: their facts, their configuration, their secrets.
 */
import { type ConfigDefinition, parseConfig, validateConfig } from '../config.ts'
import { isPassword } from '../config-types.ts'
import { isEngineError } from '../errors.ts'
import type { Branded, ConfigCheck, PluginFacts } from '../plugin.ts'
import type { TaskConfig } from '../source.ts'
import { type AcceptanceCheck, AcceptanceError, expectThat } from './expectation.ts'
import type { LogLine } from './recorded-log.ts'

/** A source or a sink, as far as these checks go. */
type Connector = PluginFacts<ConfigDefinition> & Branded<'source' | 'sink'> & { readonly validate?: ConfigCheck<ConfigDefinition> }

/** What the driver of a connector gives for one check. */
export interface Place {
  /** A configuration that works here; keys of the worker (name, connector.class) are not needed. */
  readonly config: TaskConfig
  /** Lets go of the place. */
  cleanup?(): Promise<void> | void
  /** Connections, files and the like that the plugin holds at this moment. Where given, it must be the same before and after each check. */
  openCount?(): Promise<number> | number
}

/** What all drivers have. */
export interface ConnectorDriver<P extends Place> {
  /** A fresh place for a check to happen in; always with the same contents. */
  setup(): Promise<P> | P
  /** Keys that must not be left out here though they have a default. */
  readonly requiredKeys?: readonly string[]
  /** Milliseconds that ends may take. Default 5,000. */
  readonly graceMs?: number
}

/** Runs a body in a fresh place; afterwards nothing may be left open. */
export async function inPlace<P extends Place>(driver: ConnectorDriver<P>, body: (place: P) => Promise<void>): Promise<void> {
  const place = await driver.setup()
  try {
    const before = await place.openCount?.()
    await body(place)
    const after = await place.openCount?.()
    expectThat(before === after, `${after} things are open at the end, ${before} were at the beginning: close in finally, or in stop`)
  } finally {
    await place.cleanup?.()
  }
}

/** Checks that need no run. */
export function plainChecks<P extends Place>(plugin: Connector, driver: ConnectorDriver<P>): readonly AcceptanceCheck[] {
  return [
    { name: 'names its class and version, and documents every key', run: async () => checkFacts(plugin) },
    {
      name: 'accepts its configuration, and starts nothing for that',
      run: () => inPlace(driver, (place) => checkAccepted(plugin, place.config)),
    },
    {
      name: 'refuses a configuration without a required key, by its name',
      run: () => inPlace(driver, (place) => checkRequired(plugin, driver, place.config)),
    },
  ]
}

function checkFacts(plugin: Connector): void {
  expectThat(/^[\w$-]+(\.[\w$-]+)+$/.test(plugin.class), `class "${plugin.class}" should have a name space: com.example.${plugin.class}`)
  expectThat(/^\d+\.\d+\.\d+/.test(plugin.version), `version "${plugin.version}" is not semantic: 1.0.0`)
  for (const [name, key] of Object.entries(plugin.config)) {
    expectThat(key.internal === true || (key.documentation ?? '').trim() !== '', `key "${name}" has no documentation`)
  }
}

/** Every error that validation finds, by key. */
async function errorsOf(plugin: Connector, config: TaskConfig): Promise<ReadonlyMap<string, string>> {
  const errors = new Map<string, string>()
  for (const value of validateConfig(plugin.config, config)) if (value.errors[0] !== undefined) errors.set(value.name, value.errors[0])
  if (errors.size > 0 || plugin.validate === undefined) return errors
  const { signal } = new AbortController()
  for (const issue of await plugin.validate(parseConfig(plugin.config, config), { properties: config, signal }))
    errors.set(issue.key, issue.message)
  return errors
}

async function checkAccepted(plugin: Connector, config: TaskConfig): Promise<void> {
  const [error] = await errorsOf(plugin, config)
  expectThat(error === undefined, `the driver's configuration is refused: ${error?.[0]}: ${error?.[1]}`)
}

async function checkRequired<P extends Place>(plugin: Connector, driver: ConnectorDriver<P>, config: TaskConfig): Promise<void> {
  const withoutDefault = Object.entries(plugin.config).flatMap(([name, key]) => (key.default === undefined ? [name] : []))
  for (const name of new Set([...withoutDefault, ...(driver.requiredKeys ?? [])])) {
    const { [name]: _left, ...rest } = config
    const message = (await errorsOf(plugin, rest)).get(name)
    expectThat(message !== undefined, `a configuration without "${name}" is accepted: give the key no default, or refuse it in validate`)
    expectThat(message.includes(name), `the error about "${name}" does not name it: ${message}`)
  }
}

/** Fails when an error says nothing to who reads it. */
export function checkError(error: unknown, next?: 'retry' | 'judge' | 'fail'): void {
  expectThat(error instanceof Error || isEngineError(error), `what was thrown is no Error: ${typeof error}`)
  expectThat(error.message.trim() !== '', 'an error without a message was thrown')
  if (next === undefined) return
  const what = isEngineError(error) ? error.next : 'fail'
  expectThat(what === next, `the engine would ${what} after "${error.message}", it should ${next}`)
}

/** The secrets of a configuration, as text. */
export function secretsOf(plugin: Connector, config: TaskConfig): readonly string[] {
  return Object.entries(plugin.config).flatMap(([name, key]) => {
    const text = config[name]
    return key.type === 'PASSWORD' && text !== undefined && text !== '' ? [text] : []
  })
}

/** Fails when a secret stands in what a plugin told: logs, errors and their causes, stacks included. */
export function checkSecrets(secrets: readonly string[], log: readonly LogLine[], errors: readonly unknown[] = []): void {
  if (secrets.length === 0) return
  const told = [...log.map((line) => `${line.message} ${printed(line.facts)}`), ...errors.map(printed)]
  for (const text of told) {
    if (secrets.some((secret) => text.includes(secret)))
      throw new AcceptanceError('a secret stands in a log line or an error: never print `password.value`')
  }
}

function printed(value: unknown, depth = 0): string {
  if (depth > 5 || value === null || value === undefined) return String(value)
  if (isPassword(value)) return '[hidden]'
  if (value instanceof Error)
    return [value.message, value.stack ?? '', ...printedMembers(value, depth), printed(value.cause, depth + 1)].join('\n')
  return typeof value === 'object' ? printedMembers(value, depth).join('\n') : String(value as string | number)
}

function printedMembers(value: object, depth: number): string[] {
  return Object.entries(value).map(([name, member]) => `${name}=${printed(member, depth + 1)}`)
}
