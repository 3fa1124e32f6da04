/** @module test/sdk/validate-value — upstream's rules and sentences, kind by kind. */
import {
  array,
  boolean,
  bytes,
  Decimal,
  date,
  decimal,
  float32,
  float64,
  float64Value,
  int8,
  int16,
  int32,
  int64,
  map,
  type Schema,
  Sized,
  string,
  struct,
  structOf,
  time,
  timestamp,
  validateValue,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'

function refusal(schema: Schema, value: unknown, name?: string): string {
  try {
    validateValue(schema, value, name)
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataError', className: 'org.apache.kafka.connect.errors.DataException' })
    return (error as Error).message
  }
  return 'accepted'
}

const flat = struct({ id: int32(), note: string({ optional: true }), size: int64({ default: 1n }) })

describe('validateValue', () => {
  it.each<[string, Schema, readonly unknown[]]>([
    ['int8', int8(), [-128, 0, 127]],
    ['int16', int16(), [-32_768, 32_767]],
    ['int32', int32(), [-(2 ** 31), 2 ** 31 - 1]],
    ['int64', int64(), [-(2n ** 63n), 0n, 2n ** 63n - 1n]],
    ['float32', float32(), [0.5, 1, Number.NaN]],
    ['float64', float64(), [0.1, 5, Number.POSITIVE_INFINITY]],
    ['boolean', boolean(), [true, false]],
    ['string', string({ optional: true }), ['', 'x', null]],
    ['bytes', bytes(), [new Uint8Array(2), Buffer.from('x')]],
    ['array', array(string()), [[], ['a', 'b']]],
    ['map', map(string(), int64({ optional: true })), [new Map(), new Map([['a', null]])]],
    ['struct', flat, [structOf({ id: 1, note: null, size: 2n }), structOf({ id: 1 }), { id: 1 }]],
    ['Decimal', decimal(2), [new Decimal(1n, 2)]],
    ['Date', date(), [new Date(0), 100_000_001]],
    ['Time', time(), [new Date(1)]],
    ['Timestamp', timestamp(), [new Date(1), 8_640_000_000_000_001n, -(2n ** 63n)]],
    ['a logical type that Connect does not know', int64({ name: 'io.debezium.time.MicroTimestamp' }), [5n]],
  ])('accepts what %s may hold', (_name, schema, values) => {
    for (const value of values) expect(refusal(schema, value)).toBe('accepted')
  })

  it.each<[Schema, unknown, string]>([
    [int8(), 128, 'Invalid Java object for schema with type INT8: class java.lang.Short for value'],
    [int16(), 40_000, 'Invalid Java object for schema with type INT16: class java.lang.Integer for value'],
    [int32(), 2 ** 31, 'Invalid Java object for schema with type INT32: class java.lang.Long for value'],
    [int32(), 1.5, 'Invalid Java object for schema with type INT32: class java.lang.Double for value'],
    [int32(), 1n, 'Invalid Java object for schema with type INT32: class java.lang.Long for value'],
    [int64(), 2n ** 63n, 'Invalid Java object for schema with type INT64: class java.math.BigInteger for value'],
    [float64(), 'x', 'Invalid Java object for schema with type FLOAT64: class java.lang.String for value'],
    [string(), true, 'Invalid Java object for schema with type STRING: class java.lang.Boolean for value'],
    [string(), new Sized('int32', 1), 'Invalid Java object for schema with type STRING: class java.lang.Integer for value'],
    [bytes(), [1], 'Invalid Java object for schema with type BYTES: class java.util.ArrayList for value'],
    [array(string()), new Map(), 'Invalid Java object for schema with type ARRAY: class java.util.HashMap for value'],
    [
      map(string(), string()),
      structOf({}),
      'Invalid Java object for schema with type MAP: class org.apache.kafka.connect.data.Struct for value',
    ],
    [
      decimal(2),
      1.5,
      'Invalid Java object for schema "org.apache.kafka.connect.data.Decimal" with type BYTES: class java.lang.Double for value',
    ],
    [
      timestamp(),
      5n,
      'Invalid Java object for schema "org.apache.kafka.connect.data.Timestamp" with type INT64: class java.lang.Long for value',
    ],
    [
      date(),
      new Date(Number.NaN),
      'Invalid Java object for schema "org.apache.kafka.connect.data.Date" with type INT32: class java.util.Date for value',
    ],
    [array(int64()), [1n, 'x'], 'Invalid Java object for schema with type INT64: class java.lang.String for element of array value'],
    [array(int64()), [null], 'Invalid value: null used for required element of array value, schema type: INT64'],
    [
      map(string(), int64()),
      new Map([[1n, 1n]]),
      'Invalid Java object for schema with type STRING: class java.lang.Long for key of map value',
    ],
    [map(string(), int64()), new Map([['a', null]]), 'Invalid value: null used for required value of map value, schema type: INT64'],
    [string(), null, 'Invalid value: null used for required value, schema type: STRING'],
    [string(), undefined, 'Invalid value: null used for required value, schema type: STRING'],
    [flat, structOf({ note: 'x' }), 'Invalid value: null used for required field: "id", schema type: INT32'],
    [flat, structOf({ id: 1, other: 2 }), 'Struct schemas do not match.'],
    [{ type: 'array' }, ['x'], 'No schema defined for element of array value'],
  ])('refuses in upstream’s words (%#)', (schema, value, message) => {
    expect(refusal(schema, value)).toBe(message)
  })

  it('names the field where a name is given', () => {
    expect(refusal(struct({ a: string() }), null, 'magic')).toBe(
      'Invalid value: null used for required field: "magic", schema type: STRUCT',
    )
    expect(refusal(array(string()), [5n], 'tags')).toBe(
      'Invalid Java object for schema with type STRING: class java.lang.Long for element of array field: "tags"',
    )
    expect(refusal(float32(), float64Value(1), 'f')).toContain('class java.lang.Double for field: "f"')
  })

  it('does not take a member of Object.prototype for a field', () => {
    expect(refusal(struct({ constructor: string() }), {})).toContain('null used for required field: "constructor"')
  })
})
