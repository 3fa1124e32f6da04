import { describe, expect, it } from 'vitest'
import { columnCodec } from '../../../../connectors/postgres/values/index.ts'
import { FatalError } from '../../../../sdk/index.ts'
import { codecOf, type ColumnFacts, columnOf, plain, typeOf, decoded } from './columns.ts'
import { decode, defaultSettings } from './rows.ts'

/** What no recording has: the recorded types are in golden.test.ts. */
const cases: readonly (readonly [string, ColumnFacts, string, unknown])[] = [
  ['money of a locale with a comma', { type: 'money' }, '1.234,56 €', '123456e-2'],
  ['money without a fraction', { type: 'money' }, '￥1,234', '123400e-2'],
  ['money in parentheses', { type: 'money' }, '($1,234.56)', '-123456e-2'],
  ['money with a point in its sign', { type: 'money' }, 'Fr. 12.50', '1250e-2'],
  ['money, finer than configured', { type: 'money', settings: { moneyFractionDigits: 1 } }, '-$0.05', '-1e-1'],
  ['money, many thousands without a fraction', { type: 'money' }, '1.234.567', '123456700e-2'],
  ['numeric of many digits', { type: 'numeric' }, '-12345678901234567890.10', { scale: 1, value: 'f94eb1607ed0c993cb' }],
  ['numeric, minus 129', { type: 'numeric' }, '-129', { scale: 0, value: 'ff7f' }],
  ['numeric, 128', { type: 'numeric' }, '128.000', { scale: 0, value: '0080' }],
  ['numeric, 15 digits', { type: 'numeric' }, '999999999999999', { scale: 0, value: '038d7ea4c67fff' }],
  ['interval infinity', { type: 'interval' }, 'infinity', 9_223_372_036_854_775_807n],
  ['interval -infinity as text', { type: 'interval', settings: { intervalMode: 'string' } }, '-infinity', '-infinity'],
  ['interval of half a second back', { type: 'interval', settings: { intervalMode: 'string' } }, '-00:00:00.5', 'P0Y0M0DT0H0M-0.5S'],
  ['bit varying(1), empty', { type: 'varbit', modifier: 1 }, '', false],
  ['bit of any length', { type: 'bit' }, '100000001', '0101'],
  ['vector', { type: 'vector', schema: 'public' }, '[1,-2.5,3e-05]', [1, -2.5, 3e-5]],
  ['halfvec', { type: 'halfvec', schema: 'public' }, '[0.1,2]', [Math.fround(0.1), 2]],
  ['sparsevec', { type: 'sparsevec', schema: 'public' }, '{1:1.5,3:-2}/5', { dimensions: 5, vector: { 1: 1.5, 3: -2 } }],
  ['sparsevec, empty', { type: 'sparsevec', schema: 'public' }, '{}/3', { dimensions: 3, vector: {} }],
  [
    'geometry with a reference system',
    { type: 'geometry', schema: 'public' },
    '0101000020E6100000000000000000F03F0000000000000040',
    { wkb: '0101000020e6100000000000000000f03f0000000000000040', srid: 4326, extensions: null },
  ],
  [
    'geography without one, highest byte first',
    { type: 'geography', schema: 'postgis' },
    '00000000013FF00000000000004000000000000000',
    { wkb: '00000000013ff00000000000004000000000000000', srid: null },
  ],
  [
    'boxes, parted by semicolons',
    { type: 'box[]' },
    '{(1,1),(0,0);NULL}',
    [expect.objectContaining({ extensions: { type: 'box' } }), null],
  ],
  ['text in two dimensions', { type: 'text[]' }, '[1:2][1:2]={{a,"b,}"},{NULL,d}}', ['{a,"b,}"}', '{NULL,d}']],
  ['numbers in two dimensions', { type: 'int8[]' }, '{{1,2},{3,4}}', [null, null]],
  ['quotes, commas and null in an array', { type: 'text[]' }, '{"","NULL",NULL,"a\\\\b\\"c",ünï}', ['', 'NULL', null, 'a\\b"c', 'ünï']],
  ['exact decimals in an array', { type: 'numeric[]', modifier: (6 << 16) + 2 + 4 }, '{1.5,NaN}', ['150e-2', null]],
  ['a tsvector array', { type: 'tsvector[]' }, `{"'a':1 'b':2"}`, ["'a':1 'b':2"]],
  [
    'hstore, escaped',
    { type: 'hstore', schema: 'public', settings: { hstoreMode: 'map' } },
    '"a\\"b"=>"\\\\", "c"=>NULL',
    { 'a"b': '\\', c: null },
  ],
  ['an unknown type as text of its bytes', { type: 'pg_lsn', settings: { includeUnknown: true, binaryMode: 'hex' } }, '0/1', '302f31'],
  ['a type that looks like one of the server', { type: 'int4', schema: 'mine', settings: { includeUnknown: true } }, '7', '37'],
]

