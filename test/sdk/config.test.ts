/** Kafka 4.3.1's own answers, case by case: golden/connect/configdef.jsonl. */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allOf,
  atLeast,
  between,
  betweenDecimals,
  type ConfigDefinition,
  ConfigException,
  type ConfigOf,
  type ConfigType,
  canonicalText,
  convertToString,
  defineConfig,
  isPassword,
  listOf,
  listSize,
  nonEmptyString,
  nonEmptyStringWithoutControlCharacters,
  nonNull,
  oneOf,
  oneOfIgnoringCase,
  Password,
  parseConfig,
  parseType,
  rule,
  type Validator,
  validateConfig,
} from '../../sdk/index.ts'

type Golden = Readonly<Record<string, unknown>> & { readonly op: string }
const golden: readonly Golden[] = readFileSync(new URL('../golden/connect/configdef.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Golden)
const casesOf = (op: string): readonly Golden[] => golden.filter((entry) => entry.op === op)

const isKnownClass = (name: string): boolean => name.startsWith('java.')
const javaWord: Readonly<Record<string, string>> = {
  'java.lang.Boolean': 'boolean',
  'java.lang.Class': 'class',
  'java.lang.Integer': 'number',
  'java.lang.Double': 'number',
  'java.util.ImmutableCollections$List12': 'list',
  'java.util.ImmutableCollections$ListN': 'list',
  'java.util.ImmutableCollections$MapN': 'map',
  'org.apache.kafka.common.config.types.Password': 'password',
}

/** The first line (the golden messages are cut there), with Java's classes in JavaScript's words. */
function message(text: unknown): string {
  const [line = ''] = String(text).split('\n')
  return line.replace(/(?<=it was a )\S+$/, (name) => javaWord[name] ?? name)
}

/** A value in the notation of the golden data; undefined for what JavaScript has no counterpart of. */
function fromGolden(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const [[key, content] = ['', null]] = Object.entries(value)
  if (key === '$i32' || key === '$i16' || key === '$f64') return Number(content)
  if (key === '$i64') return String(content)
  if (key === '$password') return new Password(String(content))
  if (key === '$map') return {}
  return undefined
}

function outcomeOf(run: () => unknown): unknown {
  try {
    return { result: plain(run()) }
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigException)
    return { error: message((error as Error).message) }
  }
}

function plain(value: unknown): unknown {
  return isPassword(value) ? { $password: value.value, text: String(value) } : value
}

function expectedOf(entry: Golden): unknown {
  const error = entry['error'] as { message: string } | undefined
  // Kafka shows what should have been a secret.
  if (error !== undefined && entry['type'] === 'PASSWORD')
    return { error: message(error.message).replace(/value .* for/, 'value [hidden] for') }
  if (error !== undefined) return { error: message(error.message) }
  return { result: resultOf(entry['result'], entry['type'] as ConfigType) }
}

function resultOf(value: unknown, type?: ConfigType): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if ('$class' in value) return value.$class
  if ('$password' in value) return value
  const text = String(Object.values(value)[0])
  return type === 'LONG' || '$i64' in value ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : Number(text)
}

describe('parseType', () => {
  // Java has five kinds of numbers and tells them apart; a number of JavaScript is one kind, and fits where its value fits.
  const widths = /"\$(i16|i64|f32|f64|class)"/
  const shared = casesOf('parseType').filter(
    ({ input, type }) => !widths.test(JSON.stringify(input)) && !(type === 'SHORT' && isI32(input)),
  )
  const isBig = (text: unknown): boolean => Number(text) > Number.MAX_SAFE_INTEGER

  it.each(shared.map((entry) => [entry['type'], JSON.stringify(entry['input']), entry]))('%s of %s', (_type, _input, entry) => {
    const { type, input } = entry as unknown as { type: ConfigType; input: unknown }
    expect(outcomeOf(() => parseType('key', fromGolden(input), type, { isKnownClass }))).toEqual(expectedOf(entry as Golden))
    if (type === 'LONG' && isBig(input) && !('error' in (entry as Golden))) expect(canonicalText(input, type)).toBe(input)
  })

  it('covers the bulk of the recorded cases', () => {
    expect(shared.length).toBeGreaterThan(370)
  })

  it('takes a number of JavaScript where its value fits', () => {
    expect(parseType('k', 5, 'SHORT')).toBe(5)
    expect(parseType('k', 5, 'DOUBLE')).toBe(5)
    expect(() => parseType('k', 1.5, 'INT')).toThrow('Invalid value 1.5 for configuration k: Not a number of type INT')
    expect(() => parseType('k', 40_000, 'SHORT')).toThrow('Not a number of type SHORT')
    expect(() => parseType('k', 5, 'STRING')).toThrow('Expected value to be a string, but it was a number')
  })

  it('keeps the limits of a LONG as numbers, and their text', () => {
    expect(parseType('k', '9223372036854775807', 'LONG')).toBe(Number.MAX_SAFE_INTEGER)
    expect(parseType('k', '-9223372036854775808', 'LONG')).toBe(Number.MIN_SAFE_INTEGER)
    expect(canonicalText(' +9223372036854775807', 'LONG')).toBe('9223372036854775807')
    expect(canonicalText('07', 'INT')).toBe('7')
    expect(canonicalText(' a , b ', 'LIST')).toBe('a,b')
    expect(canonicalText('secret', 'PASSWORD')).toBe('[hidden]')
    expect(canonicalText(null, 'LONG')).toBeNull()
  })
})

