/**
 * @module sdk/plugin — what all plugins have in common. A module exports plugins under any names; the engine finds them by their brand.
 */
import type { ConfigDefinition, ConfigOf } from './config.ts'

const BRAND = Symbol.for('millrace.Plugin')

/** The six kinds, by the words of `GET /connector-plugins`. */
export type PluginKind = 'source' | 'sink' | 'converter' | 'header_converter' | 'transformation' | 'predicate'

/** How a plugin is found and what it can be told. */
export interface PluginFacts<D extends ConfigDefinition> {
  /** The name that configurations give: `com.example.LinesSource`. */
  readonly class: string
  /** Semantic version of the plugin. */
  readonly version: string
  /** Other names under which configurations may know it, Java classes among them. */
  readonly aliases?: readonly string[]
  /** One or two sentences for lists and docs. */
  readonly documentation?: string
  /** Every key it knows: gives the parser, the type, validation, forms and docs. */
  readonly config: D
}

/** A key that is wrong in the light of others; shown beside that key. */
export interface ConfigIssue {
  readonly key: string
  readonly message: string
}

/** Judges a configuration whose single keys are right. Asked before a connector is created or changed. */
export type ConfigCheck<D extends ConfigDefinition> = (
  config: ConfigOf<D>,
  context: {
    /** The configuration as text, keys that the plugin does not know among it: those whose names hold a parameter. */
    readonly properties: Readonly<Record<string, string>>
    readonly signal: AbortSignal
  },
) => readonly ConfigIssue[] | Promise<readonly ConfigIssue[]>

/** Where a plugin tells what happens; `facts` are shown beside the message, secrets must not stand in them. */
export interface PluginLog {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void
  info(message: string, facts?: Readonly<Record<string, unknown>>): void
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void
  error(message: string, facts?: Readonly<Record<string, unknown>>): void
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** The mark by which the engine knows a plugin. */
export interface Branded<K extends PluginKind> {
  readonly kind: K
}

/** Marks a definition as a plugin of a kind. */
export function branded<K extends PluginKind, T extends object>(kind: K, definition: T): T & Branded<K> {
  return Object.freeze(Object.defineProperty({ ...definition, kind }, BRAND, { value: true }))
}

/** Whether an export is a plugin, also one that was made by another copy of this package. */
export function isPlugin(value: unknown): value is Branded<PluginKind> & PluginFacts<ConfigDefinition> {
  return typeof value === 'object' && value !== null && BRAND in value
}
