/** @module observe — what the hub tells about itself: logs and metrics. */
export { type LogCall, type LogFacts, type Logger, type LoggerOptions, type Secrets, createLogger } from './log.ts'
export { type LevelWord, type LogLevel, type LogLevels, levelWords, ROOT_LOGGER } from './log-levels.ts'
export { type LogEntry, type MemoryLogger, memoryLogger } from './memory-log.ts'
export { Latencies } from './latencies.ts'
export { type Counter, type Emit, EXPOSITION_CONTENT_TYPE, type Gauge, type Histogram, type Registry, createRegistry } from './metrics.ts'
