/** @module test/cli/line-reader — lines of stdin, and what the console producer makes of them. */
import { describe, expect, it } from 'vitest'
import { LineError, lineReader } from '../../hub/cli/line-reader.ts'
import { lineLists } from '../../hub/cli/lines.ts'

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part)
}

async function linesOf(...parts: (string | Buffer)[]): Promise<string[]> {
  const all: string[] = []
  for await (const lines of lineLists(chunks(...parts))) all.push(...lines)
  return all
}

describe('lineLists', () => {
  it.each([
    [['a\nb\n'], ['a', 'b']],
    [['a\nb'], ['a', 'b']],
    [['a\r\nb\rc\n'], ['a', 'b', 'c']],
    [['\n\n'], ['', '']],
    [
      ['a\r', '\nb'],
      ['a', 'b'],
    ],
    [
      ['a\r', 'b'],
      ['a', 'b'],
    ],
    [
      ['a', 'b', '\n', 'c'],
      ['ab', 'c'],
    ],
    [[], []],
    [[''], []],
  ])('%j is %j', async (parts, lines) => {
    expect(await linesOf(...parts)).toEqual(lines)
  })

  it('joins characters that were cut between chunks', async () => {
    const bytes = Buffer.from('é日\n')
    expect(await linesOf(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(['é日'])
    expect(await linesOf(Buffer.from([0xff, 0x0a]))).toEqual(['\ufffd'])
  })
})

describe('lineReader', () => {
  const read = (properties: Record<string, string>, line: string, lineNumber = 1) =>
    lineReader(new Map(Object.entries(properties)))(line, lineNumber)

  it('takes the whole line for the value by default', () => {
    expect(read({}, 'k\tv')).toEqual({ key: null, value: 'k\tv', headers: [] })
    expect(read({}, '')).toEqual({ key: null, value: '', headers: [] })
  })

  it('parses key and headers', () => {
    expect(read({ 'parse.key': 'TRUE' }, 'k\tv\tw')).toEqual({ key: 'k', value: 'v\tw', headers: [] })
    expect(read({ 'parse.key': 'true', 'key.separator': '::' }, 'k::v')).toEqual({ key: 'k', value: 'v', headers: [] })
    expect(read({ 'parse.key': 'true', 'parse.headers': 'true' }, 'h1:a,h2:b:c\tk\tv')).toEqual({
      key: 'k',
      value: 'v',
      headers: [
        { key: 'h1', value: Buffer.from('a') },
        { key: 'h2', value: Buffer.from('b:c') },
      ],
    })
  })

  it('splits headers by a regular expression, without empty ones at the end', () => {
    const properties = { 'parse.headers': 'true', 'headers.separator': '[;|]' }
    expect(read(properties, 'a:1;b:2|\tv').headers.map(({ key }) => key)).toEqual(['a', 'b'])
  })

  it('puts null in place of the marker', () => {
    const properties = { 'parse.key': 'true', 'parse.headers': 'true', 'null.marker': 'NULL' }
    expect(read(properties, 'h:NULL\tNULL\tNULL')).toEqual({ key: null, value: null, headers: [{ key: 'h', value: null }] })
    expect(read(properties, 'NULL\tk\tv').headers).toEqual([])
    expect(() => read(properties, 'NULL:x\tk\tv')).toThrow(
      "Header keys should not be equal to the null marker 'NULL' as they can't be null",
    )
  })

  it.each([
    [{ 'parse.key': 'true' }, 'x', "No key separator found on line number 4: 'x'"],
    [{ 'parse.headers': 'true' }, 'x', "No headers delimiter found on line number 4: 'x'"],
    [{ 'parse.headers': 'true' }, 'h\tx', "No header key separator found in pair 'h' on line number 4"],
  ])('refuses with %j the line %j', (properties, line, message) => {
    expect(() => read(properties as Record<string, string>, line, 4)).toThrow(new LineError(message))
  })

  it('makes the best of bad lines with ignore.error', () => {
    const properties = { 'parse.key': 'true', 'parse.headers': 'true', 'ignore.error': 'true' }
    expect(read(properties, 'x')).toEqual({ key: null, value: 'x', headers: [] })
    expect(read(properties, 'h\tx')).toEqual({ key: null, value: 'x', headers: [{ key: 'h', value: null }] })
  })

  it.each([
    [{ 'headers.separator': ':' }, 'headers.separator and headers.key.separator may not be equal'],
    [{ 'headers.delimiter': ',' }, 'headers.delimiter and headers.separator may not be equal'],
    [{ 'null.marker': '\t' }, 'null.marker and key.separator may not be equal'],
    [{ 'null.marker': ':' }, 'null.marker and headers.key.separator may not be equal'],
  ])('refuses the properties %j', (properties, message) => {
    expect(() => lineReader(new Map(Object.entries(properties)))).toThrow(new LineError(message))
  })
})
