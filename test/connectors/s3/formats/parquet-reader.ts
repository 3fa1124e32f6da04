/**
 * Parquet read by DuckDB, which shares no code with what writes it, in a notation that both sides can be brought into:
 *
 * | value | notation |
 * |---|---|
 * | null, boolean, number, bigint, string | the same (−0 and NaN too) |
 * | bytes | `0x` and hex |
 * | decimal | `DECIMAL(precision,scale) unscaled` |
 * | date, time, timestamp | `days 1`, `time 2 µs`, `timestamp 3 µs`, `timestamptz 4 µs`, `timestamp 5 ns` |
 * | list, struct, map | array, object, `Map` |
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimeNSValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeTZValue,
  DuckDBTimeValue,
  type DuckDBValue,
} from '@duckdb/node-api'

/** What DuckDB finds in an object. */
export interface ParquetContent {
  /** Names and types of the columns, in their order. */
  readonly columns: readonly (readonly [name: string, type: string])[]
  readonly rows: readonly (readonly unknown[])[]
}

/** A DuckDB in memory with a folder for the objects that it is to read. */
export interface ParquetReader {
  read(object: Uint8Array): Promise<ParquetContent>
  /** Rows of any query in which `$object` stands for the object. */
  query(object: Uint8Array, sql: string): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

export async function openParquetReader(): Promise<ParquetReader> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'))
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection: DuckDBConnection = await instance.connect()
  let count = 0
  const run = async (object: Uint8Array, sql: string) => {
    // A name of its own each time: DuckDB keeps what it has seen of a file.
    const file = join(folder, `${count++}.parquet`)
    await writeFile(file, object)
    const result = await connection.runAndReadAll(sql.replaceAll('$object', `'${file}'`))
    await rm(file)
    return result
  }
  return {
    async read(object) {
      const result = await run(object, 'SELECT * FROM read_parquet($object)')
      const types = result.columnTypes().map(String)
      return {
        columns: result.columnNames().map((name, at) => [name, types[at]!] as const),
        rows: result.getRows().map((row) => row.map(notation)),
      }
    },
    query: async (object, sql) => (await run(object, sql)).getRowObjectsJson() as Record<string, unknown>[],
    async close() {
      connection.closeSync()
      instance.closeSync()
      await rm(folder, { recursive: true })
    },
  }
}

function notation(value: DuckDBValue): unknown {
  if (value instanceof DuckDBBlobValue) return `0x${Buffer.from(value.bytes).toString('hex')}`
  if (value instanceof DuckDBDecimalValue) return `DECIMAL(${value.width},${value.scale}) ${value.value}`
  if (value instanceof DuckDBDateValue) return `days ${value.days}`
  if (value instanceof DuckDBTimeValue) return `time ${value.micros} µs`
  if (value instanceof DuckDBTimeNSValue) return `time ${value.nanos} ns`
  if (value instanceof DuckDBTimeTZValue) return `timetz ${value.micros} µs`
  if (value instanceof DuckDBTimestampValue) return `timestamp ${value.micros} µs`
  if (value instanceof DuckDBTimestampTZValue) return `timestamptz ${value.micros} µs`
  if (value instanceof DuckDBTimestampNanosecondsValue) return `timestamp ${value.nanos} ns`
  if (value instanceof DuckDBListValue) return value.items.map(notation)
  if (value instanceof DuckDBMapValue) return new Map(value.entries.map(({ key, value: item }) => [notation(key), notation(item)]))
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, member]) => [name, notation(member)]))
  }
  if (typeof value === 'object' && value !== null) throw new Error(`no notation of ${value.constructor.name}`)
  return value
}