describe('a hostile text', () => {
  it('of a list is split in one go, as the pattern would', () => {
    const blanks = ' '.repeat(500_000)
    expect(parseType('k', `a${blanks}b`, 'LIST')).toEqual([`a${blanks}b`])
    const texts = fc.array(fc.constantFrom('a', ',', ' ', '\t', '\v', '\u0001', '\u00a0', '\ufeff'), { maxLength: 12 })
    fc.assert(
      fc.property(texts, (characters) => {
        const text = `x${characters.join('')}x`
        expect(parseType('k', text, 'LIST')).toEqual(text.split(/[ \t\n\v\f\r]*,[ \t\n\v\f\r]*/))
      }),
    )
  })

  it('of a double is refused in one go', () => {
    expect(() => parseType('k', `${'1'.repeat(500_000)}x`, 'DOUBLE')).toThrow('Not a number of type DOUBLE')
    expect(['1', '1.', '.5', '1.5e3'].map((text) => parseType('k', text, 'DOUBLE'))).toEqual([1, 1, 0.5, 1500])
    expect(() => parseType('k', '.', 'DOUBLE')).toThrow('Not a number of type DOUBLE')
  })
})

function isI32(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$i32' in value
}

const validators: Readonly<Record<string, Validator>> = {
  '[0,...]': atLeast(0),
  '[1,...,10]': between(1, 10),
  '[0.5,...,1.5]': betweenDecimals(0.5, 1.5),
  '[a, b]': oneOf('a', 'b'),
  '[x, null]': oneOf('x', null),
  '(case insensitive) [ONE, TWO]': oneOfIgnoringCase('one', 'TWO'),
  'non-null string': nonNull,
  'non-empty string': nonEmptyString,
  'non-empty string without ISO control characters': nonEmptyStringWithoutControlCharacters,
  'List containing maximum of 2 elements': listSize(2),
  'non-null string, [5,...]': allOf(nonNull, atLeast(5)),
  'not bad': rule('not bad', (value) => (value === 'bad' ? 'it is bad' : undefined)),
}
const listValidators: Readonly<Record<string, readonly Validator[]>> = {
  '[a, b, c]': [listOf({ allowed: ['a', 'b', 'c'] })],
  '[a, b]': [listOf({ allowed: ['a', 'b'], emptyAllowed: false })],
  '': [listOf({ nullAllowed: true }), listOf({ emptyAllowed: false })],
}

describe('validators', () => {
  const cases = casesOf('validate').filter(({ error }) => !JSON.stringify(error ?? '').includes('NullPointerException'))
  let anyListAt = 0
  it.each(cases.map((entry) => [entry['text'], JSON.stringify(entry['value']), entry]))('%s on %s', (text, _value, given) => {
    const entry = given as Golden
    const list = entry['validator'] === 'ValidList'
    // Two rules share the empty text; the second begins when null comes round again.
    if (list && text === '' && entry['value'] === null) anyListAt++
    const validator = list ? listValidators[String(text)]?.[text === '' ? anyListAt - 1 : 0] : validators[String(text)]
    const type = JSON.stringify(entry['value']).includes('$f64') ? 'DOUBLE' : undefined
    const error = entry['error'] as { message: string } | undefined
    const value = fromGolden(entry['value'])
    const found = validator?.check('key', JSON.stringify(entry['value']).includes('$i64') ? Number(value) : value, type)
    expect(validator?.text).toBe(text)
    expect(found === undefined ? undefined : message(found)).toBe(error === undefined ? undefined : message(error.message))
  })
})

describe('convertToString', () => {
  it.each(casesOf('convertToString').map((entry) => [entry['type'], JSON.stringify(entry['value']), entry]))(
    '%s %s',
    (type, _value, entry) => {
      expect(convertToString(fromGolden((entry as Golden)['value']), type as ConfigType)).toBe((entry as Golden)['result'])
    },
  )
})

const sample = defineConfig({
  'req.int': { type: 'INT', importance: 'HIGH' },
  'req.string': { type: 'STRING', importance: 'HIGH', validator: nonEmptyString },
  'opt.int': { type: 'INT', default: '7', importance: 'LOW', validator: between(0, 10) },
  bool: { type: 'BOOLEAN', default: false, importance: 'MEDIUM' },
  list: { type: 'LIST', default: 'a,b', importance: 'MEDIUM' },
  'null.default': { type: 'STRING', default: null, importance: 'LOW' },
  pw: { type: 'PASSWORD', default: null, importance: 'LOW' },
  cls: { type: 'CLASS', default: 'java.lang.String', importance: 'LOW' },
  parent: { type: 'STRING', default: 'none', importance: 'LOW', validator: oneOf('none', 'all'), dependents: ['child'] },
  child: {
    type: 'STRING',
    default: null,
    importance: 'LOW',
    recommender: {
      validValues: (_name, parsed) => (parsed['parent'] === 'all' ? ['c1', 'c2'] : []),
      visible: (_name, parsed) => parsed['parent'] === 'all',
    },
  },
})

