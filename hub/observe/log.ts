/** @module observe/log — structured logs: one JSON object a line, or readable lines on a terminal. */
import { pino } from 'pino'
import { type LogGate, type LogLevel, LogLevels, ROOT_LOGGER } from './log-levels.ts'

/** What belongs to a message: ids, sizes, an `error`. Values are shown as JSON; those under a secret name are hidden. */
export type LogFacts = Readonly<Record<string, unknown>>

/** Says something; facts before or after the sentence. */
export interface LogCall {
  (message: string, facts?: LogFacts): void
  (facts: LogFacts, message: string): void
}

/** Where a room tells what happens. An error is logged or thrown, never both (style rule 11). */
export interface Logger {
  /** Something is broken and somebody must act. */
  readonly error: LogCall
  /** Something is not as it should be; the hub copes. */
  readonly warn: LogCall
  /** What an operator wants to see of a healthy hub. */
  readonly info: LogCall
  /** What helps to find a mistake. */
  readonly debug: LogCall
  /** A logger that adds `bindings` to each of its messages. */
  child(bindings: LogFacts): Logger
  /** A logger whose level can be set apart under this dotted name, in {@link levels}. */
  named(name: string): Logger
  /** The levels of this hub's loggers. */
  readonly levels: LogLevels
}

/** What may not be shown. */
export interface Secrets {
  /** Whether a value under this name is a secret, in facts at any depth. */
  isSecretName?(name: string): boolean
  /** Texts that are blotted out wherever they appear, in messages and errors too. Read at each line. */
  values?(): Iterable<string>
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel
  /** Where lines go, such as `process.stderr`. On a terminal they are made readable. */
  readonly output: { readonly isTTY?: boolean; write(text: string): unknown }
  /** Wall-clock time of the lines. */
  readonly nowMs: () => number
  readonly secrets?: Secrets
}

const HIDDEN = '[hidden]'
/** A secret shorter than this is not searched for in lines: it would blot out ordinary words. */
const SECRET_CHARACTERS_MIN = 4
/** Facts are looked through for secret names to this depth; what lies deeper is left out. */
const FACTS_DEPTH_MAX = 8

/** A logger on pino. Resolves when it can be used: pino-pretty is loaded for a terminal only, since it costs start-up time. */
export async function createLogger(options: LoggerOptions): Promise<Logger> {
  const { level = 'info', output, nowMs, secrets = {} } = options
  const levels = new LogLevels(level)
  const settings = {
    // What is let through is decided before, by the logger's name.
    level: 'debug',
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const layOut = output.isTTY === true ? await prettyLines() : (line: string): string => line
  const target: PinoLike = pino(settings, { write: (line: string) => void output.write(layOut(blotted(line, secrets))) })
  return loggerOf(target, secrets, levels, levels.of(ROOT_LOGGER))
}

async function prettyLines(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  return prettyFactory({ colorize: true, messageKey: 'message', levelKey: 'level', translateTime: 'HH:MM:ss.l' })
}

type PinoLike = ReturnType<typeof pino>

function loggerOf(target: PinoLike, secrets: Secrets, levels: LogLevels, gate: LogGate): Logger {
  const call =
    (level: LogLevel): LogCall =>
    (...given: readonly unknown[]) => {
      if (!gate.isEnabled(level)) return
      const { message, facts } = sorted(given)
      target[level](shownFacts(facts, secrets), message)
    }
  return {
    error: call('error'),
    warn: call('warn'),
    info: call('info'),
    debug: call('debug'),
    child: (bindings) => loggerOf(target.child(shownFacts(bindings, secrets)), secrets, levels, gate),
    named: (name) => loggerOf(target, secrets, levels, levels.of(name)),
    levels,
  }
}

/** The sentence and the facts of a call, whichever came first. */
export function sorted(given: readonly unknown[]): { readonly message: string; readonly facts: LogFacts } {
  const [first, second] = given
  if (typeof first === 'string') return { message: first, facts: (second ?? {}) as LogFacts }
  return { message: typeof second === 'string' ? second : '', facts: first as LogFacts }
}

function shownFacts(facts: LogFacts, secrets: Secrets): Record<string, unknown> {
  return shown(facts, secrets, 0) as Record<string, unknown>
}

/** A value as it may be shown: errors with type, code, stack and cause; bigints as text; nothing under a secret name. */
function shown(value: unknown, secrets: Secrets, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth > FACTS_DEPTH_MAX) return '…'
  if (value instanceof Error) return shownError(value, secrets, depth)
  if (Buffer.isBuffer(value)) return `<${value.length} bytes>`
  if (Array.isArray(value) || value instanceof Set) return [...value].map((element) => shown(element, secrets, depth + 1))
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return (value as { toJSON: () => unknown }).toJSON()
  const entries = value instanceof Map ? [...value].map(([key, entry]) => [String(key), entry] as const) : Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, entry]) => [name, secrets.isSecretName?.(name) === true ? HIDDEN : shown(entry, secrets, depth + 1)]),
  )
}

function shownError(error: Error, secrets: Secrets, depth: number): unknown {
  const { name, message, stack, cause } = error
  const code = (error as NodeJS.ErrnoException).code
  return {
    type: name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: shown(cause, secrets, depth + 1) }),
  }
}

function blotted(line: string, secrets: Secrets): string {
  let clean = line
  for (const value of secrets.values?.() ?? []) {
    if (value.length < SECRET_CHARACTERS_MIN) continue
    // As it stands in JSON: quotes, backslashes and line ends are escaped there.
    for (const text of new Set([value, JSON.stringify(value).slice(1, -1)])) clean = clean.replaceAll(text, HIDDEN)
  }
  return clean
}
