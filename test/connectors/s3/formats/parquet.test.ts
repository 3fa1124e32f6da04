import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordFormat } from '../../../../connectors/s3/formats/index.ts'
import { rowGroupLimits } from '../../../../connectors/s3/formats/parquet.ts'
import {
  array,
  bytes,
  DataError,
  date,
  Decimal,
  decimal,
  float64,
  int32,
  int64,
  map,
  type Schema,
  string,
  struct,
  structMaker,
  structOf,
  type Value,
} from '../../../../sdk/index.ts'
import { openParquetReader, type ParquetReader } from './parquet-reader.ts'
import { defaults, objectOf, openObject, sinkRecord } from './sink-records.ts'

const parquetOf: typeof objectOf = (records, settings) => objectOf(records, { format: 'parquet', ...settings })

let reader: ParquetReader
beforeAll(async () => {
  reader = await openParquetReader()
})
afterAll(() => reader.close())

const DAY_MS = 86_400_000

const precise = (scale: number, precision: number): Schema =>
  decimal(scale, { parameters: { 'connect.decimal.precision': String(precision) } })

/** Rows of these values as DuckDB reads them. */
async function readBack(
  row: Schema,
  values: readonly Value[],
  codec: 'none' | 'snappy' | 'gzip' | 'zstd' = 'snappy',
): Promise<readonly unknown[]> {
  const { columns, rows } = await reader.read(
    await parquetOf(
      values.map((value) => sinkRecord(row, value)),
      { parquetCodec: codec },
    ),
  )
  return rows.map((members) => Object.fromEntries(members.map((member, at) => [columns[at]![0], member])))
}

describe('nested values', () => {
  const point = struct({ x: int32(), label: string({ optional: true }) }, { optional: true })
  const row = struct({
    lists: array(array(point, { optional: true }), { optional: true }),
    structs: struct({ inner: struct({ deep: array(int64({ optional: true })) }, { optional: true }) }, { optional: true }),
    maps: map(string(), map(int32(), point, { optional: true }), { optional: true }),
  })
  const p = (x: number, label: string | null): Value => structOf({ x, label })
  const one = structOf({
    lists: [[p(1, 'a'), null, p(2, null)], null, [], [null]],
    structs: structOf({ inner: structOf({ deep: [1n, null, 2n] }) }),
    maps: new Map<Value, Value>([
      [
        'a',
        new Map<Value, Value>([
          [1, p(3, 'c')],
          [2, null],
        ]),
      ],
      ['b', null],
      ['c', new Map()],
    ]),
  })
  const values: readonly Value[] = [
    one,
    structOf({ lists: null, structs: null, maps: null }),
    structOf({ lists: [], structs: structOf({ inner: null }), maps: new Map() }),
    structOf({ lists: [null], structs: structOf({ inner: structOf({ deep: [] }) }), maps: new Map<Value, Value>([['', null]]) }),
    structOf({ lists: [[]], structs: structOf({ inner: structOf({ deep: [null] }) }), maps: new Map<Value, Value>([['', new Map()]]) }),
    one,
  ]
  const read = [
    {
      lists: [[{ x: 1, label: 'a' }, null, { x: 2, label: null }], null, [], [null]],
      structs: { inner: { deep: [1n, null, 2n] } },
      maps: new Map<unknown, unknown>([
        [
          'a',
          new Map<unknown, unknown>([
            [1, { x: 3, label: 'c' }],
            [2, null],
          ]),
        ],
        ['b', null],
        ['c', new Map()],
      ]),
    },
    { lists: null, structs: null, maps: null },
    { lists: [], structs: { inner: null }, maps: new Map() },
    { lists: [null], structs: { inner: { deep: [] } }, maps: new Map([['', null]]) },
    { lists: [[]], structs: { inner: { deep: [null] } }, maps: new Map([['', new Map()]]) },
  ]

  for (const codec of ['none', 'snappy', 'gzip', 'zstd'] as const) {
    it(`keep null and empty apart at every level (${codec})`, async () => {
      expect(await readBack(row, values, codec)).toEqual([...read, read[0]])
    })
  }

  it('may be nothing but null and empty', async () => {
    expect(await readBack(row, [values[1]!, values[2]!])).toEqual([read[1], read[2]])
    expect(await readBack(row, [values[1]!])).toEqual([read[1]])
  })

  it('may be structs of a maker', async () => {
    const inner = struct({ n: int32() })
    const outer = struct({ inner, text: string({ optional: true }) })
    const makeInner = structMaker(inner)
    const made = structMaker(outer)([makeInner([7]), null])
    expect(await readBack(outer, [made])).toEqual([{ inner: { n: 7 }, text: null }])
  })
})

