/**
 * @module connector-postgres/pgoutput — from the bytes that the output plugin `pgoutput` writes to messages. Pure.
 *
 * Protocol version 1 (PostgreSQL documentation, "Logical Replication Message Formats"): a transaction comes whole, after its commit.
 */
export { decodeMessage } from './decode.ts'
export { PgOutputError } from './reader.ts'
