/**
 * @module test/connectors/postgres/events/scenarios — the messages of recorded scenarios, as their `.sql` in golden/cdc makes the server send them.
 */
import type { Table } from '../../../../connectors/postgres/model.ts'
import { type Cells, type OldCells, type Step, UNCHANGED } from './replay.ts'
import { tableOf } from './tables.ts'

/** `t(id int primary key, v text)` of many scenarios. */
const idAndText = tableOf('t', { id: 'int4!', v: 'text' })
const onlyId = (name: string, facts: Partial<Table> = {}): Table => tableOf(name, { id: 'int4!' }, ['id'], facts)

/** Rows of `customers` in ops-basic. */
const customers = tableOf('customers', {
  id: "int4! = nextval('customers_id_seq'::regclass)",
  first_name: 'varchar(255)!',
  last_name: 'varchar(255)!',
  email: 'varchar(255)!',
  score: 'int4 = 5',
})
const customer = (id: string, first: string, last: string, email: string, score = '5'): Cells => [id, first, last, email, score]
const customerKey = (id: string): OldCells => ({ key: [id, null, null, null, null] })
const anne = (id: string, first = 'Anne Marie'): Cells => customer(id, first, 'Kretchmar', 'annek@noanswer.test')

export const opsBasic: readonly Step[] = [
  ['read', customers, customer('1', 'Sally', 'Thomas', 'sally@acme.test')],
  ['read', customers, customer('2', 'George', 'Bailey', 'gb@acme.test')],
  ['insert', customers, anne('3', 'Anne')],
  ['update', customers, anne('3')],
  ['update', customers, customer('1', 'Sally', 'Thomas', 'sally@acme.test')],
  ['update', customers, anne('1004'), customerKey('3')],
  ['delete', customers, customerKey('1004')],
  ['update', customers, customer('2', 'George', 'Bailey', 'gb@acme.test', '6')],
  ['update', customers, customer('1', 'Sally', 'Thomas', 'sally@acme.test', '6')],
  ['update', customers, customer('1', 'x', 'Thomas', 'sally@acme.test', '6')],
  ['insert', customers, customer('50', 'a', 'b', 'c')],
  ['update', customers, customer('50', 'aa', 'b', 'c')],
  ['delete', customers, customerKey('50')],
]

export const multiRow: readonly Step[] = [
  ...Array.from({ length: 10 }, (_, index): Step => ['insert', idAndText, [String(index + 1), `row ${index + 1}`]]),
  ['update', idAndText, ['1', 'row 1!']],
  ['update', idAndText, ['2', 'row 2!']],
]

const pair = { a: 'int4', b: 'text' }
const plain = tableOf('plain', pair, [])
const plainFull = tableOf('plain_full', pair, [], { replicaIdentity: 'full' })
const uniq = tableOf('uniq', { a: 'int4!', b: 'text' })
const uniqNullable = tableOf('uniq_nullable', pair, ['a'])
const uniqExpr = tableOf('uniq_expr', { a: 'text!' }, [])
export const noPk: readonly Step[] = [
  ...[plain, plainFull, uniq].map((table): Step => ['read', table, ['1', 'x']]),
  ['read', uniqExpr, ['A']],
  ['read', uniqNullable, ['1', 'x']],
  ...[plain, plainFull, uniq, uniqNullable].map((table): Step => ['insert', table, ['2', 'y']]),
  ['insert', uniqExpr, ['B']],
  ['update', plainFull, ['1', 'z'], { full: ['1', 'x'] }],
  ['delete', plainFull, { full: ['1', 'z'] }],
]

const tabLe = tableOf('Tab le', {
  Id: 'int4!',
  'col umn': 'text',
  '1st': 'int4',
  'a-b': 'int4',
  ünï: 'int4',
  'x.y': 'int4',
  'sel"q': 'int4',
})
const schema1 = onlyId('Tab$1', { schema: 'Sch-1' })
const [hash, umlaut, japanese] = [onlyId('tab#hash/slash'), onlyId('täble'), onlyId('日本')]
const dots = onlyId('t.dot', { schema: 's.dot' })
const wide = (id: string): Cells => [id, 'a', '2', '3', '4', '5', '6']
export const names: readonly Step[] = [
  ['read', schema1, ['1']],
  ['read', tabLe, wide('1')],
  ...[onlyId('Tab_1'), onlyId('_under'), hash, umlaut, japanese, dots].map((table): Step => ['read', table, ['1']]),
  ['insert', tabLe, wide('2')],
  ...[schema1, dots, umlaut, japanese, hash].map((table): Step => ['insert', table, ['2']]),
]

