import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, environmentConfig, overrideConfig, parseConfigFile, parseProperties, sectionOf } from '../../hub/config/index.ts'

const properties = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text))

describe('.properties', () => {
  it('takes =, : or white space between key and value, and white space around them', () => {
    const text = 'a=1\nb:2\nc 3\nd = 4\ne : 5\nf\t6\n  g  =  7  \nh==8\ni =: 9\nj\nk='
    expect(properties(text)).toEqual({ a: '1', b: '2', c: '3', d: '4', e: '5', f: '6', g: '7  ', h: '=8', i: ': 9', j: '', k: '' })
  })

  it('passes over comments and empty lines, also indented', () => {
    expect(properties('# a=1\n! b=2\n\n   \n  # c=3\nd=4 # not a comment')).toEqual({ d: '4 # not a comment' })
  })

  it('joins lines that end in a backslash and drops the indent of the next', () => {
    expect(properties('a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=y\\\\\\\n z')).toEqual({ a: '1,2,3', b: 'x\\', c: 'y\\z' })
    expect(properties('a=1\\')).toEqual({ a: '1' })
    // A comment cannot be continued; a continued line may look like one.
    expect(properties('# x\\\na=1\nb=2\\\n#3')).toEqual({ a: '1', b: '2#3' })
  })

  it('takes back escapes, in keys too', () => {
    expect(properties('a\\ b\\=c\\:d=1\ntab=\\t|\\n|\\r|\\f\nplain=\\q\\"\nu=\\u00e9\\u0041')).toEqual({
      'a b=c:d': '1',
      tab: '\t|\n|\r|\f',
      plain: 'q"',
      u: 'éA',
    })
    expect(() => properties('a=\\u00g0')).toThrow('Malformed \\uxxxx encoding.')
  })

  it('ends lines at \\n, \\r and \\r\\n; of a repeated key the last counts', () => {
    expect(properties('a=1\rb=2\r\nc=3\na=4')).toEqual({ a: '4', b: '2', c: '3' })
  })

  it('gives back what was written with everything escaped', () => {
    const escaped = (text: string): string => text.replace(/[\\\s=:#!]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
        expect(properties(`${escaped(key)}=${escaped(value)}`)).toEqual({ [key]: value })
      }),
    )
  })
})

const parsed = async (path: string, text: string): Promise<unknown> => Object.fromEntries(await parseConfigFile(path, text))

describe('.yaml and .json', () => {
  it('take flat and nested keys side by side, lists, numbers of any size, booleans and nothing', async () => {
    const yaml =
      'log.retention.ms: 9223372036854775807\nlog:\n  dirs: [a, b]\n  segment:\n    bytes: 1048576\nauto.create.topics.enable: false\nempty:\ntext: "x: y"\n'
    expect(await parsed('hub.yaml', yaml)).toEqual({
      'log.retention.ms': '9223372036854775807',
      'log.dirs': 'a,b',
      'log.segment.bytes': '1048576',
      'auto.create.topics.enable': 'false',
      empty: '',
      text: 'x: y',
    })
    expect(await parsed('hub.json', '{"log":{"dirs":["a","b"]},"node.id":1,"x":null}')).toEqual({
      'log.dirs': 'a,b',
      'node.id': '1',
      x: '',
    })
    expect(await parsed('hub.yml', '# nothing\n')).toEqual({})
  })

  it.each([
    ['twice.yaml', 'a.b: 1\na:\n  b: 2\n', 'a.b stands twice'],
    ['list.yaml', '- a\n', 'a list of keys'],
    ['deep.json', '{"a":[{"b":1}]}', 'a holds a list of something'],
    ['broken.json', '{', 'broken.json'],
    ['broken.yaml', 'a: [', 'broken.yaml'],
    ['bomb.yaml', `${Array.from({ length: 30 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')}`, 'nested deeper'],
  ])('refuse %s in one line that names the file', async (path, text, words) => {
    const error = await parseConfigFile(path, text).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toContain(words)
    expect((error as Error).message.split('\n').length).toBe(1)
    expect((error as Error).message).toContain(path)
  })
})

describe('environment and command line', () => {
  it('turn names of variables into keys by the rules of the image', () => {
    const environment = {
      MILLRACE_LOG_RETENTION_MS: '5',
      MILLRACE_A__B___C_D: 'x',
      MILLRACE_MILLRACE_HTTP_LISTENERS: '',
      HOME: '/',
      MILLRACE_LONG: '1',
    }
    expect(Object.fromEntries(environmentConfig(environment))).toEqual({
      'log.retention.ms': '5',
      'a_b-c.d': 'x',
      'millrace.http.listeners': '',
    })
  })

  it('take key=value, the first = parting them', () => {
    expect(Object.fromEntries(overrideConfig(['a=1', 'b=x=y', 'a=2', 'c=']))).toEqual({ a: '2', b: 'x=y', c: '' })
    for (const text of ['a', '=a', '']) expect(() => overrideConfig([text])).toThrow('write --override key=value')
  })
})

describe('sections', () => {
  it('lose exactly one prefix', () => {
    const config = new Map([
      ['connect.group.id', 'g'],
      ['connect.connect.x', 'y'],
      ['connector.a', 'b'],
      ['registry.a', 'c'],
    ])
    expect(Object.fromEntries(sectionOf(config, 'connect'))).toEqual({ 'group.id': 'g', 'connect.x': 'y' })
    expect(Object.fromEntries(sectionOf(config, 'registry'))).toEqual({ a: 'c' })
  })
})
