import { describe, expect, it } from 'vitest'
import { columnFilter, keyColumnsRule, regexList, type TableLists, tableFilter } from '../../../../connectors/postgres/events/index.ts'
import { JavaRegexSyntaxError } from '../../../../sdk/index.ts'

const noLists: TableLists = { schemaInclude: null, schemaExclude: null, tableInclude: null, tableExclude: null, ignoreBuiltin: true }

describe('tables that are captured', () => {
  const cases: readonly (readonly [lists: Partial<TableLists>, table: readonly [string, string], isIn: boolean])[] = [
    [{}, ['public', 'orders'], true],
    [{ tableInclude: 'public.orders' }, ['public', 'orders'], true],
    [{ tableInclude: 'public.orders' }, ['public', 'orders_old'], false],
    [{ tableInclude: 'public.orders' }, ['my_public', 'orders'], false],
    // A dot is any character, and case does not count.
    [{ tableInclude: 'PUBLIC.Orders' }, ['public', 'orders'], true],
    [{ tableInclude: 'public.or.ers' }, ['public', 'orders'], true],
    [{ tableInclude: ' public.a , public\\.b.* ,' }, ['public', 'b7'], true],
    [{ tableInclude: 'public.t{1\\,2}' }, ['public', 'tt'], true],
    [{ tableInclude: 'public.t{1\\,2}' }, ['public', 'ttt'], false],
    [{ tableExclude: 'public.(a|b)' }, ['public', 'a'], false],
    [{ tableExclude: 'public.(a|b)' }, ['public', 'c'], true],
    [{ schemaInclude: 'sales|stock' }, ['stock', 'a'], true],
    [{ schemaInclude: 'sales|stock' }, ['public', 'a'], false],
    [{ schemaExclude: 'p.*' }, ['public', 'a'], false],
    [{ schemaInclude: 'sales', tableExclude: 'sales.secret' }, ['sales', 'secret'], false],
    [{ schemaInclude: 'sales', tableInclude: 'public.a' }, ['public', 'a'], false],
    [{ tableInclude: '  ' }, ['public', 'a'], true],
    [{}, ['pg_catalog', 'pg_class'], false],
    [{}, ['pg_temp_3', 't'], false],
    [{}, ['information_schema', 'tables'], false],
    [{ tableInclude: 'pg_catalog.*' }, ['pg_catalog', 'pg_class'], false],
    [{ ignoreBuiltin: false }, ['pg_catalog', 'pg_class'], true],
    // A character beyond 16 bits is one.
    [{ tableInclude: 'public.?' }, ['public', '𝄞'], false],
    [{ tableInclude: 'public..' }, ['public', '𝄞'], true],
  ]
  for (const [lists, [schema, table], isIn] of cases) {
    it(`${JSON.stringify(lists)}: ${schema}.${table} is ${isIn ? 'in' : 'out'}`, () => {
      expect(tableFilter({ ...noLists, ...lists })(schema, table)).toBe(isIn)
    })
  }

  it('are not asked for by an expression that is none', () => {
    expect(() => tableFilter({ ...noLists, tableInclude: 'public.(' })).toThrow(JavaRegexSyntaxError)
  })
})

describe('a list of expressions', () => {
  it('is cut at commas that no backslash stands before', () => {
    const patterns = (list: string): readonly string[] => regexList(list).map(({ pattern }) => pattern)
    expect(patterns('a, b ,,c')).toEqual(['a', 'b', 'c'])
    expect(patterns('a\\,b,c\\.d')).toEqual(['a,b', 'c\\.d'])
    expect(patterns('\\\\,b')).toEqual(['\\\\', 'b'])
    expect(patterns('')).toEqual([])
  })

  it('does not lose a backslash at its end', () => {
    expect(() => regexList('a\\')).toThrow(JavaRegexSyntaxError)
  })
})

describe('columns that values have', () => {
  it('are those of the include list, or all but those of the exclude list', () => {
    const included = columnFilter('public.t.id,.*\\.name', null)
    expect(['id', 'NAME', 'other'].map((column) => included('public', 't', column))).toEqual([true, true, false])
    const excluded = columnFilter(null, 'public.t.(ssn|v)')
    expect(['id', 'ssn'].map((column) => excluded('public', 't', column))).toEqual([true, false])
    expect(columnFilter(null, null)('public', 't', 'any')).toBe(true)
  })
})

describe('message.key.columns', () => {
  it('names the columns of keys in the order of its rules, each once', () => {
    const rule = keyColumnsRule(' public.t : b , a ;.*.t:a;s.u:.*')
    expect(rule('public', 't', ['id', 'a', 'b'])).toEqual(['b', 'a'])
    expect(rule('s', 'u', ['x', 'y'])).toEqual(['x', 'y'])
    expect(rule('s', 'v', ['a'])).toBeNull()
  })

  it('is refused in Debezium’s words where it has another form', () => {
    const words = String.raw`public.t has an invalid format (expecting '^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$')`
    expect(() => keyColumnsRule('public.t')).toThrow(words)
    expect(() => keyColumnsRule('public.t:a,')).toThrow(/invalid format/)
    expect(() => keyColumnsRule('public.(:a')).toThrow(JavaRegexSyntaxError)
  })
})
