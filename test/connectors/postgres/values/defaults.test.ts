import { describe, expect, it } from 'vitest'
import { columnCodec, defaultOf } from '../../../../connectors/postgres/values/index.ts'
import { type ColumnFacts, columnOf, plain } from './columns.ts'

function defaultFor(facts: ColumnFacts): unknown {
  const { column, types, settings } = columnOf(facts)
  const value = defaultOf(column, types, columnCodec(column, types, settings, 'stream')!, settings)
  return value === undefined ? undefined : plain(value)
}

const scaled = (6 << 16) + 2 + 4

/** As pg_get_expr prints them; those of the recordings are in golden.test.ts. */
const cases: readonly (readonly [type: string, expression: string, value: unknown, facts?: Partial<ColumnFacts>])[] = [
  ['int4', '7', 7],
  ['int4', "'-7'::integer", -7],
  ['int8', "'9223372036854775807'::bigint", 9_223_372_036_854_775_807n],
  ['bool', 'true', true],
  ['bool', 'false', false],
  ['float8', "'NaN'::double precision", Number.NaN],
  ['float4', '1.5', 1.5],
  ['numeric', '1.5', '150e-2', { modifier: scaled }],
  ['numeric', '1.500', '150e-2', { modifier: scaled }],
  ['numeric', '1.50', '1.50', { settings: { decimalMode: 'string' } }],
  ['text', "'it''s'::text", "it's"],
  ['text', '(\'a\'::text COLLATE "C")', 'a'],
  ['varchar', "('abc'::text)::character varying", 'abc'],
  ['bpchar', "'ab'::bpchar", 'ab'],
  ['bit', '\'1\'::"bit"', true, { modifier: 1 }],
  ['varbit', 'B\'110\'::"bit"', '06'],
  ['uuid', "'00000000-0000-0000-0000-000000000001'::uuid", '00000000-0000-0000-0000-000000000001'],
  ['timestamp', "'2020-01-01 01:02:03.5'::timestamp without time zone", 1_577_840_523_500_000n],
  ['mood', "'so ''so'''::public.mood", "so 'so'", { kind: 'enum', schema: 'public', labels: ["so 'so'"] }],
  // What a call would give is not known; a value of the type stands in, as upstream has it.
  ['int4', "nextval('t_id_seq'::regclass)", 0],
  ['int8', "(nextval('t_id_seq'::regclass))", 0n],
  ['uuid', 'gen_random_uuid()', '00000000-0000-0000-0000-000000000000'],
  ['date', 'CURRENT_DATE', 0],
  ['time', 'LOCALTIME', 0n],
  ['timestamptz', 'now()', '1970-01-01T00:00:00.000000Z'],
  ['timestamptz', 'CURRENT_TIMESTAMP', '1970-01-01T00:00:00.000000Z'],
  ['interval', 'make_interval(days => 1)', 0n],
  ['numeric', 'random()', '0e-2', { modifier: scaled }],
  ['text', "upper('x'::text)", ''],
  // Functions that are called without brackets are no text.
  ['text', 'CURRENT_USER', ''],
  ['varchar', 'SESSION_USER', ''],
  ['text', 'USER', ''],
  ['text', 'CURRENT_SCHEMA', ''],
  ['text', 'CURRENT_CATALOG', ''],
  ['bool', 'pg_is_in_recovery()', false],
  ['json', 'json_build_object()', '{}'],
]

describe('defaults that an expression tells', () => {
  for (const [type, expression, value, facts] of cases) {
    it(`${type} default ${expression}`, () => expect(defaultFor({ type, defaultExpression: expression, ...facts })).toEqual(value))
  }
})

/** NULL, expressions that only the server can reckon, and types whose defaults are never told. */
const untold: readonly (readonly [type: string, expression: string, facts?: Partial<ColumnFacts>])[] = [
  ['text', 'NULL::text'],
  ['int4', 'NULL'],
  ['int4', '(1 + 2)'],
  ['int4', "('5'::integer % 2)"],
  // Upstream takes the first literal of these for the default.
  ['text', "('a'::text || 'b'::text)"],
  ['timestamp', "('2020-01-01'::date + '1 day'::interval)"],
  ['date', "('now'::text)::date"],
  ['int2', '70000'],
  ['numeric', '1.555', { modifier: scaled }],
  ['numeric', "'NaN'::numeric", { modifier: scaled }],
  ['numeric', '1.5'],
  ['mood', 'random_mood()', { kind: 'enum', schema: 'public' }],
  ['price', '1.5', { kind: 'domain', schema: 'public', settings: { includeUnknown: true } }],
  ['bytea', "'\\x00'::bytea"],
  ['money', "'$1.25'::money"],
  ['inet', "'10.0.0.1'::inet"],
  ['name', "'a'::name"],
  ['int4[]', "'{1,2}'::integer[]"],
  ['int4', '7', { isGenerated: true }],
]

describe('defaults that it does not tell', () => {
  for (const [type, expression, facts] of untold) {
    it(`${type} default ${expression}`, () => expect(defaultFor({ type, defaultExpression: expression, ...facts })).toBeUndefined())
  }
})
