/** @module observe — what the hub tells about itself: logs and metrics. */
export { type LogCall, type LogFacts, type Logger, type LoggerOptions, type LogLevel, type Secrets, createLogger } from './log.ts'
export { type LogEntry, type MemoryLogger, memoryLogger } from './memory-log.ts'
export { type Counter, EXPOSITION_CONTENT_TYPE, type Gauge, type Histogram, type Registry, createRegistry } from './metrics.ts'
