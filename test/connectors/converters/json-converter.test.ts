/** What golden cases cannot show: any value comes back, any bytes give a value or a DataError, and what is kept between records stays true. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonConverter } from '../../../connectors/converters/index.ts'
import {
  array,
  type Converter,
  type DataError,
  float64,
  int32,
  int64,
  isEngineError,
  parseConfig,
  type Schema,
  type SchemaAndValue,
  schemasEqual,
  string,
  struct,
  structOf,
  type Value,
  valuesEqual,
} from '../../../sdk/index.ts'
import { samples, schemalessValues } from './random-values.ts'

const isLong = process.env['MILLRACE_LONG'] !== undefined
const runs = isLong ? 30_000 : 400
const documentBytes = isLong ? 50 * 1024 * 1024 : 2 * 1024 * 1024

interface Ready {
  write(schema: Schema | null, value: Value): Buffer | null
  read(bytes: Uint8Array | string | null): SchemaAndValue
}

function ready(settings: Readonly<Record<string, string>> = {}): Ready {
  const config = parseConfig(jsonConverter.config, { 'converter.type': 'value', ...settings })
  const converter: Converter = jsonConverter.create(config, { isKey: false })
  return {
    write: (schema, value) => converter.fromConnectData('t', schema, value, []) as Buffer | null,
    read: (bytes) => converter.toConnectData('t', typeof bytes === 'string' ? Buffer.from(bytes) : bytes, []) as SchemaAndValue,
  }
}

const withSchemas = ready()
const bare = ready({ 'schemas.enable': 'false' })

describe('any value', () => {
  it.each(['BASE64', 'NUMERIC'])('comes back with its schema, decimals as %s', (format) => {
    const converter = ready({ 'decimal.format': format })
    fc.assert(
      fc.property(samples, ({ schema, value }) => {
        const bytes = converter.write(schema, value)
        JSON.parse(bytes!.toString())
        // Twice: the second time the envelope is known.
        for (const back of [converter.read(bytes), converter.read(bytes)]) {
          expect(schemasEqual(back.schema, schema)).toBe(true)
          if (!valuesEqual(back.value, value)) expect(back.value).toEqual(value)
          expect(converter.write(back.schema, back.value)).toEqual(bytes)
        }
      }),
      { numRuns: runs },
    )
  })

  it('comes back by schema.content without an envelope', () => {
    fc.assert(
      fc.property(samples, ({ schema, value }) => {
        const envelope = JSON.parse(withSchemas.write(schema, value)!.toString()) as { readonly schema: unknown }
        const content = ready({ 'schema.content': JSON.stringify(envelope.schema) })
        const back = content.read(bare.write(schema, value))
        expect(schemasEqual(back.schema, schema)).toBe(true)
        if (!valuesEqual(back.value, value)) expect(back.value).toEqual(value)
      }),
      { numRuns: runs / 4 },
    )
  })

  it('comes back without a schema', () => {
    fc.assert(
      fc.property(schemalessValues, (value) => {
        expect(bare.read(bare.write(null, value))).toEqual({ schema: null, value })
        expect(withSchemas.read(withSchemas.write(null, value))).toEqual({ schema: null, value })
      }),
      { numRuns: runs },
    )
  })
})

describe('bad input', () => {
  /** A value, or a DataError: never anything else. */
  function outcome(converter: Ready, bytes: Uint8Array): SchemaAndValue | DataError {
    try {
      return converter.read(bytes)
    } catch (error) {
      if (!isEngineError(error) || error.next !== 'judge') throw error
      return error as DataError
    }
  }

  it('gives a value or a DataError for damaged bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('{}[]",:\\0-e.n'))), fc.nat(2)), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(samples, damage, ({ schema, value }, places) => {
        for (const converter of [withSchemas, bare]) {
          let bytes = [...converter.write(schema, value)!]
          for (const [where, byte, kind] of places) {
            const at = where % (bytes.length + 1)
            bytes = kind === 0 ? bytes.toSpliced(at, 1, byte) : kind === 1 ? bytes.toSpliced(at, 0, byte) : bytes.slice(0, at)
          }
          outcome(converter, Buffer.from(bytes))
        }
      }),
      { numRuns: runs },
    )
  })

  const notJson = 'Converting byte[] to Kafka Connect data failed due to serialization error: '
  const huge = (start: string, filler: string, end: string): Buffer => {
    return Buffer.concat([Buffer.from(start), Buffer.alloc(documentBytes, filler), Buffer.from(end)])
  }

  it.each<[string, () => Buffer, string]>([
    ['truncated UTF-8', () => Buffer.from([0x22, 0xf0, 0x9f, 0x98]), 'invalid UTF-8 at byte 1'],
    ['a late bad byte', () => Buffer.concat([Buffer.from('é'.repeat(500)), Buffer.from([0xc3])]), 'invalid UTF-8 at byte 1000'],
    ['a number without end', () => huge('', '9', ''), 'a number of more than 1000 characters'],
    ['a string without end', () => huge('"', 'x', ''), 'unexpected end inside a string'],
    ['escapes without end', () => huge('"', '\\"', ''), 'unexpected end inside a string'],
    ['lists without end', () => huge('', '[', ''), '500 lists and objects inside each other'],
    ['100,000 lists', () => Buffer.from('['.repeat(100_000)), '500 lists and objects inside each other'],
    ['100,000 objects', () => Buffer.from('{"a":'.repeat(100_000)), '500 lists and objects inside each other'],
    ['a list that ends badly', () => huge('[', '1,', 'x]'), 'expected a value'],
    ['NaN', () => Buffer.from('NaN'), 'expected a value, found NaN at line 1, column 1'],
    ['Infinity', () => Buffer.from('{"a":-Infinity}'), 'expected a digit at line 1, column 7'],
  ])('says what is wrong with %s', (_name, make, message) => {
    const bytes = make()
    for (const converter of [withSchemas, bare]) {
      const error = outcome(converter, bytes)
      expect(error).toMatchObject({ message: notJson, className: 'org.apache.kafka.connect.errors.DataException' })
      const cause = (error as DataError).cause as DataError
      expect(cause.className).toBe('org.apache.kafka.common.errors.SerializationException')
      expect(cause.message).toContain(message)
    }
  })

  it.each<[string, string]>([
    ['{"type":"bytes"}', 'Invalid bytes field'],
    [
      '{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}',
      'Invalid bytes for Decimal field',
    ],
  ])('refuses base64 that is none, however long: %s', (schema, message) => {
    for (const [filler, end] of [
      ['AAAA', '!'],
      [' ', '!'],
      ['AAAA', 'A'],
      ['AAAA', 'A==='],
      ['AA==', ''],
      ['AA-_', ''],
    ]) {
      const error = outcome(withSchemas, huge(`{"schema":${schema},"payload":"`, filler!, `${end}"}`))
      expect(error, `${filler} ${end}`).toMatchObject({ message })
      expect(((error as DataError).cause as DataError).message).toContain('broken base64')
    }
    const blanks = outcome(withSchemas, Buffer.from(`{"schema":${schema},"payload":" AQID\\nAQI= "}`))
    expect(blanks).not.toBeInstanceOf(Error)
  })

  it('never writes out a number that is only an exponent', () => {
    const decimal = '{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}'
    const read = (schema: string, payload: string): Value => withSchemas.read(`{"schema":${schema},"payload":${payload}}`).value
    expect(read(decimal, '1e999999999')).toMatchObject({ unscaled: 1n, scale: -999_999_999 })
    expect(() => read(decimal, '1e99999999999')).toThrow('its exponent is beyond 32 bits')
    expect(read('{"type":"int64"}', '1e999999999')).toBe(0n)
    expect(read('{"type":"int64"}', '1e-999999999')).toBe(0n)
    expect(read('{"type":"int32"}', '123456789012345678901e2')).toBe(Number(BigInt.asIntN(32, 12345678901234567890100n)))
    expect(read('{"type":"double"}', '1e999999999')).toBe(Number.POSITIVE_INFINITY)
  })

  it('takes a schema of many levels, and refuses a value that loops', () => {
    const levels = 100
    const open = '{"type":"array","items":'.repeat(levels)
    const deep = withSchemas.read(
      `{"schema":${open}{"type":"int8"}${'}'.repeat(levels)},"payload":${'['.repeat(levels)}1${']'.repeat(levels)}}`,
    )
    expect(withSchemas.read(withSchemas.write(deep.schema, deep.value)).schema).toEqual(deep.schema)
    const tooMany = `{"schema":${'{"type":"array","items":'.repeat(400)}{"type":"int8"}${'}'.repeat(400)},"payload":[]}`
    expect(() => withSchemas.read(tooMany)).toThrow('a schema of more than 100 levels')
    const loop: Value[] = []
    loop.push(loop)
    expect(() => bare.write(null, loop)).toThrow('lists and maps inside each other')
    let schema: Schema = int32()
    for (let level = 0; level < 5000; level++) schema = array(schema)
    expect(() => withSchemas.write(schema, [])).toThrow('a schema of more than 100 levels')
  })

  it('refuses members that no field has, and never takes what an object inherits', () => {
    const schema = struct({ a: int32(), constructor: string({ optional: true }) })
    expect(() => bare.write(schema, structOf({ a: 1, b: 2 }))).toThrow('Mismatching schema.')
    expect(bare.write(schema, { a: 1 })!.toString()).toBe('{"a":1,"constructor":null}')
    const content = ready({ 'schema.content': '{"type":"struct","fields":[{"field":"constructor","type":"string","optional":true}]}' })
    expect(content.read('{}').value).toEqual(structOf({ constructor: null } as unknown as Record<string, Value>))
  })

  it('refuses a text that became nothing where a struct needs one', () => {
    const record = '{"schema":{"type":"struct","fields":[{"field":"a","type":"string"}]},"payload":{"a":5}}'
    expect(() => withSchemas.read(record)).toThrow('Invalid value: null used for required field: "a", schema type: STRING')
    expect(() => withSchemas.read(record)).toThrow('Invalid value: null used for required field: "a", schema type: STRING')
  })
})

