/** @module @millrace/connector-file — Kafka's FileStream connectors: lines of a file into a topic, a topic into a file. */
export { fileSink } from './sink.ts'
export { fileSource } from './source.ts'
