/** @module config/error — a configuration that must not be started with. */

export interface ConfigProblem {
  /** The file, `environment` or `--override`; absent for a default or a combination. */
  readonly source?: string
  readonly key?: string
  /** As written; left out for a secret. */
  readonly value?: string
  /** What is wrong, without a full stop. */
  readonly cause: string
  /** What to do about it, without a full stop. */
  readonly remedy?: string
}

/** A refusal to start: one line that names source, key, cause and remedy. The process exits with 2 (design §2). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problem: ConfigProblem

  constructor(problem: ConfigProblem) {
    const { source, key, value, cause, remedy } = problem
    const place = [source, key === undefined || value === undefined ? key : `${key}=${value}`].filter((part) => part !== undefined)
    super(`${[...place, cause].join(': ')}${remedy === undefined ? '' : `; ${remedy}`}`)
    this.problem = problem
  }

  /** The same problem told without these texts: passwords, and what came from providers. */
  hiding(secrets: readonly string[]): ConfigError {
    const shown = Object.entries(this.problem).map(([part, text]) => [part, hideSecrets(String(text), secrets)] as const)
    return new ConfigError({ cause: '', ...Object.fromEntries(shown) })
  }
}

/** A text with every occurrence of a secret blotted out. Empty secrets hide nothing. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '[hidden]')), text)
}