describe('a definition', () => {
  it.each(casesOf('definition').map((entry) => [JSON.stringify(entry['props']), entry]))('parses and validates %s', (_props, given) => {
    const entry = given as Golden & { props: Record<string, unknown>; parsed?: Record<string, unknown>; parseError?: { message: string } }
    const parsed = outcomeOf(() => parseConfig(sample, entry.props, { isKnownClass })) as { result?: Record<string, unknown> }
    const expected = entry.parsed === undefined ? undefined : mapValues(entry.parsed, (value) => resultOf(value))
    if (entry.parseError === undefined) expect(mapValues(parsed.result ?? {}, plain)).toEqual(expected)
    else expect(parsed).toEqual({ error: entry.parseError.message })

    const validated = validateConfig(sample, entry.props, { isKnownClass })
    const byName = (list: readonly { name: string; value: unknown }[]): unknown =>
      Object.fromEntries(list.map((value) => [value.name, value]))
    const wanted = (entry['validated'] as { name: string; value: unknown }[]).map((value) => ({ ...value, value: resultOf(value.value) }))
    expect(byName(validated.map((value) => ({ ...value, value: plain(value.value) })))).toEqual(byName(wanted))
  })

  it('is refused when a default is wrong', () => {
    const cases = new Map(
      casesOf('badDefinition').map((entry) => [entry['case'], (entry['error'] as { message: string } | undefined)?.message]),
    )
    const define = (definition: ConfigDefinition): unknown => outcomeOf(() => Object.keys(defineConfig(definition)).length)
    const a = { importance: 'LOW' } as const
    expect(define({ a: { ...a, type: 'INT', default: 'x' } })).toEqual({ error: cases.get('default x for INT') })
    expect(define({ a: { ...a, type: 'INT', default: 50, validator: between(0, 10) } })).toEqual({
      error: cases.get('default 50 outside 0..10'),
    })
    expect(define({ a: { ...a, type: 'INT', default: null, validator: between(0, 10) } })).toEqual({
      error: cases.get('null default with a range'),
    })
    expect(define({ a: { ...a, type: 'LIST', default: null, validator: listOf() } })).toEqual({ result: 1 })
    expect(define({ a: { ...a, type: 'STRING', default: 5 } })).toEqual({ error: message(cases.get('default 5 for STRING')) })
    const dangling = defineConfig({ a: { ...a, type: 'INT', default: 1, dependents: ['nope'] } })
    expect(outcomeOf(() => parseConfig(dangling, {}))).toEqual({ error: cases.get('dependent that is not defined, parse') })
    expect(validateConfig(dangling, {})[1]?.errors).toEqual(['nope is referred in the dependents, but not defined.'])
  })

  it('gives the type of what it parses', () => {
    const parsed: ConfigOf<typeof sample> = parseConfig(sample, { 'req.int': '1', 'req.string': 's' })
    const int: number = parsed['opt.int']
    const nullable: string | null = parsed['null.default']
    const list: readonly string[] = parsed.list
    // @ts-expect-error a key that may be null is no string
    const wrong: string = parsed['null.default']
    expect([int, nullable, list, wrong]).toEqual([7, null, ['a', 'b'], null])
  })

  it('tells both what is wrong with a number and that a number is needed, as Connect does', () => {
    const tasks = defineConfig({ 'tasks.max': { type: 'INT', default: 1, validator: atLeast(1), importance: 'HIGH' } })
    expect(validateConfig(tasks, { 'tasks.max': 'x' })[0]?.errors).toEqual([
      'Invalid value x for configuration tasks.max: Not a number of type INT',
      'Invalid value null for configuration tasks.max: Value must be non-null',
    ])
  })
})

describe('a recommender', () => {
  const refusing = (error: Error): unknown =>
    validateConfig(
      {
        a: {
          type: 'STRING',
          default: null,
          importance: 'LOW',
          recommender: {
            validValues: () => {
              throw error
            },
            visible: () => true,
          },
        },
      },
      {},
    )[0]?.errors

  it('refuses by a ConfigException, also by that of another copy of this package', () => {
    expect(refusing(new ConfigException('not here'))).toEqual(['not here'])
    const foreign = Object.assign(new Error('not there'), { [Symbol.for('millrace.ConfigException')]: true })
    expect(refusing(foreign)).toEqual(['not there'])
    expect(() => refusing(new Error('broken'))).toThrow('broken')
  })
})

describe('a password', () => {
  it('is told only by its value', () => {
    const password = new Password('s3cret')
    const shown = [String(password), password.toString(), JSON.stringify({ password }), inspect(password), inspect({ deep: [password] })]
    expect(shown.join()).not.toContain('s3cret')
    expect(password.value).toBe('s3cret')
    expect(isPassword({ value: 's3cret' })).toBe(false)
  })
})

function mapValues(values: Readonly<Record<string, unknown>>, map: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}