const identityColumns = {
  id: 'int4!',
  u: 'int4!',
  v: 'text',
  n: 'int4! = 7',
  d: "date! = '2020-01-01'::date",
  ts: "timestamptz! = '2020-01-01 00:00:00+00'::timestamp with time zone",
  b: "bytea! = '\\x'::bytea",
  j: "json! = '{}'::json",
  num: 'numeric(6,2)! = 0',
  boo: 'bool! = false',
}
const identityRow = (id: string, u: string, v: string | null): Cells => {
  return [id, u, v, '7', '2020-01-01', '2020-01-01 00:00:00+00', '\\x', '{}', '0.00', 'f']
}
const identityKey = (id: string | null, u: string | null = null): OldCells => {
  return { key: [id, u, null, null, null, null, null, null, null, null] }
}
const identityTable = (name: string, replicaIdentity: Table['replicaIdentity']): Table => {
  return tableOf(name, identityColumns, ['id'], { replicaIdentity })
}
const dflt = identityTable('dflt', 'default')
const [ful, idx, noth] = [identityTable('ful', 'full'), identityTable('idx', 'index'), identityTable('noth', 'nothing')]
export const replicaIdentity: readonly Step[] = [
  ...[dflt, ful, idx, noth].flatMap((table): Step[] => [
    ['read', table, identityRow('1', '10', 'x')],
    ['read', table, identityRow('2', '20', null)],
  ]),
  ['update', dflt, identityRow('1', '10', 'y')],
  ['update', dflt, identityRow('11', '10', 'y'), identityKey('1')],
  ['delete', dflt, identityKey('2')],
  ['update', ful, identityRow('1', '10', 'y'), { full: identityRow('1', '10', 'x') }],
  ['update', ful, identityRow('11', '10', 'y'), { full: identityRow('1', '10', 'y') }],
  ['update', ful, identityRow('11', '10', 'y'), { full: identityRow('11', '10', 'y') }],
  ['delete', ful, { full: identityRow('2', '20', null) }],
  ['update', idx, identityRow('1', '10', 'y')],
  ['update', idx, identityRow('1', '11', 'y'), identityKey(null, '10')],
  ['update', idx, identityRow('111', '11', 'y')],
  ['delete', idx, identityKey(null, '20')],
  ['insert', noth, identityRow('3', '30', 'z')],
  ['update', identityTable('dflt', 'full'), identityRow('11', '10', 'after full'), { full: identityRow('11', '10', 'y') }],
  ['delete', dflt, identityKey('11')],
]

const [a, b, c] = ['a', 'b', 'c'].map((name) => tableOf(name, { id: 'int4!', v: 'text' })) as [Table, Table, Table]
const otherD = tableOf('d', { id: 'int4!', v: 'text' }, ['id'], { schema: 'other' })
export const snapshotMarkers: readonly Step[] = [
  ['read', otherD, ['1', 'd1']],
  ['read', otherD, ['2', 'd2']],
  ...['1', '2', '3'].map((id): Step => ['read', a, [id, `a${id}`]]),
  ['read', c, ['1', 'c1']],
  ['insert', b, ['1', 'b1']],
  ['insert', a, ['4', 'a4']],
]

