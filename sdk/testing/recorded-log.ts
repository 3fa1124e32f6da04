/**
 * @module sdk/testing/recorded-log — a log that keeps what a plugin tells.
 */
import type { PluginLog } from '../plugin.ts'

/** One line of a log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** A log, and the list that its lines go to. */
export function recordedLog(lines: LogLine[]): PluginLog {
  const at =
    (level: LogLine['level']) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, facts })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
