/** @module @millrace/connector-s3 — topics into a bucket: objects of JSON lines or Parquet under names that a retry finds again. */
export { s3Sink } from './sink.ts'
