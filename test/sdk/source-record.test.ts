/** @module test/sdk/source-record — what the engine makes of what sources yield. */
import {
  array,
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
  Password,
  type Schema,
  Sized,
  type SourceRecordInput,
  sourceRecord,
  string,
  struct,
  structOf,
  timestamp,
  toPlain,
  type Value,
  validateValue,
} from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const canonicalOf = (value: unknown, valueSchema: Schema | null = null): Value => sourceRecord({ topic: 't', value, valueSchema }).value
const refusalOf = (input: Partial<SourceRecordInput>): string => {
  try {
    sourceRecord({ topic: 't', ...input })
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataError' })
    return (error as Error).message
  }
  return 'accepted'
}

describe('the frame', () => {
  it('fills in what was left out', () => {
    expect(sourceRecord({ topic: 't' })).toEqual({
      topic: 't',
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: null,
      value: null,
      timestampMs: null,
      headers: [],
      sourcePartition: null,
      sourceOffset: null,
    })
  })

  it('keeps what is given, and brings headers into form', () => {
    const given = {
      topic: 't',
      partition: 3,
      timestampMs: 0,
      sourcePartition: { file: 'a' },
      sourceOffset: { at: 5, big: 2n ** 60n, end: null },
    }
    expect(
      sourceRecord({
        ...given,
        headers: [
          { key: 'h', value: 7 },
          { key: 'h', schema: int32(), value: 7 },
        ],
      }),
    ).toMatchObject({
      ...given,
      headers: [
        { key: 'h', schema: null, value: 7n },
        { key: 'h', schema: { type: 'int32' }, value: 7 },
      ],
    })
  })

  it('leaves a null key or value alone, whatever its schema', () => {
    expect(canonicalOf(null, struct({ a: string() }))).toBeNull()
  })

  it.each<[Partial<SourceRecordInput>, string]>([
    [{ topic: '' }, 'topic: got a string, a record needs the name of its topic'],
    [{ topic: undefined as unknown as string }, 'topic: got nothing, a record needs the name of its topic'],
    [{ partition: -1 }, 'partition: must be a whole number from 0, or null'],
    [{ timestampMs: 1.5 }, 'timestampMs: must be a whole number from 0, or null'],
    [{ headers: [{ key: 5 as unknown as string, value: 1 }] }, 'headers[0].key: got a whole number, a header needs a name'],
    [{ headers: [{ key: 'a', schema: int32(), value: 'x' }] }, 'headers[0].value: got a string where the schema says int32'],
    [{ sourceOffset: { at: Number.NaN } }, 'sourceOffset.at: got a number; positions hold strings, finite numbers, booleans and null'],
    [
      { sourcePartition: { table: [] as unknown as string } },
      'sourcePartition.table: got a list; positions hold strings, finite numbers, booleans and null',
    ],
  ])('refuses (%#)', (input, message) => {
    expect(refusalOf(input)).toBe(message)
  })
})

describe('without a schema', () => {
  it('gives every plain thing its canonical form', () => {
    const now = new Date(5)
    const bytesGiven = new Uint8Array([1])
    expect(
      canonicalOf({
        whole: 7,
        half: 0.5,
        big: 2n ** 40n,
        yes: true,
        none: undefined,
        list: [1, { a: 1 }],
        now,
        bytesGiven,
        d: new Decimal(1n, 1),
      }),
    ).toEqual(
      new Map<string, unknown>([
        ['whole', 7n],
        ['half', 0.5],
        ['big', 2n ** 40n],
        ['yes', true],
        ['none', null],
        ['list', [1n, new Map([['a', 1n]])]],
        ['now', now],
        ['bytesGiven', bytesGiven],
        ['d', new Decimal(1n, 1)],
      ]),
    )
    expect(canonicalOf(float64Value(7))).toBe(7)
    expect(canonicalOf(2 ** 60)).toBe(2 ** 60)
    expect(canonicalOf(new Sized('int8', 7))).toEqual(new Sized('int8', 7))
  })

  it('takes a row of a driver’s own class', () => {
    class TextRow {
      id = 1
    }
    expect(canonicalOf(new TextRow())).toEqual(new Map([['id', 1n]]))
  })

  it('does not copy what is canonical', () => {
    const [list, entries] = [['a', 1n, new Map([['a', 'b']])], new Map([['x', ['y']]])]
    expect(canonicalOf(list)).toBe(list)
    expect(canonicalOf(entries)).toBe(entries)
  })

  it('never changes what it is given', () => {
    fc.assert(
      fc.property(fc.object({ withBigInt: false, withMap: false, withSet: false }), (object) => {
        const before = structuredClone(object)
        const value = canonicalOf(object)
        expect(object).toEqual(before)
        // Canonical values stay as they are, so a second pass changes only what a bare whole FLOAT64 would be taken for.
        expect(canonicalOf(value)).toEqual(value)
      }),
      { numRuns: 100 },
    )
  })

  it.each<[unknown, string]>([
    [{ a: { b: [0, () => 1] } }, 'value.a.b[1]: a function has no form in a record'],
    [{ s: new Set() }, 'value.s: a Set has no form in a record'],
    [2n ** 63n, 'value: a bigint beyond 64 bits has no form in a record; give a Decimal or a string'],
    [{ when: new Date(Number.NaN) }, 'value.when: an invalid Date has no form in a record'],
    [{ login: new Password('hunter2') }, 'value.login: a secret has no place in a record; its text is in `.value`'],
    [new Map([['k', Symbol('s')]]), 'value.k: a symbol has no form in a record'],
    [new Sized('int8', 300), 'value: a Sized int8 holds what does not fit into it'],
  ])('refuses and names the way (%#)', (value, message) => {
    expect(refusalOf({ value })).toBe(message)
  })

  it('refuses a value that contains itself', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = [loop, loop]
    expect(refusalOf({ value: loop })).toMatch(
      /^value\.self\[0\]\.self\[0\].*….*nested deeper than 500 levels; perhaps it contains itself$/,
    )
  })
})

