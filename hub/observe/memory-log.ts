/** @module observe/memory-log — a logger that a test can read. */
import { type LogCall, type LogFacts, type Logger, sorted } from './log.ts'
import { type LogGate, type LogLevel, LogLevels, ROOT_LOGGER } from './log-levels.ts'

/** One message. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** Those of the call and of `child`. */
  readonly facts: LogFacts
}

/** A logger with its messages. */
export interface MemoryLogger extends Logger {
  /** All messages so far, those of its children too, in order. */
  readonly entries: readonly LogEntry[]
  /** The sentences of one level. */
  messages(level: LogLevel): string[]
}

/** The twin of `createLogger` in memory: keeps every level until one is set. */
export function memoryLogger(): MemoryLogger {
  const entries: LogEntry[] = []
  const levels = new LogLevels('debug')
  const make = (bindings: LogFacts, gate: LogGate): Logger => {
    const call =
      (level: LogLevel): LogCall =>
      (...given: readonly unknown[]) => {
        if (!gate.isEnabled(level)) return
        const { message, facts } = sorted(given)
        entries.push({ level, message, facts: { ...bindings, ...facts } })
      }
    return {
      error: call('error'),
      warn: call('warn'),
      info: call('info'),
      debug: call('debug'),
      child: (more) => make({ ...bindings, ...more }, gate),
      named: (name) => make(bindings, levels.of(name)),
      levels,
    }
  }
  return {
    ...make({}, levels.of(ROOT_LOGGER)),
    entries,
    messages: (level) => entries.filter((entry) => entry.level === level).map(({ message }) => message),
  }
}