describe('a field that is null or absent', () => {
  it('takes the default of its schema, as JsonConverter does', async () => {
    const row = struct({ a: int32({ optional: true, default: 5 }), b: string({ default: 'x' }), c: int32({ optional: true }) })
    expect(await readBack(row, [structOf({ a: null, b: null }), structOf({ a: 1, b: 'y', c: 2 })])).toEqual([
      { a: 5, b: 'x', c: null },
      { a: 1, b: 'y', c: 2 },
    ])
  })
})

describe('names', () => {
  it('may be any', async () => {
    const names = ['a.b', 'constructor', '__proto__', 'Ünï', 'list', '1']
    const row = struct(names.map((name) => ({ name, schema: int32() })))
    const value = Object.assign(Object.create(null) as Record<string, Value>, Object.fromEntries(names.map((name, at) => [name, at])))
    const { columns, rows } = await reader.read(await parquetOf([sinkRecord(row, value)]))
    expect(columns.map(([name]) => name)).toEqual(names)
    expect(rows).toEqual([[0, 1, 2, 3, 4, 5]])
  })
})

describe('repeated values', () => {
  it('stand in a dictionary, in which −0 is not 0', async () => {
    const row = struct({ word: string(), rate: float64({ optional: true }), day: date(), price: precise(2, 30) })
    const values = Array.from({ length: 5000 }, (_, at) => {
      return structOf({
        word: at % 3 === 0 ? 'a long word that comes again' : 'another',
        rate: [-0, 0, null][at % 3]!,
        day: new Date((at % 5) * DAY_MS),
        price: new Decimal(BigInt(at % 7) - 3n, 2),
      })
    })
    const object = await parquetOf(values.map((value) => sinkRecord(row, value)))
    const { rows } = await reader.read(object)
    for (const [at, [word, rate, day, price]] of rows.entries()) {
      expect([word, rate, day, price]).toEqual([
        values[at]!['word'],
        values[at]!['rate'],
        `days ${at % 5}`,
        `DECIMAL(30,2) ${(at % 7) - 3}`,
      ])
    }
    expect(object.length).toBeLessThan(10_000)
  })
})

describe('row groups', () => {
  const row = struct({ id: int64(), text: string() })
  const group =
    "SELECT row_group_id::INT AS id, row_group_num_rows::INT AS n FROM parquet_metadata($object) WHERE path_in_schema = 'id' ORDER BY 1"

  it('end at a number of rows', async () => {
    const count = rowGroupLimits.rowCount + 5
    const object = await parquetOf(Array.from({ length: count }, (_, at) => sinkRecord(row, structOf({ id: BigInt(at), text: `${at}` }))))
    expect(await reader.query(object, group)).toEqual([
      { id: 0, n: rowGroupLimits.rowCount },
      { id: 1, n: 5 },
    ])
    const sums = 'SELECT count(*)::VARCHAR AS n, sum(id)::VARCHAR AS sum, count(DISTINCT text)::VARCHAR AS texts FROM read_parquet($object)'
    expect(await reader.query(object, sums)).toEqual([{ n: `${count}`, sum: `${(count * (count - 1)) / 2}`, texts: `${count}` }])
  })

  it('end at a number of bytes, which then may be taken', async () => {
    const text = 'x'.repeat(1024 * 1024)
    const first = sinkRecord(row, structOf({ id: 0n, text }))
    const writer = openObject(first, { format: 'parquet' })
    const pieces: Uint8Array[] = []
    let bufferedMax = 0
    for (let at = 0; at < 100; at++) {
      writer.write(sinkRecord(row, structOf({ id: BigInt(at), text: `${at}${text}` })))
      bufferedMax = Math.max(bufferedMax, writer.bufferedBytes)
      pieces.push(...writer.takeBytes())
    }
    expect(bufferedMax).toBeLessThan(rowGroupLimits.bytes + 2 * text.length)
    // The magic number, and three row groups.
    expect(pieces.map(({ byteLength }) => byteLength > 1_000_000)).toEqual([false, true, true, true])
    pieces.push(...(await writer.finish()))
    expect(writer.bufferedBytes).toBe(0)
    const object = Buffer.concat(pieces)
    expect((await reader.query(object, group)).map(({ n }) => n)).toEqual([32, 32, 32, 4])
    expect(await reader.query(object, 'SELECT sum(length(text))::INT AS n FROM read_parquet($object)')).toEqual([
      { n: 100 * text.length + 190 },
    ])
  })

  it('are skipped by their bounds, which say the truth', async () => {
    const values = Array.from({ length: 3000 }, (_, at) => structOf({ id: BigInt(at) - 1500n, text: `word ${at}` }))
    const object = await parquetOf(values.map((value) => sinkRecord(row, value)))
    const bounds =
      'SELECT path_in_schema AS name, stats_min_value AS low, stats_max_value AS high FROM parquet_metadata($object) ORDER BY 1'
    expect(await reader.query(object, bounds)).toEqual([
      { name: 'id', low: '-1500', high: '1499' },
      { name: 'text', low: 'word 0', high: 'word 999' },
    ])
    expect(await reader.query(object, 'SELECT text FROM read_parquet($object) WHERE id = 1499')).toEqual([{ text: 'word 2999' }])
  })
})

