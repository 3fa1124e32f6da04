/**
 * @module @millrace/sdk/testing — for authors of plugins: run a source or a sink in memory, and check it against the contract. Needs no
 * test runner and nothing that runs outside.
 */
export { type AcceptanceCheck, AcceptanceError } from './expectation.ts'
export { MemoryOffsets } from './memory-offsets.ts'
export type { ConnectorDriver, Place } from './plugin-checks.ts'
export type { LogLine } from './recorded-log.ts'
export { runSink, type SinkRecordOptions, type SinkRun, sinkRecords } from './run-sink.ts'
export { runSource, type SourceRun, type SourceRunOptions } from './run-source.ts'
export { type FragilePlace, type SinkDriver, type SinkFault, type SinkPlace, sinkAcceptance } from './sink-acceptance.ts'
export { type Breakage, type SourceDriver, type SourcePlace, sourceAcceptance } from './source-acceptance.ts'
