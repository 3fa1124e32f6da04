/** @module test/sdk/schema-equality — schemas and values by content, fields by name, Java's names. */
import {
  array,
  bytes,
  Decimal,
  decimal,
  fieldOf,
  float64,
  getField,
  int32,
  int64,
  javaClassOf,
  map,
  type Schema,
  Sized,
  schemasEqual,
  string,
  struct,
  structOf,
  type Value,
  valuesEqual,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'

const makers: readonly (() => Schema)[] = [
  () => string(),
  () => string({ optional: true }),
  () => string({ default: 'x' }),
  () => string({ default: '' }),
  () => string({ name: 'a' }),
  () => string({ version: 1 }),
  () => string({ doc: 'd' }),
  () => string({ parameters: { a: '1' } }),
  () => string({ parameters: { a: '2' } }),
  () => int64({ default: 1n }),
  () => bytes({ default: new Uint8Array([1]) }),
  () => bytes({ default: new Uint8Array([2]) }),
  () => decimal(2),
  () => decimal(3),
  () => float64({ default: 0 }),
  () => float64({ default: -0 }),
  () => array(string()),
  () => array(int32()),
  () => map(string(), int32()),
  () => map(string(), string()),
  () => map(int32(), int32()),
  () => struct({ a: string(), b: int32() }),
  () => struct({ b: int32(), a: string() }),
  () => struct({ a: string() }),
  () => struct({ a: struct({ a: string() }) }),
]

describe('schemasEqual', () => {
  it('is content, all of it, and nothing else', () => {
    for (const [a, left] of makers.entries()) {
      for (const [b, right] of makers.entries()) expect(schemasEqual(left(), right()), `${a} ${b}`).toBe(a === b)
    }
  })

  it('takes an absent schema as null, and optional false as absent', () => {
    expect(schemasEqual(null, undefined)).toBe(true)
    expect(schemasEqual(null, string())).toBe(false)
    expect(schemasEqual(string({ optional: false, parameters: {} }), string())).toBe(true)
  })
})

describe('valuesEqual', () => {
  const values: readonly (() => Value)[] = [
    () => null,
    () => 0,
    () => -0,
    () => Number.NaN,
    () => 1,
    () => 1n,
    () => '1',
    () => true,
    () => new Sized('int8', 1),
    () => new Sized('int16', 1),
    () => new Decimal(10n, 1),
    () => new Decimal(100n, 2),
    () => new Date(1),
    () => new Date(2),
    () => new Uint8Array([1]),
    () => [1n],
    () => [1n, 2n],
    () => new Map([['a', 1n]]),
    () => new Map([['a', 2n]]),
    () => new Map<Value, Value>([[[1n], 1n]]),
    () => structOf({ a: 1n, b: [structOf({ c: 'x' })] }),
    () => structOf({ b: [structOf({ c: 'x' })], a: 1n }),
    () => structOf({ a: 1n }),
  ]

  it('is content', () => {
    for (const [a, left] of values.entries()) {
      for (const [b, right] of values.entries()) expect(valuesEqual(left(), right()), `${a} ${b}`).toBe(a === b)
    }
  })

  it('finds map entries whatever their order', () => {
    const [ab, ba] = [
      new Map([
        ['a', 1n],
        ['b', 2n],
      ]),
      new Map([
        ['b', 2n],
        ['a', 1n],
      ]),
    ]
    expect(valuesEqual(ab, ba)).toBe(true)
  })
})

describe('fields', () => {
  const schema = struct({ id: int64(), name: string({ default: 'nobody' }), note: string({ optional: true }) })

  it('are found by name', () => {
    expect(fieldOf(schema, 'name')).toBe(schema.fields?.[1])
    expect(fieldOf(schema, 'nix')).toBeUndefined()
    expect(() => fieldOf(string(), 'x')).toThrow('Cannot look up fields on non-struct type')
  })

  it('are read with their defaults', () => {
    const row = structOf({ id: 1n, name: null })
    expect(['id', 'name', 'note'].map((name) => getField(schema, row, name))).toEqual([1n, 'nobody', null])
    expect(() => getField(schema, row, 'nix')).toThrow('nix is not a valid field name')
  })
})

describe('javaClassOf', () => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'null'],
    ['x', 'java.lang.String'],
    [true, 'java.lang.Boolean'],
    [1n, 'java.lang.Long'],
    [12345678901234567890n, 'java.math.BigInteger'],
    [1, 'java.lang.Double'],
    [new Sized('int8', 1), 'java.lang.Byte'],
    [new Sized('int16', 1), 'java.lang.Short'],
    [new Sized('int32', 1), 'java.lang.Integer'],
    [new Sized('float32', 1), 'java.lang.Float'],
    [new Sized('float64', 1), 'java.lang.Double'],
    [new Decimal(1n, 0), 'java.math.BigDecimal'],
    [new Date(), 'java.util.Date'],
    [Buffer.from('x'), '[B'],
    [[], 'java.util.ArrayList'],
    [new Map(), 'java.util.HashMap'],
    [structOf({}), 'org.apache.kafka.connect.data.Struct'],
    [new Set(), 'java.lang.Object'],
    [Symbol('x'), 'java.lang.Object'],
  ])('%#', (value, name) => {
    expect(javaClassOf(value)).toBe(name)
  })

  it('lets a schema say what a number is', () => {
    expect(javaClassOf(5, int32())).toBe('java.lang.Integer')
    expect(javaClassOf(2 ** 40, int32())).toBe('java.lang.Long')
    expect(javaClassOf(5, float64())).toBe('java.lang.Double')
  })
})