describe('values of types', () => {
  it.each(cases)('%s', (_, facts, text, value) => expect(decoded(facts, text)).toEqual(value))

  it('a bytea safe for URLs is padded', () => {
    expect(decoded({ type: 'bytea', settings: { binaryMode: 'base64-url-safe' } }, '\\xfbff3e3f')).toBe('-_8-Pw==')
  })
})

describe('what is not captured', () => {
  it.each([
    'money[]',
    'name[]',
    'interval[]',
    'varbit[]',
    'xml[]',
    'point[]',
    'refcursor[]',
    'pg_lsn',
    'refcursor',
    'int2vector',
    'tsquery[]',
  ])('%s', (type) => {
    expect(codecOf({ type })).toBeNull()
  })

  it('bit[] is a column of nulls, so that it needs one that takes them', () => {
    expect(codecOf({ type: 'bit[]', modifier: 3, isOptional: false })).toBeNull()
    expect(decoded({ type: 'bit[]', modifier: 3 }, '{101}')).toBeNull()
  })

  it('a type that is not in the catalog', () => {
    const { column, settings } = columnOf({ type: 'int4' })
    expect(columnCodec(column, new Map(), settings, 'stream')).toBeNull()
    expect(columnCodec(column, new Map(), { ...settings, includeUnknown: true }, 'stream')?.schema.type).toBe('bytes')
  })
})

describe('domains', () => {
  const types = new Map([
    [1, typeOf(1, 'numeric')],
    [2, typeOf(2, 'price', { kind: 'domain', baseOid: 1, baseTypeModifier: (10 << 16) + 2 + 4 })],
    [3, typeOf(3, 'fee', { kind: 'domain', baseOid: 2 })],
    [4, typeOf(4, 'odd', { kind: 'domain', baseOid: 4 })],
  ])
  const column = { name: 'c', typeOid: 3, typeModifier: -1, isOptional: true, defaultExpression: null, isGenerated: false }

  it('the modifier is that of the nearest one that has any', () => {
    const codec = columnCodec(column, types, defaultSettings, 'stream')!
    expect(codec.schema.parameters).toEqual({ scale: '2', 'connect.decimal.precision': '10' })
    expect(decode(codec, '1.50')).toMatchObject({ unscaled: 150n, scale: 2 })
  })

  it('one that stands on itself ends', () => expect(columnCodec({ ...column, typeOid: 4 }, types, defaultSettings, 'stream')).toBeNull())
})

it('an enum in an array may be null', () => {
  const mood: ColumnFacts = { type: 'mood[]', schema: 'public', kind: 'enum', labels: ['sad', 'ok'], isOptional: false }
  expect(codecOf(mood)!.schema.valueSchema).toEqual({
    type: 'string',
    optional: true,
    name: 'io.debezium.data.Enum',
    version: 1,
    parameters: { allowed: 'sad,ok' },
  })
  expect(decoded(mood, '{sad,NULL,ok}')).toEqual(['sad', null, 'ok'])
})

describe('a value that the schema cannot hold is an error', () => {
  const cannotHold =
    /^column c of type \w+: a value that its schema cannot hold; (?:choose another (?:time\.precision|decimal\.handling)\.mode, or )?leave/
  it.each<[string, ColumnFacts, string]>([
    ['a moment beyond 64 bits', { type: 'timestamp' }, '294276-01-01 00:00:00'],
    ['such an element', { type: 'timestamp[]' }, '{"294276-01-01 00:00:00","1970-01-01 00:00:01"}'],
    ['a dimension beyond 16 bits', { type: 'sparsevec', schema: 'public' }, '{1:1}/40000'],
    // Null in its place would become the column's default in JSON, and has no place elsewhere.
    ['NaN of a column that is NOT NULL', { type: 'numeric', isOptional: false }, 'NaN'],
    ['infinity of such a column', { type: 'numeric', modifier: (6 << 16) + 2 + 4, isOptional: false }, '-Infinity'],
  ])('%s', (_, facts, text) => {
    expect(() => decoded(facts, text)).toThrow(FatalError)
    expect(() => decoded(facts, text)).toThrow(cannotHold)
  })

  it('save for NaN in a column that may be null, as upstream has it', () => {
    expect(decoded({ type: 'numeric' }, 'NaN')).toBeNull()
    expect(decoded({ type: 'numeric', isOptional: false, settings: { decimalMode: 'string' } }, 'NaN')).toBe('NAN')
  })
})