const n = 'numeric(6,2)! = 1.5'
const withC = { c: "varchar(20) = 'cd'::character varying" }
const later = { id: 'int4!', a2: 'text', b: 'int8! = 1', n }
const replaced = { ...later, extra: 'int4' }
const twoKeys = tableOf('t', replaced, ['id', 'b'])
const relaxed = tableOf('t2', { ...replaced, n: 'numeric(6,2)' }, ['id', 'b'])
export const schemaChange: readonly Step[] = [
  ['read', tableOf('t', { id: 'int4!', a: 'text', b: 'int4! = 1' }), ['1', 'x', '1']],
  ['insert', tableOf('t', { id: 'int4!', a: 'text', b: 'int4! = 1', ...withC }), ['2', 'y', '2', 'c']],
  ['update', tableOf('t', { id: 'int4!', a: 'text', b: 'int4! = 1', ...withC, n }), ['1', 'z', '1', 'cd', '1.50']],
  ['insert', tableOf('t', { id: 'int4!', a: 'text', b: 'int8! = 1', ...withC, n }), ['3', 'q', '9000000000', 'cd', '1.50']],
  ['insert', tableOf('t', { id: 'int4!', a2: 'text', b: 'int8! = 1', ...withC, n }), ['4', 'renamed', '1', 'cd', '1.50']],
  ['insert', tableOf('t', later), ['5', 'dropped', '1', '1.50']],
  ['insert', tableOf('t', later), ['6', 'before', '1', '1.50']],
  ['insert', tableOf('t', replaced), ['7', 'after', '1', '1.50', '1']],
  ['insert', twoKeys, ['8', null, '8', '1.50', null]],
  ['delete', twoKeys, { key: ['8', null, '8', null, null] }],
  ['insert', tableOf('t2', replaced, ['id', 'b']), ['9', null, '9', '1.50', null]],
  ['insert', tableOf('fresh', { id: 'int4!', v: 'text' }), ['1', 'f']],
  ['insert', tableOf('fresh', { id: 'int8!', w: 'bool' }), ['2', 't']],
  ['insert', relaxed, ['10', null, '10', null, null]],
  ['insert', relaxed, ['11', null, '11', null, null]],
]

const serialA = tableOf('a', { id: "int4! = nextval('a_id_seq'::regclass)", v: 'text' })
const [idB, idC] = [onlyId('b'), onlyId('c')]
export const truncate: readonly Step[] = [
  ['read', serialA, ['1', 'x']],
  ['read', serialA, ['2', 'y']],
  ['read', idB, ['1']],
  ['read', idC, ['1']],
  ['truncate', idC],
  ['truncate', serialA],
  ['truncate', idB],
  ['insert', idC, ['2']],
  ['truncate', idC],
  ['truncate', idB],
  ['insert', idC, ['3']],
]

export const removals: readonly Step[] = [
  ['read', idAndText, ['1', 'a']],
  ['read', idAndText, ['2', 'b']],
  ['delete', idAndText, { key: ['1', null] }],
  ['update', idAndText, ['3', 'b'], { key: ['2', null] }],
]

export const extendedHeadersOff: readonly Step[] = [removals[0]!, ['update', idAndText, ['2', 'a'], { key: ['1', null] }]]

export const restart: readonly Step[] = [
  ['read', idAndText, ['1', 'a']],
  ['insert', idAndText, ['2', 'b']],
  ['insert', idAndText, ['3', 'c']],
  ['insert', idAndText, ['4', 'd']],
  ['insert', idAndText, ['5', 'e']],
  ['update', idAndText, ['4', 'dd']],
  ['delete', idAndText, { key: ['3', null] }],
  ['insert', idAndText, ['6', 'f']],
]

export const allOperations: readonly Step[] = [
  ['read', idAndText, ['1', 'a']],
  ['insert', idAndText, ['2', 'b']],
  ['update', idAndText, ['2', 'c']],
  ['update', idAndText, ['4', 'c'], { key: ['2', null] }],
  ['delete', idAndText, { key: ['4', null] }],
  ['truncate', idAndText],
]

