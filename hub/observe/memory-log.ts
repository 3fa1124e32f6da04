/** @module observe/memory-log — a logger that a test can read. */
import { type LogCall, type LogFacts, type Logger, type LogLevel, sorted } from './log.ts'

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

/** The twin of `createLogger` in memory: keeps every level. */
export function memoryLogger(): MemoryLogger {
  const entries: LogEntry[] = []
  const make = (bindings: LogFacts): Logger => {
    const call =
      (level: LogLevel): LogCall =>
      (...given: readonly unknown[]) => {
        const { message, facts } = sorted(given)
        entries.push({ level, message, facts: { ...bindings, ...facts } })
      }
    return {
      error: call('error'),
      warn: call('warn'),
      info: call('info'),
      debug: call('debug'),
      child: (more) => make({ ...bindings, ...more }),
    }
  }
  return {
    ...make({}),
    entries,
    messages: (level) => entries.filter((entry) => entry.level === level).map(({ message }) => message),
  }
}
