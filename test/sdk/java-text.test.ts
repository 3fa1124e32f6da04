/** @module test/sdk/java-text — values as Java prints them, at every depth. */
import {
  array,
  Decimal,
  float32,
  float64,
  int32,
  javaText,
  map,
  type Schema,
  Sized,
  string,
  struct,
  structOf,
  timestamp,
  type Value,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'

const inner = struct({ c: int32(), d: string({ optional: true }), e: int32({ default: 5 }) })

describe('javaText', () => {
  it.each<[Schema | null, Value, string]>([
    [null, null, 'null'],
    [null, 'as it is', 'as it is'],
    [null, false, 'false'],
    [null, 2n ** 63n - 1n, '9223372036854775807'],
    [null, 100, '100.0'],
    [float64(), 1e21, '1.0E21'],
    [float32(), Math.fround(1.1), '1.1'],
    [int32(), 42, '42'],
    [null, new Sized('int16', 7), '7'],
    [null, new Sized('float32', Math.fround(0.1)), '0.1'],
    [null, new Decimal(1n, -3), '1E+3'],
    [timestamp(), new Date(1_483_430_400_123), 'Tue Jan 03 08:00:00 UTC 2017'],
    [null, Buffer.from([1, 2]), 'AQI='],
    [array(int32()), [1, 2], '[1, 2]'],
    [null, [1, [null]], '[1.0, [null]]'],
    [map(string(), array(float32())), new Map([['a', [Math.fround(0.2)]]]), '{a=[0.2]}'],
    [inner, structOf({ c: 1, d: null, e: null }), 'Struct{c=1,e=5}'],
    [struct({ inner }), structOf({ inner: structOf({ c: 1, d: 'x', e: 2 }) }), 'Struct{inner=Struct{c=1,d=x,e=2}}'],
    [null, structOf({ a: 1n, b: null }), 'Struct{a=1}'],
  ])('%#', (schema, value, text) => {
    expect(javaText(schema, value)).toBe(text)
  })
})