const keyed = tableOf('t', { id: 'int4!', a: 'int4', b: 'text', c: 'text' }, ['id'], { replicaIdentity: 'full' })
const nopk = tableOf('nopk', { x: 'int4', y: 'text' }, [], { replicaIdentity: 'full' })
const generic = tableOf('generic_1', { id: 'int4!', id2: 'int4!' })
export const keyColumns: readonly Step[] = [
  ['read', generic, ['1', '2']],
  ['read', nopk, ['1', 'y']],
  ['read', keyed, ['1', '1', 'b', 'c']],
  ['insert', keyed, ['2', '2', 'b2', 'c2']],
  ['update', keyed, ['2', '2', 'b2', 'cc'], { full: ['2', '2', 'b2', 'c2'] }],
  ['update', keyed, ['2', '2', 'bb', 'cc'], { full: ['2', '2', 'b2', 'cc'] }],
  ['update', keyed, ['3', '2', 'bb', 'cc'], { full: ['2', '2', 'bb', 'cc'] }],
  ['insert', nopk, [null, 'n']],
  ['update', nopk, ['1', 'yy'], { full: ['1', 'y'] }],
  ['delete', nopk, { full: ['1', 'yy'] }],
  ['delete', keyed, { full: ['3', '2', 'bb', 'cc'] }],
  ['insert', generic, ['5', '6']],
]

const observed = tableOf('t', { id: 'int4!', name: 'text', other: 'text' }, ['id'], { replicaIdentity: 'full' })
export const skipUnchanged: readonly Step[] = [
  ['read', observed, ['1', 'a', 'b']],
  ['update', observed, ['1', 'a', 'c'], { full: ['1', 'a', 'b'] }],
  ['update', observed, ['1', 'aa', 'c'], { full: ['1', 'a', 'c'] }],
]

const filtered = tableOf(
  't',
  {
    id: 'int4!',
    name: 'varchar(20)!',
    ssn: 'bpchar(11)',
    long_text: 'text',
    num: 'numeric(8,3)',
    by: 'bytea',
    ts: 'timestamptz(3)',
    arr: 'varchar_array(5)',
    b: 'bit(7)',
  },
  ['id'],
  { replicaIdentity: 'full' },
)
const person = (name: string, ssn: string, num = '1.500'): Cells => {
  return ['1', name, ssn, 'äöü𝄞xyz', num, '\\x0102030405', '2024-01-01 00:00:00+00', '{a}', '1010101']
}
const al: Cells = ['2', 'Al', null, null, null, null, null, null, null]
const other = tableOf('u', { id: 'int4!', v: 'text' })
export const columnFilters: readonly Step[] = [
  ['read', filtered, person('Alexandria', '123-45-6789')],
  ['read', filtered, al],
  ['read', other, ['1', 'v']],
  ['update', filtered, person('Alexander', '987-65-4321'), { full: person('Alexandria', '123-45-6789') }],
  ['delete', filtered, { full: al }],
  ['insert', other, ['2', 'w']],
  ['update', filtered, person('Alexander', '987-65-4321', '2.500'), { full: person('Alexander', '987-65-4321') }],
]

const toastColumns = {
  id: 'int4!',
  n: 'int4',
  tx: 'text',
  nn: 'text!',
  by: 'bytea',
  j: 'json',
  jb: 'jsonb',
  ta: 'text_array',
  ia: 'int4_array',
  ba: 'int8_array',
  hs: 'hstore',
  x: 'xml',
  ua: 'uuid_array',
  da: 'date_array',
  num: 'numeric',
}
const toasted = tableOf('t', toastColumns)
const toastedFull = tableOf('f', toastColumns, ['id'], { replicaIdentity: 'full' })
const long = (letter: string): string => letter.repeat(2100)
const list = (element: string, count: number): string => `{${Array.from({ length: count }, () => element).join(',')}}`
const none = (count: number): Cells => Array.from({ length: count }, () => null)
const unchanged = (count: number): Cells => Array.from({ length: count }, () => UNCHANGED)
const longRow: Cells = [
  ...[
    long('a'),
    long('b'),
    `\\x${'63'.repeat(2100)}`,
    `"${long('d')}"`,
    `"${long('e')}"`,
    `{${long('f')}}`,
    list('1', 600),
    list('2', 300),
  ],
  ...[`"k"=>"${long('g')}"`, `<a>${long('h')}</a>`, list('00000000-0000-0000-0000-000000000001', 140), list('1970-01-02', 600), null],
]
export const toast: readonly Step[] = [
  ['insert', toasted, ['1', '1', ...longRow]],
  ['insert', toastedFull, ['1', '1', long('a'), long('b'), ...none(11)]],
  ['update', toasted, ['1', '2', ...unchanged(12), null]],
  ['update', toasted, ['1', '2', 'short', ...unchanged(11), null]],
  ['update', toastedFull, ['1', '2', UNCHANGED, UNCHANGED, ...none(11)], { full: ['1', '1', long('a'), long('b'), ...none(11)] }],
  ['update', toasted, ['2', '2', 'short', ...unchanged(11), null], { key: ['1', ...none(14)] }],
  ['delete', toasted, { key: ['2', ...none(14)] }],
]

