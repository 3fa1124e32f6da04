/**
 * @module @millrace/connector-postgres — changes of a PostgreSQL database as Debezium's events.
 *
 * ```
 *   slot + exported snapshot ──▶ COPY of every captured table ──▶ `r` events ─┐
 *                            └─▶ pgoutput from the same moment ──▶ c u d t ───┴──▶ topics <topic.prefix>.<schema>.<table>
 * ```
 */
export { postgresSource } from './source.ts'
