/**
 * @module connector-postgres/values — text of a PostgreSQL column to Connect schema and value, as Debezium 3.7 has them. Pure.
 *
 * ```ts
 * const codec = columnCodec(column, types, settings, 'stream')
 * if (codec !== null) codec.decode(row.bytes, row.bounds[0], row.bounds[1])
 * ```
 * The text is what the server prints with DateStyle ISO, TimeZone UTC, IntervalStyle postgres, extra_float_digits 1 and bytea_output hex.
 */
export { columnCodec } from './column-codec.ts'
export type { ColumnCodec, Phase, ValueSettings } from './contract.ts'
export { defaultOf } from './defaults.ts'