describe('bounds of long values', () => {
  const row = struct({ text: string(), raw: bytes() })
  const bounds = 'SELECT path_in_schema AS name, stats_min_value AS low, stats_max_value AS high FROM parquet_metadata($object) ORDER BY 1'
  const objectWith = (texts: readonly string[], raws: readonly Buffer[]): Promise<Buffer> =>
    parquetOf(texts.map((text, at) => sinkRecord(row, structOf({ text, raw: raws[at]! }))))

  it('are beginnings, the upper one raised', async () => {
    const object = await objectWith([`a${'x'.repeat(500)}`, `z${'é'.repeat(500)}`], [Buffer.alloc(200, 1), Buffer.alloc(200, 2)])
    expect(await reader.query(object, bounds)).toEqual([
      { name: 'raw', low: '\\x01'.repeat(16), high: `${'\\x02'.repeat(15)}\\x03` },
      { name: 'text', low: `a${'x'.repeat(15)}`, high: `z${'é'.repeat(6)}ê` },
    ])
    expect(await reader.query(object, "SELECT length(text)::INT AS n FROM read_parquet($object) WHERE text > 'zé'")).toEqual([{ n: 501 }])
  })

  it('are left out where nothing shorter is above them', async () => {
    const object = await objectWith(['a', '\u{10ffff}'.repeat(100)], [Buffer.alloc(1), Buffer.alloc(200, 0xff)])
    expect((await reader.query(object, bounds)).map(({ high }) => high)).toEqual([null, null])
    expect(await reader.query(object, "SELECT count(*)::INT AS n FROM read_parquet($object) WHERE text > 'b'")).toEqual([{ n: 1 }])
  })
})

