/**
 * @module connector-s3/formats/parquet-decimal — Connect's Decimal as Parquet's DECIMAL.
 *
 * A schema names the scale; how many digits there may be it says only by a parameter, which Debezium and Confluent set. Without it
 * there may be 38, the most that readers know exactly. A schema of more digits, whatever readers make of it (some refuse, some round to a
 * double), becomes a column of texts: nothing is lost.
 */
import { DataError, type Decimal, decimalScaleOf, expectDecimal, type Schema } from '@millrace/sdk'
import { type Annotation, type Leaf, stringLeaf } from './parquet-leaf.ts'

/** Digits of the largest DECIMAL that Spark, Trino, DuckDB and Arrow's decimal128 have. */
const PRECISION_MAX = 38
const PRECISION_PARAMETER = 'connect.decimal.precision'

/** The column of a Decimal's schema. @throws DataError for a schema without a scale */
export function decimalLeaf(schema: Schema): Leaf {
  const scale = decimalScaleOf(schema)
  // Parquet has neither a scale below zero nor one above the precision: the digits then say it.
  const columnScale = Math.max(scale, 0)
  const digits = digitsOf(schema)
  const precision = digits === undefined ? PRECISION_MAX : Math.max(digits + (columnScale - scale), columnScale)
  if (precision > PRECISION_MAX || columnScale > PRECISION_MAX) return { ...stringLeaf, convert: (value) => exact(value, scale).toString() }
  const factor = 10n ** BigInt(columnScale - scale)
  const beyond = 10n ** BigInt(precision)
  return {
    annotation: annotationOf(precision, columnScale),
    encoded: annotationOf(precision, columnScale),
    convert: (value) => {
      const unscaled = exact(value, scale).unscaled * factor
      if (unscaled < beyond && unscaled > -beyond) return unscaled
      throw new DataError(
        `the decimal ${String(value)} has more than ${precision} digits, the most of this column; ` +
          (digits === undefined
            ? `give the schema the parameter ${PRECISION_PARAMETER}, or use format.class=json`
            : `its schema says ${PRECISION_PARAMETER}=${digits}`),
      )
    },
  }
}

function exact(value: unknown, scale: number): Decimal {
  const decimal = expectDecimal(value)
  if (decimal.scale === scale) return decimal
  throw new DataError(
    `Decimal value has mismatching scale for given Decimal schema. Schema has scale ${scale}, value has scale ${decimal.scale}.`,
  )
}

function digitsOf(schema: Schema): number | undefined {
  const parameter = schema.parameters?.[PRECISION_PARAMETER]
  return parameter !== undefined && /^[1-9]\d{0,8}$/.test(parameter) ? Number(parameter) : undefined
}

function annotationOf(precision: number, scale: number): Annotation {
  const annotation = { converted_type: 'DECIMAL', logical_type: { type: 'DECIMAL', precision, scale }, precision, scale } as const
  if (precision <= 9) return { type: 'INT32', ...annotation }
  if (precision <= 18) return { type: 'INT64', ...annotation }
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: bytesOf(precision), ...annotation }
}

/** The least number of bytes that hold every whole number of so many digits, with a sign. */
function bytesOf(precision: number): number {
  let byteCount = 1
  while (2n ** BigInt(8 * byteCount - 1) < 10n ** BigInt(precision)) byteCount++
  return byteCount
}