const defaultColumns = {
  pk: 'int4!',
  i2: 'int2 = 2',
  i4: "int4! = '-4'::integer",
  i8: 'int8 = 8',
  f4: 'float4 = 1.5',
  f8: 'float8 = 2.5',
  n: 'numeric = 1.50',
  n52: 'numeric(5,2)! = 9.99',
  b: 'bool = true',
  c3: "bpchar(3) = 'ab'::bpchar",
  vc: "varchar(10)! = 'it''s'::character varying",
  tx: "text = ''::text",
  tnull: 'text',
  d: "date = '2020-02-02'::date",
  ti: "time = '01:02:03'::time without time zone",
  ts: "timestamp! = '2020-01-01 01:02:03.456789'::timestamp without time zone",
  ts3: "timestamp(3) = '2020-01-01 01:02:03.456'::timestamp without time zone",
  tstz: "timestamptz! = '2020-01-01 00:00:00+00'::timestamp with time zone",
  tnow: 'timestamptz! = now()',
  dnow: 'date! = CURRENT_DATE',
  iv: "interval = '1 day'::interval",
  by: "bytea = '\\x00ff'::bytea",
  j: 'jsonb! = \'{"a": 1}\'::jsonb',
  u: "uuid = '00000000-0000-0000-0000-000000000001'::uuid",
  ugen: 'uuid! = gen_random_uuid()',
  e: "mood = 'ok'::mood",
  bi: 'bit(4) = \'1010\'::"bit"',
  m: 'money = 1.25',
  expr: 'int4 = (1 + 2)',
  cast_: "int8 = '77'::bigint",
  arr: "int4_array = '{1,2}'::integer[]",
  ip: "inet = '10.0.0.1'::inet",
  seq: 'int8',
  nodefault_nn: 'int4',
  inf: "timestamp = 'infinity'::timestamp without time zone",
  nan: "numeric = 'NaN'::numeric",
  rnd: 'float8! = random()',
}
const withDefaults = tableOf('t', defaultColumns)
const defaultsRow = (changes: Readonly<Partial<Record<keyof typeof defaultColumns, string | null>>>): Cells => {
  const row: Readonly<Record<keyof typeof defaultColumns, string | null>> = {
    ...{
      pk: '1',
      i2: '2',
      i4: '-4',
      i8: '8',
      f4: '1.5',
      f8: '2.5',
      n: '1.50',
      n52: '9.99',
      b: 't',
      c3: 'ab ',
      vc: "it's",
      tx: '',
      tnull: null,
    },
    ...{
      d: '2020-02-02',
      ti: '01:02:03',
      ts: '2020-01-01 01:02:03.456789',
      ts3: '2020-01-01 01:02:03.456',
      tstz: '2020-01-01 00:00:00+00',
    },
    ...{ tnow: '2024-01-01 00:00:00+00', dnow: '2024-01-01', iv: '1 day', by: '\\x00ff', j: '{"a": 1}' },
    ...{
      u: '00000000-0000-0000-0000-000000000001',
      ugen: '00000000-0000-0000-0000-000000000002',
      e: 'ok',
      bi: '1010',
      m: '$1.25',
      expr: '3',
    },
    ...{ cast_: '77', arr: '{1,2}', ip: '10.0.0.1', seq: null, nodefault_nn: null, inf: 'infinity', nan: 'NaN', rnd: '0.5' },
    ...changes,
  }
  return Object.values(row)
}
export const defaults: readonly Step[] = [
  ['read', withDefaults, defaultsRow({})],
  ['insert', withDefaults, defaultsRow({ pk: '2' })],
  ['insert', withDefaults, defaultsRow({ pk: '3', i2: null, tx: null, d: null, b: null, n: null })],
  ['delete', withDefaults, { key: ['2', ...none(36)] }],
]