describe('what stands in for an unchanged TOASTed value', () => {
  const placeholder = '__debezium_unavailable_value'
  const hex = Buffer.from(placeholder).toString('hex')
  const bytes = [...Buffer.from(placeholder)]
  it.each<[string, ColumnFacts, unknown]>([
    ['text', { type: 'text' }, placeholder],
    ['varbit', { type: 'varbit' }, hex],
    ['bytea in base64', { type: 'bytea', settings: { binaryMode: 'base64' } }, placeholder],
    ['bytea[]', { type: 'bytea[]' }, [hex]],
    ['int2[]', { type: 'int2[]' }, bytes],
    ['timestamp[]', { type: 'timestamp[]' }, bytes.map(BigInt)],
    ['date[] as text', { type: 'date[]', settings: { timePrecisionMode: 'isostring' } }, [placeholder]],
    ['hstore as a map', { type: 'hstore', schema: 'public', settings: { hstoreMode: 'map' } }, { [placeholder]: placeholder }],
    ['numeric as text', { type: 'numeric', settings: { decimalMode: 'string' } }, placeholder],
    // Where upstream gives null or fails: as near to the above as the schema lets it be.
    ['numeric', { type: 'numeric' }, { scale: 0, value: hex }],
    ['numeric[]', { type: 'numeric[]' }, [{ scale: 0, value: hex }]],
    ['numeric(6,2)[]', { type: 'numeric[]', modifier: (6 << 16) + 2 + 4 }, Array.from(bytes, (byte) => `${byte}00e-2`)],
    ['float8[]', { type: 'float8[]' }, bytes],
    ['vector', { type: 'vector', schema: 'public', isOptional: false }, bytes],
    ['halfvec', { type: 'halfvec', schema: 'public' }, bytes],
    [
      'sparsevec',
      { type: 'sparsevec', schema: 'public' },
      { dimensions: bytes.length, vector: Object.fromEntries(bytes.map((byte, at) => [at + 1, byte])) },
    ],
    ['path', { type: 'path' }, { wkb: hex, srid: null, extensions: null }],
    ['geometry', { type: 'geometry', schema: 'public' }, { wkb: hex, srid: null, extensions: null }],
    ['geography', { type: 'geography', schema: 'public', isOptional: false }, { wkb: hex, srid: null }],
  ])('%s', (_, facts, value) => expect(plain(codecOf(facts)!.unavailable!)).toEqual(value))

  it.each<[string, ColumnFacts]>([
    ['numeric(6,2)', { type: 'numeric', modifier: (6 << 16) + 2 + 4 }],
    ['numeric(6,2), NOT NULL', { type: 'numeric', modifier: (6 << 16) + 2 + 4, isOptional: false }],
    ['bool[]', { type: 'bool[]' }],
    ['date[] of Connect', { type: 'date[]', settings: { timePrecisionMode: 'connect' } }],
  ])('nothing: %s', (_, facts) => expect(codecOf(facts)!.unavailable).toBeUndefined())
})

describe('what stands in for a value that is not known', () => {
  it.each<[ColumnFacts, unknown]>([
    [{ type: 'int4' }, 0],
    [{ type: 'int8' }, 0n],
    [{ type: 'bool' }, false],
    [{ type: 'text' }, ''],
    [{ type: 'uuid' }, ''],
    [{ type: 'numeric', modifier: (5 << 16) + 2 + 4 }, '0e-2'],
    [{ type: 'numeric', modifier: (5 << 16) + 2 + 4, settings: { decimalMode: 'string' } }, '0.00'],
    [{ type: 'money' }, '0e-2'],
    [{ type: 'timestamptz' }, '1970-01-01T00:00:00Z'],
    [{ type: 'bytea' }, ''],
    [{ type: 'text[]' }, []],
    [{ type: 'hstore', schema: 'public' }, '{}'],
    [{ type: 'line' }, { a: 0, b: 1, c: 0 }],
    [
      { type: 'geometry', schema: 'public' },
      { wkb: '010700000000000000', srid: null, extensions: null },
    ],
  ])('%o', (facts, value) => expect(plain(codecOf(facts)!.fallback)).toEqual(value))
})