describe('what is kept between records', () => {
  const schema = struct({ id: int64(), score: float64({ optional: true }) }, { name: 'S' })

  it('gives the same schema object for the same schema, however it is written', () => {
    const converter = ready()
    const first = converter.read(converter.write(schema, structOf({ id: 1n, score: 0.5 })))
    const second = converter.read(converter.write(schema, structOf({ id: 2n, score: null })))
    expect(second.schema).toBe(first.schema)
    expect(second.value).toEqual(structOf({ id: 2n, score: null }))
    const { schema: json } = JSON.parse(converter.write(schema, structOf({ id: 1n, score: 0.5 }))!.toString()) as {
      readonly schema: unknown
    }
    expect(converter.read(JSON.stringify({ payload: { id: 3 }, schema: json }, null, 1)).schema).toBe(first.schema)
  })

  it('keeps many schemas apart, and forgets the oldest beyond schemas.cache.size', () => {
    const converter = ready({ 'schemas.cache.size': '3' })
    const schemas = [0, 1, 2, 3].map((index) => struct({ [`f${index}`]: int32() }))
    const records = schemas.map((each, index) => converter.write(each, structOf({ [`f${index}`]: index }))!)
    const first = records.map((record) => converter.read(record).schema)
    for (const index of [3, 2, 1]) expect(converter.read(records[index]!).schema).toBe(first[index])
    const again = converter.read(records[0]!)
    expect(again).toEqual({ schema: first[0], value: structOf({ f0: 0 }) })
    expect(again.schema).not.toBe(first[0])
    const none = ready({ 'schemas.cache.size': '0' })
    for (const record of [...records, ...records]) expect(none.read(record).schema).toEqual(first[records.indexOf(record)])
  })

  it('is not led astray by an envelope that says a thing twice', () => {
    const converter = ready()
    const twice = '{"schema":{"type":"int32"},"payload":1,"schema":{"type":"string"},"payload":"x"}'
    expect(converter.read(twice)).toEqual({ schema: string(), value: 'x' })
    expect(converter.read('{"schema":{"type":"int32"},"payload":1}')).toEqual({ schema: int32(), value: 1 })
    expect(converter.read(twice)).toEqual({ schema: string(), value: 'x' })
    expect(converter.read('{"schema":{"type":"int32"},"payload":1,"payload":2}').value).toBe(2)
    expect(() => converter.read('{"schema":{"type":"int32"},"payload":1,"more":2}')).toThrow('may not contain additional fields')
    expect(converter.read('{"schema":{"type":"int32"},"payload":7} and more').value).toBe(7)
    expect(() => converter.read('{"schema":{"type":"int32"},"payload":7')).toThrow('serialization error')
    expect(() => converter.read('{"schema":{"type":"int32"},"payload":}')).toThrow('serialization error')
  })

  it('takes an envelope that JsonConverter alone takes for JSON', () => {
    const converter = ready()
    const record = '{"schema":{"type":"int32","version":007},"payload":08}'
    for (let time = 0; time < 2; time++) expect(converter.read(record)).toEqual({ schema: int32({ version: 7 }), value: 8 })
  })

  it('does not hold on to the bytes of a record', () => {
    const converter = ready()
    const record = converter.write(schema, structOf({ id: 1n, score: 1.5 }))!
    const copy = Buffer.from(record)
    expect(converter.read(copy).value).toEqual(structOf({ id: 1n, score: 1.5 }))
    copy.fill(0)
    expect(converter.read(record).value).toEqual(structOf({ id: 1n, score: 1.5 }))
  })

  it('reads digits as they stand, known envelope or not', () => {
    const converter = ready()
    const record = (id: string): string => `{"schema":{"type":"struct","fields":[{"type":"int64","field":"id"}]},"payload":{"id":${id}}}`
    for (const id of ['1', '9007199254740993', '9223372036854775807', '-9223372036854775808', '1700000000000000']) {
      expect(converter.read(record(id)).value).toEqual(structOf({ id: BigInt(id) }))
    }
  })
})
