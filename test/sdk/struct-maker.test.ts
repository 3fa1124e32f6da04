import { describe, expect, it } from 'vitest'
import {
  int32,
  int64,
  isStruct,
  schemaOfMade,
  sourceRecord,
  string,
  stringifyJson,
  struct,
  structMaker,
  structOf,
  toPlain,
  validateValue,
  valuesEqual,
} from '../../sdk/index.ts'

const user = struct({ id: int64(), name: string({ optional: true }) }, { name: 'User' })

describe('structs of a maker', () => {
  it('have the members in the order of the schema, and equal what structOf makes', () => {
    const made = structMaker(user)([7n, 'Ada'])
    expect(Object.entries(made)).toEqual([
      ['id', 7n],
      ['name', 'Ada'],
    ])
    expect(isStruct(made)).toBe(true)
    expect(valuesEqual(made, structOf({ id: 7n, name: 'Ada' }))).toBe(true)
    expect(valuesEqual(made, structOf({ id: 8n, name: 'Ada' }))).toBe(false)
    expect(() => validateValue(user, made)).not.toThrow()
  })

  it('look nothing up but their members, whatever the names are', () => {
    const names = ['__proto__', 'constructor', 'toString', 'a"b', 'line\nend', '\u2028', '', '1']
    const schema = struct(names.map((name) => ({ name, schema: int32() })))
    const made = structMaker(schema)(names.map((_, index) => index))
    expect(names.map((name) => made[name])).toEqual(names.map((_, index) => index))
    expect(Object.keys(made).sort()).toEqual([...names].sort())
    expect(structMaker(user)([1n, null])['toString']).toBeUndefined()
  })

  it('pass as they are where their schema is asked for, and are fitted where another one is', () => {
    const made = structMaker(user)([7n, 'Ada'])
    expect(sourceRecord({ topic: 't', valueSchema: user, value: made }).value).toBe(made)
    const wider = struct({ id: int64(), name: string({ optional: true }), age: int32({ optional: true }) })
    expect(sourceRecord({ topic: 't', valueSchema: wider, value: made }).value).toEqual(structOf({ id: 7n, name: 'Ada', age: null }))
    expect(() => sourceRecord({ topic: 't', valueSchema: struct({ id: string() }), value: made })).toThrow(/value/)
    expect(schemaOfMade(made)).toBe(user)
    expect(schemaOfMade({ ...made })).toBeUndefined()
  })

  it('are printed and made plain as others are', () => {
    const outer = struct({ user, at: int64() })
    const made = structMaker(outer)([structMaker(user)([2n ** 60n, null]), 1n])
    expect(stringifyJson(made)).toBe('{"user":{"id":1152921504606846976,"name":null},"at":1}')
    expect(toPlain(made)).toEqual({ user: { id: '1152921504606846976', name: null }, at: 1 })
  })

  it('exist for structs only', () => {
    expect(() => structMaker(int32())).toThrow(TypeError)
  })
})