describe('an object of Parquet', () => {
  const row = struct({ id: int64(), tags: array(string()), price: precise(2, 20) }, { name: 'com.example.Row' })
  const record = (at: number): ReturnType<typeof sinkRecord> => {
    return sinkRecord(row, structOf({ id: BigInt(at), tags: [`${at % 3}`], price: new Decimal(BigInt(at), 2) }), at)
  }

  it('is the same bytes each time, whenever they are asked for', async () => {
    const records = Array.from({ length: 3000 }, (_, at) => record(at))
    for (const parquetCodec of ['none', 'snappy', 'gzip', 'zstd'] as const) {
      const object = await parquetOf(records, { parquetCodec })
      const writer = openObject(records[0]!, { format: 'parquet', parquetCodec })
      for (const each of records) writer.write(each)
      await writer.settle()
      expect(Buffer.concat(await writer.finish()).equals(object)).toBe(true)
    }
  })

  it('stays as it was when a record is refused', async () => {
    const refused: readonly (readonly [Value, RegExp])[] = [
      [structOf({ id: 1n, tags: ['a'], price: new Decimal(10n ** 20n, 2) }), /^price: the decimal .* more than 20 digits/],
      [structOf({ id: 1n, tags: ['a', 'b', null], price: new Decimal(1n, 2) }), /^tags\.list\.element is null/],
      [structOf({ id: 1n, tags: ['a', 5], price: new Decimal(1n, 2) }), /^tags\.list\.element: Invalid type for STRING: class java.lang/],
      [structOf({ id: 1, tags: [], price: new Decimal(1n, 2) }), /^id: Invalid type for INT64/],
      [structOf({ id: 1n, tags: ['\ud800'], price: new Decimal(1n, 2) }), /surrogate/],
      [structOf({ id: 1n, tags: [], price: new Decimal(1n, 3) }), /^price: Decimal value has mismatching scale/],
      [structOf({ id: 1n, tags: [] }), /^price is null/],
      [structOf({ id: 1n, tags: [], price: new Decimal(1n, 2), more: 1 }), /no field more/],
      ['text', /^the value: Invalid type for STRUCT/],
      [null, /without a value/],
    ]
    const writer = openObject(record(0), { format: 'parquet' })
    writer.write(record(1))
    const before = writer.bufferedBytes
    for (const [value, message] of refused) {
      expect(() => writer.write(sinkRecord(row, value))).toThrow(message)
      expect(() => writer.write(sinkRecord(row, value))).toThrow(DataError)
      expect(writer.bufferedBytes).toBe(before)
    }
    writer.write(record(2))
    const object = Buffer.concat(await writer.finish())
    expect(object.equals(await parquetOf([record(1), record(2)]))).toBe(true)
  })

  it('goes on past a record that no object could hold, and ends before one of another schema', () => {
    const writer = openObject(record(0), { format: 'parquet' })
    const copy = struct({ id: int64(), tags: array(string()), price: precise(2, 20) }, { name: 'com.example.Row' })
    expect(writer.fits(sinkRecord(copy, record(1).value))).toBe(true)
    for (const schema of [null, string()]) {
      const misplaced = sinkRecord(schema, 'x')
      expect(writer.fits(misplaced)).toBe(true)
      expect(() => writer.write(misplaced)).toThrow(/ParquetFormat writes structs.*format\.class=/)
      expect(() => writer.write(misplaced)).toThrow(DataError)
    }
    expect(writer.fits(sinkRecord(struct({ id: int64() }), structOf({ id: 1n })))).toBe(false)
    expect(writer.fits(sinkRecord(struct({ id: int64() }, { version: 2 }), structOf({ id: 1n })))).toBe(false)
  })

  const formless: Readonly<Record<string, readonly [Schema | null, RegExp]>> = {
    'a value without a schema': [null, /a value without a schema/],
    'a primitive': [int32(), /a value of type INT32/],
    'a struct without fields': [struct({}), /the value is a struct without fields/],
    'a struct without fields inside': [struct({ a: array(struct({})) }), /a\.list\.element is a struct without fields/],
    'a list of anything': [struct({ a: { type: 'array' } }), /a\.list\.element has values of any type/],
    'a Decimal without a scale': [struct({ a: bytes({ name: 'org.apache.kafka.connect.data.Decimal' }) }), /scale parameter not found/],
  }
  for (const [name, [schema, message]] of Object.entries(formless)) {
    it(`is refused ${name}`, () => {
      expect(() => openObject(sinkRecord(schema, null), { format: 'parquet' })).toThrow(message)
      expect(() => openObject(sinkRecord(schema, null), { format: 'parquet' })).toThrow(DataError)
    })
  }

  it('is refused more levels than schemas may have', () => {
    let schema: Schema = struct({ a: int32() })
    for (let level = 0; level < 250; level++) schema = struct({ a: schema })
    expect(() => openObject(sinkRecord(schema, null), { format: 'parquet' })).toThrow(/more than 100 levels/)
  })

  it('is refused a time that is none', () => {
    for (const [name, schema, value] of [
      ['Time', int32({ name: 'io.debezium.time.Time' }), DAY_MS + 1],
      ['MicroTime', int64({ name: 'io.debezium.time.MicroTime' }), -1n],
    ] as const) {
      const record = sinkRecord(struct({ at: schema }), structOf({ at: value }))
      expect(() => openObject(record, { format: 'parquet' }).write(record), name).toThrow(/^at: .* no time of day/)
    }
  })

  it('says by name and type what it is', () => {
    const formats = (['none', 'snappy', 'gzip', 'zstd'] as const).map((parquetCodec) =>
      recordFormat({ ...defaults, format: 'parquet', parquetCodec }),
    )
    expect(formats.map(({ extension }) => extension)).toEqual(['parquet', 'snappy.parquet', 'gz.parquet', 'zstd.parquet'])
    expect(new Set(formats.map(({ contentType }) => contentType))).toEqual(new Set(['application/vnd.apache.parquet']))
  })
})
