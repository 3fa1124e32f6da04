/**
 * @module connect/provided — configurations with the values that config providers give (KIP-297), and what keeps secrets out of what is
 * shown. Stores and answers keep the placeholders; a thread gets the values just before it needs them.
 */
import { type ConfigFiles, type ConfigProvider, hasVariable, providersOf, transformValues } from '../config/index.ts'
import type { ConfigText } from './types.ts'

/** A configuration with its variables replaced. */
export interface Provided {
  readonly config: ConfigText
  /** What the providers gave: texts that must not be shown. */
  readonly secrets: readonly string[]
}

/** Replaces variables; rejects with what a provider rejects with, the file's name in it. A variable without a value stays as it is. */
export type Provide = (config: ConfigText) => Promise<Provided>

/** The providers of a worker: `file`, `directory`, `env`, and the names of `config.providers`. */
export function createProvide(
  workerConfig: ConfigText,
  files: ConfigFiles,
  environment: Readonly<Record<string, string | undefined>>,
): Provide {
  const { providers } = providersOf(new Map(Object.entries(workerConfig)), files, environment)
  return (config) => provide(config, providers)
}

/** The names of a worker's providers. */
export function providerNames(workerConfig: ConfigText): ReadonlySet<string> {
  const noFiles: ConfigFiles = { readFile: () => Promise.reject(new Error('nothing is read for names')) }
  return new Set(Object.keys(providersOf(new Map(Object.entries(workerConfig)), noFiles, {}).providers))
}

async function provide(config: ConfigText, providers: Readonly<Record<string, ConfigProvider>>): Promise<Provided> {
  const { values, resolved } = await transformValues(new Map(Object.entries(config)), providers)
  return { config: Object.fromEntries(values), secrets: resolved }
}

/**
 * Task configurations as they may be stored: what a connector's configuration says by a placeholder is said so in its tasks' too, wherever
 * the plan has kept the key, or given the value to another one; what is among the passwords, also where it has become a part of another
 * value (an address).
 */
export function withPlaceholders(planned: ConfigText, written: ConfigText, provided: ConfigText, passwords: readonly string[]): ConfigText {
  const placeholders = Object.entries(written).filter(([key, value]) => hasVariable(value) && provided[key] !== value)
  if (placeholders.length === 0) return planned
  const byKey = new Map(placeholders)
  const byValue = new Map(
    placeholders.map(([key, placeholder]) => [provided[key] ?? '', placeholder] as const).filter(([value]) => isSecretLong(value)),
  )
  // Other values may happen to be a part of anything.
  const parts = [...byValue].filter(([value]) => passwords.includes(value)).toSorted(([one], [other]) => other.length - one.length)
  const storable = (key: string, value: string): string =>
    byKey.get(key) ?? byValue.get(value) ?? parts.reduce((text, [part, placeholder]) => text.replaceAll(part, () => placeholder), value)
  return Object.fromEntries(Object.entries(planned).map(([key, value]) => [key, storable(key, value)]))
}

/** What is shown in place of a secret. */
export const HIDDEN = '[hidden]'
/** A shorter secret is not searched for: it would blot out ordinary words. The same limit as for log lines (observe/log.ts). */
const SECRET_CHARACTERS_MIN = 4

function isSecretLong(text: string): boolean {
  return text.length >= SECRET_CHARACTERS_MIN
}

/** Texts that must not be shown. They are only added to: what was a secret yesterday may still stand in an error. */
export class Blotter {
  readonly #secrets = new Set<string>()

  add(secrets: Iterable<string>): void {
    for (const secret of secrets) if (isSecretLong(secret)) this.#secrets.add(secret)
  }

  /** The text without secrets. */
  text(text: string): string {
    let clean = text
    for (const secret of this.#secrets) {
      clean = clean.replaceAll(secret, HIDDEN).replaceAll(JSON.stringify(secret).slice(1, -1), HIDDEN)
    }
    return clean
  }

  /** Facts of a log line without secrets. */
  facts(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? this.text(value) : value]))
  }
}
