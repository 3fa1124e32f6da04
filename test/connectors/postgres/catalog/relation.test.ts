import { describe, expect, it } from 'vitest'
import { tableOfRelation } from '../../../../connectors/postgres/catalog/index.ts'
import type { RelationMessage, ReplicaIdentity, Table, TableColumn } from '../../../../connectors/postgres/model.ts'

const column = (name: string, change: Partial<TableColumn> = {}): TableColumn => ({
  name,
  typeOid: 23,
  typeModifier: -1,
  isOptional: true,
  defaultExpression: null,
  isGenerated: false,
  ...change,
})

function relation(names: readonly string[], keyNames: readonly string[], replicaIdentity: ReplicaIdentity = 'default'): RelationMessage {
  const columns = names.map((name) => ({ name, isKey: keyNames.includes(name), typeOid: 23, typeModifier: -1 }))
  return { kind: 'relation', oid: 1, schema: 's', name: 't', replicaIdentity, columns }
}

function table(columns: readonly TableColumn[], keyColumns: readonly string[]): Table {
  return { oid: 1, schema: 's', name: 'later', columns, keyColumns, replicaIdentity: 'full' }
}

describe('tableOfRelation', () => {
  it('takes columns, their order, names and the replica identity from the message, the rest from the catalog', () => {
    const now = table([column('b', { defaultExpression: '7' }), column('added'), column('a', { isOptional: false })], ['a'])
    expect(tableOfRelation(relation(['a', 'b'], ['a']), now)).toEqual({
      oid: 1,
      schema: 's',
      name: 't',
      columns: [column('a', { isOptional: false }), column('b', { defaultExpression: '7' })],
      keyColumns: ['a'],
      replicaIdentity: 'default',
    })
  })

  it('trusts the catalog only for a column of that name and type', () => {
    const now = table([column('a', { isOptional: false, defaultExpression: '1', typeOid: 25 })], [])
    expect(tableOfRelation(relation(['a', 'gone'], []), now).columns).toEqual([column('a'), column('gone')])
    expect(tableOfRelation(relation(['a'], ['a']), null)).toMatchObject({
      columns: [column('a', { isOptional: false })],
      keyColumns: ['a'],
    })
  })

  it.each<[string, RelationMessage, readonly string[], readonly string[]]>([
    ['the order of the primary key is the catalog’s', relation(['a', 'b'], ['a', 'b']), ['b', 'a'], ['b', 'a']],
    ['a primary key that has changed since is the message’s', relation(['a', 'b'], ['a']), ['b'], ['a']],
    ['a primary key that was renamed since is the message’s', relation(['old'], ['old']), ['new'], ['old']],
    ['a unique index stands in for no primary key', relation(['a', 'b'], []), ['b'], ['b']],
    ['with FULL all columns are marked, the key is the catalog’s', relation(['a', 'b'], ['a', 'b'], 'full'), ['a'], ['a']],
    ['with FULL a key of other columns is none', relation(['a'], ['a'], 'full'), ['z'], []],
    ['with INDEX the marked ones are not the primary key', relation(['a', 'b'], ['b'], 'index'), ['a'], ['a']],
    ['with INDEX and a key of other columns the marked ones remain', relation(['a', 'b'], ['b'], 'index'), ['z'], ['b']],
    ['with NOTHING the key is the catalog’s', relation(['a'], [], 'nothing'), ['a'], ['a']],
  ])('%s', (_, message, catalogKey, keyColumns) => {
    expect(tableOfRelation(message, table([], catalogKey)).keyColumns).toEqual(keyColumns)
  })
})
