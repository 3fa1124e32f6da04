/** StringConverter's encodings and SimpleHeaderConverter's reading beyond the golden cases. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { simpleHeaderConverter, stringConverter } from '../../../connectors/converters/index.ts'
import {
  array,
  bytes,
  type Converter,
  DataError,
  date,
  int64,
  int8,
  map,
  parseConfig,
  type SchemaAndValue,
  Sized,
  string,
  structOf,
  time,
  timestamp,
  type Value,
} from '../../../sdk/index.ts'
import { samples, schemalessValues } from './random-values.ts'

const runs = process.env['MILLRACE_LONG'] === undefined ? 400 : 30_000

describe('StringConverter', () => {
  const ready = (encoding: string): Converter =>
    stringConverter.create(parseConfig(stringConverter.config, { 'converter.type': 'value', 'converter.encoding': encoding }), {
      isKey: false,
    })
  const encode = (encoding: string, text: string): string =>
    Buffer.from(ready(encoding).fromConnectData('t', string(), text, []) as Uint8Array).toString('hex')
  const decode = (encoding: string, hex: string): Value =>
    (ready(encoding).toConnectData('t', Buffer.from(hex, 'hex'), []) as SchemaAndValue).value

  it.each(['UTF-8', 'utf8', 'UTF-16', 'UTF-16BE', 'utf-16le'])('brings any text back in %s', (encoding) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decode(encoding, encode(encoding, text))).toBe(text)
      }),
      { numRuns: runs / 4 },
    )
  })

  it('replaces what an encoding lacks, as Java does', () => {
    expect(encode('UTF-8', 'a\ud800b')).toBe('613f62')
    expect(encode('iso-8859-1', 'ÿ€😀')).toBe('ff3f3f')
    expect(encode('latin1', 'é')).toBe('e9')
    expect(encode('US-ASCII', 'é')).toBe('3f')
    expect(encode('UTF-16', '')).toBe('')
    expect(encode('UTF-16LE', 'a\udc00')).toBe('6100fdff')
  })

  it('reads what is no text, as Java does', () => {
    expect(decode('UTF-8', 'eda080eda0')).toBe('\ufffd\ufffd')
    expect(decode('UTF-8', 'ed9fbfeda08041ed')).toBe('\ud7ff\ufffdA\ufffd')
    expect(decode('UTF-8', 'c080ff')).toBe('\ufffd\ufffd\ufffd')
    expect(decode('UTF-16', 'fffe6100')).toBe('a')
    expect(decode('UTF-16', '0061')).toBe('a')
    expect(decode('UTF-16BE', '006100')).toBe('a\ufffd')
    expect(decode('UTF-16LE', '00d8')).toBe('\ufffd')
    expect(decode('US-ASCII', '41ff')).toBe('A\ufffd')
  })

  it('refuses an encoding that is not served before the first record', () => {
    expect(() => ready('constructor')).toThrow('Unsupported encoding constructor')
    expect(() => ready('windows-31j')).toThrow(DataError)
  })
})

describe('SimpleHeaderConverter', () => {
  const converter = simpleHeaderConverter.create({})
  const read = (text: string): SchemaAndValue => converter.toConnectHeader('t', 'h', Buffer.from(text))
  const write = (
    ...[schema, value]: Parameters<typeof converter.fromConnectHeader> extends [string, string, ...infer R] ? R : never
  ): string => Buffer.from(converter.fromConnectHeader('t', 'h', schema, value) ?? []).toString()

  it('says null where a header says null', () => {
    for (const text of ['null', ' null ']) expect(read(text)).toEqual({ schema: null, value: null })
    expect(read('null!').value).toBe('null!')
    expect(converter.toConnectHeader('t', 'h', null)).toEqual({ schema: null, value: null })
  })

  it('reads dates and whole numbers in one list as dates', () => {
    expect(read('[5,2019-08-23]')).toEqual({ schema: array(date()), value: [new Date(5 * 86_400_000), new Date('2019-08-23')] })
    expect(read('[5,14:34:54.346Z]')).toEqual({ schema: array(time()), value: [new Date(5), new Date(52_494_346)] })
    expect(read('[3000000000,2019-08-23T14:34:54.346Z]')).toEqual({
      schema: array(timestamp()),
      value: [new Date(3_000_000_000), new Date('2019-08-23T14:34:54.346Z')],
    })
    for (const text of ['[-5,14:34:54.346Z]', '[1.5,2019-08-23]', '[2019-08-23,70000]'])
      expect(read(text)).toEqual({ schema: string(), value: text })
  })

  it('keeps one entry for a key that comes twice', () => {
    expect(read('{1:2,1:3}')).toEqual({ schema: map(int8(), int8()), value: new Map([[1, 3]]) })
    expect((read('{1:2,"a":3,1:4,"a":5}').value as Map<Value, Value>).size).toBe(2)
    expect(read('[1.5,{+5:"x"}]').value).toEqual([new Sized('float32', 1.5), new Map([[new Sized('int8', 5), 'x']])])
  })

  it('tells the day of a date before 1970, which upstream loses', () => {
    expect(write(timestamp(), new Date(-1))).toBe('1969-12-31T23:59:59.999Z')
    expect(write(date(), new Date('0001-01-03'))).toBe('0001-01-05')
    expect(read('0001-01-05').value).toEqual(new Date('0001-01-03'))
    expect(read('1582-10-15').value).toEqual(new Date('1582-10-15'))
    expect(read('1582-10-04').value).toEqual(new Date('1582-10-14'))
  })

  it('writes what has no schema by the values alone', () => {
    expect(write(null, [1n, 'a"b\\c', null, true, Buffer.from([1]), structOf({ x: 1.5 })])).toBe(
      '[1,"a\\"b\\\\c",null,true,"AQ==",{"x":1.5}]',
    )
    expect(write(bytes(), Buffer.from([1]))).toBe('AQ==')
    const loop: Value[] = []
    loop.push(loop)
    expect(() => write(null, loop)).toThrow('lists and maps inside each other')
  })

  it('reads back what it wrote of whole numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (whole) => {
        const { schema, value } = read(write(int64(), whole))
        expect(BigInt(value as bigint | number)).toBe(whole)
        expect(schema?.type).toMatch(/^int(8|16|32|64)$/)
      }),
      { numRuns: runs },
    )
  })

  it('writes any value and reads any text without failing', () => {
    fc.assert(
      fc.property(samples, schemalessValues, fc.string({ unit: 'binary' }), (sample, value, text) => {
        for (const written of [write(sample.schema, sample.value), write(null, value), text]) expect(read(written)).toHaveProperty('value')
      }),
      { numRuns: runs },
    )
    const token = fc.constantFrom('[', ']', '{', '}', ',', ':', '"', '\\', ' ', '1', '-', 'true', 'null', 'a', '2019-08-23', '1e400', '.5')
    fc.assert(
      fc.property(fc.array(token, { maxLength: 20 }), (tokens) => {
        expect(read(tokens.join(''))).toHaveProperty('value')
      }),
      { numRuns: runs * 5 },
    )
  })

  it('is not overwhelmed by a long header', () => {
    const length = 200_000
    for (const unit of ['[', '{1:', '["a",', '"', '[ ', ':', '9', '\\', '[2019-08-23,']) {
      const text = unit.repeat(length / unit.length)
      expect(read(text).schema, unit).toEqual(string())
    }
    expect(read(`[${'1,'.repeat(1000)}1]`).schema).toEqual(array(int8()))
    expect(read('1E999999999').schema).toMatchObject({ type: 'bytes', parameters: { scale: '-999999999' } })
    expect(read('1e99999999999').schema).toEqual(string())
  })
})
