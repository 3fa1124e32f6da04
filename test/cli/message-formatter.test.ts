/** @module test/cli/message-formatter — what the console consumer prints. The first cases were printed by Kafka 4.3.1. */
import { describe, expect, it } from 'vitest'
import { DeserializeError, deserializerOf, javaNumberText } from '../../hub/cli/deserializers.ts'
import { type FormattedRecord, messageFormatter } from '../../hub/cli/message-formatter.ts'

const DEFAULT = 'org.apache.kafka.tools.consumer.DefaultMessageFormatter'
const record: FormattedRecord = {
  partition: 0,
  offset: 3,
  timestampMs: 1_795_554_633_152,
  timestampType: 'create',
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [
    { key: 'h', value: Buffer.from('1') },
    { key: 'g', value: Buffer.alloc(0) },
  ],
}
const format = (properties: Record<string, string>, changes: Partial<FormattedRecord> = {}): string =>
  messageFormatter(DEFAULT, new Map(Object.entries(properties)))({ ...record, ...changes }).toString()
const ALL = Object.fromEntries(
  ['timestamp', 'partition', 'offset', 'delivery', 'epoch', 'headers', 'key'].map((column) => [`print.${column}`, 'true']),
)

describe('DefaultMessageFormatter', () => {
  it('prints the value alone by default', () => {
    expect(format({})).toBe('v\n')
    expect(format({}, { value: null })).toBe('null\n')
  })

  it('prints every column in Kafka’s order', () => {
    expect(format(ALL)).toBe('CreateTime:1795554633152\tPartition:0\tOffset:3\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\th:1,g:\tk\tv\n')
    expect(format(ALL, { leaderEpoch: 5, deliveryCount: 2, headers: [], timestampType: 'append' })).toBe(
      'LogAppendTime:1795554633152\tPartition:0\tOffset:3\tDelivery:2\tEpoch:5\tNO_HEADERS\tk\tv\n',
    )
    expect(format({ 'print.timestamp': 'true' }, { timestampType: null })).toBe('NO_TIMESTAMP\tv\n')
  })

  it('closes the line behind the last column', () => {
    expect(format({ 'print.key': 'true', 'print.value': 'false' })).toBe('k\n')
    expect(format({ 'print.value': 'false' })).toBe('')
  })

  it('has separators and a text for null', () => {
    const properties = {
      'print.key': 'true',
      'print.headers': 'true',
      'key.separator': '|',
      'headers.separator': ';',
      'line.separator': '\r\n',
      'null.literal': 'NIL',
    }
    expect(format(properties, { key: null, headers: [...record.headers, { key: 'n', value: null }] })).toBe('h:1;g:;n:NIL|NIL|v\r\n')
  })

  it('passes bytes on that are no text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe])
    const printed = messageFormatter(DEFAULT, new Map([['print.key', 'true']]))({ ...record, value: bytes })
    expect(printed).toEqual(Buffer.concat([Buffer.from('k\t'), bytes, Buffer.from('\n')]))
  })

  it('reads by Java’s deserializers', () => {
    const name = 'org.apache.kafka.common.serialization.IntegerDeserializer'
    expect(format({ 'value.deserializer': name }, { value: Buffer.from('0000002a', 'hex') })).toBe('42\n')
    // Kafka would read the text «null» as a number.
    expect(format({ 'value.deserializer': name }, { value: null })).toBe('null\n')
    expect(() => format({ 'value.deserializer': name })).toThrow(
      new DeserializeError('Size of data received by IntegerDeserializer is not 4'),
    )
  })

  it('refuses names that are not there', () => {
    expect(() => format({ 'key.deserializer': 'Bogus' })).toThrow(/^key.deserializer Bogus: there is no such deserializer; there are /)
    expect(() => messageFormatter('Bogus', new Map())).toThrow(/^Bogus: there is no such formatter/)
    expect(messageFormatter('org.apache.kafka.tools.consumer.NoOpMessageFormatter', new Map())(record)).toHaveLength(0)
  })
})

describe('deserializers', () => {
  const read = (name: string, hex: string): string => String(deserializerOf(`${name}Deserializer`)?.(Buffer.from(hex, 'hex')))

  it.each([
    ['String', 'c3a9', 'é'],
    ['ByteArray', '6162', 'ab'],
    ['Bytes', '615c00ff', 'a\\\\\\x00\\xFF'],
    ['Short', 'fffe', '-2'],
    ['Long', '7fffffffffffffff', '9223372036854775807'],
    ['Float', '3dcccccd', '0.1'],
    ['Float', '4b189680', '1.0E7'],
    ['Double', '3fb999999999999a', '0.1'],
    ['Double', '7ff0000000000000', 'Infinity'],
    ['Boolean', '01', 'true'],
    ['UUID', Buffer.from('1-2-3-4-ABC').toString('hex'), '00000001-0002-0003-0004-000000000abc'],
  ])('%s of %s', (name, hex, text) => {
    expect(read(name, hex)).toBe(text)
  })

  it.each([
    ['Boolean', '02'],
    ['Double', '00'],
    ['UUID', '00'],
  ])('%s refuses %s', (name, hex) => {
    expect(() => read(name, hex)).toThrow(DeserializeError)
  })

  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-1.5, '-1.5'],
    [0.001, '0.001'],
    [0.00125, '0.00125'],
    [0.0001, '1.0E-4'],
    [9_999_999, '9999999.0'],
    [1e7, '1.0E7'],
    [1.25e21, '1.25E21'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d prints as %s', (value, text) => {
    expect(javaNumberText(Object.is(value, -0) ? '-0' : String(value))).toBe(text)
  })
})