describe('with a schema', () => {
  const order = struct({
    id: int64(),
    note: string({ optional: true }),
    lines: array(struct({ sku: string(), price: decimal(2), count: int16({ default: 1 }) })),
    tags: map(string(), int32(), { optional: true }),
  })

  it('makes a struct in the schema’s order of a plain object', () => {
    const value = canonicalOf({ lines: [{ price: new Decimal(5n, 1), sku: 'x' }], id: 7, tags: { a: 1n } }, order)
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.entries(value as object)).toEqual([
      ['id', 7n],
      ['note', null],
      ['lines', [structOf({ sku: 'x', price: new Decimal(50n, 2), count: null })]],
      ['tags', new Map([['a', 1]])],
    ])
    validateValue(order, value)
  })

  it('does not copy what is canonical', () => {
    const row = structOf({
      id: 7n,
      note: null,
      lines: [structOf({ sku: 'x', price: new Decimal(1n, 2), count: 2 })],
      tags: new Map([['a', 1]]),
    })
    expect(canonicalOf(row, order)).toBe(row)
    const disordered = structOf({ note: null, id: 7n, lines: [], tags: null })
    expect(canonicalOf(disordered, order)).not.toBe(disordered)
  })

  it('accepts what means the same', () => {
    expect(canonicalOf(5, int64())).toBe(5n)
    expect(canonicalOf(5n, int8())).toBe(5)
    expect(canonicalOf(new Sized('int32', 5), int32())).toBe(5)
    expect(canonicalOf(0.1, float32())).toBe(Math.fround(0.1))
    expect(canonicalOf(new Decimal(500n, 2), decimal(1))).toEqual(new Decimal(50n, 1))
    expect(canonicalOf(1_700_000_000_000, timestamp())).toEqual(new Date(1_700_000_000_000))
    expect(canonicalOf(2n ** 62n, timestamp())).toBe(2n ** 62n)
    expect(canonicalOf(200_000_000, date())).toBe(200_000_000)
    const text = Buffer.from('x')
    expect(canonicalOf(text, bytes())).toBe(text)
  })

  it.each<[unknown, Schema, string]>([
    [
      { id: 1, lines: [{ sku: 'a', price: 5 }] },
      order,
      'value.lines[0].price: got a whole number where the schema says bytes (org.apache.kafka.connect.data.Decimal)',
    ],
    [
      { id: 1, lines: [], tags: { a: 2 ** 40 } },
      order,
      'value.tags.a: a number beyond the 32 bits of the schema’s int32'.replace('’', "'"),
    ],
    [{ lines: [] }, order, "value.id: nothing there, and the schema's int64 is not optional"],
    [{ id: 1, lines: [], nmae: 'x' }, order, 'value.nmae: the schema has no field of this name'],
    [[1], order, 'value: got a list where the schema says struct'],
    [new Map(), order, 'value: got a Map where the schema says struct'],
    [2 ** 60, int64(), 'value: got a whole number where the schema says int64'],
    [1.5, int8(), 'value: got a number where the schema says int8'],
    ['1', float64(), 'value: got a string where the schema says float64'],
    [new Password('hunter2'), string(), 'value: got a secret where the schema says string'],
    [new Decimal(55n, 2), decimal(1), "value: a Decimal of scale 2 loses digits at the schema's scale 1"],
    [new Decimal(55n, 2), decimal(2 ** 31 - 1), "value: a Decimal of scale 2 is too far from the schema's scale"],
    [new Decimal(55n, 2), { ...decimal(1), parameters: { scale: 'x' } }, "value: a Decimal of scale 2 is too far from the schema's scale"],
    [[null], array(string()), "value[0]: nothing there, and the schema's string is not optional"],
  ])('refuses and names the way (%#)', (value, valueSchema, message) => {
    expect(refusalOf({ value, valueSchema })).toBe(message)
  })
})

describe('toPlain', () => {
  it('gives data that JSON.stringify prints without loss', () => {
    const value = structOf({
      id: 7n,
      big: 2n ** 60n,
      price: new Decimal(1050n, 2),
      at: new Date(0),
      raw: Buffer.from('hi'),
      list: [1n, new Sized('int8', 3)],
      words: new Map([['a', 1n]]),
      pairs: new Map<Value, Value>([[1n, 'x']]),
      none: null,
    })
    expect(JSON.stringify(toPlain(value))).toBe(
      '{"id":7,"big":"1152921504606846976","price":"10.50","at":"1970-01-01T00:00:00.000Z","raw":"aGk=","list":[1,3],"words":{"a":1},"pairs":[[1,"x"]],"none":null}',
    )
  })

  it('does not write out the zeros of a huge scale, which a few bytes of JSON can ask for', () => {
    expect(toPlain(new Decimal(-15n, 2 ** 31 - 1))).toBe('-15E-2147483647')
    expect(toPlain(new Decimal(15n, -(2 ** 31 - 1)))).toBe('15E+2147483647')
    expect(toPlain(new Decimal(15n, -3))).toBe('15000')
  })

  it('keeps a member of any name', () => {
    expect(Object.keys(toPlain(new Map([['__proto__', 'x']])) as object)).toEqual(['__proto__'])
  })
})
