import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnCodec, ValueSettings } from '../../../../connectors/postgres/values/index.ts'
import { isEngineError, type Struct } from '../../../../sdk/index.ts'
import { codecOf, type ColumnFacts, decoded } from './columns.ts'
import { decode } from './rows.ts'

const runs = process.env['MILLRACE_LONG'] === undefined ? 100 : 5_000

const names = (
  'bool int2 int4 int8 oid float4 float8 numeric money bytea bit varbit date time timetz timestamp timestamptz interval point line circle lseg box ' +
  'path polygon text uuid json inet int4range int4[] int8[] float8[] numeric[] text[] box[] date[] timestamptz[] bytea[] line[]'
).split(' ')
const extensions = ['hstore', 'geometry', 'geography', 'vector', 'halfvec', 'sparsevec', 'citext', 'hstore[]', 'vector[]']
const modes: readonly Partial<ValueSettings>[] = [
  {},
  { decimalMode: 'string', timePrecisionMode: 'isostring', binaryMode: 'hex', intervalMode: 'string', hstoreMode: 'map' },
  { decimalMode: 'double', timePrecisionMode: 'connect', binaryMode: 'base64' },
  { timePrecisionMode: 'nanoseconds', binaryMode: 'base64-url-safe' },
]
const columns: readonly ColumnFacts[] = [
  ...names.map((type): ColumnFacts => ({ type })),
  ...extensions.map((type): ColumnFacts => ({ type, schema: 'public' })),
  { type: 'mood', schema: 'public', kind: 'enum' },
  { type: 'numeric', modifier: (6 << 16) + 2 + 4 },
  { type: 'timestamptz', modifier: 2 },
]
const codecs: readonly ColumnCodec[] = columns.flatMap((facts) =>
  modes.map((settings) => codecOf({ ...facts, settings, isOptional: false })!),
)

/** Text that comes near to what some type prints. */
const garbage = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'0123456789-+:. {}[](),"\\/xeEINaftyB=>UL;é'.split('')), maxLength: 40 }),
  fc.constantFrom(
    'infinity',
    '-infinity',
    'NaN',
    'Infinity',
    '-',
    '.',
    '{',
    '}',
    '{"',
    '"a"=>',
    '2024-02-29 12:34:56+00 BC',
    '[1:2]={1}',
    '1e999',
    '\\x0',
    '{1:2}/',
  ),
)

describe('whatever text comes', () => {
  it('is a value or an error that names column and type', () => {
    fc.assert(
      fc.property(garbage, (text) => {
        for (const codec of codecs) {
          try {
            decode(codec, text)
          } catch (error) {
            if (!isEngineError(error) || !/^column c of type \w+: /.test(error.message)) throw error
          }
        }
      }),
      { numRuns: runs },
    )
  })
})

describe('what the server prints comes out as it is', () => {
  it('int8', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => decoded({ type: 'int8' }, String(value)) === value),
    )
  })

  it('int8 beyond 64 bits is none', () => {
    for (const text of [String(2n ** 63n), String(-(2n ** 63n) - 1n), '99999999999999999999'])
      expect(() => decoded({ type: 'int8' }, text)).toThrow(/no value/)
  })

  it('float8, to the bit', () => {
    fc.assert(
      fc.property(fc.double(), (value) => Object.is(decoded({ type: 'float8' }, Object.is(value, -0) ? '-0' : String(value)), value)),
      { numRuns: runs },
    )
    const short = fc
      .tuple(fc.integer({ min: 0, max: 99_999_999 }), fc.integer({ min: 0, max: 9_999_999 }))
      .map(([whole, part]) => `${whole}.${part}`)
    fc.assert(
      fc.property(short, (text) => decoded({ type: 'float8' }, text) === Number(text)),
      { numRuns: runs },
    )
  })

  it('numeric, every digit and no more bytes than its whole number needs', () => {
    const digits = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 30 }), (unscaled, scale) => {
        const text = plainText(unscaled, scale)
        const value = decode(codecOf({ type: 'numeric' })!, text) as Struct
        const bytes = value['value'] as Buffer
        const back = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
        expect(back * 10n ** BigInt(scale - (value['scale'] as number))).toBe(unscaled)
        if (bytes.length > 1) expect(BigInt.asIntN(bytes.length * 8 - 8, back)).not.toBe(back)
        if (value['scale'] !== 0) expect(back % 10n).not.toBe(0n)
        const fixed = codecOf({ type: 'numeric', modifier: (40 << 16) + scale + 4 })!
        expect(decode(fixed, text)).toMatchObject({ unscaled, scale })
      }),
      { numRuns: runs },
    )
  })

  it('timestamp, every microsecond, and its days and time apart', () => {
    const first = Date.parse('0001-01-02T00:00:00Z')
    fc.assert(
      fc.property(fc.integer({ min: first, max: Date.parse('9999-12-30T00:00:00Z') }), fc.integer({ min: 0, max: 999 }), (ms, us) => {
        const iso = new Date(ms).toISOString()
        const text = `${iso.slice(0, 10)} ${iso.slice(11, 23)}${String(us).padStart(3, '0')}`
        expect(decoded({ type: 'timestamp' }, text)).toBe(BigInt(ms) * 1000n + BigInt(us))
        expect(decoded({ type: 'date' }, text.slice(0, 10))).toBe(Math.floor(ms / 86_400_000))
        expect(decoded({ type: 'timestamptz' }, `${text}+00`)).toBe(`${text.replace(' ', 'T')}Z`)
        expect(decoded({ type: 'timestamptz' }, `${text}+05:30`)).toBe(
          `${new Date(ms - 19_800_000).toISOString().slice(0, 23)}${String(us).padStart(3, '0')}Z`,
        )
      }),
      { numRuns: runs },
    )
  })

  it('text of all characters, alone, in arrays and in hstore', () => {
    const text = fc.string({ unit: 'binary' }).map((value) => Buffer.from(value).toString())
    const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (values) => {
        for (const value of values) expect(decoded({ type: 'text' }, value)).toBe(value)
        expect(decoded({ type: 'text[]' }, `{${values.map(quoted).join(',')}}`)).toEqual(values)
        const pairs = [...new Map(values.map((value, at) => [value, values[values.length - 1 - at]!]))]
        const map = decode(
          codecOf({ type: 'hstore', schema: 'public', settings: { hstoreMode: 'map' } })!,
          pairs.map(([key, value]) => `${quoted(key)}=>${quoted(value)}`).join(', '),
        )
        expect([...(map as Map<string, string>)]).toEqual(pairs)
      }),
      { numRuns: runs },
    )
  })

  it('bits, the last one first', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 90n - 1n }), (value) => {
        const hex = Buffer.from(decoded({ type: 'varbit' }, value.toString(2)) as string, 'hex')
          .reverse()
          .toString('hex')
        expect(hex === '' ? 0n : BigInt(`0x${hex}`)).toBe(value)
      }),
      { numRuns: runs },
    )
  })
})

function plainText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`
}
